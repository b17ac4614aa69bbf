"""A house that a WebSub hub can reach, and short words for what happens between the two. Asserts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy import Row

from tests import builders
from tests.http import NO_TLS
from tests.websub_hub import Hub, Wish, websub_hub
from worker.model import ArticleId, SourceId
from worker.store import sources, websub
from worker.store.schema import Article, HubPush, HubSubscription

from .newspaper import QuietHouse, listening, served


def rss(*items: str, links: str = "") -> bytes:
    """Write a feed of items named so, newest first."""
    told = "".join(
        f"<item><guid>{item}</guid><title>Story {item} of the harbour</title>"
        f"<link>https://courier.example/{item}</link><description>Berth fees, part {item}.</description></item>"
        for item in items
    )
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>Courier feed</title>{links}{told}</channel></rss>"
    ).encode()


@dataclass
class Hubbed:
    """One house, its web server, and a hub with the publisher behind it."""

    house: QuietHouse
    hub: Hub
    client: httpx.Client

    def publish(self, *items: str, link: str | None = None, path: str = "/feed.xml") -> None:
        """Have the publisher serve a feed of these items, with a Link header that names the hub."""
        header = f'<{self.hub.hub}>; rel="hub", <{self.hub.url}{path}>; rel="self"' if link is None else link
        self.hub.documents[path] = (rss(*items), {"Link": header, "Content-Type": "application/rss+xml"})

    def watch(self, path: str = "/feed.xml") -> SourceId:
        with self.house.database.write() as conn:
            return sources.put(conn, kind="feed", name=f"courier{path}", url=self.hub.url + path)

    def poll(self, source_id: SourceId) -> list[ArticleId]:
        return self.house.poller.poll(source_id)

    def sweep(self) -> int:
        """Let what a sweep does in threads be done."""
        self.house.hubs.signs.judge()
        return self.house.hubs.subscriber.sweep()

    def subscribed(self, *items: str) -> tuple[SourceId, Wish]:
        """Watch a feed, and come to a subscription that the hub has verified."""
        self.publish(*items)
        source_id = self.watch()
        self.poll(source_id)
        self.sweep()
        [answer] = self.hub.settle()
        assert answer.status_code == 200
        return source_id, self.hub.wishes[-1]

    def is_pushed(self, source_id: SourceId) -> bool:
        """Tell whether the source is subscribed to, and the hub has kept its word so far."""
        push = self.house.hubs.signs.push_of(source_id)
        return push is not None and push.misses == 0

    def later(self, **ahead: float) -> None:
        """Let time pass since the test began."""
        builders.set_clock(self.house.database, ahead=timedelta(**ahead))

    def rows(self) -> list[Row[Any]]:
        with self.house.database.read() as conn:
            return list(conn.execute(sa.select(HubSubscription.__table__).order_by(HubSubscription.id)).all())

    def row(self) -> Row[Any]:
        [row] = self.rows()
        return row

    def source(self, source_id: SourceId) -> Row[Any]:
        with self.house.database.read() as conn:
            found = sources.by_id(conn, source_id)
        assert found is not None
        return found

    def titles(self) -> list[str]:
        with self.house.database.read() as conn:
            return list(conn.execute(sa.select(Article.guid).order_by(Article.id)).scalars())

    def waiting(self) -> int:
        with self.house.database.read() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(HubPush)).scalar_one()

    def counts(self) -> dict[str, int]:
        with self.house.database.read() as conn:
            return dict(websub.counts(conn))


@contextmanager
def hubbed(make_house: Callable[..., QuietHouse], **settings: Any) -> Iterator[Hubbed]:
    """Open a house whose own address is known before it is made, as a hub is told it."""
    with listening() as listener, websub_hub() as hub, httpx.Client(timeout=20, verify=NO_TLS) as client:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        house = make_house(**({"base_url": url, "allow_private": True} | settings))
        with served(house, listener):
            yield Hubbed(house, hub, client)
