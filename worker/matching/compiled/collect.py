"""Kernel: which expressions an article makes true. Goes from its features to what hangs on them.

Runs compiled or interpreted; `runtime` compiles it. Called once an article, by `engine`.
"""

from __future__ import annotations

from worker.matching.compiled.layout import (
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
from worker.matching.compiled.occurrences import TRUE, holds
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
) -> tuple[int, int]:
    """Write the true expressions into `marks.found`, each once; return MATCHED and how many.

    Otherwise what there was too little room for, and how much it wants; then call again with another stamp.
    """
    features, words = recognise(article, tables, vocabulary, reading, marks, stamp)
    if features == NO_ROOM_FOR_ENTRIES:
        return WANTS_ENTRIES, words
    found = 0
    in_base = len(postings.offsets) - 1
    has_delta = len(postings.delta_rows) > 0
    for index in range(features):
        feature = marks.features[index]
        if feature < in_base:
            for row in range(postings.offsets[feature, 0], postings.offsets[feature + 1, 0]):
                marks.found[found] = postings.plain[row]
                found += 1
            for row in range(postings.offsets[feature, 1], postings.offsets[feature + 1, 1]):
                expression = postings.branch[row]
                if marks.decided[expression] != stamp:
                    marks.decided[expression] = stamp
                    marks.found[found] = expression
                    found += 1
            for row in range(postings.offsets[feature, 2], postings.offsets[feature + 1, 2]):
                verdict = judge(postings.conditional, row, expressions, article, reading, marks, stamp, room, found)
                if verdict < 0:
                    return WANTS_PLACES, 0
                found = verdict
        if has_delta:
            row = postings.delta_head[feature]
            while row >= 0:
                verdict = judge(postings.delta_rows, row, expressions, article, reading, marks, stamp, room, found)
                if verdict < 0:
                    return WANTS_PLACES, 0
                found = verdict
                row = postings.delta_next[row]
    for index in range(features):
        marks.document_frequency[marks.features[index]] += 1
    return MATCHED, found


def judge(
    rows: Array,
    row: int,
    expressions: Expressions,
    article: Article,
    reading: Reading,
    marks: Marks,
    stamp: int,
    room: Occurrences,
    found: int,
) -> int:
    """Look at one conditional row; return how many expressions are true then, or NO_ROOM_FOR_PLACES."""
    present = marks.present
    if present[rows[row, 0]] != stamp or present[rows[row, 1]] != stamp or present[rows[row, 2]] == stamp:
        return found
    expression = rows[row, 3]
    is_sure = expression >= 0
    if not is_sure:
        expression = ~expression
    if marks.decided[expression] == stamp:
        return found
    if not is_sure:
        if expressions.owner[expression] == NO_OWNER:
            return found
        verdict = holds(expression, expressions, article, reading, marks, stamp, room)
        if verdict == NO_ROOM_FOR_PLACES:
            return NO_ROOM_FOR_PLACES
        if verdict != TRUE:
            marks.decided[expression] = stamp
            return found
    marks.decided[expression] = stamp
    marks.found[found] = expression
    return found + 1
