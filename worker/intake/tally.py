"""How long articles and mails take, counted as Prometheus counts: how many took how long at most, by step and kind.

Pure: values that `run_tallying` keeps in SQL, so that the figures outlive processes and count what all of them did.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

BOUNDS_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)
"""What a count's own row holds took at most so long, and longer than the bound before; the last row is unbounded."""

ARTICLE: Final = "article"
"""The kind of steps that are an article's own; others are those of mails, by their edition's kind."""


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of a step of a kind, one for each bound and one beyond, and the sum of what was counted."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)
    sum_s: float = 0.0

    def with_span(self, span_s: float) -> Row:
        """Count one more.

        >>> Row().with_span(1.5).with_span(1e6).counts[:2], Row().with_span(1.5).sum_s
        ((0, 1), 1.5)
        """
        at = bisect_left(BOUNDS_S, span_s)
        counts = (*self.counts[:at], self.counts[at] + 1, *self.counts[at + 1 :])
        return Row(counts, self.sum_s + span_s)


@dataclass(kw_only=True, slots=True)
class Tally:
    """All rows by step and kind, and up to where has been counted: to an article's number, and to an end of runs."""

    article: int
    ended_at: datetime
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)

    def count(self, step: str, kind: str, span: timedelta | None) -> None:
        """Count a span, unless it is unknown or cannot be."""
        if span is not None and span >= timedelta():
            key = (step, kind)
            self.rows[key] = self.rows.get(key, Row()).with_span(span.total_seconds())

    def stored(self) -> str:
        """Return it as text."""
        rows = [[*key, list(row.counts), round(row.sum_s, 3)] for key, row in sorted(self.rows.items())]
        told = {"article": self.article, "ended_at": self.ended_at.isoformat(), "bounds": BOUNDS_S, "rows": rows}
        return json.dumps(told)

    @classmethod
    def restored(cls, stored: str) -> Self:
        """Read it back; what was counted by other bounds is counted anew, as after a restart.

        >>> from datetime import UTC
        >>> tally = Tally(article=7, ended_at=datetime(2026, 11, 29, tzinfo=UTC))
        >>> tally.count("seen", ARTICLE, timedelta(seconds=3))
        >>> Tally.restored(tally.stored()) == tally
        True
        """
        told = json.loads(stored)
        rows = told["rows"] if tuple(told["bounds"]) == BOUNDS_S else []
        return cls(
            article=told["article"],
            ended_at=datetime.fromisoformat(told["ended_at"]),
            rows={(step, kind): Row(tuple(counts), sum_s) for step, kind, counts, sum_s in rows},
        )


def cumulative(row: Row) -> Mapping[str, int]:
    """Return how many took at most so long, by the bound as Prometheus writes it.

    >>> dict(list(cumulative(Row().with_span(1.5)).items())[:2]), cumulative(Row().with_span(1e6))["+Inf"]
    ({'1': 0, '2': 1}, 1)
    """
    total, found = 0, {}
    for bound, count in zip((*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"), row.counts, strict=True):
        total += count
        found[bound] = total
    return found
