"""Whether an article may still alert: nothing old wakes a reader, however late we come by it.

Pure. `run` calls it when an article comes in; planning reads the stored answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta


def too_old_to_alert(
    *, published_at: datetime | None, first_seen_at: datetime, now: datetime, limit: timedelta
) -> bool:
    """Tell whether an article is past the age gate, by its publication or by our first sight of it.

    A source that tells no date is judged by first sight alone.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> too_old_to_alert(published_at=noon - timedelta(hours=9), first_seen_at=noon, now=noon, limit=timedelta(hours=6))
    True
    """
    oldest = min(published_at or first_seen_at, first_seen_at)
    return now - oldest > limit
