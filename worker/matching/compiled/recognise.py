"""Kernel: which features an article has. Reads its words, looks each up, and notes pairs, prefixes and variants.

Runs compiled or interpreted; `runtime` compiles it. Knows nothing of queries.
"""

from __future__ import annotations

import numpy as np

from worker.matching.compiled.hashing import HALF, MULTIPLIER, hash_words, surface_hash
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
    TITLE,
    Article,
    Marks,
    Reading,
    Vocabulary,
)
from worker.matching.compiled.segment import segment
from worker.matching.compiled.tables import Array, Tables

MOST_FOLDS = 4  # code points that one may fold to; Unicode has 3
NO_ROOM = -1


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
