"""Builders of what SQL tests need: news, topics, readers and editions, all made through the store's own statements.

Each takes an open transaction and gives back ids. Decides nothing.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.content import AlertContent, ConfirmationContent, DigestContent, Reason, Section, StoryCard
from worker.facts import Copy, EditionPlan
from worker.holder import boot_id
from worker.lifecycle import State
from worker.model import (
    ArticleId,
    Cadence,
    DeliveryId,
    EditionId,
    EditionKind,
    Lane,
    Novelty,
    Severity,
    SourceId,
    StoryId,
    SubscriberId,
    SubscriberStatus,
    SubscriptionId,
    TopicId,
)
from worker.store import articles, editions, house, people, sources, standing, topics
from worker.store.database import CLOCK_OFFSET, Database, now
from worker.store.leases import Holder
from worker.store.schema import Article, Attempt, Delivery, Edition, Subscriber, Subscription
from worker.store.topics import NewTopic, TopicMatch

DOMAIN: Final = "courier.example"
HOLDER: Final = Holder(name="holder", boot=boot_id())
RIVAL: Final = Holder(name="rival", boot=boot_id())
_numbers = itertools.count(1)


def set_clock(database: Database, *, ahead: timedelta) -> None:
    """Set the one clock ahead of the real one (or behind, when negative)."""
    with database.write() as conn:
        house.set_fact(conn, CLOCK_OFFSET, str(ahead.total_seconds()))


def time_of(database: Database) -> datetime:
    """Return the one clock's time."""
    with database.read() as conn:
        return now(conn)


# News ----------------------------------------------------------------------------------------------------------------


def source(conn: Connection, outlet: str = "Sable Coast Gazette", **values: Any) -> SourceId:
    return sources.put(conn, kind="file", name=outlet, outlet=outlet, **values)


def article(
    conn: Connection,
    title: str = "Envoy summoned over troops",
    *,
    story: StoryId | None = None,
    outlet: str = "Sable Coast Gazette",
    **values: Any,
) -> tuple[ArticleId, StoryId]:
    number = next(_numbers)
    row = {
        "item_key": f"item {number}",
        "title": title,
        "summary": f"{title}. More soon.",
        "body": "",
        "reason": "never seen",
        "novelty": Novelty.NEW,
        "url": f"https://gazette.example/{number}",
        "text_hash": f"text {number}",
        "outlet": outlet,
        "published_at": now(conn) - timedelta(minutes=5),
        **values,
    }
    if "source_id" not in row:
        row["source_id"] = source(conn, outlet)
    article_id = articles.add_article(conn, story_id=story, bands=(), **row)
    stored = articles.by_id(conn, article_id)
    assert stored is not None
    return article_id, stored.story_id


def topic(conn: Connection, slug: str, **names: str) -> TopicId:
    """Store a shared topic; its English name is its slug unless `en` says otherwise."""
    topic_id, _ = topics.put_topic(conn, NewTopic(slug=slug, name={"en": slug, **names}, query=slug, canonical=slug))
    return topic_id


def own_query(conn: Connection, query: str) -> TopicId:
    return standing.intern_query(conn, query=query, canonical=query)


def match(
    conn: Connection,
    article_id: ArticleId,
    *concerned: TopicId,
    alert_in: timedelta | None = None,
    strength: int = 3,
) -> None:
    """Store that an article concerns these topics; `alert_in` is the gathering time, None for nothing to alert."""
    stored = articles.by_id(conn, article_id)
    assert stored is not None
    evidence = [{"field": "title", "start": 0, "end": 5, "part": 0, "alias": stored.title[:5]}]
    articles.mark_matched(conn, article_id, revision=stored.revision)
    topics.store_matches(
        conn,
        article_id=ArticleId(article_id),
        story_id=stored.story_id,
        revision=stored.revision,
        found=[TopicMatch(topic_id=topic_id, strength=strength, evidence=evidence) for topic_id in concerned],
        alert_due_at=None if alert_in is None else now(conn) + alert_in,
    )


def news(
    conn: Connection,
    *concerned: TopicId,
    title: str = "Envoy summoned",
    alert_in: timedelta | None = None,
    **values: Any,
) -> StoryId:
    """Store one matched article, and return its story."""
    article_id, story = article(conn, title, **values)
    match(conn, article_id, *concerned, alert_in=alert_in)
    return story


def breaking(conn: Connection, *concerned: TopicId, title: str = "Envoy summoned", **values: Any) -> StoryId:
    """Store news whose gathering time is over."""
    return news(conn, *concerned, title=title, alert_in=timedelta(0), **values)


# Readers -------------------------------------------------------------------------------------------------------------


def address_hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def reader(
    conn: Connection, name: str = "", *, status: SubscriberStatus = SubscriberStatus.ACTIVE, **values: Any
) -> SubscriberId:
    address = f"{name or f'reader{next(_numbers)}'}@readers.example"
    return people.add_reader(conn, email=address, address_hash=address_hash(address), status=status, **values)


def follow(
    conn: Connection,
    subscriber: SubscriberId,
    topic_id: TopicId,
    *,
    cadence: Cadence = Cadence.IMMEDIATE,
    times: Sequence[str] = ("07:00",),
    due_at: datetime | None = None,
    query: str | None = None,
) -> SubscriptionId:
    return people.follow(
        conn,
        subscriber,
        topic_id=topic_id,
        query=query,
        cadence=cadence,
        times=times,
        weekday=None,
        next_due_at=due_at,
    )


