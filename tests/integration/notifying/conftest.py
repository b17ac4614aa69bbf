"""Databases with topics and readers, a receiver on a socket, and whoever tells it, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.integration.signup.conftest import Readers, add_topics
from worker.holder import boot_id, process_name
from worker.notifying import run_endpoints
from worker.notifying.run import Notifier
from worker.notifying.run_endpoints import Wish
from worker.store import endpoints
from worker.store.database import CLOCK_OFFSET, Database
from worker.store.endpoints import Endpoint
from worker.store.house import set_fact
from worker.store.leases import Holder
from worker.store.schema import WebhookMessage

from .receiver import Receiver, receiving

ACTOR = "a test"


@dataclass
class House:
    """What tells endpoints, and short words for what a test looks at."""

    database: Database
    receiver: Receiver
    offset_s: float = 0
    notifiers: list[Notifier] = field(default_factory=list)

    def notifier(self, timeout_s: float = 15.0) -> Notifier:
        holder = Holder(name=process_name(), boot=boot_id())
        made = Notifier(self.database, holder, user_agent="Tocsin/test", timeout_s=timeout_s)
        self.notifiers.append(made)
        return made

    def adds(self, *types: str, url: str = "", **flags: bool) -> tuple[Endpoint, str]:
        wish = Wish(url=url or self.receiver.url, types=types, **{"allow_private": True, **flags})
        return run_endpoints.add(self.database, wish, actor=ACTOR)

    def sweeps(self) -> int:
        """Let one sweep do its work to the end; return how many endpoints it has taken."""
        notifier = self.notifier()
        taken = notifier.sweep()
        assert notifier.wait(30)
        return taken

    def passes(self, **time: float) -> None:
        """Move the clock on."""
        self.offset_s += timedelta(**time).total_seconds()
        with self.database.write() as conn:
            set_fact(conn, CLOCK_OFFSET, str(self.offset_s))

    def endpoint(self, number: int = 1) -> Endpoint:
        with self.database.read() as conn:
            return endpoints.all_of_them(conn)[number - 1]

    def messages(self) -> list[sa.Row[tuple[object, ...]]]:
        """Return the outbox, the eldest first."""
        with self.database.read() as conn:
            return list(conn.execute(sa.select(WebhookMessage.__table__).order_by(WebhookMessage.id)).all())

    def states(self) -> list[str]:
        return [str(row.state) for row in self.messages()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def house(database: Database, receiver: Receiver) -> Iterator[House]:
    add_topics(database)
    found = House(database, receiver)
    yield found
    for notifier in found.notifiers:
        notifier.close()


@pytest.fixture
def readers(house: House) -> Readers:
    return Readers(house.database)
