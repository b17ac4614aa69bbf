"""Kernel: whether an expression's program holds, for conditions that need places: phrases, distances, counts, forms.

The meaning is `evaluate`'s; tests hold them equal. Runs compiled or interpreted; `runtime` compiles it.
"""

from __future__ import annotations

from worker.matching.compiled.layout import (
    ADD,
    COUNT,
    END,
    ENOUGH,
    EXISTS,
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

FALSE, TRUE, NO_ROOM = 0, 1, -1


def holds(
    expression: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    room: Occurrences,
) -> int:
    """Run an expression's program: TRUE or FALSE, or NO_ROOM when the lists of places have outgrown `room`.

    The value on top of the stack is what the operations before have come to; lists of places have a stack of their own,
    list l being places `lists[l]` to `lists[l + 1]`.
    """
    code, values, lists = expressions.code, room.values, room.lists
    at = expressions.program[expression]
    top = -1
    depth = 0
    lists[0] = 0
    while True:
        operation = code[at]
        at += 1
        if operation >= 0:
            top += 1
            values[top] = 1 if marks.present[operation] == stamp else 0
        elif operation == SKIP_IF_FALSE or operation == SKIP_IF_TRUE:
            if (values[top] != 0) == (operation == SKIP_IF_TRUE):
                at = code[at]
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
        elif operation == END:
            return TRUE if values[top] != 0 else FALSE
        else:
            if operation == LEAF:
                length = find_leaf(code[at], expressions, article, reading, marks, stamp, room, lists[depth])
                depth += 1
                at += 1
            elif operation == MERGE:
                depth -= 1
                length = merge(room, lists[depth - 1], lists[depth], lists[depth + 1])
            elif operation == NEAR:
                depth -= 1
                length = join(
                    room, reading, lists[depth - 1], lists[depth], lists[depth + 1], code[at], code[at + 1] != 0
                )
                at += 2
            else:
                top += 1
                depth -= 1
                if operation == EXISTS:
                    values[top] = 1 if lists[depth + 1] > lists[depth] else 0
                else:
                    values[top] = 1 if count_apart(room, lists[depth], lists[depth + 1]) >= code[at] else 0
                    at += 1
                continue
            if length < 0:
                return NO_ROOM
            lists[depth] = lists[depth - 1] + length


def find_leaf(
    leaf: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    room: Occurrences,
    first: int,
) -> int:
    """Write a leaf's occurrences from place `first` on, ascending; return how many, or NO_ROOM.

    Goes along the rarest of the leaf's words and looks whether the others stand around it.
    """
    begin, end = expressions.leaf_offsets[leaf], expressions.leaf_offsets[leaf + 1]
    rarest = begin
    for word in range(begin, end):
        feature = expressions.word_feature[word]
        if marks.seen[feature] != stamp:
            return 0
        if marks.count[feature] < marks.count[expressions.word_feature[rarest]]:
            rarest = word
    if first + marks.count[expressions.word_feature[rarest]] > len(room.firsts):
        return NO_ROOM
    fields, within = expressions.leaf_fields[leaf], expressions.leaf_within[leaf]
    entry = marks.head[expressions.word_feature[rarest]]
    place = first
    while entry >= 0:
        at = reading.entry_word[entry] - (rarest - begin)
        if stands_here(at, begin, end, fields, within, expressions, article, reading):
            room.firsts[place] = at
            room.lasts[place] = at + end - begin - 1
            place += 1
        entry = reading.entry_next[entry]
    low, high = first, place - 1
    while low < high:
        room.firsts[low], room.firsts[high] = room.firsts[high], room.firsts[low]
        room.lasts[low], room.lasts[high] = room.lasts[high], room.lasts[low]
        low += 1
        high -= 1
    return place - first


def stands_here(
    at: int, begin: int, end: int, fields: int, within: int, expressions: Expressions, article: Article, reading: Reading
) -> bool:
    """Tell whether words `begin` to `end` of a leaf stand in a row from word `at` of the article on."""
    last = at + end - begin - 1
    if at < 0 or not is_within(fields, within, reading, last):
        return False
    if reading.paragraphs[at] != reading.paragraphs[last]:
        return False
    for word in range(begin, end):
        here = at + word - begin
        is_there = False
        for entry in range(reading.entry[here], reading.entry[here + 1]):
            if reading.entry_feature[entry] == expressions.word_feature[word]:
                is_there = True
                break
        if not is_there:
            return False
        form = expressions.word_form[word]
        if not has_form(form, expressions.word_surface[word], reading, article.codes, here):
            return False
    return True


def merge(room: Occurrences, first: int, second: int, end: int) -> int:
    """Merge two lists that stand one behind the other, each place once; return how many there are."""
    if first == second or second == end:
        return end - first
    left, right, place = first, second, 0
    while left < second or right < end:
        is_left = right == end or (
            left < second
            and (room.firsts[left], room.lasts[left]) <= (room.firsts[right], room.lasts[right])
        )
        source = left if is_left else right
        if is_left:
            left += 1
        else:
            right += 1
        if (
            place == 0
            or room.spare_firsts[place - 1] != room.firsts[source]
            or room.spare_lasts[place - 1] != room.lasts[source]
        ):
            room.spare_firsts[place] = room.firsts[source]
            room.spare_lasts[place] = room.lasts[source]
            place += 1
    for at in range(place):
        room.firsts[first + at] = room.spare_firsts[at]
        room.lasts[first + at] = room.spare_lasts[at]
    return place


def join(
    room: Occurrences, reading: Reading, first: int, second: int, end: int, distance: int, is_ordered: bool
) -> int:
    """Put in place of two lists the stretches from one of the left to one of the right near it; NO_ROOM if too many."""
    longest = 0
    for right in range(second, end):
        longest = max(longest, room.lasts[right] - room.firsts[right])
    place = 0
    low = second  # the first of the right that may still matter: what stands further left never will again
    for left in range(first, second):
        begin, last = room.firsts[left], room.lasts[left]
        while low < end and room.firsts[low] < begin - distance - longest:
            low += 1
        for right in range(low, end):
            if room.firsts[right] > last + distance:
                break
            is_after = room.firsts[right] > last
            is_before = not is_ordered and room.lasts[right] < begin and begin - room.lasts[right] <= distance
            if (is_after or is_before) and reading.fields[begin] == reading.fields[room.firsts[right]]:
                if place == len(room.spare_firsts):
                    return NO_ROOM
                room.spare_firsts[place] = begin if is_after else room.firsts[right]
                room.spare_lasts[place] = room.lasts[right] if is_after else last
                place += 1
    if first + place > len(room.firsts):
        return NO_ROOM
    for at in range(place):
        room.firsts[first + at] = room.spare_firsts[at]
        room.lasts[first + at] = room.spare_lasts[at]
    sort_places(room, first, first + place)
    return place


def sort_places(room: Occurrences, first: int, end: int) -> None:
    """Sort a list by first and last word; it is nearly sorted already."""
    for at in range(first + 1, end):
        begin, last = room.firsts[at], room.lasts[at]
        place = at - 1
        while place >= first and (room.firsts[place] > begin or (room.firsts[place] == begin and room.lasts[place] > last)):
            room.firsts[place + 1] = room.firsts[place]
            room.lasts[place + 1] = room.lasts[place]
            place -= 1
        room.firsts[place + 1] = begin
        room.lasts[place + 1] = last


def count_apart(room: Occurrences, first: int, end: int) -> int:
    """Count occurrences that do not overlap, the ones that end first before others.

    The list is in order of first words. Whatever begins before the chosen one ends and ends no later takes its place.
    """
    count = 0
    last = -1  # of the chosen ones
    chosen = -1  # the last word of the one that may still be replaced
    for at in range(first, end):
        if room.firsts[at] <= last:
            continue
        if chosen < 0:
            chosen = room.lasts[at]
        elif room.firsts[at] <= chosen:
            chosen = min(chosen, room.lasts[at])
        else:
            count += 1
            last = chosen
            chosen = room.lasts[at]
    return count + 1 if chosen >= 0 else count
