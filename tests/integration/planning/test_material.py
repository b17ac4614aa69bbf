"""What editors do to a story that is out: break it, or mark what is new in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import all_editions, article, breaking, deliveries_of, follow, match, news, reader, topic
from tests.integration.planning.looks import alerts, owing, told
from tests.integration.planning.test_alert_terms import one_reader, quiet_for
from worker.content import UpdateNote
from worker.errors import InputError
from worker.model import ArticleId, Cadence, EditionKind, Severity
from worker.planning.run_editing import Broken, Updated, boost, break_news, update_materially
from worker.store import house
from worker.store.database import Database, now
from worker.store.schema import Article, ContentStory, Story, Subscription, TopicStory


@pytest.fixture
def quick(policy):
    """A policy without a gathering time."""
    return replace(policy, gather=timedelta(0))


def article_of(database: Database, story: int) -> ArticleId:
    with database.read() as conn:
        return ArticleId(conn.execute(sa.select(Article.id).where(Article.story_id == story).limit(1)).scalar_one())


def _updated_at(database: Database, story: int) -> datetime:
    with database.read() as conn:
        at = conn.execute(sa.select(Story.updated_at).where(Story.id == story)).scalar_one()
    assert at is not None
    return at


def test_a_material_update_goes_to_everybody_once_more_and_answers_the_first_mail(database, planned, quick):
    ada, russia = one_reader(database)
    with database.write() as conn:
        story = breaking(conn, russia)
    planned()
    with database.write() as conn:
        (first,) = deliveries_of(conn)
        bo = reader(conn)
        follow(conn, bo, russia)
    updated = update_materially(
        database, quick, article_of(database, story), note="  Three ships now,  not two. ", actor="desk"
    )
    assert updated == Updated(article_id=article_of(database, story), story_id=story, update=1)
    assert planned().deliveries == 2
    assert planned().deliveries == 0
    (_, before), (one, again), (other, late) = alerts(database)
    assert (one, other) == (ada, bo)
    assert (before.card.update, before.threaded) == (None, False)
    note = UpdateNote(note="Three ships now, not two.", at=_updated_at(database, story))
    assert (again.card.update, again.threaded) == (note, True)
    assert (late.card.update, late.threaded) == (note, False)
    with database.read() as conn:
        answers = {row.subscriber_id: row.in_reply_to for row in deliveries_of(conn)[1:]}
        assert answers == {ada: first.message_id, bo: ""}
        shown = conn.execute(sa.select(ContentStory.update_no).order_by(ContentStory.content_id)).scalars().all()
        assert sorted(shown) == [0, 1, 1]
        ((_, actor, action, detail),) = house.notes(conn, f"story {story}")
        assert (actor, action, detail["update"]) == ("desk", "story update", 1)


def test_an_update_gathers_as_any_alert_and_is_numbered_anew(database, planned, policy):
    _, russia = one_reader(database)
    with database.write() as conn:
        korea = topic(conn, "korea")
        story = breaking(conn, russia, korea)
    planned()
    update_materially(database, policy, article_of(database, story), note="More", actor="desk")
    assert planned().deliveries == 0
    with database.read() as conn:
        pairs = conn.execute(sa.select(TopicStory.match_seq).order_by(TopicStory.match_seq)).scalars().all()
        assert pairs == [3, 4]
        assert house.reached(conn, house.MATCH_SEQ) == 4
        assert house.reached(conn, house.NEWS_GENERATION) == 1


@pytest.mark.parametrize("note", ["", "  ", "x" * 501])
def test_an_update_says_what_is_new(database, policy, note):
    with database.write() as conn:
        number, _ = article(conn)
    with pytest.raises(InputError, match="note"):
        update_materially(database, policy, number, note=note, actor="desk")


def test_a_story_that_was_stopped_is_neither_broken_nor_updated(database, policy):
    with database.write() as conn:
        number, story = article(conn)
        conn.execute(sa.update(Story).where(Story.id == story).values(killed_at=sa.func.now()))
    assert break_news(database, number, actor="desk") is None
    assert update_materially(database, policy, number, note="More", actor="desk") is None
    assert break_news(database, ArticleId(99), actor="desk") is None


def test_breaking_ends_the_gathering_and_is_noted(database, planned):
    ada, russia = one_reader(database)
    with database.write() as conn:
        story = news(conn, russia, alert_in=timedelta(hours=1))
    assert planned().deliveries == 0
    broken = break_news(database, article_of(database, story), actor="desk", reason="ours first")
    number = article_of(database, story)
    assert broken == Broken(article_id=number, story_id=story, changed=True, readers=1)
    assert planned().deliveries == 1
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.severity is Severity.BREAKING
        ((_, actor, action, detail),) = house.notes(conn, f"story {story}")
        assert (actor, action, detail["reason"]) == ("desk", "story break", "ours first")
    assert ada
    again = break_news(database, number, actor="desk")
    assert again == Broken(article_id=number, story_id=story, changed=False, readers=1)
    assert planned().deliveries == 0


def test_breaking_brings_what_quiet_hours_and_budgets_have_held(database, planned):
    ada, russia = one_reader(database, **quiet_for(database, 2))
    with database.write() as conn:
        story = breaking(conn, russia)
    assert planned().deliveries == 0
    assert (ada, story) in owing(database)
    break_news(database, article_of(database, story), actor="desk")
    assert planned().deliveries == 1
    assert owing(database) == {}


def test_breaking_raises_an_alert_that_is_under_way(database, planned):
    _, russia = one_reader(database)
    with database.write() as conn:
        story = breaking(conn, russia)
    planned()
    break_news(database, article_of(database, story), actor="desk")
    with database.read() as conn:
        assert {row.severity for row in all_editions(conn)} == {Severity.BREAKING}


def test_breaking_lets_out_what_a_held_feed_brought(database, planned):
    _, russia = one_reader(database)
    with database.write() as conn:
        number, story = article(conn, may_alert=False)
        match(conn, number, russia)
    assert planned().deliveries == 0
    break_news(database, number, actor="desk")
    assert planned().deliveries == 1
    assert story


def test_a_boost_is_kept_and_tells_planners_to_look_again(database):
    with database.write() as conn:
        number, story = article(conn)
    assert boost(database, number, 2, actor="desk")
    assert not boost(database, number, 2, actor="desk")
    with database.read() as conn:
        assert conn.execute(sa.select(Story.boost).where(Story.id == story)).scalar_one() == 2
        assert house.reached(conn, house.NEWS_GENERATION) == 1


def test_an_update_is_in_the_digest_of_whoever_was_shown_the_story_before(database, planned, quick):
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn)
        follow(conn, ada, russia, cadence=Cadence.DAILY, due_at=now(conn))
        story = news(conn, russia)
    assert planned().deliveries == 1
    with database.write() as conn:
        conn.execute(sa.update(Subscription).values(next_due_at=now(conn)))
    assert planned().deliveries == 0
    update_materially(database, quick, article_of(database, story), note="Three ships", actor="desk")
    with database.write() as conn:
        conn.execute(sa.update(Subscription).values(next_due_at=now(conn)))
    assert planned().deliveries == 1
    _, (_, digest) = told(database, EditionKind.DIGEST)
    assert [(card.story_id, card.update) for card in digest.all_cards()] == [
        (story, UpdateNote(note="Three ships", at=_updated_at(database, story)))
    ]
