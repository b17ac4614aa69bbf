"""Decides what a person's pause, resume or cancel makes of an edition: a table, total over statuses and commands.

Pure. `delivery.run_steering` and `run_resolving` act on what people say in these words.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from worker.model import EditionStatus


class Command(StrEnum):
    """What a person may ask of an edition under way."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Fate(StrEnum):
    """What a person has found out of a message in doubt, or wants done about it."""

    ACCEPTED = "accepted"
    RESEND = "resend"
    REFUSED = "refused"


class Refused(StrEnum):
    """Why a command cannot be followed."""

    FINISHED = "everybody in its audience has been dealt with"
    CANCELLED = "what was cancelled is not sent any more; its stories go to the next digests"
    UNPLANNED = "there is nothing to send yet"
    RUNNING = "it is neither paused nor held"


_S, _C, _R = EditionStatus, Command, Refused

TABLE: Final[Mapping[EditionStatus, Mapping[Command, EditionStatus | Refused]]] = MappingProxyType(
    {
        _S.DRAFT: {_C.PAUSE: _R.UNPLANNED, _C.RESUME: _R.UNPLANNED, _C.CANCEL: _S.CANCELLED},
        # What it becomes when its audience is fixed; until then nothing of it is sent.
        _S.PLANNING: {_C.PAUSE: _S.PAUSED, _C.RESUME: _S.PLANNED, _C.CANCEL: _S.CANCELLED},
        _S.PLANNED: {_C.PAUSE: _S.PAUSED, _C.RESUME: _R.RUNNING, _C.CANCEL: _S.CANCELLED},
        _S.SENDING: {_C.PAUSE: _S.PAUSED, _C.RESUME: _R.RUNNING, _C.CANCEL: _S.CANCELLED},
        _S.HELD: {_C.PAUSE: _S.HELD, _C.RESUME: _S.SENDING, _C.CANCEL: _S.CANCELLED},
        _S.PAUSED: {_C.PAUSE: _S.PAUSED, _C.RESUME: _S.SENDING, _C.CANCEL: _S.CANCELLED},
        _S.CANCELLED: {_C.PAUSE: _R.CANCELLED, _C.RESUME: _R.CANCELLED, _C.CANCEL: _S.CANCELLED},
        _S.FINISHED: {_C.PAUSE: _R.FINISHED, _C.RESUME: _R.FINISHED, _C.CANCEL: _R.FINISHED},
    }
)


def follow(status: EditionStatus, command: Command) -> EditionStatus | Refused:
    """Return the status after a command, the same where there is nothing to do, or why it cannot be followed.

    >>> follow(EditionStatus.HELD, Command.RESUME)
    <EditionStatus.SENDING: 'sending'>
    >>> follow(EditionStatus.FINISHED, Command.PAUSE).value
    'everybody in its audience has been dealt with'
    """
    return TABLE[status][command]
