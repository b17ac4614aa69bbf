"""How sources are, from what is stored: their rhythm, and word of a change that is given once."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.intake.watching import change, watched
from worker.feeds import SourceCondition, SourceState
from worker.intake.run import Intake
from worker.intake.run_watching import SourceHealth, healths, review
from worker.model import ParsedArticle, SourceId
from worker.store import sources
from worker.store.database import Database, now
from worker.store.schema import Article, Source

HOUR = timedelta(hours=1)


def health_of(database: Database, source_id: SourceId) -> SourceHealth:
    (found,) = healths(database, source_id)
    return found


def test_a_sources_lateness_and_rhythm_are_told(database):
    source_id = watched(database)
    told = health_of(database, source_id).told()
    assert (told["health"], told["health_reason"]) == ("ok", "")
    assert (told["lag_p50_s"], told["lag_p95_s"], told["gap_s"]) == (40.0, 40.0, 3601.0)


def test_every_source_is_told_of_by_id(database):
    wire, post = watched(database), watched(database, "Post", state=SourceState.PAUSED)
    found = healths(database)
    assert [one.source_id for one in found] == [wire, post]
    assert [one.condition for one in found] == [SourceCondition.OK, SourceCondition.PAUSED]
    assert [one.source_id for one in healths(database, post)] == [post]


def test_a_silent_source_is_found_out_by_its_own_rhythm(database):
    source_id = watched(database, quiet_h=100)
    found = health_of(database, source_id)
    assert found.condition is SourceCondition.SILENT
    assert found.is_trouble
    assert found.since == found.last_news_at


def test_a_change_is_logged_once_and_remembered(database, caplog):
    caplog.set_level(logging.INFO, logger="worker.intake.run_watching")
    source_id = watched(database)
    assert [one.condition for one in review(database)] == [SourceCondition.OK]
    assert not caplog.messages
    change(database, source_id, failures=3, last_error="HTTP 503\r\nforged line")
    assert [one.condition for one in review(database)] == [SourceCondition.FAILING]
    change(database, source_id, failures=4)
    assert review(database) == []
    (said,) = caplog.messages
    assert said == f"source {source_id}, Wire, is failing: 3 polls have failed: HTTP 503 forged line"
    change(database, source_id, failures=0, last_error="")
    assert [one.condition for one in review(database)] == [SourceCondition.OK]
    assert caplog.messages[1:] == [f"source {source_id}, Wire, was failing and is ok"]
    assert health_of(database, source_id).since == health_of(database, source_id).since


def test_a_source_that_never_answered_is_told_of_in_words(database, caplog):
    caplog.set_level(logging.INFO, logger="worker.intake.run_watching")
    source_id = watched(database, failures=1, last_error="HTTP 404", last_ok_at=None)
    review(database)
    with database.read() as conn:
        at = now(conn)
    change(database, source_id, failures=0, last_error="", last_ok_at=at)
    review(database)
    name = f"source {source_id}, Wire,"
    assert caplog.messages == [f"{name} has not answered yet: HTTP 404", f"{name} had never answered and is ok"]


def test_what_was_found_out_is_so_since_then(database):
    source_id = watched(database, failures=3, last_error="HTTP 503")
    review(database)
    since = health_of(database, source_id).since
    builders.set_clock(database, ahead=timedelta(hours=2))
    change(database, source_id, failures=9)
    assert health_of(database, source_id).since == since


def test_the_rhythm_is_measured_again_when_there_is_news_and_not_at_each_sweep(database):
    source_id = watched(database)
    review(database)
    with database.write() as conn:
        builders.article(conn, "More", source_id=source_id, published_at=now(conn) - timedelta(seconds=5))
    review(database)
    assert (rhythm := health_of(database, source_id).rhythm) is not None
    assert rhythm.articles == 31
    builders.set_clock(database, ahead=HOUR)
    review(database)
    assert (rhythm := health_of(database, source_id).rhythm) is not None
    assert rhythm.articles == 32


def test_a_source_that_goes_takes_its_health_along(database):
    with database.write() as conn:
        source_id = sources.put(conn, kind="feed", name="Brief", url="https://brief.example/feed")
    review(database)
    with database.write() as conn:
        conn.execute(sa.text("DELETE FROM source WHERE id = :id"), {"id": source_id})
        assert conn.execute(sa.text("SELECT count(*) FROM source_health")).scalar() == 0


@pytest.mark.slow
def test_ten_thousand_sources_are_read_by_one_statement(database):
    with database.write() as conn:
        at = now(conn)
        rows = [
            {"kind": "feed", "name": f"s{n}", "url": f"https://s{n}.example/", "created_at": at} for n in range(10_000)
        ]
        conn.execute(sa.insert(Source), rows)
    review(database)
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    assert len(healths(database)) == 10_000
    assert sum("FROM source" in statement for statement in statements) == 1


def test_an_article_has_a_date_when_its_source_tells_one_that_can_be_true(database):
    with database.read() as conn:
        at = now(conn)
    intake = Intake(database, age_limit=timedelta(days=1))
    dates = {"told": at - HOUR, "untold": None, "to come": at + 9 * HOUR}
    for guid, date in dates.items():
        intake.add(ParsedArticle(guid=guid, title=guid, published_at=date), kind="push", outlet="Courier")
    with database.read() as conn:
        assert dict(conn.execute(sa.select(Article.guid, Article.dated)).all()) == {
            "told": True,
            "untold": False,
            "to come": False,
        }


def test_a_change_of_an_article_without_a_date_gives_it_none(database):
    intake = Intake(database, age_limit=timedelta(days=1))
    first = intake.add(ParsedArticle(guid="1", title="Ports agree"), kind="push", outlet="Courier")
    moments = sa.select(Article.published_at, Article.dated, Article.revision).where(Article.id == first.id)
    with database.read() as conn:
        published_at, dated, _ = conn.execute(moments).one()
    intake.add(ParsedArticle(guid="1", title="Ports agree on fees"), kind="push", outlet="Courier")
    with database.read() as conn:
        assert conn.execute(moments).one() == (published_at, dated, 2)
