"""Sweeps find what no bell was heard for, and nothing that they meet keeps them from the rest."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from tests import builders
from worker import tasks
from worker.celery_app import app
from worker.cli.processes import celery_options
from worker.delivery.canary import Limits
from worker.errors import ConfigurationError
from worker.matching.run import Matcher
from worker.model import ArticleId, Lane
from worker.planning.rules import Policy
from worker.store import articles, sources
from worker.store.database import Database


class Moody(Matcher):
    """Matches in earnest, but for what it has been told to stumble over."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, gather=timedelta(0))
        self.poison: dict[ArticleId, Exception] = {}
        self.order: list[ArticleId] = []

    def match(self, article_id: ArticleId) -> Any:
        self.order.append(article_id)
        if article_id in self.poison:
            raise self.poison[article_id]
        return super().match(article_id)


@pytest.fixture
def matcher(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moody]:
    found = Moody(database)
    house = SimpleNamespace(database=database, matcher=found)
    monkeypatch.setattr(tasks, "this_house", lambda: house)
    monkeypatch.setattr(tasks, "_set_aside", {})
    monkeypatch.setattr(tasks, "_ARTICLES_SWEEP_S", 60.0)  # however busy the machine is
    tasks._get_ready.cache_clear()
    yield found
    tasks._get_ready.cache_clear()


@pytest.fixture
def waiting(database: Database) -> list[ArticleId]:
    with database.write() as conn:
        return [builders.article(conn, f"Ferry {number}")[0] for number in range(5)]


def unmatched(database: Database) -> list[ArticleId]:
    with database.read() as conn:
        return articles.unmatched(conn, limit=10)


@pytest.mark.parametrize("stumbling", ["run_steering", "run_withdrawal", "run_canary"])
def test_whatever_a_sweep_of_deliveries_stumbles_over_due_batches_are_rung_for(
    database, monkeypatch, caplog, stumbling
):
    def stumble(*_: object) -> None:
        raise ValueError("odd content")

    with database.write() as conn:
        edition_id = builders.edition(conn, [builders.reader(conn)])
    rung: list[object] = []
    limits = Limits(refused=0.02, unknown=0.02, bounced=0.05, complained=0.002, watch_s=60)
    monkeypatch.setattr(tasks, "this_house", lambda: SimpleNamespace(database=database, canary_limits=limits))
    monkeypatch.setattr(tasks, "ring_batches", rung.extend)
    monkeypatch.setattr(getattr(tasks, stumbling), "sweep", stumble)
    with caplog.at_level(logging.ERROR):
        tasks.sweep_deliveries()
    assert rung == [(edition_id, 1, Lane.BULK)]
    assert "odd content" in caplog.text


def test_news_is_matched_before_the_backlog(matcher, waiting, database):
    tasks.sweep_articles()
    assert matcher.order == waiting[::-1]
    assert unmatched(database) == []


def test_an_article_that_cannot_be_matched_is_told_of_and_never_stops_the_others(matcher, waiting, database, caplog):
    matcher.poison = {waiting[4]: RuntimeError("too deep"), waiting[2]: ValueError("odd")}
    with caplog.at_level(logging.ERROR, logger=tasks.__name__):
        tasks.sweep_articles()
    assert unmatched(database) == [waiting[4], waiting[2]]
    assert [record.args[0] for record in caplog.records] == [waiting[4], waiting[2]]


def test_what_was_set_aside_is_left_alone_for_a_while_and_then_tried_again(matcher, waiting, database, monkeypatch):
    matcher.poison = {waiting[4]: RuntimeError("too deep")}
    tasks.sweep_articles()
    matcher.poison, matcher.order = {}, []
    tasks.sweep_articles()
    assert matcher.order == []
    monkeypatch.setattr(tasks, "_set_aside", dict.fromkeys(tasks._set_aside, 0.0))
    tasks.sweep_articles()
    assert unmatched(database) == []


def test_a_crowd_that_is_set_aside_does_not_hide_what_is_behind_it(matcher, waiting, database, monkeypatch):
    monkeypatch.setattr(tasks, "_ARTICLES_A_SWEEP", 2)
    matcher.poison = {article_id: RuntimeError("too deep") for article_id in waiting[3:]}
    for _ in range(3):
        tasks.sweep_articles()
    assert unmatched(database) == waiting[:2:-1]


def test_while_the_database_is_away_no_article_is_blamed(matcher, waiting):
    matcher.poison = dict.fromkeys(waiting, ConfigurationError("cannot open the database"))
    with pytest.raises(ConfigurationError):
        tasks.sweep_articles()
    assert tasks._set_aside == {}


