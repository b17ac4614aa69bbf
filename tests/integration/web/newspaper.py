"""A house with its real web server on a free port, and short words for what its readers have. Asserts nothing.

The tests of the pages and those in Chromium use it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from worker.content import ConfirmationContent
from worker.facts import Copy, EditionPlan
from worker.model import DeliveryId, EditionKind, Lane, SubscriberId, SubscriptionId
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.run import confirm, look_up, sign_up
from worker.signup.wishes import Follow, Rhythm, Wish
from worker.store import editions, people, topics
from worker.store.database import now
from worker.store.people import Following, Reader
from worker.store.schema import Base
from worker.tokens import Purpose
from worker.web.serve import make_server
from worker.wiring import House

API_KEY = "a key for tests, long enough"


class QuietHouse(House):
    """The real house, apart from its bell: there is no broker in these tests, and they look at what was rung for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.rung: list[tuple[object, ...]] = []

    @property
    def redis_url(self) -> str | None:
        given = self.settings.redis_url
        return given.get_secret_value() if given else None

    def ring(self, task: str, *arguments: int) -> None:
        self.rung.append((task, *arguments))


@dataclass
class Newspaper:
    """One installation with its pages."""

    house: QuietHouse
    url: str
    client: httpx.Client
    _mails: int = field(default=0, repr=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(self.url + path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(self.url + path, **options)

    def snapshot(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table."""
        with self.house.database.read() as conn:
            return {
                table.name: sorted((tuple(row) for row in conn.execute(table.select())), key=repr)
                for table in Base.metadata.sorted_tables
            }

    def link(self, purpose: Purpose, *numbers: int, age: timedelta | None = None) -> str:
        expires_at = datetime.now(UTC) + timedelta(days=1) - age if age is not None else None
        path = "m" if purpose is Purpose.VIEW else str(purpose)
        return f"/{path}/{self.house.tokens.sign(purpose, *numbers, expires_at=expires_at)}"

    def question(self, address: str, *, age: timedelta = timedelta(0)) -> str:
        """Return the link of the last confirmation mail."""
        reader = self.reader(address)
        return self.link(Purpose.CONFIRM, reader.id, reader.confirmations, age=age)

    def joins(self, address: str, *slugs: str, locale: str = "en", **rhythm: Any) -> SubscriberId:
        """Let a reader sign up and confirm."""
        follows = tuple(Follow(topic=slug, rhythm=Rhythm.model_validate(rhythm)) for slug in slugs)
        sign_up(
            self.house.database,
            address=normalise(address),
            wish=Wish(follows=follows, locale=locale, timezone="Asia/Seoul"),
            evidence=Evidence(how="sign-up page"),
            hash_address=self.house.address_hash,
            check_query=str,
        )
        reader = self.reader(address)
        confirm(self.house.database, reader.id, question=reader.confirmations, evidence=Evidence(how="confirm page"))
        return reader.id

    def reader(self, address: str) -> Reader:
        with self.house.database.read() as conn:
            found = people.by_address(conn, self.house.address_hash(normalise(address).key))
        assert found is not None
        return found

    def knows(self, address: str) -> bool:
        with self.house.database.read() as conn:
            return people.by_address(conn, self.house.address_hash(normalise(address).key)) is not None

    def status(self, address: str) -> str:
        with self.house.database.read() as conn:
            known = look_up(conn, self.reader(address).id)
        assert known is not None
        return known.standing

    def follows(self, address: str) -> dict[str, Following]:
        with self.house.database.read() as conn:
            return {one.slug or one.query or "": one for one in people.followings(conn, self.reader(address).id)}

    def mails(self, address: str, *served: SubscriptionId) -> DeliveryId:
        """Plan a mail for a reader that serves these subscriptions."""
        reader = self.reader(address)
        self._mails += 1
        with self.house.database.write() as conn:
            at = now(conn)
            plan = EditionPlan(
                kind=EditionKind.CONFIRMATION,
                slot=f"test {self._mails}",
                locale=reader.locale,
                lane=Lane.ALERTS,
                due_at=at,
                expires_at=at + timedelta(hours=1),
            )
            edition_id = editions.open_edition(conn, plan)
            assert edition_id is not None
            content_id = editions.intern(conn, ConfirmationContent(locale=reader.locale, topics=("Oman",)))
            copy = Copy(
                subscriber_id=reader.id, recipient=reader.email or "", content_id=content_id, subscriptions=served
            )
            editions.add_batch(conn, edition_id, [copy], lane=Lane.ALERTS, domain="courier.example")
            return DeliveryId(conn.exec_driver_sql("SELECT max(id) FROM delivery").scalar_one())


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Take a free port, for a house that must know its own address before it opens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@contextmanager
def served(house: House, listener: socket.socket | None = None) -> Iterator[str]:
    """Run the real web server on a free port, or the one that is taken already, and give its URL."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    server = make_server(house)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


def add_topics(house: House) -> None:
    with house.database.write() as conn:
        for slug, ko in (("north-korea", "북한"), ("russia", "러시아"), ("oman", "오만")):
            name = {"en": slug.replace("-", " ").title(), "ko": ko}
            about = {"en": f"News of {slug}.", "ko": f"{ko} 소식."}
            topic = topics.NewTopic(slug=slug, name=name, description=about, query=slug, canonical=slug)
            topics.put_topic(conn, topic)
