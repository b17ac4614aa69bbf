"""Kernel: the hashes of an article's words, and the form that each stands in; what `recognise` then looks up.

Runs compiled or interpreted; `runtime` compiles it. `features.text_hash` is the same hash for a single text.
"""

from __future__ import annotations

import numpy as np

from worker.matching.compiled.layout import ANY_FORM, CAPITALS, LEADING, Article, Reading, Vocabulary
from worker.matching.compiled.segment import ACRONYM, DOT, LATIN, class_at
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


def mixed(hashed: np.uint64, code: int) -> np.uint64:
    """Return the hash of a text with one more character; each step is a bijection of the one before."""
    hashed = (hashed ^ np.uint64(code)) * MULTIPLIER
    return hashed ^ (hashed >> HALF)


def surface_hash(codes: Array, start: int, end: int) -> np.uint64:
    """Return the hash of a word's surface, case and marks included."""
    hashed = SEED
    for at in range(start, end):
        hashed = mixed(hashed, int(codes[at]))
    return hashed


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
