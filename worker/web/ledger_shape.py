"""An article's ledger as the API tells it: a shape, made of what `intake.run_ledger` has found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field


class Lags(BaseModel):
    """Seconds from the step before to this one; null where one of the two is unknown."""

    seen: float | None
    matched: float | None
    planned: float | None
    committed: float | None
    accepted: float | None


class OtherCopies(BaseModel):
    """Mails of another kind that show the article's story: they go by their own schedules."""

    kind: str
    deliveries: int
    accepted: int
    planned_at: datetime | None
    accepted_at: Annotated[datetime | None, Field(description="Of the first.")]
    median_accepted_at: datetime | None
    last_accepted_at: datetime | None


class LedgerStory(BaseModel):
    """The story that the article tells."""

    id: int
    articles: int
    first_article: int


class ArticleLedger(BaseModel):
    """When an article came to which step, by the first of the alerts that it led to.

    `published_at` is null where the source tells no date; the lag to `seen` also where it tells only a day.
    """

    published_at: datetime | None
    seen_at: datetime
    matched_at: datetime | None
    planned_at: datetime | None
    committed_at: datetime | None
    accepted_at: datetime | None
    lag_s: Lags
    deliveries: Annotated[int, Field(description="Alerts that show its story, planned since it came in.")]
    accepted: int
    median_accepted_at: datetime | None
    last_accepted_at: datetime | None
    others: list[OtherCopies]
    story: LedgerStory
