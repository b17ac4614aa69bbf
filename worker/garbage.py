"""How often Python looks through its objects for garbage that refers to itself.

It does so whenever 700 are new, and through all of them whenever a quarter is: work that makes a million objects to
keep, as planning a large run does, spends a third of its time on finding nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SELDOM: Final = (100_000, 20, 50)  # new objects; then younger looks for each older one


@contextmanager
def looked_for_seldom() -> Iterator[None]:
    """Let this process look for garbage a hundred times less often within the block."""
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
