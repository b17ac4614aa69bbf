"""Does what people ask of an edition under way: pause, resume, cancel; and goes on where a dead process left off.

Each command is one transaction with its audit row; what a cancelled edition has unsent is then ended in chunks. Called
by the command line, the API and a sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from worker.delivery.steering import Command, Refused, follow
from worker.model import EditionId, EditionStatus
from worker.store import canaries, editions, house, preflights, steering
from worker.store.database import Database

_LONGEST_REASON = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Steered:
    """What a command has made of an edition. `refused` says why it made nothing; `ended` counts copies."""

    edition_id: EditionId
    was: EditionStatus
    status: EditionStatus
    refused: Refused | None = None
    ended: int = 0

    @property
    def says(self) -> str:
        """The answer in a line.

        >>> steered = Steered(edition_id=EditionId(4), was=EditionStatus.SENDING, status=EditionStatus.PAUSED)
        >>> steered.says
        'edition 4 was sending and is paused now'
        """
        if self.refused:
            return f"edition {self.edition_id} is already {self.was}: {self.refused}"
        if self.was is EditionStatus.PLANNING:
            return f"edition {self.edition_id} is being planned; when its audience is fixed, it is {self.status}"
        if self.was is self.status:
            return f"edition {self.edition_id} is {self.was} already"
        ended = f"; {self.ended} unsent copies are cancelled" if self.status is EditionStatus.CANCELLED else ""
        return f"edition {self.edition_id} was {self.was} and is {self.status} now{ended}"

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {
            "id": self.edition_id,
            "was": self.was,
            "status": self.status,
            "changed": self.was is not self.status,
            "cancelled": self.ended,
            "says": self.says,
        }


def steer(
    database: Database, edition_id: EditionId, command: Command, *, actor: str, reason: str = ""
) -> Steered | None:
    """Follow a command at once; None where there is no such edition. Safe to repeat."""
    with database.write() as conn:
        steered = _steer(conn, edition_id, command, actor=actor, reason=reason[:_LONGEST_REASON])
    if steered is None or steered.status is not EditionStatus.CANCELLED or steered.refused:
        return steered
    ended = end_cancelled(database, edition_id)
    return Steered(edition_id=edition_id, was=steered.was, status=steered.status, ended=ended)


def end_cancelled(database: Database, edition_id: EditionId) -> int:
    """End every copy of a cancelled edition that is not on the wire, and return how many were ended."""
    ended, after = 0, 0
    while True:
        with database.write() as conn:
            batches = steering.next_batches(conn, edition_id, after=after)
            ended += steering.cancel_unsent(conn, edition_id, batches)
            if not batches:
                editions.finish_settled(conn)
                return ended
        after = batches[-1]


def sweep(database: Database) -> int:
    """End what cancelled editions have unsent: a process died before it had, or a relay put a copy off since then."""
    with database.read() as conn:
        cancelled = steering.cancelled(conn)
    return sum(end_cancelled(database, edition_id) for edition_id in cancelled)


def _steer(conn: Connection, edition_id: EditionId, command: Command, *, actor: str, reason: str) -> Steered | None:
    while True:
        found = steering.standing(conn, edition_id)
        if found is None:
            return None
        was, planned_as = found
        following = follow(was, command)
        if isinstance(following, Refused):
            return Steered(edition_id=edition_id, was=was, status=was, refused=following)
        if following in {was, planned_as}:
            return Steered(edition_id=edition_id, was=was, status=following)
        if (
            was is EditionStatus.HELD
            and following is EditionStatus.SENDING
            and not steering.has_readers(conn, edition_id)
        ):
            following = EditionStatus.DRAFT  # its preflight holds it, and a person says that it goes all the same
            preflights.waive(conn, edition_id, by=actor)
        why = _why(command, actor, reason)
        if steering.change_status(conn, edition_id, was=was, to=following, reason=why):
            break  # otherwise somebody was quicker: it is asked again what to do
    if was is EditionStatus.HELD and following is EditionStatus.SENDING:
        canaries.release(conn, edition_id)
    house.note(conn, actor=actor, action=f"edition {command}", subject=f"edition {edition_id}", was=was, reason=reason)
    return Steered(edition_id=edition_id, was=was, status=following)


def _why(command: Command, actor: str, reason: str) -> str:
    if command is Command.RESUME:
        return ""
    done = "paused" if command is Command.PAUSE else "the edition was cancelled"
    return f"{done} by {actor}: {reason}" if reason else f"{done} by {actor}"
