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
    EXISTS,
    LEAF,
    MERGE,
    NO_OWNER,
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
) -> int:
    """Run the programs of the `waiting` expressions in `marks.late`, and write those that hold behind the `found` ones.

    Returns how many are found then, or NO_ROOM when the lists of places have outgrown `room`. The value on top of the
    stack is what a program's operations have come to so far; lists of places have a stack of their own, list l being
    places `lists[l]` to `lists[l + 1]`.
    """
    code, program, owner = expressions.code, expressions.program, expressions.owner
    present, late, out = marks.present, marks.late, marks.found
    values, lists, firsts, lasts = room.values, room.lists, room.firsts, room.lasts
    spare_firsts, spare_lasts, fields = room.spare_firsts, room.spare_lasts, reading.fields
    lists[0] = 0
    for number in range(waiting):
        expression = late[number]
        if owner[expression] == NO_OWNER:
            continue
        at = program[expression]
        top = -1
        depth = 0
        while True:
            operation = code[at]
            at += 1
            if operation >= 0:
                top += 1
                values[top] = 1 if present[operation] == stamp else 0
            elif operation == SKIP_IF_FALSE or operation == SKIP_IF_TRUE:
                if (values[top] != 0) == (operation == SKIP_IF_TRUE):
                    at = np.int64(code[at])
                else:
                    top -= 1
                    at += 1
            elif operation == NOT:
                values[top] = 1 - values[top]
            elif operation == ADD:
                top -= 1
                values[top] += values[top + 1]
            elif operation == ENOUGH:
                values[top] = 1 if values[top] >= code[at] else 0
                at += 1
            elif operation == EXISTS:
                depth -= 1
                top += 1
                values[top] = 1 if lists[depth + 1] > lists[depth] else 0
            elif operation == COUNT:
                depth -= 1
                top += 1
                values[top] = 1 if count_apart(firsts, lasts, lists[depth], lists[depth + 1]) >= code[at] else 0
                at += 1
            elif operation == END:
                break
            else:
                length = 0
                if operation == LEAF:
                    length = find_leaf(
                        code[at], expressions, article, reading, marks, stamp, firsts, lasts, lists[depth]
                    )
                    depth += 1
                    at += 1
                elif operation == MERGE:
                    depth -= 1
                    length = merge(
                        firsts, lasts, spare_firsts, spare_lasts, lists[depth - 1], lists[depth], lists[depth + 1]
                    )
                else:
                    depth -= 1
                    length = join(
                        firsts, lasts, spare_firsts, spare_lasts, fields,
                        lists[depth - 1], lists[depth], lists[depth + 1], code[at], code[at + 1] != 0,
                    )  # fmt: skip
                    at += 2
                if length < 0:
                    return NO_ROOM
                lists[depth] = lists[depth - 1] + length
        if values[top] != 0:
            out[found] = expression
            found += 1
    return found


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
) -> int:
    """Write a leaf's occurrences from place `first` on, ascending; return how many, or NO_ROOM.

    Goes along the rarest of the leaf's words and looks whether the others stand around it.
    """
    word_feature, word_form = expressions.word_feature, expressions.word_form
    word_surface, codes = expressions.word_surface, article.codes
    seen, counts = marks.seen, marks.counts
    entry, entry_feature, entry_word = reading.entry, reading.entry_feature, reading.entry_word
    entry_next, paragraphs, fields = reading.entry_next, reading.paragraphs, reading.fields
    places, starts, ends, forms = reading.places, reading.starts, reading.ends, reading.forms
    begin, end = expressions.leaf_offsets[leaf], expressions.leaf_offsets[leaf + 1]
    leaf_fields, within = expressions.leaf_fields[leaf], expressions.leaf_within[leaf]
    rarest = begin
    for word in range(begin, end):
        feature = word_feature[word]
        if seen[feature] != stamp:
            return 0
        if counts[feature] < counts[word_feature[rarest]]:
            rarest = word
    if first + counts[word_feature[rarest]] > len(firsts):
        return NO_ROOM
    here = marks.head[word_feature[rarest]]
    place = first
    while here >= 0:
        at = entry_word[here] - (rarest - begin)
        last = at + end - begin - 1
        here = entry_next[here]
        if at < 0 or last >= len(paragraphs) or paragraphs[at] != paragraphs[last]:
            continue
        if not is_within(leaf_fields, within, fields[last], places[last]):
            continue
        stands_here = True
        for word in range(begin, end):
            token = at + word - begin
            is_there = False
            for number in range(entry[token], entry[token + 1]):
                if entry_feature[number] == word_feature[word]:
                    is_there = True
                    break
            if not is_there or not has_form(
                word_form[word], word_surface[word], codes, starts[token], ends[token], forms[token]
            ):
                stands_here = False
                break
        if stands_here:
            firsts[place] = at
            lasts[place] = last
            place += 1
    low, high = first, place - 1
    while low < high:
        firsts[low], firsts[high] = firsts[high], firsts[low]
        lasts[low], lasts[high] = lasts[high], lasts[low]
        low += 1
        high -= 1
    return place - first


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
