"""Kernel: which expressions an article makes true. Goes from its features to what hangs on them.

Runs compiled or interpreted; `runtime` compiles it. Called once an article, by `engine`.
"""

from __future__ import annotations

from worker.matching.compiled.layout import (
    FIRST_GROUP,
    LOWEST_OWNER,
    NO_OWNER,
    Article,
    Expressions,
    Marks,
    Occurrences,
    Postings,
    Reading,
    Vocabulary,
)
from worker.matching.compiled.occurrences import NO_ROOM as NO_ROOM_FOR_PLACES
from worker.matching.compiled.occurrences import judge_all
from worker.matching.compiled.recognise import NO_ROOM as NO_ROOM_FOR_ENTRIES
from worker.matching.compiled.recognise import recognise
from worker.matching.compiled.tables import Array, Tables

MATCHED, WANTS_ENTRIES, WANTS_PLACES = 0, 1, 2


def match(
    article: Article,
    tables: Tables,
    vocabulary: Vocabulary,
    postings: Postings,
    expressions: Expressions,
    reading: Reading,
    marks: Marks,
    room: Occurrences,
    stamp: int,
) -> tuple[int, int, int]:
    """Write the true expressions into `marks.found`, each once, and who asks them into `marks.owners`.

    Returns MATCHED and how many there are of both.

    Otherwise what there was too little room for, and how much it wants; then call again with another stamp. Expressions
    whose program must be run are put aside in `marks.late` and judged together.
    """
    features, words = recognise(article, tables, vocabulary, reading, marks, stamp)
    if features == NO_ROOM_FOR_ENTRIES:
        return WANTS_ENTRIES, words, 0
    found, waiting = collect_base(features, postings, marks, stamp)
    if len(postings.delta_rows) > 0:
        found, waiting = collect_delta(features, postings, marks, stamp, found, waiting)
    if waiting > 0:
        found = judge_all(waiting, found, expressions, article, reading, marks, stamp, room, words)
        if found == NO_ROOM_FOR_PLACES:
            return WANTS_PLACES, 0, 0
    learn(features, marks)
    return MATCHED, found, name_owners(found, expressions, marks)


def collect_base(number_of_features: int, postings: Postings, marks: Marks, stamp: int) -> tuple[int, int]:
    """Go through the base: write what is true for sure, put aside what may be; return how many of each."""
    offsets, plain, branch, conditional = postings.offsets, postings.plain, postings.branch, postings.conditional
    present, decided, features = marks.present, marks.decided, marks.features
    out, late, plans = marks.found, marks.late, postings.plans
    found = waiting = 0
    in_base = len(offsets) - 1
    for number in range(number_of_features):
        feature = features[number]
        if feature >= in_base:
            continue
        for row in range(offsets[feature, 0], offsets[feature + 1, 0]):
            out[found] = plain[row]
            found += 1
        for row in range(offsets[feature, 1], offsets[feature + 1, 1]):
            expression = branch[row]
            if decided[expression] != stamp:
                decided[expression] = stamp
                out[found] = expression
                found += 1
        for row in range(offsets[feature, 2], offsets[feature + 1, 2]):
            if present[conditional[row, 0]] != stamp or present[conditional[row, 2]] == stamp:
                continue
            second = conditional[row, 1]
            if present[second] != stamp if second >= 0 else not has_any(~second, plans, present, stamp):
                continue
            expression = conditional[row, 3]
            is_sure = expression >= 0
            expression = expression if is_sure else ~expression
            if decided[expression] != stamp:
                decided[expression] = stamp
                if is_sure:
                    out[found] = expression
                    found += 1
                else:
                    late[waiting] = expression
                    waiting += 1
    return found, waiting


def collect_delta(
    number_of_features: int, postings: Postings, marks: Marks, stamp: int, found: int, waiting: int
) -> tuple[int, int]:
    """Go through the delta in the same way, behind what the base had; return how many of each there are then."""
    head, following, rows = postings.delta_head, postings.delta_next, postings.delta_rows
    present, decided, features = marks.present, marks.decided, marks.features
    out, late, plans = marks.found, marks.late, postings.plans
    for number in range(number_of_features):
        row = head[features[number]]
        while row >= 0:
            second = rows[row, 1]
            is_there = present[rows[row, 0]] == stamp and present[rows[row, 2]] != stamp
            if is_there and (present[second] == stamp if second >= 0 else has_any(~second, plans, present, stamp)):
                expression = rows[row, 3]
                is_sure = expression >= 0
                expression = expression if is_sure else ~expression
                if decided[expression] != stamp:
                    decided[expression] = stamp
                    if is_sure:
                        out[found] = expression
                        found += 1
                    else:
                        late[waiting] = expression
                        waiting += 1
            row = following[row]
    return found, waiting


def has_any(group: int, plans: Array, present: Array, stamp: int) -> bool:
    """Tell whether one of a group's features is present."""
    for place in range(group + 1, group + 1 + plans[group]):
        if present[plans[place]] == stamp:
            return True
    return False


def name_owners(found: int, expressions: Expressions, marks: Marks) -> int:
    """Write all owners of the expressions found; return how many there are."""
    owner, members, group_start = expressions.owner, expressions.members, expressions.group_start
    group_size, out, named = expressions.group_size, marks.found, marks.owners
    count = 0
    for number in range(found):
        known = owner[out[number]]
        if known >= LOWEST_OWNER:
            named[count] = known
            count += 1
        elif known != NO_OWNER:
            start = group_start[known - FIRST_GROUP]
            for place in range(start, start + group_size[known - FIRST_GROUP]):
                named[count] = members[place]
                count += 1
    return count


def learn(number_of_features: int, marks: Marks) -> None:
    """Count one more article for each of its features."""
    for number in range(number_of_features):
        marks.document_frequency[marks.features[number]] += 1
