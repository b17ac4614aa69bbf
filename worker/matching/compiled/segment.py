"""Kernel: where words begin and end. The compiled twin of `words`, which tells the rules; tests hold them equal.

Everything here runs compiled or interpreted: plain loops over arrays, no objects. `runtime` compiles it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.matching.compiled.tables import (
    ALNUM,
    CODES,
    DIGIT,
    IS_HAN_OR_KANA,
    IS_HANGUL,
    LINE,
    MARK,
    SPACE,
    VOICING,
)

if TYPE_CHECKING:
    from worker.matching.compiled.layout import Reading
    from worker.matching.compiled.tables import Array, Tables

CJK = IS_HANGUL | IS_HAN_OR_KANA
DOT, COMMA, APOSTROPHE, SMALL_S, BIG_S, RETURN, NEWLINE, PARAGRAPH = 0x2E, 0x2C, 0x27, 0x73, 0x53, 0x0D, 0x0A, 0x2029
BIG_OE, BIG_AE = 0x152, 0xC6
LONGEST_ELISION = 6
PLAIN, ACRONYM, LATIN = 0, 1, 2
"""What a word is made of; LATIN: nothing but letters and digits of ASCII."""

ASCII_END, SPACE_CODE = 0x80, 0x20


def class_at(codes: Array, classes: Array, at: int, end: int) -> int:
    """Return the class of the character at a place, 0 outside the field and for what is no part of any word."""
    if at >= end or codes[at] >= CODES:
        return 0
    return int(classes[codes[at]])


def is_letter(kind: int) -> bool:
    """Tell whether an acronym may be made of it: a letter that is written with spaces between words."""
    return kind & ALNUM != 0 and kind & (CJK | DIGIT) == 0


def goes_on(kind: int) -> bool:
    """Tell whether a letter before it is only the beginning of a longer word."""
    return kind & ALNUM != 0 and kind & CJK == 0


def acronym_end(codes: Array, classes: Array, at: int, end: int) -> int:
    """Return where an acronym that begins here ends: U.S., U.S, a.m., or U. S. spaced throughout; 0 if none does."""
    place = at + 1
    if place >= end or codes[place] != DOT:
        return 0
    while (
        place < end
        and codes[place] == DOT
        and is_letter(class_at(codes, classes, place + 1, end))
        and not goes_on(class_at(codes, classes, place + 2, end))
    ):
        place += 2
    if place > at + 1:
        return place + 1 if place < end and codes[place] == DOT else place
    place = at + 2
    while True:
        letter = place + 1
        if place + 1 < end and codes[place] == RETURN and codes[place + 1] == NEWLINE:
            letter = place + 2
        elif class_at(codes, classes, place, end) & SPACE == 0 or codes[place] == PARAGRAPH:
            break
        if not is_letter(class_at(codes, classes, letter, end)) or letter + 1 >= end or codes[letter + 1] != DOT:
            break
        if goes_on(class_at(codes, classes, letter + 2, end)):
            break
        place = letter + 2
    return place if place > at + 2 else 0


def plain_end(codes: Array, classes: Array, at: int, end: int) -> int:
    """Return where letters, digits and marks end, with apostrophes between letters, dots and commas between digits."""
    place = at + 1
    while place < end:
        kind = class_at(codes, classes, place, end)
        code = codes[place]
        if kind & (ALNUM | MARK) == 0:
            following = class_at(codes, classes, place + 1, end)
            if code == APOSTROPHE:
                if following & ALNUM == 0:
                    break
            elif code == DOT or code == COMMA:
                if class_at(codes, classes, place - 1, end) & DIGIT == 0 or following & DIGIT == 0:
                    break
            else:
                break
        place += 1
    return place


def folded_first(codes: Array, tables: Tables, at: int) -> int:
    """Return the first code point of a character's fold, 0 if it folds to nothing."""
    if codes[at] >= CODES:
        return int(codes[at])
    folded = tables.fold[codes[at]]
    return int(tables.more[~folded + 1]) if folded < 0 else int(folded)


