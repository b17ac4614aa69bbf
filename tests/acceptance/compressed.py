"""A day that passes in minutes: the one clock's test offset moves on, step by step, while real processes do their work.

Nothing is frozen and nothing is mocked: between two steps the installation comes to rest, as it would in so much time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.acceptance.houses import Installation, until

STEP: Final = timedelta(minutes=30)
_REST_WITHIN_S: Final = 90.0
_INTO_A_STEP: Final = timedelta(seconds=5)  # past the full and the half hours, at which things are due
_WAITING: Final = """
SELECT 'articles', count(*) FROM article WHERE matched_at IS NULL
UNION ALL SELECT 'alerts', count(*) FROM topic_story WHERE alert_due_at <= :now
UNION ALL SELECT 'summaries', count(*) FROM burst WHERE summary_due_at <= :now
UNION ALL SELECT 'digests', count(*) FROM subscription
  WHERE next_due_at <= :now AND ended_at IS NULL AND topic_id IS NOT NULL
UNION ALL SELECT 'runs', count(*) FROM planning_run WHERE finished_at IS NULL AND due_at <= :now
UNION ALL SELECT 'owed', count(*) FROM owed_story WHERE due_at <= :now
UNION ALL SELECT 'editions', count(*) FROM edition WHERE status = 'planning'
UNION ALL SELECT 'deliveries', count(*) FROM delivery WHERE state IN ('leased', 'committing', 'unknown')
  OR (state IN ('planned', 'deferred') AND next_attempt_at <= :now)
"""


class CompressedDay:
    """The clock of one installation. `began_at` is a coming midnight in UTC."""

    def __init__(self, house: Installation) -> None:
        self._house, self._steps = house, 0
        self.began_at = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._set()

    @property
    def at(self) -> datetime:
        """What the installation's clock showed when the step began."""
        return self.began_at + self._steps * STEP + _INTO_A_STEP

    def pass_by(self) -> None:
        """Let a step go by in which nothing works."""
        self._steps += 1
        self._set()

    def advance(self) -> None:
        """Let a step go by, and wait until all that is due in it is done."""
        self.pass_by()
        self.rest()

    def rest(self) -> None:
        """Wait until nothing waits that is due."""
        until(
            lambda: not self._waiting(),
            within_s=_REST_WITHIN_S,
            what=f"rest at {self.at:%H:%M}",
            tell=lambda: f"{self._waiting()}\n{self._house.logs()}",
        )

    def _waiting(self) -> dict[str, int]:
        with contextlib.closing(self._open()) as connection:
            now = f"{self.at + STEP / 2:%Y-%m-%d %H:%M:%S.%f}"  # the clock goes on by itself, too
            return {what: count for what, count in connection.execute(_WAITING, {"now": now}) if count}

    def _set(self) -> None:
        offset_s = (self.at - datetime.now(UTC)).total_seconds()
        with contextlib.closing(self._open()) as connection, connection:
            statement = "INSERT INTO installation (name, value) VALUES ('clock_offset_s', ?)"
            connection.execute(f"{statement} ON CONFLICT (name) DO UPDATE SET value = excluded.value", [str(offset_s)])

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._house.home / "tocsin.db", timeout=30)
