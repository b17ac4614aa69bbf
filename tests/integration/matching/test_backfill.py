"""`tocsin topics backfill`: an edited topic meets earlier news, for the next digest, once; nobody is alerted."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from worker.content import DigestContent
from worker.errors import OvertakenError
from worker.matching import run_backfill
from worker.matching.library import TopicDraft
from worker.matching.run import Matcher
from worker.matching.run_backfill import backfill
from worker.matching.run_library import import_topics
from worker.model import ArticleId, Cadence, ContentId, StoryId, SubscriberId
from worker.planning.run import Policy, plan
from worker.store import articles, contents, house, topics
from worker.store.database import Database, now
from worker.store.schema import Article, Audit, Delivery, Match, Story, Subscription, Topic, TopicStory
from worker.store.topics import TopicRow

_slugs = itertools.count(1)
POLICY = Policy(domain="courier.example", alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))
READERS = "email,name,locale,timezone,topics,cadence,at\nada@readers.example,Ada,en,UTC,bears,immediate,\n"


def ask_for(database: Database, query: str, slug: str = "bears") -> TopicRow:
    """Import a topic, in place of what was there."""
    draft = TopicDraft(where=slug, slug=slug, name={"en": slug.title()}, description={}, query=query)
    import_topics(database, [draft])
    with database.read() as conn:
        row = topics.topic_by_slug(conn, slug)
    assert row is not None
    return row


@pytest.fixture
def matcher(database: Database) -> Matcher:
    """A worker, and a topic that asks for bears."""
    ask_for(database, "bears")
    return Matcher(database, gather=timedelta(0))


@pytest.fixture
def tell(database: Database, matcher: Matcher) -> Callable[..., tuple[ArticleId, StoryId]]:
    """Store and match an article that was published some days ago, and seen then."""

    def told(title: str, *, days_ago: float = 1, **values: Any) -> tuple[ArticleId, StoryId]:
        with database.write() as conn:
            at = now(conn) - timedelta(days=days_ago)
            article_id, _ = builders.article(conn, title, summary="", published_at=at, **values)
            conn.execute(sa.update(Article).where(Article.id == article_id).values(seen_at=at))
        matcher.match(article_id)
        with database.read() as conn:
            stored = articles.by_id(conn, article_id)
        assert stored is not None
        return article_id, stored.story_id

    return told


def pairs(database: Database) -> list[tuple[int, int]]:
    """Return (story, number) of all pairs, by number."""
    query = sa.select(TopicStory.story_id, TopicStory.match_seq).order_by(TopicStory.match_seq)
    with database.read() as conn:
        return [(story, seq) for story, seq in conn.execute(query)]


def matches(database: Database) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return list(conn.execute(sa.select(Match.__table__).order_by(Match.topic_id, Match.article_id)))


def audit(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.read() as conn:
        return [(action, detail) for _, _, action, detail in house.notes(conn, "topic bears")]


def follower(database: Database, cadence: Cadence, slug: str = "bears") -> SubscriberId:
    with database.write() as conn:
        topic = topics.topic_by_slug(conn, slug)
        assert topic is not None
        reader = builders.reader(conn)
        builders.follow(
            conn, reader, topic.id, cadence=cadence, due_at=None if cadence is Cadence.IMMEDIATE else now(conn)
        )
        return reader


def digests(database: Database, *readers: SubscriberId) -> list[list[str]]:
    """Make every digest due, plan, and return the titles that each new mail to these readers shows, sorted."""
    with database.write() as conn:
        before = conn.execute(sa.select(sa.func.max(Delivery.id))).scalar() or 0
        scheduled = sa.update(Subscription).where(Subscription.cadence != Cadence.IMMEDIATE)
        conn.execute(scheduled.values(next_due_at=now(conn)))
    plan(database, POLICY)
    with database.read() as conn:
        query = sa.select(Delivery.content_id).where(Delivery.id > before, Delivery.subscriber_id.in_(readers))
        shown = [ContentId(number) for number in conn.execute(query.order_by(Delivery.id)).scalars()]
        bodies = contents.thawed(conn, set(shown))
    told = [bodies[number] for number in shown]
    assert all(isinstance(one, DigestContent) for one in told)
    return [
        sorted(card.title for section in one.sections for card in section.cards)
        for one in told
        if isinstance(one, DigestContent)
    ]


# What comes to readers -----------------------------------------------------------------------------------------------


def test_the_next_digest_has_what_the_topic_did_not_ask_for_before_and_has_it_once(database, tell, tocsin):
    reader = follower(database, Cadence.DAILY)
    tell("Bears wake")
    tell("Wolves howl", days_ago=2)
    tell("Foxes bark")
    assert digests(database, reader) == [["Bears wake"]]
    ask_for(database, "bears OR wolves")
    assert digests(database, reader) == []
    [told] = tocsin.ask("topics", "backfill", "bears")
    assert (told["articles"], told["stories"], told["titles"]) == (1, 1, ["Wolves howl"])
    assert digests(database, reader) == [["Wolves howl"]]
    tocsin.ask("topics", "backfill", "bears")
    assert digests(database, reader) == []


def test_it_alerts_nobody(database, tell, tocsin, tmp_path):
    (tmp_path / "readers.csv").write_text(READERS)
    assert tocsin("subscribers", "import", tmp_path / "readers.csv", "--confirmed")[0] == 0
    tell("Bears wake", days_ago=0.01)
    assert plan(database, POLICY).deliveries == 1  # as news that is matched when it comes
    wolves, _ = tell("Wolves howl", days_ago=0.01)
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    assert plan(database, POLICY).deliveries == 0
    builders.set_clock(database, ahead=timedelta(hours=1))
    assert plan(database, POLICY).deliveries == 0
    with database.read() as conn:
        assert conn.execute(sa.select(TopicStory.alert_due_at)).scalars().all() == [None, None]
    status, out, _ = tocsin("deliveries", "trace", "ada@readers.example", "--article", wolves)
    assert status == 0
    assert "The story met Bears by a backfill, which alerts nobody." in " ".join(out.split())
    builders.set_clock(database, ahead=timedelta(0))


def test_a_look_at_the_past_shows_no_alert_of_it(database, tell, tocsin, tmp_path):
    (tmp_path / "readers.csv").write_text(READERS)
    assert tocsin("subscribers", "import", tmp_path / "readers.csv", "--confirmed")[0] == 0
    begun = builders.time_of(database) - timedelta(minutes=1)
    tell("Bears wake", days_ago=0.01)
    tell("Wolves howl", days_ago=0.01)
    assert plan(database, POLICY).deliveries == 1
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    span = ("--from", begun.isoformat(), "--to", (begun + timedelta(hours=1)).isoformat())
    assert [one["kind"] for one in tocsin.ask("simulate", *span)] == ["alert"]


def test_who_was_shown_a_story_is_not_shown_it_again(database, tell, tocsin):
    ask_for(database, "wolves", slug="wolves")
    both, only = follower(database, Cadence.DAILY), follower(database, Cadence.DAILY)
    with database.write() as conn:
        wolves = topics.topic_by_slug(conn, "wolves")
        assert wolves is not None
        builders.follow(conn, both, wolves.id, cadence=Cadence.DAILY, due_at=now(conn))
    tell("Wolves howl")
    assert digests(database, both, only) == [["Wolves howl"]]
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    assert digests(database, both) == []  # both digests were due: the other reader's comes by this pass too
    with database.read() as conn:
        got = conn.execute(sa.select(Delivery.subscriber_id).order_by(Delivery.id)).scalars().all()
    assert got == [both, only]


def test_who_follows_by_now_gets_it_and_who_comes_later_begins_at_the_head(database, tell, tocsin):
    tell("Wolves howl", days_ago=3)
    present = follower(database, Cadence.DAILY)  # began after the story; a backfill asks for just this
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    later = follower(database, Cadence.DAILY)
    assert digests(database, present, later) == [["Wolves howl"]]


# What is stored ------------------------------------------------------------------------------------------------------


def test_what_the_topic_has_met_keeps_its_number_and_its_words(database, tell, tocsin):
    tell("Bears wake", days_ago=1)
    tell("Wolves howl", days_ago=3)
    tell("Wolves sleep", days_ago=2)
    before = (pairs(database), matches(database))
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    after = pairs(database)
    assert after[: len(before[0])] == before[0]
    assert [one for one in matches(database) if one in before[1]] == before[1]
    assert [seq for _, seq in after] == [1, 2, 3]
    with database.read() as conn:
        titles = {int(one.story_id): one.title for one in articles.latest(conn, limit=9)}
    assert [titles[story] for story, _ in after] == ["Bears wake", "Wolves howl", "Wolves sleep"]  # the earliest first
    stored = matches(database)
    assert tocsin.ask("topics", "backfill", "bears")[0]["articles"] == 0
    assert (pairs(database), matches(database)) == (after, stored)


def test_an_article_of_a_story_that_the_topic_knows_adds_a_match_and_no_number(database, tell, tocsin):
    _, story = tell("Bears wake", days_ago=1)
    second, _ = tell("Wolves howl", days_ago=1)
    with database.write() as conn:
        conn.execute(sa.update(Article).where(Article.id == second).values(story_id=story))
    before = pairs(database)
    ask_for(database, "bears OR wolves")
    [told] = tocsin.ask("topics", "backfill", "bears")
    assert (told["articles"], told["stories"], told["titles"]) == (1, 0, [])
    assert pairs(database) == before
    new = next(one for one in matches(database) if one.article_id == second)
    assert (new.story_id, new.strength) == (story, 3)
    assert new.evidence == [{"field": "title", "start": 0, "end": 6, "part": "wolves", "alias": "Wolves"}]


def test_killed_and_unmatched_and_older_articles_are_left_out(database, tell, tocsin):
    killed, _ = tell("Wolves are killed")
    _, lost = tell("Wolves of a killed story")
    tell("Wolves of long ago", days_ago=8)
    waiting, _ = tell("Wolves wait")
    with database.write() as conn:
        builders.kill_article(conn, killed)
        conn.execute(sa.update(Story).where(Story.id == lost).values(killed_at=now(conn)))
        conn.execute(sa.update(Article).where(Article.id == waiting).values(matched_at=None))
    ask_for(database, "bears OR wolves")
    status, out, err = tocsin("topics", "backfill", "bears")
    assert (status, out) == (0, "nothing to add: bears has met all articles of the last 7 days that it asks for\n")
    assert err == "note: 1 article not matched at all yet: workers will see to that\n"
    [told] = tocsin.ask("topics", "backfill", "bears", "--days", 9)
    assert told["titles"] == ["Wolves of long ago"]


def test_a_dry_run_says_the_same_and_changes_nothing(database, tell, tocsin):
    for number in range(7):
        tell(f"Wolves howl {number} times", days_ago=7 - number - 0.5, story=None)
    ask_for(database, "bears OR wolves")
    before = (pairs(database), matches(database))
    [would] = tocsin.ask("topics", "backfill", "bears", "--dry-run")
    assert (pairs(database), matches(database), audit(database)) == (*before, [])
    status, out, _ = tocsin("topics", "backfill", "bears", "--dry-run")
    assert status == 0
    assert out.startswith("7 articles of the last 7 days would be added to bears, and ")
    [did] = tocsin.ask("topics", "backfill", "bears")
    same = ("topic", "days", "articles", "stories", "titles", "waiting")
    assert {name: did[name] for name in same} == {name: would[name] for name in same}
    assert (would["dry_run"], did["dry_run"]) == (True, False)
    assert len(did["titles"]) == min(5, did["stories"])


def test_each_run_leaves_one_audit_row(database, tell, tocsin, monkeypatch):
    monkeypatch.setattr(run_backfill, "_AT_ONCE", 1)
    tell("Wolves howl")
    tell("A wolf pack of wolves sleeps in the snow", days_ago=4)
    ask_for(database, "bears OR wolves")
    tocsin.ask("topics", "backfill", "bears")
    tocsin.ask("topics", "backfill", "bears", "--days", 3)
    detail = {"days": 7, "version": 2, "articles": 2, "stories": 2}
    assert audit(database) == [
        ("topic backfill", detail),
        ("topic backfill", {"days": 3, "version": 2, "articles": 0, "stories": 0}),
    ]


# What may go wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("matcher")
def test_an_unknown_topic_is_refused_and_the_one_meant_is_named(database, tocsin):
    status, out, err = tocsin("topics", "backfill", "baers")
    assert (status, out) == (2, "")
    assert "there is no topic 'baers' (did you mean bears?)" in err
    with database.write() as conn:
        assert conn.execute(sa.select(sa.func.count(Audit.id))).scalar() == 0


def test_a_topic_that_is_switched_off_is_refused_with_the_reason(database, tell, tocsin):
    topic = ask_for(database, "bears OR wolves")
    tell("Foxes bark")
    with database.write() as conn:
        changed = sa.update(Topic).where(Topic.id == topic.id)
        conn.execute(changed.values(disabled_reason="a word is missing at offset 3"))
    status, out, err = tocsin("topics", "backfill", "bears")
    assert (status, out) == (2, "")
    assert "bears is switched off: a word is missing at offset 3" in err


@pytest.mark.parametrize("days", [0, 29])
def test_days_out_of_range_are_refused(matcher, tocsin, days):
    assert matcher
    assert tocsin("topics", "backfill", "bears", "--days", days)[0] == 2


class StoppedError(Exception):
    """The operator's Ctrl-C."""


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 4), max_size=3))
def test_it_may_be_interrupted_anywhere_and_the_next_run_does_the_rest(database, tell, monkeypatch, stops):
    monkeypatch.setattr(run_backfill, "_AT_ONCE", 1)
    slug = f"wolves-{next(_slugs)}"
    topic = ask_for(database, f"{slug.replace('-', '')}", slug=slug)
    told = [
        tell(f"Pack {word} howls", days_ago=5 - place) for place, word in enumerate(("one", "two", "three", "four"))
    ]
    topic = ask_for(database, "howls", slug=slug)
    with database.read() as conn:
        wanted = set(conn.execute(sa.select(Article.id).where(Article.title.endswith("howls"))).scalars())
    assert {article for article, _ in told} <= wanted
    for stop in stops:

        def step(done: int, _total: int, stop: int = stop) -> None:
            if done == stop:
                raise StoppedError

        with suppress(StoppedError):  # which does not come where less is left to do
            backfill(database, topic, days=7, actor="tests", on_step=step)
    backfill(database, topic, days=7, actor="tests")
    found = [one for one in matches(database) if one.topic_id == topic.id]
    assert {one.article_id for one in found} == wanted
    with database.read() as conn:
        query = sa.select(TopicStory.story_id).where(TopicStory.topic_id == topic.id)
        numbered = conn.execute(query.order_by(TopicStory.match_seq)).scalars().all()
        in_audit = [detail["articles"] for _, _, _, detail in house.notes(conn, f"topic {slug}")]
    assert set(numbered) == {one.story_id for one in found}
    assert sum(in_audit) == len(found)