def test_a_long_backlog_gives_others_their_turn(matcher, waiting, monkeypatch):
    monkeypatch.setattr(tasks, "_ARTICLES_SWEEP_S", 0.0)
    tasks.sweep_articles()
    assert len(matcher.order) < len(waiting)


# Alerts --------------------------------------------------------------------------------------------------------------


class Found:
    """Stands in for matching: finds what is due at once, or not."""

    def __init__(self, *, is_due: bool) -> None:
        self.is_due = is_due

    def match(self, _: ArticleId) -> SimpleNamespace:
        return SimpleNamespace(is_due=self.is_due)


@pytest.mark.parametrize("is_due", [True, False])
def test_planning_is_rung_for_when_an_alert_is_due_at_once(monkeypatch, is_due):
    rung: list[str] = []
    monkeypatch.setattr(tasks, "matcher", lambda: Found(is_due=is_due))
    monkeypatch.setattr(tasks, "plan_alerts", SimpleNamespace(delay=lambda: rung.append("plan_alerts")))
    tasks.match_article(7)
    tasks._match_or_set_aside(ArticleId(8))
    assert rung == ["plan_alerts"] * 2 * is_due


def test_alerts_are_planned_and_delivered_by_a_task_of_their_own(database, monkeypatch):
    with database.write() as conn:
        russia = builders.topic(conn, "russia")
        ada = builders.reader(conn)
        builders.follow(conn, ada, russia)
        builders.breaking(conn, russia)
    rung: list[object] = []
    policy = Policy(domain="x.example", alert_expires=timedelta(hours=1), digest_expires=timedelta(hours=1))
    monkeypatch.setattr(tasks, "this_house", lambda: SimpleNamespace(database=database, planning_policy=policy))
    monkeypatch.setattr(tasks, "ring_batches", rung.extend)
    tasks.plan_alerts()
    tasks.plan_alerts()
    with database.read() as conn:
        (copy,) = builders.deliveries_of(conn)
    assert rung == [(copy.edition_id, copy.batch_no, Lane.ALERTS)]


# Feeds ---------------------------------------------------------------------------------------------------------------


class Polls:
    """Stands in for polling: a thread that brings two articles."""

    def ring(self, told: Any) -> bool:
        told([ArticleId(7), ArticleId(8)])
        return True


def test_a_sweep_of_sources_only_rings_and_what_polling_finds_is_matched(monkeypatch):
    rung: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks, "this_house", lambda: SimpleNamespace(poller=Polls()))
    monkeypatch.setattr(app, "send_task", lambda *words, **_: rung.append(words))
    tasks.sweep_sources()
    assert rung == [("worker.tasks.match_article", (ArticleId(number),)) for number in (7, 8)]


def test_a_broker_that_is_away_is_nobodys_fault_who_tells_news_and_is_waited_for_once(monkeypatch):
    asked: list[str] = []

    def away(name: str, *_: object, **__: object) -> None:
        asked.append(name)
        raise OperationalError("nobody answers")

    monkeypatch.setattr(tasks, "this_house", lambda: SimpleNamespace(poller=Polls()))
    monkeypatch.setattr(tasks, "_away", defaultdict(float))
    monkeypatch.setattr(app, "send_task", away)
    tasks.sweep_sources()
    assert asked == ["worker.tasks.match_article"]


# Children ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lanes", "is_limited"), [((Lane.CONTROL,), False), (tuple(Lane), False), ((Lane.ALERTS, Lane.BULK), True)]
)
def test_only_a_child_without_the_compiled_topics_is_renewed_for_its_size(lanes, is_limited):
    options = celery_options(lanes, None)
    assert ("--max-memory-per-child" not in options) == is_limited
    if not is_limited:
        assert options[options.index("--max-memory-per-child") + 1] == "0"


def test_who_tells_the_newspapers_programs_is_rung_for_when_a_source_has_changed(database, monkeypatch):
    rung: list[str] = []
    monkeypatch.setattr(tasks, "this_house", lambda: SimpleNamespace(database=database, ring=rung.append))
    with database.write() as conn:
        dead = {"failures": 1, "last_error": "no such host"}
        sources.put(conn, kind="feed", name="Dead", url="https://dead.example/feed", **dead)
    tasks.sweep_health()
    assert rung == ["sweep_webhooks"]
    tasks.sweep_health()
    assert rung == ["sweep_webhooks"]
