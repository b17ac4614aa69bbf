"""Counts what the pages are asked for, and keeps the figures: where a counted link leads, how often it was followed.

A request reads at most one row, and writes none: figures are kept in this process and written down every few seconds,
and when it ends. What it held when it was killed is lost: some seconds of figures, never a reader's way to a story.
`wiring` makes one a process; the pages ask it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from worker.errors import ConfigurationError
from worker.measures import TRAP, Measure, Visitor
from worker.measuring.classify import Asked, classify
from worker.measuring.window import What, Window
from worker.store import measurements
from worker.store.database import Database, now
from worker.store.measurements import Link

log = logging.getLogger(__name__)

_FLUSHED_EVERY_S: Final = 5.0
_LINKS_KEPT: Final = 20_000  # some 10 MB
_LOOKED_UP_AGAIN_S: Final = 60.0  # for an edition is sent before all of it is planned
LEAST_READERS: Final = 5
"""What fewer readers got is not counted: a figure of an edition for one reader would be a figure of that reader."""

_Figures = Counter[tuple[What, Visitor]]


class _Known(NamedTuple):
    """What is remembered of a link: what it is about, by this process's clock."""

    link: Link | None
    begun_s: float
    looked_up_s: float


class Meter:
    """The figures of one process; its threads may ask at once. `measures` is what is counted: perhaps nothing."""

    def __init__(
        self, database: Database, *, measures: Collection[Measure], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._measures, self._clock = database, frozenset(measures), clock
        self._window, self._lock = Window(), threading.Lock()
        self._pending: _Figures = Counter()
        self._totals: Counter[tuple[Measure, Visitor]] = Counter()
        self._ended, self._thread = threading.Event(), threading.Thread(target=self._go_on, daemon=True)
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()

    def click(self, edition_id: int, article_id: int, asked: Asked, *, address: str) -> str:
        """Return where a link leads, as an article's newspaper says, and count it; "" when it leads nowhere.

        `address` is whose request it is.
        """
        known = self._look_up(edition_id, article_id)
        if known.link is None or not known.link.url:
            return ""
        self._count(Measure.CLICKS, known.link, article_id, asked, address, begun_s=known.begun_s)
        return known.link.url

    def trap(self, edition_id: int, asked: Asked, *, address: str) -> None:
        """Count nothing, and know a program that follows links which nobody sees."""
        known = self._look_up(edition_id, TRAP)
        if known.link and Measure.CLICKS in self._measures and not asked.opts_out:
            with self._lock:
                self._window.trap(known.link.edition_id, address=address, agent=asked.agent, at_s=self._clock())

    def open(self, edition_id: int, asked: Asked, *, address: str) -> None:
        """Count that a mail's image was fetched."""
        known = self._look_up(edition_id, 0)
        if known.link:
            self._count(Measure.OPENS, known.link, 0, asked, address, begun_s=known.begun_s)

    def totals(self) -> dict[tuple[Measure, Visitor], int]:
        """Return what this process has counted since it began; empty where nothing is counted."""
        with self._lock:
            return {(what, who): self._totals[what, who] for what in sorted(self._measures) for who in Visitor}

    def flush(self, *, everything: bool = False) -> None:
        """Write down what has been judged, or `everything`. While the database is away, figures wait."""
        with self._lock:
            judged = self._window.settled(at_s=self._clock(), everything=everything)
            for (what, visitor), count in judged.items():
                self._totals[what.measure, visitor] += count
            self._pending.update(judged)
            figures, self._pending = self._pending, Counter()
        try:
            self._write(figures)
        except (ConfigurationError, SQLAlchemyError) as error:
            log.warning("%d requests could not be counted yet (%s)", figures.total(), type(error).__name__)
            with self._lock:
                self._pending.update(figures)

    def close(self) -> None:
        """Write down everything, and count no more by itself."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush(everything=True)

    def _count(
        self, measure: Measure, link: Link, article_id: int, asked: Asked, address: str, *, begun_s: float
    ) -> None:
        if measure not in self._measures or link.readers < LEAST_READERS:
            return
        at_s = self._clock()
        visitor = classify(asked, measure, age_s=at_s - begun_s)
        if visitor is None:
            return
        what = What(measure, link.edition_id, article_id, is_told=link.readers_of_it >= LEAST_READERS)
        with self._lock:
            self._window.note(what, visitor, address=address, agent=asked.agent, at_s=at_s)
            if not self._thread.ident:
                self._thread.start()

    def _write(self, figures: _Figures) -> None:
        if figures:
            rows: Counter[tuple[int, Measure, int, Visitor]] = Counter()
            for (what, who), count in figures.items():
                rows[what.edition_id, what.measure, what.article_id if what.is_told else 0, who] += count
            with self._database.write() as conn:
                measurements.add(conn, rows)

    def _go_on(self) -> None:
        while not self._ended.wait(_FLUSHED_EVERY_S):
            self.flush()

    def _look_up(self, edition_id: int, article_id: int) -> _Known:
        key, at_s = (edition_id, article_id), self._clock()
        known = self._known.get(key)
        if known and (_is_settled(known.link) or at_s < known.looked_up_s + _LOOKED_UP_AGAIN_S):
            return known
        with self._database.read() as conn:
            link, at = measurements.find(conn, edition_id, article_id, most=LEAST_READERS), now(conn)
        begun_s = at_s - (at - link.begun_at).total_seconds() if link else at_s
        known = _Known(link, begun_s, at_s)
        with self._lock:
            self._known[key] = known
            while len(self._known) > _LINKS_KEPT:
                self._known.popitem(last=False)
        return known


def _is_settled(link: Link | None) -> bool:
    """Tell whether nothing that will still be planned changes what is thought of a link."""
    return link is not None and link.readers_of_it >= LEAST_READERS
