"""A feed that suddenly has nothing but new items alerts nobody until somebody has had a look."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.intake.test_taking_in import intake, poller, rss, served, watch  # noqa: F401  a fixture
from worker.errors import ConfigurationError
from worker.intake import run, run_holding, run_taking
from worker.intake.run_holding import release
from worker.model import ParsedArticle, SourceId
from worker.store import sources
from worker.store.database import now
from worker.store.schema import Article, TopicStory

DAY = timedelta(days=1)


def items(first: int, count: int) -> bytes:
    return rss(*((str(number), f"Item number {number}") for number in range(first, first + count)))


@pytest.fixture
def flooded(database, poller):  # noqa: F811  the fixture
    """A feed that was polled, and then had twelve other items."""
    answers = [items(1, 12), items(100, 12), items(101, 12)]
    with served(lambda _: (200, answers[0])) as url:
        source_id = watch(database, url, outlet="The Courier")
        assert len(poller.poll(source_id)) == 12
        answers.pop(0)
        assert len(poller.poll(source_id)) == 12
        answers.pop(0)
        assert len(poller.poll(source_id)) == 1
    return source_id


def may_alert(database) -> list[bool]:
    with database.read() as conn:
        return list(conn.execute(sa.select(Article.may_alert).order_by(Article.id)).scalars())


def test_what_a_feed_brings_all_new_at_once_is_stored_and_held(database, flooded):
    assert may_alert(database) == [False] * 25  # the first twelve, undated, may be of any age
    with database.read() as conn:
        source = sources.by_id(conn, flooded)
    assert source is not None
    assert source.held_since is not None
    assert source.held_reason == "all its 12 items were new at once"


def test_a_feed_that_is_released_alerts_as_before(database, flooded):
    released = release(database, flooded, alert=False, age_limit=DAY)
    assert released is not None
    assert (released.changed, released.alerted) == (True, 0)
    again = release(database, flooded, alert=False, age_limit=DAY)
    assert again is not None
    assert not again.changed
    assert release(database, SourceId(99), alert=False, age_limit=DAY) is None
    assert not any(may_alert(database)[12:])


def test_at_a_word_readers_are_alerted_of_what_was_held_and_is_fresh(database, flooded):
    with database.write() as conn:
        russia = builders.topic(conn, "russia")
        numbers = conn.execute(sa.select(Article.id).order_by(Article.id)).scalars().all()
        builders.match(conn, numbers[12], russia)
        builders.match(conn, numbers[13], russia)
        conn.execute(
            sa.update(Article).where(Article.id == numbers[13]).values(published_at=sa.text("'2020-01-01 00:00:00'"))
        )
    released = release(database, flooded, alert=True, age_limit=DAY)
    assert released is not None
    assert released.alerted == 12
    with database.read() as conn:
        due = conn.execute(sa.select(TopicStory.alert_due_at).order_by(TopicStory.match_seq)).scalars().all()
    assert [one is not None for one in due] == [True, False]


@pytest.mark.parametrize("count", [9, 12])
def test_a_few_new_items_and_a_first_sight_are_no_flood(database, poller, count):  # noqa: F811  the fixture
    answers = [items(1, 12), items(1, 3) if count == 12 else items(100, count)]
    with served(lambda _: (200, answers[0])) as url:
        source_id = watch(database, url)
        poller.poll(source_id)
        answers.pop(0)
        poller.poll(source_id)
    assert may_alert(database) == [False] * 12 + [True] * (count if count == 9 else 0)
    with database.read() as conn:
        source = sources.by_id(conn, source_id)
    assert source is not None
    assert source.held_since is None


def test_the_command_line_lists_and_releases(tocsin, flooded):
    (row,) = tocsin.ask("sources", "list")
    assert row["held_reason"] == "all its 12 items were new at once"
    code, out, _ = tocsin("doctor", "--no-dns", "--json")
    (held,) = [found for line in out.splitlines() if (found := json.loads(line)).get("part") == "feeds"]
    assert f"`tocsin sources release {flooded}`" in held["advice"]
    (told,) = tocsin.ask("sources", "release", flooded, "--alert")
    assert (told["changed"], told["alerted"]) == (True, 13)
    assert tocsin.rung == ["plan_alerts"]
    code, _, err = tocsin("sources", "release", 99)
    assert code == 2
    assert "there is no source 99" in err


def test_a_feed_that_makes_up_items_for_ever_fills_no_disk(database, poller, monkeypatch):  # noqa: F811  the fixture
    monkeypatch.setattr(run_holding, "A_DAY", 30)
    answers = [items(first, 12) for first in range(100, 0, -20)]
    with served(lambda _: (200, answers[-1])) as url:
        source_id = watch(database, url, outlet="The Courier")
        counts = []
        while answers:
            counts.append(len(poller.poll(source_id)))
            answers.pop()
    assert counts == [12, 12, 6, 0, 0]
    with database.read() as conn:
        source = sources.by_id(conn, source_id)
        newest = conn.execute(sa.select(Article.title).order_by(Article.id.desc()).limit(1)).scalar_one()
    assert source is not None
    assert (source.held_since is not None, newest) == (True, "Item number 60")
    builders.set_clock(database, ahead=DAY)
    with served(lambda _: (200, items(200, 12))) as url:
        with database.write() as conn:
            sources.change(conn, source_id, url=url)
        assert len(poller.poll(source_id)) == 12


def test_what_is_too_much_for_a_day_is_told_on_the_next_though_the_feed_stays_as_it_is(database, poller, monkeypatch):  # noqa: F811  the fixture
    monkeypatch.setattr(run_holding, "A_DAY", 30)
    with served(lambda _: (200, items(1, 40))) as url:
        source_id = watch(database, url, outlet="The Courier")
        assert [len(poller.poll(source_id)) for _ in range(2)] == [30, 0]
        builders.set_clock(database, ahead=DAY)
        assert len(poller.poll(source_id)) == 10


def test_what_is_fetched_while_a_feed_is_released_alerts_too(database, intake, flooded):  # noqa: F811  the fixture
    with database.read() as conn:
        fetched_for, at = sources.by_id(conn, flooded), now(conn)
    release(database, flooded, alert=True, age_limit=DAY)
    late = ParsedArticle(guid="late", title="While the editor said go", published_at=at)
    taken = intake.take_feed(fetched_for, [late])
    with database.read() as conn:
        (article_id,) = taken.articles
        assert conn.execute(sa.select(Article.may_alert).where(Article.id == article_id)).scalar_one()


def test_a_first_poll_that_was_cut_off_and_begins_again_is_no_flood(database, poller, monkeypatch):  # noqa: F811  the fixture
    take_in = run_taking.take_in
    taken: list[object] = []

    def cut_off(*given):
        if len(taken) == 1:
            raise ConfigurationError("cannot open the database")
        taken.append(take_in(*given))
        return taken[-1]

    with served(lambda _: (200, items(1, 12))) as url:
        source_id = watch(database, url)
        with monkeypatch.context() as patched:
            patched.setattr(run, "take_in", cut_off)
            assert poller.poll(source_id) == []
        assert len(poller.poll(source_id)) == 11
    with database.read() as conn:
        source = sources.by_id(conn, source_id)
    assert source is not None
    assert source.held_since is None
