"""Nothing old wakes a reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from worker.intake.age_gate import too_old_to_alert

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMIT = timedelta(hours=6)


@pytest.mark.parametrize(
    ("published_h", "seen_h", "old"),
    [
        (0, 0, False),
        (5, 0, False),
        (6, 0, False),  # the limit itself still counts as fresh
        (6.01, 0, True),
        (1, 7, True),  # a feed that moves its dates forward at every poll
        (None, 1, False),
        (None, 7, True),
        (-1, 0, False),
    ],
)
def test_an_article_ages_by_publication_and_by_first_sight(published_h, seen_h, old):
    published_at = None if published_h is None else NOW - timedelta(hours=published_h)
    seen_at = NOW - timedelta(hours=seen_h)
    assert too_old_to_alert(published_at=published_at, first_seen_at=seen_at, now=NOW, limit=LIMIT) is old
