"""Databases with three topics, a clock that tests set, and short words for what readers do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from worker.content import ConfirmationContent
from worker.facts import Copy, EditionPlan
from worker.model import DeliveryId, EditionKind, Lane, SubscriberId, SubscriberStatus, SubscriptionId
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.run import Answer, Limits, SignedUp, confirm, look_up, sign_up
from worker.signup.wishes import Follow, Rhythm, Wish
from worker.store import editions, people, topics
from worker.store.database import CLOCK_OFFSET, Database, now
from worker.store.house import set_fact
from worker.store.people import Following, Reader
from worker.tokens import keyed_hash

EVIDENCE = Evidence(how="sign-up page", page="/subscribe", wording="1", ip_prefix="203.0.113.0/24")


def hash_address(key: str) -> str:
    return keyed_hash("a key for tests", key)


def check_query(query: str) -> str:
    return " ".join(query.lower().split())


def add_topics(database: Database) -> None:
    with database.write() as conn:
        for slug, name in (("north-korea", "북한"), ("russia", "러시아"), ("oman", "오만")):
            topic = topics.NewTopic(slug=slug, name={"en": slug.title(), "ko": name}, query=slug, canonical=slug)
            topics.put_topic(conn, topic)


@dataclass
class Readers:
    """The signup room as a test speaks to it: readers by address."""

    database: Database
    offset_s: float = 0
    _deliveries: int = field(default=0, repr=False)

    def signs_up(self, address: str, *topics: str, query: str | None = None, **about: object) -> SignedUp:
        rhythm = Rhythm.model_validate(about.pop("rhythm", {}))
        limits = about.pop("limits", Limits())
        assert isinstance(limits, Limits)
        follows = [Follow(topic=topic, rhythm=rhythm) for topic in topics]
        follows += [Follow(query=query, rhythm=rhythm)] if query else []
        return sign_up(
            self.database,
            address=normalise(address),
            wish=Wish.model_validate({"follows": tuple(follows), **about}),
            evidence=EVIDENCE,
            hash_address=hash_address,
            check_query=check_query,
            limits=limits,
        )

    def confirms(self, address: str, question: int | None = None) -> Answer:
        reader = self.reader(address)
        return confirm(
            self.database,
            reader.id,
            question=reader.confirmations if question is None else question,
            evidence=Evidence(how="confirm page"),
        )

    def joins(self, address: str, *topics: str, **about: Any) -> SubscriberId:
        self.signs_up(address, *topics, **about)
        self.confirms(address)
        return self.reader(address).id

    def reader(self, address: str) -> Reader:
        with self.database.read() as conn:
            found = people.by_address(conn, hash_address(normalise(address).key))
        assert found is not None
        return found

    def status(self, address: str) -> SubscriberStatus:
        with self.database.read() as conn:
            known = look_up(conn, self.reader(address).id)
        assert known is not None
        return known.standing

    def follows(self, address: str) -> dict[str, Following]:
        with self.database.read() as conn:
            return {one.slug or one.query or "": one for one in people.followings(conn, self.reader(address).id)}

    def passes(self, **time: float) -> None:
        """Move the clock on."""
        self.offset_s += timedelta(**time).total_seconds()
        with self.database.write() as conn:
            set_fact(conn, CLOCK_OFFSET, str(self.offset_s))

    def gets_mail(self, address: str, *served: SubscriptionId) -> DeliveryId:
        """Plan a mail that serves these subscriptions."""
        reader = self.reader(address)
        self._deliveries += 1
        with self.database.write() as conn:
            at = now(conn)
            plan = EditionPlan(
                kind=EditionKind.DIGEST,
                slot=f"test {self._deliveries}",
                locale="en",
                lane=Lane.BULK,
                due_at=at,
                expires_at=at + timedelta(hours=1),
            )
            edition_id = editions.open_edition(conn, plan)
            assert edition_id is not None
            content_id = editions.intern(conn, ConfirmationContent(locale="en", topics=()))
            copy = Copy(
                subscriber_id=reader.id, recipient=reader.email or "", content_id=content_id, subscriptions=served
            )
            editions.add_batch(conn, edition_id, [copy], lane=Lane.BULK, domain="courier.example")
            return DeliveryId(conn.exec_driver_sql("SELECT max(id) FROM delivery").scalar_one())


@pytest.fixture
def database(database: Database) -> Database:
    """The database of all tests, on SQLite and on PostgreSQL, with topics to follow."""
    add_topics(database)
    return database


@pytest.fixture
def readers(database: Database) -> Readers:
    return Readers(database)


@pytest.fixture
def write_list(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "readers.csv") -> Path:
        file = tmp_path / name
        file.write_text(text)
        return file

    return write