def followers(conn: Connection, topic_id: TopicId, count: int) -> list[SubscriberId]:
    """Have so many new readers follow a topic at once, as `reader` and `follow` would one by one."""
    at = now(conn)
    addresses = [f"follower{next(_numbers)}@readers.example" for _ in range(count)]
    active = {"status": SubscriberStatus.ACTIVE, "created_at": at}
    readers = [{"email": address, "address_hash": address_hash(address), **active} for address in addresses]
    added = sa.insert(Subscriber).returning(Subscriber.id, sort_by_parameter_order=True)
    ids = [SubscriberId(number) for number in conn.execute(added, readers).scalars()]
    wish = {"topic_id": topic_id, "cadence": Cadence.IMMEDIATE, "times": ["07:00"], "created_at": at}
    reached = {"cursor": house.reached(conn, house.MATCH_SEQ)}
    conn.execute(sa.insert(Subscription), [{"subscriber_id": one, **wish, **reached} for one in ids])
    return ids


# Editions ------------------------------------------------------------------------------------------------------------


def card(story: StoryId, title: str = "Envoy summoned", *, article_id: int = 1) -> StoryCard:
    return StoryCard(
        story_id=story,
        article_id=article_id,
        revision=1,
        title=title,
        summary="",
        url="https://gazette.example/1",
        source="Gazette",
        published_at=datetime(2026, 11, 23, tzinfo=UTC),
        reasons=(Reason(topic="Diplomacy", slug="diplomacy"),),
    )


def content(
    kind: EditionKind, story: StoryId | None, severity: Severity, *, article_id: int = 1
) -> AlertContent | DigestContent | ConfirmationContent:
    if story is None or kind is EditionKind.CONFIRMATION:
        return ConfirmationContent(locale="en", topics=())
    shown = card(story, article_id=article_id)
    if kind is EditionKind.ALERT:
        return AlertContent(locale="en", severity=severity, card=shown)
    section = Section(topic="Diplomacy", slug="diplomacy", cards=(shown,))
    return DigestContent(locale="en", day=datetime(2026, 11, 23, tzinfo=UTC).date(), sections=(section,))


def edition(
    conn: Connection,
    readers: Iterable[SubscriberId],
    *,
    kind: EditionKind = EditionKind.DIGEST,
    severity: Severity = Severity.NORMAL,
    story: StoryId | None = None,
    expires_in: timedelta = timedelta(hours=6),
    served: Mapping[SubscriberId, tuple[SubscriptionId, ...]] | None = None,
    batches: int = 1,
) -> EditionId:
    """Plan an edition for the readers, its rows dealt out to batches, its audience fixed."""
    at = now(conn)
    lane = Lane.BULK if kind is EditionKind.DIGEST else Lane.ALERTS
    plan = EditionPlan(
        kind=kind,
        slot=f"slot {next(_numbers)}",
        locale="en",
        lane=lane,
        severity=severity,
        due_at=at,
        expires_at=at + expires_in,
    )
    edition_id = editions.open_edition(conn, plan)
    assert edition_id is not None
    first = conn.scalar(sa.select(sa.func.min(Article.id)).where(Article.story_id == story))
    content_id = editions.intern(conn, content(kind, story, severity, article_id=first or 1))
    copies = [
        Copy(
            subscriber_id=subscriber,
            recipient=_address(conn, subscriber),
            content_id=content_id,
            subscriptions=(served or {}).get(subscriber, ()),
        )
        for subscriber in readers
    ]
    for batch in range(batches):
        editions.add_batch(conn, edition_id, copies[batch::batches], lane=lane, domain=DOMAIN)
    editions.close_edition(conn, edition_id)
    return edition_id


def _address(conn: Connection, subscriber: SubscriberId) -> str:
    found = people.by_id(conn, subscriber)
    assert found is not None
    assert found.email is not None
    return found.email


# What a test looks at ------------------------------------------------------------------------------------------------


def deliveries_of(conn: Connection, edition_id: EditionId | None = None) -> list[sa.Row[Any]]:
    """Return the rows of one edition, or of all, in order of id, with all columns."""
    query = sa.select(Delivery.__table__).order_by(Delivery.id)
    return list(conn.execute(query if edition_id is None else query.where(Delivery.edition_id == edition_id)))


def ids_of(conn: Connection, edition_id: EditionId) -> list[DeliveryId]:
    return [row.id for row in deliveries_of(conn, edition_id)]


def states_of(conn: Connection, edition_id: EditionId | None = None) -> list[State]:
    return [row.state for row in deliveries_of(conn, edition_id)]


def attempts_of(conn: Connection, delivery_id: DeliveryId) -> list[sa.Row[Any]]:
    return list(
        conn.execute(sa.select(Attempt.__table__).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id))
    )


def all_editions(conn: Connection) -> list[sa.Row[Any]]:
    return list(conn.execute(sa.select(Edition.__table__).order_by(Edition.id)))


def change_edition(conn: Connection, edition_id: EditionId, **values: Any) -> None:
    conn.execute(sa.update(Edition).where(Edition.id == edition_id).values(**values))


def kill_article(conn: Connection, article_id: ArticleId) -> None:
    conn.execute(sa.update(Article).where(Article.id == article_id).values(killed_at=now(conn)))
