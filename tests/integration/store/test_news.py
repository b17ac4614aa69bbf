"""Sources, articles and topics as stored: who is first, what is numbered, what a reader's cursor starts with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import address_hash, article, breaking, follow, match, news, own_query, reader, topic
from tests.databases import opened
from worker.model import Cadence, SubscriberStatus
from worker.store import articles, house, people, sources, standing, topics
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, TOPICS_GENERATION
from worker.store.schema import Subscriber, Subscription, TopicStory
from worker.store.topics import NewTopic


def test_a_source_is_made_once_by_its_url_or_by_kind_and_name(database):
    with database.write() as conn:
        feed = sources.put(conn, kind="feed", name="Gazette", url="https://gazette.example/feed")
        same = sources.put(conn, kind="feed", name="Other name", url="https://gazette.example/feed")
        push = sources.put(conn, kind="push", name="Gazette")
        again = sources.put(conn, kind="push", name="Gazette")
        assert (feed == same, push == again, feed == push) == (True, True, False)


def test_of_two_updates_of_one_revision_the_second_is_refused(database):
    with database.write() as conn:
        article_id, _ = article(conn)
        values: dict[str, Any] = {"title": "Second version", "summary": "", "body": "", "reason": "changed"}
        assert articles.update_article(conn, article_id, revision=1, bands=[1, 2], **values)
        assert not articles.update_article(conn, article_id, revision=1, bands=[], **values)
        stored = articles.by_id(conn, article_id)
        assert stored is not None
        assert (stored.revision, stored.title, stored.matched_at) == (2, "Second version", None)


def test_a_match_of_an_outdated_revision_is_not_taken_for_done(database):
    with database.write() as conn:
        article_id, _ = article(conn)
        articles.update_article(conn, article_id, revision=1, bands=(), title="2", summary="", body="", reason="")
        assert not articles.mark_matched(conn, article_id, revision=1)
        assert articles.unmatched(conn, limit=5) == [article_id]
        assert articles.mark_matched(conn, article_id, revision=2)
        assert articles.unmatched(conn, limit=5) == []


def test_copies_are_looked_for_by_wording_and_by_band_within_their_time(database):
    with database.write() as conn:
        same, _ = article(conn, text_hash="same wording")
        near, _ = article(conn, text_hash="near wording")
        articles.update_article(conn, near, revision=1, bands=[7], title="t", summary="", body="", reason="")
        article(conn, text_hash="something else")
        look = partial(
            articles.copy_candidates, conn, canonical_url="https://ledger.example/1", text_hash="same wording"
        )
        assert [one.id for one in look(bands=[7, 8], since=now(conn) - timedelta(days=1))] == [same, near]
        assert look(bands=[7], since=now(conn)) == []


def test_a_pair_of_topic_and_story_is_numbered_once_whichever_article_tells_it(database):
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
        story = news(conn, korea)
        copy_id, _ = article(conn, story=story)
        match(conn, copy_id, korea, russia)
        match(conn, copy_id, korea, russia)  # an update
        numbers = conn.execute(sa.select(TopicStory.topic_id, TopicStory.match_seq).order_by(TopicStory.match_seq))
        assert [tuple(row) for row in numbers] == [(korea, 1), (russia, 2)]
        assert topics.slugs_of(conn, copy_id) == ["north-korea", "russia"]


def test_an_update_that_matches_no_more_loses_its_matches_and_keeps_its_number(database):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        article_id, _ = article(conn)
        match(conn, article_id, korea)
        match(conn, article_id)
        assert topics.slugs_of(conn, article_id) == []
        assert house.reached(conn, MATCH_SEQ) == 1


def test_any_change_of_a_topic_raises_the_generation(database):
    with database.write() as conn:
        seen = {standing.generation(conn)}
        topic(conn, "russia")
        seen.add(standing.generation(conn))
        changed = NewTopic(slug="russia", name={"en": "Russia"}, query="russia OR moscow", canonical="moscow OR russia")
        assert topics.put_topic(conn, changed) == (topics.topics(conn)[0].id, False)
        seen.add(standing.generation(conn))
        own_query(conn, "harbour")
        seen.add(standing.generation(conn))
        own_query(conn, "harbour")  # nothing new
        assert seen == {0, 1, 2, 3}
        assert house.reached(conn, TOPICS_GENERATION) == 3
        assert [one.version for one in topics.topics(conn, shared_only=True)] == [2]


def test_readers_share_an_own_query_and_never_a_shared_topics_row(database):
    with database.write() as conn:
        shared = topic(conn, "harbour")
        first, second = own_query(conn, "harbour"), own_query(conn, "harbour")
        assert first == second != shared


# Following -----------------------------------------------------------------------------------------------------------


def cursor_of(database: Database) -> int:
    with database.read() as conn:
        return conn.execute(sa.select(Subscription.cursor)).scalar_one()


def test_a_new_subscription_starts_at_the_head_and_so_does_one_that_begins_again(database):
    with database.write() as conn:
        russia = topic(conn, "russia")
        news(conn, russia)
        ada = reader(conn)
        subscription = follow(conn, ada, russia, cadence=Cadence.DAILY)
    assert cursor_of(database) == 1
    with database.write() as conn:
        news(conn, russia)
        assert follow(conn, ada, russia, cadence=Cadence.WEEKDAYS) == subscription
    assert cursor_of(database) == 1  # a changed wish has seen no more than before
    with database.write() as conn:
        assert people.unfollow(conn, ada) == 1
        assert people.unfollow(conn, ada) == 0
        assert follow(conn, ada, russia, cadence=Cadence.DAILY) == subscription
    assert cursor_of(database) == 2


def test_who_changes_from_alerts_to_digests_gets_no_year_of_old_stories(database):
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn)
        follow(conn, ada, russia)
        for _ in range(3):
            news(conn, russia)
        follow(conn, ada, russia, cadence=Cadence.DAILY)
    assert cursor_of(database) == 3


def test_who_changes_from_alerts_to_digests_still_gets_what_was_about_to_be_alerted(database):
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn)
        follow(conn, ada, russia)
        news(conn, russia)
        breaking(conn, russia)
        follow(conn, ada, russia, cadence=Cadence.DAILY)
    assert cursor_of(database) == 1


# Readers -------------------------------------------------------------------------------------------------------------


def test_an_address_has_one_reader_however_many_sign_up_at_once(database_url, database):
    def sign_up(_: int) -> tuple[int, bool]:
        with opened(database_url) as own, own.write() as conn:
            found, is_new = people.ensure_reader(
                conn, address_hash=address_hash("ada"), email="ada@readers.example", status=SubscriberStatus.PENDING
            )
            return found.id, is_new

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(sign_up, range(4)))
    assert len({reader_id for reader_id, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, False, True]
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(Subscriber)).scalar_one() == 1


def test_a_suppressed_address_is_known_by_its_hash_with_the_latest_reason(database):
    with database.write() as conn:
        assert people.is_suppressed(conn, address_hash("ada")) is None
        people.suppress(conn, address_hash("ada"), reason="hard bounce")
        people.suppress(conn, address_hash("ada"), reason="complaint")
        assert people.is_suppressed(conn, address_hash("ada")) == "complaint"


def test_two_readers_cannot_have_one_address(database):
    def twice() -> None:
        with database.write() as conn:
            reader(conn, "ada")
            reader(conn, "ada")

    with pytest.raises(sa.exc.IntegrityError):
        twice()
