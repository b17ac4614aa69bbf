"""Who hears of a source that fails or falls silent: the newspaper's programs, `tocsin doctor`, and `/metrics`."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from tests.integration.conftest import Tocsin
from tests.integration.intake.watching import change, watched
from worker.feeds import SourceCondition, SourceState
from worker.intake.run_watching import review
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.store import sources
from worker.store.database import Database
from worker.store.schema import WebhookMessage
from worker.web.source_metrics import source_metrics


def listen(database: Database, *types: str, addresses: bool = True) -> None:
    wish = Wish(url="https://desk.example.org/tocsin", types=types, with_addresses=addresses)
    run_endpoints.add(database, wish, actor="a test")


def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.read() as conn:
        rows = conn.execute(sa.select(WebhookMessage.type, WebhookMessage.data).order_by(WebhookMessage.id)).all()
    return [(row.type, row.data) for row in rows]


def test_the_newspapers_programs_hear_once_of_a_feed_that_fails_and_that_it_is_well_again(database):
    listen(database, "source.failing", "recovered", addresses=False)
    source_id = watched(database)
    review(database)
    assert told(database) == []
    change(database, source_id, failures=3, last_error="HTTP 503\n at night")
    review(database)
    change(database, source_id, failures=4)
    review(database)
    ((kind, data),) = told(database)
    assert kind == "source.failing"
    assert (data["source"], data["name"], data["url"]) == (source_id, "Wire", "https://wire.example/feed")
    assert (data["health"], data["reason"]) == ("failing", "3 polls have failed: HTTP 503 at night")
    assert data["last_news_at"].endswith("Z")
    change(database, source_id, failures=0)
    review(database)
    assert [kind for kind, _ in told(database)] == ["source.failing", "source.recovered"]


def test_they_are_told_no_password_of_ours(database):
    listen(database)
    change(database, watched(database, quiet_h=100), url="https://desk:hush@wire.example/feed")
    review(database)
    assert [data["url"] for _, data in told(database)] == ["https://desk:***@wire.example/feed"]


def test_they_hear_of_silence_and_not_of_what_an_operator_does(database):
    listen(database)
    source_id = watched(database, quiet_h=100)
    review(database)
    change(database, source_id, state=SourceState.PAUSED)
    review(database)
    assert [(kind, data["health"]) for kind, data in told(database)] == [("source.silent", "silent")]


def test_who_has_not_asked_for_it_hears_nothing(database):
    listen(database, "confirmed")
    watched(database, failures=3)
    review(database)
    assert told(database) == []


def test_a_new_source_is_no_trouble_until_it_has_been_asked_in_vain(database):
    listen(database, "failing")
    with database.write() as conn:
        source_id = sources.put(conn, kind="feed", name="New", url="https://new.example/feed")
    assert review(database) == []
    change(database, source_id, failures=1, last_error="no such host")
    review(database)
    assert [data["health"] for _, data in told(database)] == ["never"]


def test_doctor_names_the_worst_five_and_counts_the_others(database, tocsin: Tocsin):
    for number in range(7):
        watched(database, f"Wire{number}", pauses=0, failures=3, last_error="HTTP 503")
    watched(database, "Dead", state=SourceState.GONE, state_reason="it answered 410")
    _, out, _ = tocsin("doctor", "--no-dns", "--json")
    says = [one["says"] for line in out.splitlines() if (one := json.loads(line))["part"] == "feeds"]
    assert len(says) == 7
    assert sum("is failing since" in line and "HTTP 503" in line for line in says) == 5
    assert "7 are failing" in says[5]
    assert "Dead, is gone since" in says[6]


def test_doctor_counts_those_that_never_answered_in_words(database, tocsin: Tocsin):
    for number in range(6):
        watched(database, f"Wire{number}", pauses=0, failures=1, last_error="HTTP 404", last_ok_at=None)
    _, out, _ = tocsin("doctor", "--no-dns")
    assert "6 have never answered; these were the 5" in " ".join(out.split())


def test_doctor_says_in_one_line_that_all_are_well(database, tocsin: Tocsin):
    watched(database)
    _, out, _ = tocsin("doctor", "--no-dns", "--json")
    (one,) = [one for line in out.splitlines() if (one := json.loads(line))["part"] == "feeds"]
    assert one["says"] == "1 source: none fails, is silent or is held"


def test_of_a_source_that_was_removed_nobody_hears_any_more(database):
    listen(database)
    source_id = watched(database, failures=3)
    review(database)
    change(database, source_id, state=SourceState.REMOVED)
    assert review(database) == []
    assert [kind for kind, _ in told(database)] == ["source.failing"]
    with database.read() as conn:
        assert all(line.endswith(" 0") for line in source_metrics(conn) if not line.startswith("#"))


def test_metrics_count_sources_by_how_they_are_and_name_none(database):
    watched(database)
    watched(database, "Post", failures=3)
    review(database)
    watched(database, "New")  # no sweep has seen it yet
    with database.read() as conn:
        lines = list(source_metrics(conn))
    counts = {line.partition('"')[2].partition('"')[0]: line[-1] for line in lines if not line.startswith("#")}
    assert set(counts) == set(SourceCondition)
    assert {state: count for state, count in counts.items() if count != "0"} == {
        "ok": "1",
        "failing": "1",
        "never": "1",
    }
