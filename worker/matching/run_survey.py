"""Goes through the stored terms of a period's articles once, and notes what they say of some queries.

Reads no text: that is `run_backtest`'s business, for what stays open here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from worker.matching.analyser import ANALYSER_VERSION
from worker.matching.bounds import Block, Bounds, Flags, Kind, Sign, signs
from worker.matching.inflection import LANGUAGES
from worker.matching.query import Node
from worker.matching.terms import stored_stem, unpack
from worker.store import terms

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """A period's articles as columns, the earliest first, and the bounds of each query over them.

    `story` is an article's story by its place in `stories`, which has each story's number once.
    """

    article: Integers
    story: Integers
    at_s: Integers
    stories: Integers
    bounds: tuple[Bounds, ...]


def survey(conn: Connection, nodes: Sequence[Node], *, since: datetime, give_up: Callable[[], None]) -> Survey:
    """Judge all articles published since `since`. `give_up` is called now and then, and may raise."""
    vocabulary = _vocabulary(conn, nodes)
    articles: list[Integers] = [np.empty((0, 3), dtype=np.int64)]
    judged: list[list[Bounds]] = [[_nobody()] for _ in nodes]
    with closing(terms.in_period(conn, since=since, analyser_version=ANALYSER_VERSION)) as blocks:
        for rows in blocks:
            give_up()
            articles.append(np.array([row[:3] for row in rows], dtype=np.int64))
            block = Block(*unpack(row.terms or b"" for row in rows), vocabulary)
            is_unknown = np.array([row.terms is None for row in rows])
            for node, so_far in zip(nodes, judged, strict=True):
                sure, possible = block.bounds(node)
                so_far.append(Bounds(sure & ~is_unknown, possible | is_unknown))
    columns = np.concatenate(articles)
    order = np.lexsort((columns[:, 0], columns[:, 2]))
    article, story, at_s = columns[order].T
    stories, place = np.unique(story, return_inverse=True)
    return Survey(
        article=article, story=place, at_s=at_s, stories=stories, bounds=tuple(_joined(each, order) for each in judged)
    )


def _vocabulary(conn: Connection, nodes: Iterable[Node]) -> dict[Sign, list[int]]:
    """Look up what the queries' signs stand for."""
    wanted = frozenset[Sign]().union(*map(signs, nodes))
    words = {sign.key for sign in wanted if sign.kind is Kind.WORD}
    numbers = terms.numbers(conn, words)
    found = {Sign(Kind.WORD, key): [numbers[key]] if key in numbers else [] for key in words}
    for sign in wanted:
        if sign.kind is Kind.PREFIX:
            found[sign] = terms.numbers_beginning(conn, sign.key)
        if sign.kind is Kind.INFLECTED:
            stems = {(language, stored_stem(sign.key, language)) for language in LANGUAGES}
            found[sign] = terms.numbers_inflected(conn, stems)
    return found


def _nobody() -> Bounds:
    none: Flags = np.empty(0, dtype=np.bool_)
    return Bounds(none, none)


def _joined(blocks: Sequence[Bounds], order: Integers) -> Bounds:
    return Bounds(*(np.concatenate([block[side] for block in blocks])[order] for side in (0, 1)))
