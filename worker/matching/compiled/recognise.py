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
    Marks,
    Reading,
    Vocabulary,
)
from worker.matching.compiled.segment import ACRONYM, DOT, LATIN, class_at, segment
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
LONGEST = 63  # the bit for prefixes of that length and beyond
LOW_BITS = np.uint64(63)
MIN_STEM = 2  # as in hangul
MOST_FOLDS = 4  # code points that one may fold to; Unicode has 3
NO_ROOM = -1


def mixed(hashed: np.uint64, code: int) -> np.uint64:
    """Return the hash of a text with one more character; each step is a bijection of the one before."""
    hashed = (hashed ^ np.uint64(code)) * MULTIPLIER
    return hashed ^ (hashed >> HALF)


def look_up(keys: Array, values: Array, shift: int, key: np.uint64, spread: np.uint64) -> int:
    """Return what a hash table has for a key, -1 if nothing; `spread` is the key, mixed well."""
    mask = len(keys) - 1
    place = np.int64(spread >> np.uint64(shift))
    while keys[place] != 0:
        if keys[place] == key:
            return int(values[place])
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


def has_form(form: int, surface: np.uint64, codes: Array, start: int, end: int, stands_in: int) -> bool:
    """Tell whether the word at `start` to `end`, which stands in a form, is in the one that is asked for."""
    if form == ANY_FORM:
        return True
    if form == EXACT:
        return bool(surface_hash(codes, start, end) == surface)
    return stands_in == CAPITALS or stands_in == form


def is_within(fields: int, within: int, field: int, place: int) -> bool:
    """Tell whether a place is in one of the fields of a mask, and in the body among the first words."""
    if (fields >> field) & 1 == 0:
        return False
    return within == 0 or field == TITLE or (field == BODY and place < within)


def is_particle(packed: int, particles: Array) -> bool:
    """Tell whether up to four packed syllables are one of the closed list."""
    low, high = 0, len(particles)
    while low < high:
        middle = (low + high) >> 1
        if particles[middle] < packed:
            low = middle + 1
        else:
            high = middle
    return low < len(particles) and particles[low] == packed


def recognise(
    article: Article, tables: Tables, vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int
) -> tuple[int, int]:
    """Read an article; return how many features it has and how many words, or NO_ROOM and how many entries it wants.

    `reading` has room for as many words as there are characters.
    """
    words = read_words(article, tables, reading)
    probes = hash_words(words, article, tables, vocabulary, reading)
    wanted = probes + reading.candidate[words] + len(article.extra_word)
    if wanted > len(reading.entry_feature):
        return NO_ROOM, wanted
    find_entries(words, article, vocabulary, reading)
    found = mark(words, article, vocabulary, reading, marks, stamp)
    return found, words


def read_words(article: Article, tables: Tables, reading: Reading) -> int:
    """Write the words of all fields, and where each stands; return how many there are."""
    fields, paragraphs, places = reading.fields, reading.paragraphs, reading.places
    breaks, bounds = reading.breaks, article.bounds
    words = paragraph = 0
    for field in range(len(bounds) - 1):
        first_word = words
        words = segment(article.codes, tables, reading, bounds[field], bounds[field + 1], words)
        for word in range(first_word, words):
            paragraph += breaks[word]
            fields[word], paragraphs[word], places[word] = field, paragraph, word - first_word
    return words


