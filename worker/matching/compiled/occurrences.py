"""Kernel: whether expressions' programs hold, for conditions that need places: phrases, distances, counts, forms.

The meaning is `evaluate`'s; tests hold them equal. Runs compiled or interpreted; `runtime` compiles it.
"""

from __future__ import annotations

import numpy as np

from worker.matching.compiled.layout import (
    ADD,
    COUNT,
    END,
    ENOUGH,
    LEAF,
    MERGE,
    NEAR,
    NOT,
    SKIP_IF_FALSE,
    SKIP_IF_TRUE,
    Article,
    Expressions,
    Marks,
    Occurrences,
    Reading,
)
from worker.matching.compiled.recognise import has_form, is_within
from worker.matching.compiled.tables import Array

NO_ROOM = -1


def judge_all(
    waiting: int,
    found: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    room: Occurrences,
    words: int,
) -> int:
    """Run the programs of the `waiting` expressions in `marks.late`, and write those that hold behind the `found` ones.

    Returns how many are found then, or NO_ROOM when the lists of places have outgrown `room`. On top of the stack is
    what a program has come to so far; lists have a stack of their own, list l being `lists[l]` to `lists[l + 1]`.
    """
    code, program = expressions.code, expressions.program
    present, late, out = marks.present, marks.late, marks.found
    values, lists, firsts, lasts = room.values, room.lists, room.firsts, room.lasts
    lists[0] = 0
    for number in range(waiting):
        at = program[late[number]]
        top, depth = -1, 0
        while True:
            operation = code[at]
            at += 1
            if operation >= 0:
                top += 1
                values[top] = present[operation] == stamp
            elif operation == SKIP_IF_FALSE or operation == SKIP_IF_TRUE:
                if (values[top] != 0) == (operation == SKIP_IF_TRUE):
                    at = np.int64(code[at])
                else:
                    top, at = top - 1, at + 1
            elif operation == NOT:
                values[top] = 1 - values[top]
            elif operation == ADD:
                top -= 1
                values[top] += values[top + 1]
            elif operation == ENOUGH:
                values[top] = values[top] >= code[at]
                at += 1
            elif operation == COUNT:
                top, depth = top + 1, depth - 1
                values[top] = count_apart(firsts, lasts, lists[depth], lists[depth + 1]) >= code[at]
                at += 1
            elif operation == END:
                break
            else:
                depth += 1 if operation == LEAF else -1
                length = places_after(
                    operation, code, at, depth, expressions, article, reading, marks, stamp, room, words
                )
                at += 2 if operation == NEAR else 1 if operation == LEAF else 0
                if length < 0:
                    return NO_ROOM
                lists[depth] = lists[depth - 1] + length
        out[found] = late[number]
        found += 1 if values[top] != 0 else 0
    return found


def places_after(
    operation: int,
    code: Array,
    at: int,
    depth: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    room: Occurrences,
    words: int,
) -> int:
    """Put a leaf's list on the stack, or one list in place of the upper two; return its length, or NO_ROOM."""
    first = room.lists[depth - 1]
    if operation == LEAF:
        return find_leaf(code[at], expressions, article, reading, marks, stamp, room.firsts, room.lasts, first, words)
    second, end = room.lists[depth], room.lists[depth + 1]
    if operation == MERGE:
        return merge(room.firsts, room.lasts, room.spare_firsts, room.spare_lasts, first, second, end)
    return join(
        room.firsts, room.lasts, room.spare_firsts, room.spare_lasts, reading.fields,
        first, second, end, code[at], code[at + 1] != 0,
    )  # fmt: skip


def find_leaf(
    leaf: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    firsts: Array,
    lasts: Array,
    first: int,
    words: int,
) -> int:
    """Write a leaf's occurrences from place `first` on, ascending; return how many, or NO_ROOM.

    Goes along the rarest of the leaf's words and looks whether the others stand around it. What the arrays hold behind
    the article's `words` is an earlier article's.
    """
    word_feature, counts = expressions.word_feature, marks.counts
    entry_word, entry_next, paragraphs = reading.entry_word, reading.entry_next, reading.paragraphs
    fields, places = reading.fields, reading.places
    begin, end = expressions.leaf_offsets[leaf], expressions.leaf_offsets[leaf + 1]
    leaf_fields, within = expressions.leaf_fields[leaf], expressions.leaf_within[leaf]
    rarest = begin
    for word in range(begin, end):
        feature = word_feature[word]
        if marks.seen[feature] != stamp:
            return 0
        if counts[feature] < counts[word_feature[rarest]]:
            rarest = word
    if first + counts[word_feature[rarest]] > len(firsts):
        return NO_ROOM
    entry = marks.head[word_feature[rarest]]
    place = first
    while entry >= 0:
        at = entry_word[entry] - (rarest - begin)
        last = at + end - begin - 1
        entry = entry_next[entry]
        if (
            at >= 0
            and last < words
            and paragraphs[at] == paragraphs[last]
            and is_within(leaf_fields, within, fields[last], places[last])
            and stands_here(at, begin, end, expressions, article, reading)
        ):
            firsts[place] = at
            lasts[place] = last
            place += 1
    turn_round(firsts, first, place)
    turn_round(lasts, first, place)
    return place - first


