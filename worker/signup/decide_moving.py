"""A reader's change of address, and how many letters about their own business may go: decided, not done.

Three deeds, each with a letter's link behind it: whoever reads the reader's mail names a new address, whoever reads the
new address's mail says yes, and whoever reads the old address's mail may take it back for seven days. The tables are
total over deeds, letters' standings and what is known of the address; `run_moving` performs them. The rule behind all
of it: nobody learns from an answer whether an address is known, and nobody loses their mail to a stranger for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from worker.model import SubscriberStatus
from worker.signup.consent import APART, MOST_A_DAY

DAY: Final = timedelta(days=1)


class Deed(StrEnum):
    """What somebody does with the link of a letter."""

    NAME = "name"  # with a link mailed to where mail goes now
    AGREE = "agree"  # with a link mailed to the new address
    TAKE_BACK = "take_back"  # with a link mailed to where mail went before


class Paper(StrEnum):
    """What has become of the letter whose link is used."""

    OPEN = "open"
    USED = "used"
    VOID = "void"
    GONE = "gone"  # let go, or forgotten with its reader


class Target(StrEnum):
    """What is known of the address that mail is to go to."""

    FREE = "free"
    OWN = "own"  # the reader's already
    UNPROVEN = "unproven"  # somebody has signed it up, and its owner has never said yes
    TAKEN = "taken"  # another reader's, subscribed now or once
    SUPPRESSED = "suppressed"


class Move(StrEnum):
    """What is done."""

    NOTHING = "nothing"
    ASK = "ask"  # the owner of the new address
    WARN = "warn"  # the owner of the new address, who is a reader
    CHANGE = "change"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a deed leads to, and why. `clears`: an unproven sign-up of the address is forgotten first."""

    does: Move
    reason: str
    clears: bool = False


_D, _P, _T, _M = Deed, Paper, Target, Move

_WITH_A_GOOD_LINK: Final[Mapping[Deed, Mapping[Target, Turn]]] = MappingProxyType(
    {
        _D.NAME: {
            _T.FREE: Turn(_M.ASK, "an address proves itself before anything else is sent to it"),
            _T.OWN: Turn(_M.NOTHING, "mail goes there already"),
            _T.UNPROVEN: Turn(_M.ASK, "anybody could have signed it up: its owner decides"),
            _T.TAKEN: Turn(_M.WARN, "only its owner may know that it is a reader's"),
            _T.SUPPRESSED: Turn(_M.NOTHING, "nothing is sent to it, a question neither"),
        },
        _D.AGREE: {
            _T.FREE: Turn(_M.CHANGE, "the owner of both mailboxes wants it"),
            _T.OWN: Turn(_M.NOTHING, "done already"),
            _T.UNPROVEN: Turn(_M.CHANGE, "the mailbox is proved by this; the sign-up never was", clears=True),
            _T.TAKEN: Turn(_M.NOTHING, "its owner has subscribed with it meanwhile"),
            _T.SUPPRESSED: Turn(_M.NOTHING, "it must get nothing, and has come to since"),
        },
        _D.TAKE_BACK: {
            _T.FREE: Turn(_M.RESTORE, "the owner of the old mailbox did not want it"),
            _T.OWN: Turn(_M.NOTHING, "mail goes there already"),
            _T.UNPROVEN: Turn(_M.RESTORE, "a stranger's sign-up must not stand in the way", clears=True),
            _T.TAKEN: Turn(_M.NOTHING, "its owner has subscribed with it anew: two readers cannot have one address"),
            _T.SUPPRESSED: Turn(_M.RESTORE, "who reads its mail may have it back, though none goes there", clears=True),
        },
    }
)

_WITH_ANOTHER: Final[Mapping[Paper, Turn]] = MappingProxyType(
    {
        _P.USED: Turn(_M.NOTHING, "the link works once, and has"),
        _P.VOID: Turn(_M.NOTHING, "another change has overtaken this one"),
        _P.GONE: Turn(_M.NOTHING, "nobody remembers it"),
    }
)

TABLE: Final[Mapping[Deed, Mapping[Paper, Mapping[Target, Turn]]]] = MappingProxyType(
    {
        deed: {_P.OPEN: by_target, **{paper: dict.fromkeys(Target, turn) for paper, turn in _WITH_ANOTHER.items()}}
        for deed, by_target in _WITH_A_GOOD_LINK.items()
    }
)

# A reader who has left gets no mail that could go elsewhere; but what was taken from them they get back.
_MAY: Final[Mapping[Deed, frozenset[SubscriberStatus]]] = MappingProxyType(
    {
        _D.NAME: frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}),
        _D.AGREE: frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}),
        _D.TAKE_BACK: frozenset(set(SubscriberStatus) - {SubscriberStatus.ERASED}),
    }
)


def turn(deed: Deed, paper: Paper, target: Target, status: SubscriberStatus) -> Turn:
    """Return what a deed leads to.

    >>> turn(Deed.AGREE, Paper.OPEN, Target.FREE, SubscriberStatus.ACTIVE).does
    <Move.CHANGE: 'change'>
    >>> turn(Deed.AGREE, Paper.OPEN, Target.FREE, SubscriberStatus.LEFT).reason
    'this reader gets no mail'
    """
    if status not in _MAY[deed]:
        return Turn(Move.NOTHING, "this reader gets no mail")
    return TABLE[deed][paper][target]


def may_write(asked: Iterable[datetime], now: datetime, *, apart: timedelta = APART) -> bool:
    """Tell whether one more letter may go, after those of the last day: as many as questions may be asked.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    >>> may_write([at], at + timedelta(minutes=9)), may_write([at], at + timedelta(minutes=10))
    (False, True)
    """
    lately = [then for then in asked if now - then < DAY]
    return len(lately) < MOST_A_DAY and all(now - then >= apart for then in lately)
