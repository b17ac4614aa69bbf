"""The links of letters about a reader's own business: what each is good for, and how long.

Decides, signs nothing. Planning lets a letter expire with its link, or when its news is old; `letters` writes the link,
the pages read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from worker.model import LetterKind
from worker.tokens import Purpose

LINK_OF: Final[Mapping[LetterKind, Purpose]] = MappingProxyType(
    {
        LetterKind.DATA: Purpose.DATA,
        LetterKind.FORGET: Purpose.FORGET,
        LetterKind.MOVE: Purpose.MOVE,
        LetterKind.NEW_ADDRESS: Purpose.NEW_ADDRESS,
        LetterKind.MOVED: Purpose.TAKE_BACK,
    }
)
"""What a letter's link may be used for. `taken` has none: there is nothing to do."""

_LONG: Final = timedelta(days=7)
_SHORT: Final = timedelta(hours=1)


_NEWS: Final[Mapping[LetterKind, timedelta]] = MappingProxyType(
    {
        LetterKind.WELCOME: timedelta(days=1),  # who is welcomed later wonders what for
        LetterKind.GOODBYE: timedelta(days=1),
        LetterKind.CHANGED: timedelta(days=3),  # a stranger's change is still worth knowing
    }
)


def good_for(kind: LetterKind) -> timedelta:
    """Return how long a letter's link works, from when the letter was planned; of one without, how long it is news.

    >>> good_for(LetterKind.FORGET), good_for(LetterKind.MOVED)
    (datetime.timedelta(seconds=3600), datetime.timedelta(days=7))
    """
    return _NEWS.get(kind) or (_LONG if kind is LetterKind.MOVED else _SHORT)
