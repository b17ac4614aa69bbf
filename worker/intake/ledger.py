"""The ledger of an article's way: when it came to each step from publication to readers' mailboxes.

Pure: arranges moments that `run_ledger` has looked up. The span to a step is told where its moments are known
and can be true: of an article without a date, or with a day only, the first is unknown rather than nonsense.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from worker.intake.rhythm import lag_of


class Step(StrEnum):
    """The steps in their order."""

    PUBLISHED = "published"
    SEEN = "seen"
    MATCHED = "matched"
    PLANNED = "planned"
    COMMITTED = "committed"
    ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """The copies of one kind that show an article's story, planned since it came in; the first one's moments."""

    kind: str
    deliveries: int
    accepted: int
    matched_at: datetime | None
    planned_at: datetime | None
    committed_at: datetime | None
    accepted_at: datetime | None
    median_accepted_at: datetime | None
    last_accepted_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """An article's way. `alerts` are what it led to at once; `others` (digests, ...) go by their own schedules."""

    published_at: datetime | None
    dated: bool
    seen_at: datetime
    matched_at: datetime | None
    alerts: Copies | None
    others: tuple[Copies, ...]
    story: int
    articles: int  # that tell the story
    first_article: int

    def moments(self) -> dict[Step, datetime | None]:
        """Return when the article, and the first of its alerts, came to each step."""
        alerts = self.alerts
        return {
            Step.PUBLISHED: self.published_at if self.dated else None,
            Step.SEEN: self.seen_at,
            Step.MATCHED: self.matched_at,
            Step.PLANNED: alerts.planned_at if alerts else None,
            Step.COMMITTED: alerts.committed_at if alerts else None,
            Step.ACCEPTED: alerts.accepted_at if alerts else None,
        }

    def spans_s(self) -> dict[Step, float | None]:
        """Return how long after the step before it the article came to each step."""
        found = self.moments()
        spans: dict[Step, float | None] = {
            step: (b - a).total_seconds() if (a := found[before]) and (b := found[step]) else None
            for before, step in pairwise(Step)
        }
        lag = lag_of(self.published_at, self.seen_at, dated=self.dated) if self.published_at else None
        spans[Step.SEEN] = lag.total_seconds() if lag is not None else None
        return {step: round(span, 3) if span is not None and span >= 0 else None for step, span in spans.items()}

    def told(self) -> dict[str, Any]:
        """Return it as `tocsin articles show --json` and the API tell it: moments, seconds, and how many mails."""
        alerts = self.alerts
        return {
            **{f"{step}_at": moment for step, moment in self.moments().items()},
            "lag_s": self.spans_s(),
            "deliveries": alerts.deliveries if alerts else 0,
            "accepted": alerts.accepted if alerts else 0,
            "median_accepted_at": alerts.median_accepted_at if alerts else None,
            "last_accepted_at": alerts.last_accepted_at if alerts else None,
            "others": [_told(one) for one in self.others],
            "story": {"id": self.story, "articles": self.articles, "first_article": self.first_article},
        }

    def lines(self) -> Iterator[tuple[Step, datetime | None, float | None]]:
        """Yield each step with its moment and the seconds since the one before."""
        spans = self.spans_s()
        for step, moment in self.moments().items():
            yield step, moment, spans.get(step)


_TOLD: Final = tuple(field.name for field in fields(Copies) if field.name not in {"matched_at", "committed_at"})


def _told(copies: Copies) -> dict[str, Any]:
    return {name: getattr(copies, name) for name in _TOLD}
