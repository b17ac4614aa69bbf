"""Kernel: which features an article has. Reads its words, looks each up, and notes pairs, prefixes and variants.

Runs compiled or interpreted; `runtime` compiles it. Knows nothing of queries.
"""

from __future__ import annotations

import numpy as np

from worker.matching.compiled.layout import (
    ALWAYS,
    ANY_FORM,
    BEGINS_PAIR,
    BODY,
    CAPITALS,
    ENDS_PAIR,
    EXACT,
    HAS_POSITIONS,
    HAS_VARIANTS,
    LEADING,
    TITLE,
    Article,
    HashTable,
    Marks,
    Reading,
    Vocabulary,
)
from worker.matching.compiled.segment import ACRONYM, DOT, class_at, segment
from worker.matching.compiled.tables import (
    ALPHA,
    BITS_A_SYLLABLE,
    CASED,
    CODES,
    FIRST_SYLLABLE,
    MAX_PARTICLE,
    SPACE,
    SYLLABLE,
    UPPER,
    Array,
    Tables,
)

SEED = np.uint64(0x2545F4914F6CDD1D)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)
ONE = np.uint64(1)
LOW_BITS = np.uint64(63)
MIN_STEM = 2  # as in hangul
RING = 8  # hashes of a word's last beginnings: more than MAX_PARTICLE, a power of two
MOST_FOLDS = 4  # code points that one may fold to; Unicode has 3
NO_ROOM = -1


def mixed(hashed: np.uint64, code: int) -> np.uint64:
    """Return the hash of a text with one more character; each step is a bijection of the one before."""
    hashed = (hashed ^ np.uint64(code)) * MULTIPLIER
    return hashed ^ (hashed >> HALF)


def look_up(table: HashTable, key: np.uint64, spread: np.uint64) -> int:
    """Return what a table has for a key, -1 if nothing; `spread` is the key, mixed well."""
    mask = len(table.keys) - 1
    place = int(spread >> np.uint64(table.shift))
    while table.keys[place] != 0:
        if table.keys[place] == key:
            return int(table.values[place])
        place = (place + 1) & mask
    return -1


def pair_key(first: int, second: int) -> np.uint64:
    """Return the key of two features in a row."""
    return (np.uint64(first) << HALF) | np.uint64(second)


def surface_hash(codes: Array, start: int, end: int) -> np.uint64:
    """Return the hash of a word's surface, case and marks included."""
    hashed = SEED
    for at in range(start, end):
        hashed = mixed(hashed, int(codes[at]))
    return hashed


def has_form(form: int, surface: np.uint64, reading: Reading, codes: Array, word: int) -> bool:
    """Tell whether a word stands in the form that is asked for."""
    if form == ANY_FORM:
        return True
    if form == EXACT:
        return surface_hash(codes, reading.starts[word], reading.ends[word]) == surface
    return reading.forms[word] == CAPITALS or reading.forms[word] == form


def is_within(fields: int, within: int, reading: Reading, word: int) -> bool:
    """Tell whether a word stands in one of the fields of a mask, and of the body among its first words."""
    field = reading.fields[word]
    if (fields >> field) & 1 == 0:
        return False
    return within == 0 or field == TITLE or (field == BODY and reading.places[word] < within)


def note(marks: Marks, stamp: int, feature: int, found: int) -> int:
    """Mark a feature as present; return how many are."""
    if marks.present[feature] != stamp:
        marks.present[feature] = stamp
        marks.features[found] = feature
        return found + 1
    return found


def enter(
    article: Article, vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int, word: int, feature: int, entries: int, found: int
) -> int:
    """Write that a word has a feature, as entry number `entries`; return how many features are present."""
    reading.entry_feature[entries] = feature
    reading.entry_word[entries] = word
    flags = vocabulary.flags[feature]
    if flags & HAS_POSITIONS != 0:
        if marks.seen[feature] != stamp:
            marks.seen[feature] = stamp
            marks.head[feature] = -1
            marks.count[feature] = 0
        reading.entry_next[entries] = marks.head[feature]
        marks.head[feature] = entries
        marks.count[feature] += 1
    if reading.fields[word] <= BODY:
        found = note(marks, stamp, feature, found)
    if flags & HAS_VARIANTS != 0:
        variant = vocabulary.variant_head[feature]
        while variant >= 0:
            if is_within(
                vocabulary.variant_fields[variant], vocabulary.variant_within[variant], reading, word
            ) and has_form(vocabulary.variant_form[variant], vocabulary.variant_surface[variant], reading, article.codes, word):
                found = note(marks, stamp, vocabulary.variant_feature[variant], found)
            variant = vocabulary.variant_next[variant]
    return found


def is_particle(packed: int, tables: Tables) -> bool:
    """Tell whether up to four packed syllables are one of the closed list."""
    low, high = 0, len(tables.particles)
    while low < high:
        middle = (low + high) >> 1
        if tables.particles[middle] < packed:
            low = middle + 1
        else:
            high = middle
    return low < len(tables.particles) and tables.particles[low] == packed