def stands_here(at: int, begin: int, end: int, expressions: Expressions, article: Article, reading: Reading) -> bool:
    """Tell whether a leaf's words `begin` to `end`, in their forms, are the article's from word `at` on."""
    for word in range(begin, end):
        here = at + word - begin
        is_there = False
        for entry in range(reading.entry[here], reading.entry[here + 1]):
            is_there = is_there or reading.entry_feature[entry] == expressions.word_feature[word]
        if not is_there:
            return False
        form, surface = expressions.word_form[word], expressions.word_surface[word]
        if not has_form(form, surface, article.codes, reading.starts[here], reading.ends[here], reading.forms[here]):
            return False
    return True


def turn_round(numbers: Array, low: int, end: int) -> None:
    """Put a stretch of numbers in the opposite order."""
    high = end - 1
    while low < high:
        numbers[low], numbers[high] = numbers[high], numbers[low]
        low += 1
        high -= 1


def merge(
    firsts: Array, lasts: Array, spare_firsts: Array, spare_lasts: Array, first: int, second: int, end: int
) -> int:
    """Merge two lists that stand one behind the other, each place once; return how many there are."""
    if first == second or second == end:
        return end - first
    left, right, place = first, second, 0
    while left < second or right < end:
        is_left = right == end or (left < second and (firsts[left], lasts[left]) <= (firsts[right], lasts[right]))
        source = left if is_left else right
        if is_left:
            left += 1
        else:
            right += 1
        if place == 0 or spare_firsts[place - 1] != firsts[source] or spare_lasts[place - 1] != lasts[source]:
            spare_firsts[place] = firsts[source]
            spare_lasts[place] = lasts[source]
            place += 1
    for at in range(place):
        firsts[first + at] = spare_firsts[at]
        lasts[first + at] = spare_lasts[at]
    return place


def join(
    firsts: Array,
    lasts: Array,
    spare_firsts: Array,
    spare_lasts: Array,
    fields: Array,
    first: int,
    second: int,
    end: int,
    distance: int,
    is_ordered: bool,
) -> int:
    """Put in place of two lists the stretches from one of the left to one of the right near it; NO_ROOM if too many."""
    longest = 0
    for right in range(second, end):
        longest = max(longest, lasts[right] - firsts[right])
    place = 0
    low = second  # the first of the right that may still matter: what stands further left never will again
    for left in range(first, second):
        begin, last = firsts[left], lasts[left]
        while low < end and firsts[low] < begin - distance - longest:
            low += 1
        for right in range(low, end):
            if firsts[right] > last + distance:
                break
            is_after = firsts[right] > last
            is_before = not is_ordered and lasts[right] < begin and begin - lasts[right] <= distance
            if (is_after or is_before) and fields[begin] == fields[firsts[right]]:
                if place == len(spare_firsts):
                    return NO_ROOM
                spare_firsts[place] = begin if is_after else firsts[right]
                spare_lasts[place] = lasts[right] if is_after else last
                place += 1
    if first + place > len(firsts):
        return NO_ROOM
    for at in range(place):
        firsts[first + at] = spare_firsts[at]
        lasts[first + at] = spare_lasts[at]
    sort_places(firsts, lasts, first, first + place)
    return place


def sort_places(firsts: Array, lasts: Array, first: int, end: int) -> None:
    """Sort a list by first and last word; it is nearly sorted already."""
    for at in range(first + 1, end):
        begin, last = firsts[at], lasts[at]
        place = at - 1
        while place >= first and (firsts[place] > begin or (firsts[place] == begin and lasts[place] > last)):
            firsts[place + 1] = firsts[place]
            lasts[place + 1] = lasts[place]
            place -= 1
        firsts[place + 1] = begin
        lasts[place + 1] = last


def count_apart(firsts: Array, lasts: Array, first: int, end: int) -> int:
    """Count occurrences that do not overlap, the ones that end first before others.

    The list is in order of first words. Whatever begins before the chosen one ends and ends no later takes its place.
    """
    count = 0
    last = -1  # of the chosen ones
    chosen = -1  # the last word of the one that may still be replaced
    for at in range(first, end):
        if firsts[at] <= last:
            continue
        if chosen < 0:
            chosen = lasts[at]
        elif firsts[at] <= chosen:
            chosen = min(chosen, lasts[at])
        else:
            count += 1
            last = chosen
            chosen = lasts[at]
    return count + 1 if chosen >= 0 else count