def is_elision(codes: Array, tables: Tables, start: int, apostrophe: int) -> bool:
    """Tell whether what stands before an apostrophe is a short form of French or Italian: l', qu', dell'."""
    packed = 0
    count = 0
    for at in range(start, apostrophe):
        folded = tables.fold[codes[at]] if codes[at] < CODES else 0
        if folded < 0 or folded >= 128 or count == LONGEST_ELISION:
            return False
        if folded > 0:
            packed = packed * 256 + int(folded)
            count += 1
    is_known = False
    for elision in tables.elisions:
        is_known = is_known or packed == elision
    return is_known


def is_vowel(code: int, tables: Tables) -> bool:
    """Tell whether a folded code point begins a word that is elided before."""
    is_known = False
    for vowel in tables.vowels:
        is_known = is_known or code == vowel
    return is_known


def elided_end(codes: Array, tables: Tables, at: int, end: int) -> int:
    """Return where a short form ends that stands, without accents, before an unaccented vowel; 0 if none does.

    What has accents is cut later, in `emit_apostrophes`; here the next word is read anew, as in l'U.S. Army.
    """
    place = at
    while place < end and place - at < LONGEST_ELISION and is_ascii_letter(codes[place]):
        place += 1
    if place == at or place + 1 >= end or codes[place] != APOSTROPHE:
        return 0
    following = codes[place + 1]
    lower = following + 32 if 65 <= following <= 90 else following
    if following == BIG_OE:
        lower = following + 1
    if following == BIG_AE:
        lower = following + 32
    if not is_vowel(lower, tables) or not is_elision(codes, tables, at, place):
        return 0
    return place


def is_ascii_letter(code: int) -> bool:
    """Tell whether a code point is A to Z in either case."""
    return 65 <= code <= 90 or 97 <= code <= 122


def emit_apostrophes(codes: Array, tables: Tables, start: int, end: int, starts: Array, ends: Array, count: int) -> int:
    """Write a word without its possessive, and a short form before an apostrophe as a word of its own."""
    while end > start and codes[end - 1] == APOSTROPHE:
        end -= 1
    first = -1
    while True:
        last = -1
        for at in range(start, end):
            if codes[at] == APOSTROPHE:
                last = at
                if first < 0:
                    first = at
        if last < 0:
            break
        letters = 0
        is_s = True
        for at in range(last + 1, end):
            folded = tables.fold[codes[at]] if codes[at] < CODES else codes[at]
            if folded != 0:
                letters += 1
                is_s = is_s and folded == SMALL_S
        if letters != 1 or not is_s:
            break
        end = last
        first = -1
    if (
        first >= 0
        and is_elision(codes, tables, start, first)
        and is_vowel(folded_first(codes, tables, first + 1), tables)
    ):
        starts[count] = start
        ends[count] = first
        count += 1
        start = first + 1
    starts[count] = start
    ends[count] = end
    return count + 1


def emit_parts(codes: Array, tables: Tables, start: int, end: int, starts: Array, ends: Array, count: int) -> int:
    """Cut a word where Han, Kana or Hangul meet anything else, and write the parts."""
    at = start
    while at < end:
        kind = class_at(codes, tables.classes, at, end)
        place = at + 1
        if kind & IS_HANGUL != 0:
            while class_at(codes, tables.classes, place, end) & IS_HANGUL != 0:
                place += 1
        elif kind & IS_HAN_OR_KANA != 0:
            if class_at(codes, tables.classes, place, end) & VOICING != 0:
                place += 1
        elif kind & ALNUM != 0:
            while place < end and class_at(codes, tables.classes, place, end) & CJK == 0:
                place += 1
            count = emit_apostrophes(codes, tables, at, place, starts, ends, count)
            at = place
            continue
        else:
            at = place
            continue
        starts[count] = at
        ends[count] = place
        count += 1
        at = place
    return count


