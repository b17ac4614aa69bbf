"""Kernel: which expressions an article makes true. Goes from its features to what hangs on them.

Runs compiled or interpreted; `runtime` compiles it. Called once an article, by `engine`.
"""

from __future__ import annotations

from worker.matching.compiled.layout import Article, Expressions, Marks, Occurrences, Postings, Reading, Vocabulary
from worker.matching.compiled.occurrences import NO_ROOM as NO_ROOM_FOR_PLACES
from worker.matching.compiled.occurrences import judge_all
from worker.matching.compiled.recognise import NO_ROOM as NO_ROOM_FOR_ENTRIES
from worker.matching.compiled.recognise import recognise
from worker.matching.compiled.tables import Tables

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

    Otherwise what there was too little room for, and how much it wants; then call again with another stamp. Expressions
    whose program must be run are put aside in `marks.late` and judged together.
    """
    number_of_features, words = recognise(article, tables, vocabulary, reading, marks, stamp)
    if number_of_features == NO_ROOM_FOR_ENTRIES:
        return WANTS_ENTRIES, words
    offsets, plain, branch, conditional = postings.offsets, postings.plain, postings.branch, postings.conditional
    delta_head, delta_next, delta_rows = postings.delta_head, postings.delta_next, postings.delta_rows
    present, decided, features = marks.present, marks.decided, marks.features
    out, late, document_frequency = marks.found, marks.late, marks.document_frequency
    found = waiting = 0
    in_base = len(offsets) - 1
    for number in range(number_of_features):
        feature = features[number]
        document_frequency[feature] += 1
        if feature < in_base:
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
                if (
                    present[conditional[row, 0]] == stamp
                    and present[conditional[row, 1]] == stamp
                    and present[conditional[row, 2]] != stamp
                ):
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
        row = delta_head[feature] if len(delta_rows) > 0 else -1
        while row >= 0:
            if (
                present[delta_rows[row, 0]] == stamp
                and present[delta_rows[row, 1]] == stamp
                and present[delta_rows[row, 2]] != stamp
            ):
                expression = delta_rows[row, 3]
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
            row = delta_next[row]
    if waiting > 0:
        found = judge_all(waiting, found, expressions, article, reading, marks, stamp, room)
        if found == NO_ROOM_FOR_PLACES:
            return WANTS_PLACES, 0
    return MATCHED, found
