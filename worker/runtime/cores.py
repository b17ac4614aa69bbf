"""Keeps a process on one core, where an operator asks for it: see `delivery_one_core` among the settings.

The threads of a process that sends mail take turns at Python whatever happens. On several cores each turn is handed
over from core to core, which has cost up to a seventh of the process's time, by the machine, and its thread for SQL
stands in the way of a relay on the same machine. The kernel puts everything else on other cores by itself.
"""

from __future__ import annotations

import os
from collections.abc import Collection


def keep_to_one_core(turn: int, *, from_first: bool = False) -> int | None:
    """Keep this thread, and all that it starts from now on, on one of the cores it may use; return which one.

    Successive turns take successive cores, from the last downwards, or `from_first` upwards. None where a process
    cannot choose its cores (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = core_of(turn, os.sched_getaffinity(0), from_first=from_first)
    os.sched_setaffinity(0, {core})
    return core


def core_of(turn: int, cores: Collection[int], *, from_first: bool = False) -> int:
    """Return whose turn it is among cores.

    >>> [core_of(turn, {0, 1, 4}) for turn in range(4)], core_of(1, {0, 1, 4}, from_first=True)
    ([4, 1, 0, 4], 1)
    """
    return sorted(cores, reverse=not from_first)[turn % len(cores)]
