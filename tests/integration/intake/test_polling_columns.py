"""What polling decides, in the database: it comes back as it was written, and new addresses are looked into."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.intake.polls import NOON, PACE, document
from worker.feeds import Manners
from worker.intake.moving import Arrival
from worker.intake.polled import polled
from worker.intake.polling import after
from worker.intake.run import Intake
from worker.intake.run_moving import look_at
from worker.model import ParsedArticle, SourceId
from worker.store import sources
from worker.store.database import Database

URL = "https://paper.example/rss"
NEW = "https://new.example/rss"
ITEMS = [
    ParsedArticle(guid=str(number), url=f"https://paper.example/{number}", title=f"No. {number}") for number in "12"
]


@pytest.fixture
def source_id(database: Database) -> SourceId:
    with database.write() as conn:
        return sources.put(conn, kind="feed", name="The Paper", url=URL)


def test_everything_comes_back_as_it_was_decided(database, source_id):
    with database.read() as conn:
        before = polled(sources.by_id(conn, source_id))
    outcome = document(
        manners=Manners(every_s=900, skip_hours=frozenset({3}), skip_days=frozenset({6})),
        permanent_redirect_to=NEW,
        published=(NOON - timedelta(hours=2), NOON - timedelta(hours=3)),
        new_items=2,
        body_hash="abc",
    )
    following = after(before, outcome, now=NOON, pace=PACE)
    with database.write() as conn:
        sources.change(conn, source_id, **following.changes(before))
    with database.read() as conn:
        row = sources.by_id(conn, source_id)
    assert row is not None
    assert polled(row) == following.source
    assert (row.next_poll_at, row.claimed_until) == (following.next_poll_at, None)
    assert following.source.published == (NOON - timedelta(hours=2), NOON - timedelta(hours=3))


def test_a_new_address_is_written_with_its_host(database, source_id):
    with database.read() as conn:
        known = replace(polled(sources.by_id(conn, source_id)), moved_to=NEW, moved_count=2)
    known = replace(known, moved_since=NOON - timedelta(days=1))
    arrival = Arrival(items=2, known=2, has_items=True)
    following = after(known, document(permanent_redirect_to=NEW, url=NEW, arrival=arrival), now=NOON, pace=PACE)
    with database.write() as conn:
        sources.change(conn, source_id, **following.changes(known))
    with database.read() as conn:
        row = sources.by_id(conn, source_id)
    assert row is not None
    assert (row.url, row.host) == (NEW, "new.example")


def test_what_lies_at_a_new_address_is_compared_with_what_is_stored(database, source_id):
    strange = ParsedArticle(guid="9", url="https://parked.example/", title="Buy this domain")
    with database.read() as conn:
        source = sources.by_id(conn, source_id)
        assert look_at(conn, source_id, target=NEW, found=ITEMS) == Arrival(items=2, known=0, has_items=False)
    assert source is not None
    Intake(database, age_limit=timedelta(days=1)).take_feed(source, ITEMS)
    with database.write() as conn:
        sources.put(conn, kind="feed", name="The Gull", url=NEW)
    with database.read() as conn:
        arrival = look_at(conn, source_id, target=NEW, found=[*ITEMS, strange])
        assert arrival == Arrival(items=3, known=2, has_items=True, watched_as="The Gull")
        assert look_at(conn, source_id, target=URL, found=[]).watched_as == ""
