"""Decides when a child that has ended is started again, and when there is no point in it.

Pure: numbers in, a decision out. Called by `worker.runtime.child`.
"""

from __future__ import annotations

from typing import Final

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
HEALTHY_AFTER_S: Final = 60.0
FAILED_STARTS: Final = 3
EXIT_CONFIGURATION: Final = 2
"""The exit status with which all our programs say: a person must change something, and my last line says what."""


def pause_before_restart_s(previous_s: float, *, lived_s: float) -> float:
    """Return how long to wait: twice as long each time, from the beginning again after a minute of health.

    >>> pause_before_restart_s(0.0, lived_s=1), pause_before_restart_s(0.2, lived_s=1)
    (0.2, 0.4)
    >>> pause_before_restart_s(4.0, lived_s=1), pause_before_restart_s(5.0, lived_s=60)
    (5.0, 0.2)
    """
    if not previous_s or lived_s >= HEALTHY_AFTER_S:
        return FIRST_PAUSE_S
    return min(2 * previous_s, LONGEST_PAUSE_S)


def is_hopeless(*, exit_status: int, failed_starts: int, was_ever_ready: bool) -> bool:
    """Tell whether another start is pointless, after so many failed ones in a row.

    A child that has once worked is started for ever (its trouble, say a full disk, may pass and the others are of use
    meanwhile), unless it says itself that a person must change something.

    >>> is_hopeless(exit_status=1, failed_starts=2, was_ever_ready=False)
    False
    >>> is_hopeless(exit_status=1, failed_starts=3, was_ever_ready=False)
    True
    >>> is_hopeless(exit_status=1, failed_starts=3, was_ever_ready=True)
    False
    >>> is_hopeless(exit_status=2, failed_starts=3, was_ever_ready=True)
    True
    """
    return failed_starts >= FAILED_STARTS and (exit_status == EXIT_CONFIGURATION or not was_ever_ready)
