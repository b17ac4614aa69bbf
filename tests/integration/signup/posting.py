"""Short words for what readers do with the links of letters about their own business. Asserts nothing of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import event

from tests.builders import deliveries_of
from worker.feedback.run_consequences import Means, draw
from worker.hearsay import FeedbackEvent
from worker.lifecycle import State
from worker.model import LetterKind
from worker.planning.rules import Policy
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.decide_moving import Move
from worker.signup.run_moving import agree, name_address, take_back
from worker.signup.run_own_letters import ask_letter, open_letter
from worker.signup.run_preferences import part
from worker.store import events, people
from worker.store.database import now
from worker.store.schema import Base, Delivery, OwnLetter

from .conftest import hash_address

ADA, NEW, BEN = "ada@readers.example", "ada@elsewhere.example", "ben@readers.example"
EVIDENCE = Evidence(how="change of address", page="/my/{token}", ip_prefix="203.0.113.0/24")
FLAGS = {"with_addresses": True, "allow_private": False}  # of an endpoint
POLICY = Policy(domain="courier.example", alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))


class Post:
    """What readers do with letters' links, each by the number of the letter."""

    def __init__(self, database, readers):
        self.database, self.readers = database, readers

    def asks(self, reader, kind=LetterKind.MOVE):
        return ask_letter(self.database, reader, kind)

    def letters(self, **which):
        with self.database.read() as conn:
            rows = conn.execute(sa.select(OwnLetter.__table__).order_by(OwnLetter.id)).all()
            return [row for row in rows if all(getattr(row, name) == value for name, value in which.items())]

    def last(self, kind, reader):
        return self.letters(kind=kind, subscriber_id=reader)[-1].id

    def begins(self, reader):
        """Have a link mailed by which an address can be named."""
        self.readers.passes(minutes=11)
        assert self.asks(reader).is_due
        return self.last(LetterKind.MOVE, reader)

    def names(self, reader, letter, address):
        return name_address(self.database, reader, letter, address=normalise(address), hash_address=hash_address).does

    def agrees(self, reader, letter=None):
        letter = letter or self.last(LetterKind.NEW_ADDRESS, reader)
        return agree(self.database, reader, letter, evidence=EVIDENCE).does

    def takes_back(self, reader, letter=None):
        letter = letter or self.last(LetterKind.MOVED, reader)
        return take_back(self.database, reader, letter, evidence=EVIDENCE).does

    def moves(self, reader, address):
        letter = self.begins(reader)
        assert self.names(reader, letter, address) is Move.ASK
        assert self.agrees(reader) is Move.CHANGE

    def paper(self, kind, reader, letter=None):
        with self.database.read() as conn:
            return open_letter(conn, reader, letter or self.last(kind, reader), kind).paper

    def address(self, reader):
        with self.database.read() as conn:
            found = people.by_id(conn, reader)
        assert found is not None
        return found.email


@contextmanager
def statements(database) -> Iterator[list[str]]:
    """Collect what is said to the database, without the names of savepoints."""
    said: list[str] = []

    def note(_conn, _cursor, statement, *_: object) -> None:
        told = re.sub(r"sa_savepoint_\d+", "s", statement)
        said.append("(the savepoint ends)" if re.match(r"(RELEASE|ROLLBACK TO) SAVEPOINT", told) else told)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def everything(database):
    with database.read() as conn:
        rows = [str(tuple(row)) for table in Base.metadata.sorted_tables for row in conn.execute(table.select())]
    return "\n".join(rows).lower()


def heard(database, recipient, kind):
    """Take in what a provider tells of the one mail to an address."""
    means = Means(
        hash_address=lambda written: hash_address(normalise(written).key),
        unsubscribe=part,
        threshold=3,
    )
    with database.write() as conn:
        (delivery,) = (row.id for row in deliveries_of(conn) if row.recipient == recipient)
        conn.execute(sa.update(Delivery).where(Delivery.id == delivery).values(state=State.ACCEPTED))
        one = FeedbackEvent(
            provider="mailgun",
            event_id=f"{kind} of delivery {delivery}",
            kind=kind,
            occurred_at=now(conn),
            delivery_id=delivery,
            recipient=recipient,
        )
        (number,) = events.put(conn, [(one, "{}")], received_at=now(conn))
        assert draw(conn, number, means)
