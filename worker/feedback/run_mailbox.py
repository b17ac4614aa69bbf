"""Takes the mail of a mailbox in: understood, kept, and only then settled where it lies.

A crash at any point loses nothing, since a mail is settled after its events are durable, and counts nothing twice,
since the same bytes make the same events. What breaks us is put aside and holds up no other. Called by the command
line and `tasks`.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from worker.adapters.mailboxes.build import open_mailbox
from worker.feedback.mail.hearing import ReturnedMail, kept
from worker.feedback.run import Feedback
from worker.hearsay import EventKind, Fate, FeedbackEvent
from worker.ports import Mailbox
from worker.store.database import AWAY, Database, now

log = logging.getLogger(__name__)

_AT_ONCE: Final = 50  # mails whose events are made durable together


@dataclass(kw_only=True, slots=True)
class TakenIn:
    """What became of the mails of one visit. `events` are those that nobody had heard before."""

    mails: Counter[Fate] = field(default_factory=Counter)
    events: int = 0

    def __str__(self) -> str:
        """Say it in a line: "2 taken, 0 left, 0 aside, 2 events"."""
        return ", ".join(f"{count} {name}" for name, count in self.counts().items())

    def counts(self) -> dict[str, int]:
        """Return all counts by name, those that are 0 too."""
        return {str(fate): self.mails[fate] for fate in Fate} | {"events": self.events}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Understood:
    key: str
    fate: Fate
    heard: Sequence[tuple[FeedbackEvent, str]]


def visit(where: str, mail: ReturnedMail, feedback: Feedback, database: Database, *, left: Path, limit: int) -> TakenIn:
    """Open a mailbox by its name, and take in up to `limit` mails that wait there.

    `left` is where a pipe's mail is kept that people should see. Raises `ConfigurationError`, and `FetchError` when the
    mailbox cannot be reached at the moment.
    """
    with closing(open_mailbox(where, left=left)) as mailbox:
        with database.read() as conn:
            received_at = now(conn)
        return take_in(mailbox, mail, feedback, received_at=received_at, limit=limit)


def take_in(
    mailbox: Mailbox, mail: ReturnedMail, feedback: Feedback, *, received_at: datetime, limit: int = 1_000
) -> TakenIn:
    """Take up to `limit` waiting mails in. The consequences are drawn by `Feedback.settle`."""
    done = TakenIn()
    waiting = (_understand(mail, key, data, received_at) for key, data in mailbox.waiting(limit=limit))
    for group in _groups(waiting):
        for one, fate in _stored(feedback, group, done, received_at):
            mailbox.settle(one.key, fate)
            done.mails[fate] += 1
    return done


def _understand(mail: ReturnedMail, key: str, data: bytes | None, received_at: datetime) -> _Understood:
    if data is None:
        log.warning("the returned mail %s cannot be read; it is put aside", key)
        return _Understood(key=key, fate=Fate.ASIDE, heard=())
    try:
        events = mail.hear(data, received_at=received_at)
    except AWAY:  # the database is away: see below
        raise
    except Exception:
        log.exception("the returned mail %s breaks us; it is put aside", key)
        return _Understood(key=key, fate=Fate.ASIDE, heard=())
    for_people = all(event.kind is EventKind.INBOUND for event in events)
    raw = kept(data)
    return _Understood(key=key, fate=Fate.LEFT if for_people else Fate.TAKEN, heard=[(event, raw) for event in events])


def _stored(
    feedback: Feedback, group: Sequence[_Understood], done: TakenIn, received_at: datetime
) -> Iterator[tuple[_Understood, Fate]]:
    """Keep the events of some mails in one transaction, or else of each in its own, to find out which one breaks it."""
    try:
        done.events += feedback.store([pair for one in group for pair in one.heard], received_at=received_at)
    except AWAY:  # the database is away: nothing is settled, and all of it comes again
        raise
    except Exception:
        if len(group) == 1:
            log.exception("the returned mail %s cannot be kept; it is put aside", group[0].key)
            yield group[0], Fate.ASIDE
            return
        for one in group:
            yield from _stored(feedback, [one], done, received_at)
        return
    yield from ((one, one.fate) for one in group)


def _groups(waiting: Iterator[_Understood]) -> Iterator[Sequence[_Understood]]:
    while group := tuple(itertools.islice(waiting, _AT_ONCE)):
        yield group
