"""Stored articles come together in stories: also at the same moment, late, changed, copied, killed, after a restart."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests import builders
from worker.matching.library import TopicDraft
from worker.matching.run import Matcher
from worker.matching.run_library import import_topics
from worker.model import ArticleId, StoryId
from worker.planning.run import Policy, plan
from worker.store import articles, stories, topics
from worker.store.database import Database, now
from worker.store.schema import Article, Story, StoryReading, TopicStory

FERRY: dict[str, Any] = {
    "title": "Ferry with 140 aboard sinks off Sulawesi",
    "summary": "A ferry with 140 people sank in rough seas off Indonesia's Sulawesi island on Friday.",
}
FERRY_AGAIN = {
    "title": "Indonesian ferry sinks in storm",
    "summary": "Rescuers searched rough seas off Sulawesi after a ferry sank with 140 people aboard.",
}
STRIKE = {
    "title": "Greek seamen to strike",
    "summary": "Ferries to the Greek islands will stay in port for 48 hours from Tuesday, the union said.",
}


def topic(slug: str, query: str) -> TopicDraft:
    return TopicDraft(where=slug, slug=slug, name={"en": slug}, description={}, query=query)


@pytest.fixture(autouse=True)
def _topics(database: Database) -> None:
    import_topics(database, [topic("indonesia", "indonesia* OR sulawesi"), topic("storms", "storm")])


def matcher(database: Database) -> Matcher:
    return Matcher(database, gather=timedelta(seconds=60))


def stored(database: Database, *tellings: dict[str, str], **values: Any) -> list[ArticleId]:
    with database.write() as conn:
        return [builders.article(conn, **{**telling, **values})[0] for telling in tellings]


def story(database: Database, article_id: ArticleId) -> StoryId:
    with database.read() as conn:
        return stories.story_of(conn, article_id)


def pairs(database: Database) -> list[tuple[StoryId, bool]]:
    with database.read() as conn:
        query = sa.select(TopicStory.story_id, TopicStory.alert_due_at).order_by(TopicStory.match_seq)
        return [(StoryId(row.story_id), row.alert_due_at is not None) for row in conn.execute(query)]


def test_a_later_report_joins_the_story_and_is_no_news_on_the_same_topic(database):
    ferry, strike, again = stored(database, FERRY, STRIKE, FERRY_AGAIN)
    one = matcher(database)
    found = [one.match(article) for article in (ferry, strike, again)]
    assert story(database, again) == story(database, ferry) != story(database, strike)
    assert [matched.new_pairs for matched in found if matched] == [1, 0, 1]  # the last one speaks of a storm too
    assert pairs(database) == [(story(database, ferry), True)] * 2


def test_another_worker_and_a_restarted_one_see_what_was_placed_before(database):
    ferry, again = stored(database, FERRY, FERRY_AGAIN)
    matcher(database).match(ferry)
    matcher(database).match(again)
    assert story(database, ferry) == story(database, again)


def test_articles_that_come_at_the_same_moment_end_in_one_story(database):
    ids = stored(database, *([FERRY, FERRY_AGAIN] * 4))
    together = threading.Barrier(len(ids))

    def match(article_id: ArticleId) -> None:
        one = matcher(database)
        together.wait()
        one.match(article_id)

    threads = [threading.Thread(target=match, args=(article_id,)) for article_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({story(database, article_id) for article_id in ids}) == 1
    assert len(pairs(database)) == 2


def test_a_new_version_stays_in_its_story_and_speaks_for_it(database):
    ferry, other = stored(database, FERRY, STRIKE)
    one = matcher(database)
    one.match(ferry)
    one.match(other)
    with database.write() as conn:
        builders_row: dict[str, Any] = {
            "title": FERRY_AGAIN["title"],
            "summary": FERRY_AGAIN["summary"],
            "body": "",
            "reason": "update",
        }
        assert articles.update_article(conn, other, revision=1, bands=(), **builders_row)
    before = story(database, other)
    one.match(other)
    assert story(database, other) == before != story(database, ferry)
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(StoryReading)).scalar() == 2


def test_a_copy_goes_where_its_original_goes(database):
    (ferry,) = stored(database, FERRY)
    one = matcher(database)
    one.match(ferry)
    (original,) = stored(database, FERRY_AGAIN)
    with database.write() as conn:
        own = stories.story_of(conn, original)
        copy, _ = builders.article(conn, "Nothing alike", story=own, summary="At all.", copy_of_id=original)
    one.match(original)
    assert story(database, copy) == story(database, original) == story(database, ferry)
    one.match(copy)
    assert story(database, copy) == story(database, ferry)


def test_a_copy_that_was_stored_while_its_original_moved_follows_it(database):
    ferry, original = stored(database, FERRY, FERRY_AGAIN)
    own = story(database, original)
    one = matcher(database)
    one.match(ferry)
    one.match(original)
    with database.write() as conn:
        copy, _ = builders.article(conn, "Nothing alike", story=own, summary="At all.", copy_of_id=original)
    one.match(copy)
    assert story(database, copy) == story(database, ferry)


def test_a_story_that_readers_may_know_never_turns_into_another(database):
    """As after an upgrade: matched before anybody placed articles, and updated after."""
    (old,) = stored(database, FERRY)
    with database.write() as conn:
        builders.match(conn, old, builders.topic(conn, "sea"))
    (new,) = stored(database, FERRY_AGAIN)
    one = matcher(database)
    one.match(new)
    before = story(database, old)
    with database.write() as conn:
        assert articles.update_article(conn, old, revision=1, bands=(), body="", reason="update", **FERRY)
    one.match(old)
    assert story(database, old) == before != story(database, new)


def test_a_killed_story_takes_its_later_articles_along(database):
    (ferry,) = stored(database, FERRY)
    one = matcher(database)
    one.match(ferry)
    with database.write() as conn:
        conn.execute(sa.update(Story).where(Story.id == stories.story_of(conn, ferry)).values(killed_at=now(conn)))
    (again,) = stored(database, FERRY_AGAIN)
    one.match(again)
    assert story(database, again) == story(database, ferry)


def test_after_three_days_the_same_words_are_a_new_story(database):
    (ferry,) = stored(database, FERRY)
    with database.write() as conn:
        earlier = now(conn) - timedelta(hours=73)
        conn.execute(sa.update(Article).where(Article.id == ferry).values(published_at=earlier))
    one = matcher(database)
    one.match(ferry)
    (again,) = stored(database, FERRY_AGAIN)
    one.match(again)
    assert story(database, again) != story(database, ferry)


def test_a_story_that_began_with_an_article_too_old_to_alert_alerts_with_the_next_one_once(database):
    (old,) = stored(database, FERRY, may_alert=False)
    one = matcher(database)
    one.match(old)
    assert pairs(database) == [(story(database, old), False)]
    first, second = stored(database, FERRY_AGAIN, FERRY_AGAIN)
    one.match(first)
    assert pairs(database)[0] == (story(database, old), True)
    with database.write() as conn:
        conn.execute(sa.update(TopicStory).values(alert_due_at=None))  # alerted
    one.match(second)
    assert not any(due for _, due in pairs(database))


def test_who_was_alerted_of_a_story_is_not_alerted_of_its_next_article_on_any_topic(database):
    with database.write() as conn:
        someone = builders.reader(conn)
        for slug in ("indonesia", "storms"):
            followed = topics.topic_by_slug(conn, slug)
            assert followed is not None
            builders.follow(conn, someone, followed.id)
    policy = Policy(domain=builders.DOMAIN, alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))
    one = Matcher(database, gather=timedelta(0))
    for article_id in stored(database, FERRY, FERRY_AGAIN):
        one.match(article_id)
        plan(database, policy)
        with database.read() as conn:
            assert len(builders.deliveries_of(conn)) == 1


def test_what_is_older_than_any_story_to_come_is_forgotten(database):
    (ferry,) = stored(database, FERRY)
    matcher(database).match(ferry)
    with database.write() as conn:
        stories.forget_readings(conn, before=now(conn))
        assert conn.execute(sa.select(sa.func.count()).select_from(StoryReading)).scalar() == 0