def hash_words(words: int, article: Article, tables: Tables, vocabulary: Vocabulary, reading: Reading) -> int:
    """Write what to look up: of each word, the hashes of its key and stems, and of beginnings that may be prefixes.

    Returns how many probes there are. Looking up comes later, all at once, so that the processor can wait for many
    places of the tables at a time.
    """
    codes, classes, fold, more, particles = article.codes, tables.classes, tables.fold, tables.more, tables.particles
    starts, ends, kinds, forms = reading.starts, reading.ends, reading.kinds, reading.forms
    probe, probe_hash, candidate, candidate_hash = (
        reading.probe, reading.probe_hash, reading.candidate, reading.candidate_hash,
    )  # fmt: skip
    states, bloom, lengths = reading.states, vocabulary.bloom, vocabulary.prefix_lengths[0]
    mask = len(bloom) - 1
    probes = candidates = 0
    for word in range(words):
        start, end = starts[word], ends[word]
        probe[word], candidate[word] = probes, candidates
        hashed = SEED
        capitals = False
        if kinds[word] == LATIN:
            bit = ONE
            for at in range(start, end):
                code = codes[at]
                capitals = capitals or 65 <= code <= 90
                hashed = mixed(hashed, code | 32)
                bit = bit << ONE if at - start < LONGEST else bit
                if lengths & bit != 0 and (bloom[np.int64(hashed >> HALF) & mask] >> (hashed & LOW_BITS)) & ONE != 0:
                    candidate_hash[candidates] = hashed
                    candidates += 1
        else:
            length, all_kinds = hash_key(codes, classes, fold, more, start, end, kinds[word] == ACRONYM, states)
            capitals = all_kinds & UPPER != 0
            hashed = states[length - 1]
            candidates = find_candidates(states, length, lengths, bloom, candidate_hash, candidates)
            probes = add_stems(codes, classes, particles, end, length, states, probe_hash, probes)
        forms[word] = form_of(codes, classes, fold, more, start, end) if capitals else ANY_FORM
        probe_hash[probes] = hashed
        probes += 1
    probe[words], candidate[words] = probes, candidates
    return probes


def hash_key(
    codes: Array, classes: Array, fold: Array, more: Array, start: int, end: int, is_acronym: bool, states: Array
) -> tuple[int, int]:
    """Write the hashes of a key and of all its beginnings; return its length and the classes of its characters."""
    hashed = SEED
    length = kinds = 0
    for at in range(start, end):
        code = codes[at]
        if code >= CODES:
            continue
        kind = classes[code]
        folded = fold[code]
        if is_acronym and (code == DOT or kind & SPACE != 0):
            continue
        kinds |= kind
        if folded > 0:
            hashed = mixed(hashed, folded)
            states[length] = hashed
            length += 1
        elif folded < 0:
            for step in range(~folded + 1, ~folded + 1 + more[~folded]):
                hashed = mixed(hashed, more[step])
                states[length] = hashed
                length += 1
    return length, kinds


def find_candidates(
    states: Array, length: int, lengths: np.uint64, bloom: Array, candidate_hash: Array, candidates: int
) -> int:
    """Write those beginnings of a word that may be prefixes; return how many candidates there are then."""
    mask = len(bloom) - 1
    for place in range(length):
        hashed = states[place]
        is_length = (lengths >> np.uint64(min(place + 1, LONGEST))) & ONE != 0
        if is_length and (bloom[np.int64(hashed >> HALF) & mask] >> (hashed & LOW_BITS)) & ONE != 0:
            candidate_hash[candidates] = hashed
            candidates += 1
    return candidates


def add_stems(
    codes: Array, classes: Array, particles: Array, end: int, length: int, states: Array, hashes: Array, count: int
) -> int:
    """Write the hashes of what is left of a Hangul word without a particle; return how many hashes there are then."""
    packed = 0
    for cut in range(1, min(MAX_PARTICLE, length - MIN_STEM) + 1):
        if class_at(codes, classes, end - cut, end) & SYLLABLE == 0:
            break
        packed |= (int(codes[end - cut]) - FIRST_SYLLABLE + 1) << BITS_A_SYLLABLE * (cut - 1)
        if is_particle(packed, particles):
            hashes[count] = states[length - 1 - cut]
            count += 1
    return count


def find_entries(words: int, article: Article, vocabulary: Vocabulary, reading: Reading) -> None:
    """Look everything up, and write each word's entries."""
    keys, values, shift = vocabulary.words.keys, vocabulary.words.values, vocabulary.words.shift
    prefix_keys, prefix_values = vocabulary.prefixes.keys, vocabulary.prefixes.values
    prefix_shift, extra_word, extra_feature = vocabulary.prefixes.shift, article.extra_word, article.extra_feature
    entry, entry_feature, probe, probe_hash = reading.entry, reading.entry_feature, reading.probe, reading.probe_hash
    candidate, candidate_hash = reading.candidate, reading.candidate_hash
    entries = extra = 0
    for word in range(words):
        entry[word] = entries
        for number in range(probe[word], probe[word + 1]):
            feature = look_up(keys, values, shift, probe_hash[number], probe_hash[number])
            entry_feature[entries] = feature
            entries += 1 if feature >= 0 else 0
        for number in range(candidate[word], candidate[word + 1]):
            hashed = candidate_hash[number]
            feature = look_up(prefix_keys, prefix_values, prefix_shift, hashed, hashed)
            entry_feature[entries] = feature
            entries += 1 if feature >= 0 else 0
        while extra < len(extra_word) and extra_word[extra] <= word:
            entry_feature[entries] = extra_feature[extra]
            entries += 1
            extra += 1
    entry[words] = entries


