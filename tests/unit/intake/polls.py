"""Sources and answers for the tests of polling, with what does not matter filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from worker.intake.pace import Pace
from worker.intake.polled import Answered, Failed, Next, Polled, Question
from worker.intake.polling import Push, after
from worker.model import SourceId

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
URL = "https://paper.example/rss"
CONDITIONAL = Question(etag='"v1"')
PACE = Pace()


def a_source(**values: Any) -> Polled:
    """Return a source that publishes hourly, has answered a while ago, and is asked conditionally."""
    given = {
        "id": SourceId(7),
        "url": URL,
        "created_at": NOON - timedelta(days=60),
        "etag": '"v1"',
        "refreshed_at": NOON - timedelta(hours=1),
        "published": tuple(NOON - timedelta(hours=hours) for hours in range(1, 25)),
        "poll_every_s": 300.0,
        "last_polled_at": NOON - timedelta(minutes=5),
        "last_ok_at": NOON - timedelta(minutes=5),
        "last_status": 304,
        "format": "rss20",
    }
    return Polled(**{**given, **values})


def unchanged(**values: Any) -> Answered:
    return Answered(**{"status": 304, "url": URL, "asked": CONDITIONAL, **values})


def document(**values: Any) -> Answered:
    return Answered(**{"status": 200, "url": URL, "asked": Question(), "etag": '"v2"', "format": "rss20", **values})


def failure(status: int | None = None, **values: Any) -> Failed:
    return Failed(**{"reason": "it failed", "status": status, "asked": CONDITIONAL, **values})


def wait_s(
    source: Polled, outcome: Answered | Failed, *, now: datetime = NOON, pace: Pace = PACE, push: Push | None = None
) -> float:
    """Return the seconds until the next poll."""
    return seconds_until(after(source, outcome, now=now, pace=pace, push=push), now)


def seconds_until(following: Next, now: datetime = NOON) -> float:
    assert following.next_poll_at is not None
    return (following.next_poll_at - now).total_seconds()
