"""The consent state machine: what becomes of a reader, given where they stand and what was done.

Decides only: a table that is total over standings and acts, each cell with its reason; `run*` performs it. The rule
behind all of it: nobody becomes active but by an answer from their mailbox, or by an operator who vouches for a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from worker.model import SubscriberStatus

Standing = SubscriberStatus | None
"""Where somebody stands; None is an address that we have never heard of."""


class Act(StrEnum):
    """What a reader, a stranger or an operator does."""

    SIGN_UP = "sign_up"  # by anybody who knows the address
    CONFIRM = "confirm"  # by whoever reads its mail
    IMPORT = "import"  # by an operator, who says nothing of consent
    VOUCH = "vouch"  # by an operator, who has the readers' consent
    PAUSE = "pause"
    RESUME = "resume"
    LEAVE = "leave"
    ERASE = "erase"


class Wishes(StrEnum):
    """What becomes of the wishes that come with an act."""

    APPLIED = "applied"
    HELD = "held"  # in the consent record, until the question is answered
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Step:
    """The standing after an act, what becomes of the wishes that came with it, and why."""

    to: SubscriberStatus
    wishes: Wishes
    reason: str

    @property
    def asks(self) -> bool:
        """Tell whether the owner of the address must be asked first."""
        return self.wishes is Wishes.HELD


_S, _A, _W = SubscriberStatus, Act, Wishes

_ERASED = {
    act: Step(_S.ERASED, _W.DROPPED, "forgotten for good; the address may come again as a stranger") for act in Act
}

TABLE: Final[Mapping[Standing, Mapping[Act, Step | None]]] = MappingProxyType(
    {
        None: {  # None in a cell: there is nobody to whom it could happen
            _A.SIGN_UP: Step(_S.PENDING, _W.HELD, "an address proves itself before anything is sent to it"),
            _A.CONFIRM: None,
            _A.IMPORT: Step(_S.PENDING, _W.HELD, "a list without consent is asked, reader by reader"),
            _A.VOUCH: Step(_S.ACTIVE, _W.APPLIED, "the operator has the consent, and answers for it"),
            _A.PAUSE: None,
            _A.RESUME: None,
            _A.LEAVE: None,
            _A.ERASE: None,
        },
        _S.PENDING: {
            _A.SIGN_UP: Step(_S.PENDING, _W.HELD, "still unproven; the latest wishes are the ones asked about"),
            _A.CONFIRM: Step(_S.ACTIVE, _W.APPLIED, "the owner of the mailbox said yes"),
            _A.IMPORT: Step(_S.PENDING, _W.HELD, "still unproven"),
            _A.VOUCH: Step(_S.ACTIVE, _W.APPLIED, "the operator has the consent, and answers for it"),
            _A.PAUSE: Step(_S.PENDING, _W.DROPPED, "nothing is sent that could rest"),
            _A.RESUME: Step(_S.PENDING, _W.DROPPED, "waking up is not confirming"),
            _A.LEAVE: Step(_S.LEFT, _W.DROPPED, "no is an answer too"),
            _A.ERASE: Step(_S.ERASED, _W.DROPPED, "as asked"),
        },
        _S.ACTIVE: {
            _A.SIGN_UP: Step(_S.ACTIVE, _W.HELD, "anybody could have typed this address: its owner decides"),
            _A.CONFIRM: Step(_S.ACTIVE, _W.APPLIED, "the owner of the mailbox said yes"),
            _A.IMPORT: Step(_S.ACTIVE, _W.APPLIED, "consent is known already"),
            _A.VOUCH: Step(_S.ACTIVE, _W.APPLIED, "consent is known already"),
            _A.PAUSE: Step(_S.PAUSED, _W.DROPPED, "as asked"),
            _A.RESUME: Step(_S.ACTIVE, _W.DROPPED, "awake already"),
            _A.LEAVE: Step(_S.LEFT, _W.DROPPED, "as asked"),
            _A.ERASE: Step(_S.ERASED, _W.DROPPED, "as asked"),
        },
        _S.PAUSED: {
            _A.SIGN_UP: Step(_S.PAUSED, _W.HELD, "anybody could have typed this address: its owner decides"),
            _A.CONFIRM: Step(_S.PAUSED, _W.APPLIED, "yes to the wishes; the pause ends when its reader ends it"),
            _A.IMPORT: Step(_S.PAUSED, _W.APPLIED, "consent is known already"),
            _A.VOUCH: Step(_S.PAUSED, _W.APPLIED, "an operator's list does not end a reader's pause"),
            _A.PAUSE: Step(_S.PAUSED, _W.DROPPED, "until the new date"),
            _A.RESUME: Step(_S.ACTIVE, _W.DROPPED, "as asked"),
            _A.LEAVE: Step(_S.LEFT, _W.DROPPED, "as asked"),
            _A.ERASE: Step(_S.ERASED, _W.DROPPED, "as asked"),
        },
        _S.LEFT: {
            _A.SIGN_UP: Step(_S.PENDING, _W.HELD, "who has left may come back, by the same door"),
            _A.CONFIRM: Step(_S.LEFT, _W.DROPPED, "a link from before the farewell does not undo it"),
            _A.IMPORT: Step(_S.LEFT, _W.DROPPED, "a farewell is respected, whatever a list says"),
            _A.VOUCH: Step(_S.LEFT, _W.DROPPED, "a farewell is respected, whatever a list says"),
            _A.PAUSE: Step(_S.LEFT, _W.DROPPED, "nothing is sent that could rest"),
            _A.RESUME: Step(_S.LEFT, _W.DROPPED, "waking up is not coming back"),
            _A.LEAVE: Step(_S.LEFT, _W.DROPPED, "left already"),
            _A.ERASE: Step(_S.ERASED, _W.DROPPED, "as asked"),
        },
        _S.ERASED: dict(_ERASED),
    }
)


def step(standing: Standing, act: Act) -> Step | None:
    """Return what an act makes of somebody, None when there is nobody.

    >>> step(None, Act.SIGN_UP).to, step(SubscriberStatus.LEFT, Act.CONFIRM).to
    (<SubscriberStatus.PENDING: 'pending'>, <SubscriberStatus.LEFT: 'left'>)
    """
    return TABLE[standing][act]


def standing(status: SubscriberStatus, *, paused_until: datetime | None, now: datetime) -> SubscriberStatus:
    """Return where a reader stands: an active one whose pause has not run out is paused.

    A pause with an end is a date beside "active", so that it ends without anybody doing anything.

    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 11, 23, tzinfo=UTC)
    >>> standing(SubscriberStatus.ACTIVE, paused_until=at + timedelta(days=1), now=at)
    <SubscriberStatus.PAUSED: 'paused'>
    """
    if status is SubscriberStatus.ACTIVE and paused_until is not None and paused_until > now:
        return SubscriberStatus.PAUSED
    return status


def standing_on_a_list(where: SubscriberStatus, *, left_at: datetime | None) -> SubscriberStatus:
    """Return where an imported reader stands: whoever left counts as left until they themselves come back.

    Somebody who left and whose address was then typed into the page is pending; a list must not take that for a return.

    >>> from datetime import UTC
    >>> standing_on_a_list(SubscriberStatus.PENDING, left_at=datetime(2026, 11, 23, tzinfo=UTC))
    <SubscriberStatus.LEFT: 'left'>
    """
    return SubscriberStatus.LEFT if left_at is not None and where is SubscriberStatus.PENDING else where