def is_possessive(codes: Array, classes: Array, at: int, end: int) -> bool:
    """Tell whether the apostrophe here begins an 's that hangs on no word, as in “Korea”'s."""
    if at + 1 >= end or (codes[at + 1] != SMALL_S and codes[at + 1] != BIG_S):
        return False
    after = class_at(codes, classes, at + 2, end)
    return after & (ALNUM | MARK) == 0 and not (at + 2 < end and codes[at + 2] == APOSTROPHE)


def emit_odd(
    codes: Array, tables: Tables, at: int, end: int, starts: Array, ends: Array, count: int
) -> tuple[int, int, int]:
    """Write an acronym, a short form, or a word that has to be cut; return where it ends, its kind, and the count."""
    place = 0
    if class_at(codes, tables.classes, at, end) & (CJK | DIGIT) == 0:
        place = acronym_end(codes, tables.classes, at, end)
        if place > 0:
            starts[count] = at
            ends[count] = place
            return place, ACRONYM, count + 1
        place = elided_end(codes, tables, at, end)
        if place > 0:
            starts[count] = at
            ends[count] = place
            return place, PLAIN, count + 1
    place = plain_end(codes, tables.classes, at, end)
    return place, PLAIN, emit_plain(codes, tables, at, place, starts, ends, count)


def emit_plain(codes: Array, tables: Tables, start: int, end: int, starts: Array, ends: Array, count: int) -> int:
    """Write a word that is neither an acronym nor a short form, in parts if it has to be cut."""
    for at in range(start, end):
        if codes[at] == APOSTROPHE or class_at(codes, tables.classes, at, end) & CJK != 0:
            return emit_parts(codes, tables, start, end, starts, ends, count)
    starts[count] = start
    ends[count] = end
    return count + 1


def latin_end(codes: Array, at: int, end: int) -> int:
    """Return where a word of ASCII letters and digits ends that what follows has no part in; 0 if it is no such word.

    Nearly all words of English news are such: behind them is no apostrophe, nothing beyond ASCII, and no dot or comma
    that may belong to them.
    """
    place = at
    code = 0
    while place < end:
        code = codes[place]
        if not (97 <= code <= 122 or 65 <= code <= 90 or 48 <= code <= 57):
            break
        place += 1
    if place == end:
        return place
    if code >= ASCII_END or code == APOSTROPHE:
        return 0
    if (code == DOT or code == COMMA) and (place == at + 1 or (place + 1 < end and codes[place + 1] > SPACE_CODE)):
        return 0
    return place


def segment(codes: Array, tables: Tables, reading: Reading, first: int, end: int, count: int) -> int:
    """Write the words of one field, `codes[first:end]`, behind the `count` that are there; return how many there are.

    `kinds` says what a word is made of; of an ACRONYM, dots and spaces inside are no part of the key. `breaks` is 1
    where a paragraph begins. The arrays have room for as many words as there are characters.
    """
    classes, starts, ends, kinds, breaks = tables.classes, reading.starts, reading.ends, reading.kinds, reading.breaks
    at = first
    is_new = True  # a paragraph begins with the next word
    after_line = False
    while at < end:
        code = codes[at]
        kind = classes[code] if code < CODES else 0
        if kind & ALNUM != 0:
            before = count
            word_kind = LATIN
            place = latin_end(codes, at, end)
            if place > at:
                starts[count] = at
                ends[count] = place
                count += 1
            else:
                place, word_kind, count = emit_odd(codes, tables, at, end, starts, ends, count)
            for word in range(before, count):
                kinds[word] = word_kind
                breaks[word] = 0
            breaks[before] = 1 if is_new else 0
            is_new = after_line = False
            at = place
            continue
        if kind & LINE != 0:
            if code == RETURN and at + 1 < end and codes[at + 1] == NEWLINE:
                at += 1
            is_new = is_new or after_line
            after_line = True
        elif kind & SPACE == 0:
            after_line = False
            if code == APOSTROPHE and is_possessive(codes, classes, at, end):
                at += 1
        elif code == PARAGRAPH:
            is_new = True
        at += 1
    return count