def form_of(codes: Array, classes: Array, fold: Array, more: Array, start: int, end: int) -> int:
    """Return the form a word with a capital stands in: CAPITALS, two letters at least, LEADING, or ANY_FORM."""
    kinds = letters = leads = 0  # leads: 1 when the first letter is a capital, 2 when it is not
    for at in range(start, end):
        kind = class_at(codes, classes, at, end)
        kinds |= kind
        if kind & ALPHA != 0 and leads == 0:
            leads = 1 if kind & UPPER != 0 else 2
        folded = int(fold[codes[at]]) if codes[at] < CODES else 0
        run, source = 1, 0
        if folded < 0:
            run, source = int(more[~folded]), ~folded + 1
        for step in range(run):
            one = int(more[source + step]) if source > 0 else folded
            letters += 1 if one < CODES and classes[one] & ALPHA != 0 else 0
    if kinds & CASED == 0 and letters >= 2:
        return CAPITALS
    return LEADING if leads == 1 else ANY_FORM


def mark(words: int, article: Article, vocabulary: Vocabulary, reading: Reading, marks: Marks, stamp: int) -> int:
    """Mark what each entry makes present: itself, its variants, and pairs; return how many features there are."""
    flags, fields, breaks, entry = vocabulary.flags, reading.fields, reading.breaks, reading.entry
    entry_feature, entry_word, entry_next = reading.entry_feature, reading.entry_word, reading.entry_next
    present, seen, head, counts, features = marks.present, marks.seen, marks.head, marks.counts, marks.features
    pair_keys, pair_values, pair_shift = vocabulary.pairs.keys, vocabulary.pairs.values, vocabulary.pairs.shift
    present[ALWAYS] = stamp
    features[0] = ALWAYS
    found = 1
    for word in range(words):
        is_text = fields[word] <= BODY
        for number in range(entry[word], entry[word + 1]):
            feature = entry_feature[number]
            entry_word[number] = word
            if is_text and present[feature] != stamp:
                present[feature] = stamp
                features[found] = feature
                found += 1
            flag = flags[feature]
            if flag & HAS_POSITIONS != 0:
                if seen[feature] != stamp:
                    seen[feature] = stamp
                    head[feature] = -1
                    counts[feature] = 0
                entry_next[number] = head[feature]
                head[feature] = number
                counts[feature] += 1
            if flag & HAS_VARIANTS != 0:
                found = mark_variants(feature, word, article, vocabulary, reading, marks, stamp, found)
            if flag & ENDS_PAIR != 0 and is_text and breaks[word] == 0:
                for before in range(entry[word - 1], entry[word]):
                    first = entry_feature[before]
                    if flags[first] & BEGINS_PAIR != 0:
                        key = pair_key(first, feature)
                        pair = look_up(pair_keys, pair_values, pair_shift, key, key * MULTIPLIER)
                        if pair >= 0 and present[pair] != stamp:
                            present[pair] = stamp
                            features[found] = pair
                            found += 1
    return found


def mark_variants(
    feature: int,
    word: int,
    article: Article,
    vocabulary: Vocabulary,
    reading: Reading,
    marks: Marks,
    stamp: int,
    found: int,
) -> int:
    """Mark the variants of a feature that this word satisfies; return how many features there are then."""
    present = marks.present
    variant = vocabulary.variant_head[feature]
    while variant >= 0:
        other = vocabulary.variant_feature[variant]
        if (
            present[other] != stamp
            and is_within(
                vocabulary.variant_fields[variant],
                vocabulary.variant_within[variant],
                reading.fields[word],
                reading.places[word],
            )
            and has_form(
                vocabulary.variant_form[variant],
                vocabulary.variant_surface[variant],
                article.codes,
                reading.starts[word],
                reading.ends[word],
                reading.forms[word],
            )
        ):
            present[other] = stamp
            marks.features[found] = other
            found += 1
        variant = vocabulary.variant_next[variant]
    return found