def test_a_topic_that_is_edited_meanwhile_stops_it_and_nothing_of_the_old_query_is_added(database, tell, monkeypatch):
    monkeypatch.setattr(run_backfill, "_AT_ONCE", 1)
    tell("Wolves howl", days_ago=2)
    tell("Wolves sleep", days_ago=1)
    topic = ask_for(database, "bears OR wolves")

    def step(done: int, _total: int) -> None:
        if done == 1:
            ask_for(database, "bears OR foxes")

    with pytest.raises(OvertakenError, match="the topic bears was changed meanwhile, after 1 articles were added"):
        backfill(database, topic, days=7, actor="tests", on_step=step)
    assert len(matches(database)) == 1


def test_an_article_that_is_revised_meanwhile_is_left_to_the_workers(database, tell, monkeypatch):
    monkeypatch.setattr(run_backfill, "_AT_ONCE", 1)
    tell("Wolves howl", days_ago=3)
    second, _ = tell("Wolves sleep", days_ago=2)
    topic = ask_for(database, "bears OR wolves")
    asked = articles.by_ids

    def by_ids(conn, article_ids):
        found = asked(conn, article_ids)
        if second in article_ids:
            revise(database, second)
        return found

    monkeypatch.setattr(articles, "by_ids", by_ids)
    assert backfill(database, topic, days=7, actor="tests").articles == 1
    assert second not in {one.article_id for one in matches(database)}


def revise(database: Database, article_id: ArticleId) -> None:
    with database.write() as conn:
        conn.execute(sa.update(Article).where(Article.id == article_id).values(revision=2, matched_at=None))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_article_that_somebody_is_changing_comes_last(database, tell):
    """The others need not wait for it; SQLite has one writer anyway."""
    first, _ = tell("Wolves howl", days_ago=3)
    second, _ = tell("Wolves sleep", days_ago=2)
    topic = ask_for(database, "bears OR wolves")
    with database.engine.connect() as other:
        other.execute(sa.select(Article.id).where(Article.id == first).with_for_update())
        steps: list[int] = []

        def step(done: int, _total: int) -> None:
            steps.append(done)
            if done:
                assert [one.article_id for one in matches(database)] == [second]
                other.rollback()

        assert backfill(database, topic, days=7, actor="tests", on_step=step).articles == 2
    assert steps == [0, 2]