def recognise(
    article: Article, tables: Tables, vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int
) -> tuple[int, int]:
    """Read an article; return how many features it has and how many words, or NO_ROOM and how many entries it wants.

    `reading` has room for as many words as there are characters.
    """
    room = len(reading.entry_feature)
    ring = np.empty(RING, np.uint64)
    found = note(marks, stamp, ALWAYS, 0)
    words = entries = extra = paragraph = 0
    for field in range(len(article.bounds) - 1):
        first_word = words
        words = segment(
            article.codes, tables, article.bounds[field], article.bounds[field + 1],
            reading.starts, reading.ends, reading.kinds, reading.breaks, words,
        )  # fmt: skip
        for word in range(first_word, words):
            paragraph += reading.breaks[word]
            reading.fields[word] = field
            reading.paragraphs[word] = paragraph
            reading.places[word] = word - first_word
            reading.entry[word] = entries
            wanted = entries + MOST_FOLDS * (reading.ends[word] - reading.starts[word]) + MAX_PARTICLE + 1
            if wanted > room:
                return NO_ROOM, wanted
            entries, found = read_word(article, tables, vocabulary, reading, marks, stamp, ring, word, entries, found)
            while extra < len(article.extra_word) and article.extra_word[extra] <= word:
                if entries >= room:
                    return NO_ROOM, entries + len(article.extra_word)
                found = enter(
                    article, vocabulary, reading, marks, stamp, word, article.extra_feature[extra], entries, found
                )
                entries += 1
                extra += 1
            reading.entry[word + 1] = entries
            if reading.breaks[word] == 0 and field <= BODY:
                found = find_pairs(vocabulary, reading, marks, stamp, word, found)
    return found, words


def read_word(
    article: Article, tables: Tables, vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int, ring: Array, word: int, entries: int, found: int
) -> tuple[int, int]:
    """Look up a word, its beginnings and its stems; return how many entries and features there are then."""
    codes, classes = article.codes, tables.classes
    start, end = reading.starts[word], reading.ends[word]
    is_acronym = reading.kinds[word] == ACRONYM
    has_prefixes = len(vocabulary.bloom) > 1
    bloom_mask = len(vocabulary.bloom) - 1
    hashed = SEED
    letters = length = 0
    leads = 0  # not known yet; 1: its first letter is a capital; 2: it is not
    has_upper = has_cased = False
    for at in range(start, end):
        code = codes[at]
        kind = class_at(codes, classes, at, end)
        if is_acronym and (code == DOT or kind & SPACE != 0):
            continue
        if kind & ALPHA != 0 and leads == 0:
            leads = 1 if kind & UPPER != 0 else 2
        has_upper = has_upper or kind & UPPER != 0
        has_cased = has_cased or kind & CASED != 0
        folded = int(tables.fold[code]) if code < CODES else int(code)
        for step in range(1 if folded >= 0 else int(tables.more[~folded])):
            one = folded if folded >= 0 else int(tables.more[~folded + 1 + step])
            if one == 0:
                continue
            hashed = mixed(hashed, one)
            ring[length & (RING - 1)] = hashed
            length += 1
            letters += 1 if one < CODES and classes[one] & ALPHA != 0 else 0
            if has_prefixes and (vocabulary.bloom[int(hashed >> HALF) & bloom_mask] >> (hashed & LOW_BITS)) & ONE != 0:
                prefix = look_up(vocabulary.prefixes, hashed, hashed)
                if prefix >= 0:
                    found = enter(article, vocabulary, reading, marks, stamp, word, prefix, entries, found)
                    entries += 1
    is_capitals = has_upper and not has_cased and letters >= 2
    reading.forms[word] = CAPITALS if is_capitals else LEADING if leads == 1 else ANY_FORM
    feature = look_up(vocabulary.words, hashed, hashed)
    if feature >= 0:
        found = enter(article, vocabulary, reading, marks, stamp, word, feature, entries, found)
        entries += 1
    packed = 0
    for cut in range(1, min(MAX_PARTICLE, length - MIN_STEM) + 1):
        if class_at(codes, classes, end - cut, end) & SYLLABLE == 0:
            break
        packed |= (int(codes[end - cut]) - FIRST_SYLLABLE + 1) << BITS_A_SYLLABLE * (cut - 1)
        if is_particle(packed, tables):
            stem = ring[(length - 1 - cut) & (RING - 1)]
            feature = look_up(vocabulary.words, stem, stem)
            if feature >= 0:
                found = enter(article, vocabulary, reading, marks, stamp, word, feature, entries, found)
                entries += 1
    return entries, found


def find_pairs(vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int, word: int, found: int) -> int:
    """Note the pairs that a word makes with the one before it; return how many features are present."""
    for before in range(reading.entry[word - 1], reading.entry[word]):
        first = reading.entry_feature[before]
        if vocabulary.flags[first] & BEGINS_PAIR == 0:
            continue
        for here in range(reading.entry[word], reading.entry[word + 1]):
            second = reading.entry_feature[here]
            if vocabulary.flags[second] & ENDS_PAIR != 0:
                key = pair_key(first, second)
                pair = look_up(vocabulary.pairs, key, key * MULTIPLIER)
                if pair >= 0:
                    found = note(marks, stamp, pair, found)
    return found
