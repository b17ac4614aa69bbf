"""The API: who may, what is answered, and how a mistake is told to a program."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from worker.circuits import Trouble, Way
from worker.store import articles, breakers, house, throttles
from worker.store.database import now
from worker.store.throttles import Halved, Place
from worker.web.health import SILENT_AFTER_S

from .newspaper import API_KEY

BEARER = {"Authorization": f"Bearer {API_KEY}"}
ARTICLE = {
    "url": "https://courier.example/world/quake",
    "title": "Quake shakes Oman",
    "summary": "Nobody was hurt.",
    "body": "The ground shook for a minute. Then it was still.",
    "author": "Wen Ashdown",
    "section": "World",
    "source": "The Harbour Courier",
    "lang": "en-GB",
    "tags": ["Asia"],
    "published_at": "2026-11-23T09:30:00+04:00",
    "severity": "important",
}


def push(newspaper, article=None, **changes):
    return newspaper.post("/api/v1/articles", json=(article or ARTICLE) | changes, headers=BEARER)


@pytest.mark.usefixtures("matching")
def test_an_article_is_taken_in_and_answered_with_its_topics(newspaper):
    answer = push(newspaper)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["status"], told["topics"], told["title"]) == ("new", ["oman"], "Quake shakes Oman")
    assert told["published_at"] == "2026-11-23T05:30:00Z"
    assert newspaper.house.rung == [("match_article", told["id"])]
    with newspaper.house.database.read() as conn:
        stored = articles.by_id(conn, told["id"])
    assert stored is not None
    assert (stored.author, stored.section, stored.lang, stored.tags, stored.severity) == (
        "Wen Ashdown",
        "World",
        "en-GB",
        ["Asia"],
        "important",
    )


@pytest.mark.usefixtures("matching")
def test_the_same_article_again_is_known(newspaper):
    first = push(newspaper).json()
    again = push(newspaper)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["topics"]) == (first["id"], ["oman"])
    changed = push(newspaper, body="The ground shook for a minute, said Russia's embassy. " * 3)
    assert changed.status_code == 200
    assert (changed.json()["id"], changed.json()["status"], changed.json()["revision"]) == (first["id"], "update", 2)
    assert changed.json()["topics"] == ["oman", "russia"]


def test_an_article_that_nobody_has_matched_in_time_is_answered_all_the_same(newspaper):
    started_s = time.monotonic()
    answer = push(newspaper)
    assert (answer.status_code, answer.json()["topics"]) == (202, None)
    assert 1.5 < time.monotonic() - started_s < 10


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {API_KEY}"}, 401),
        ({"Authorization": f"Bearer {API_KEY}x"}, 401),
        ({"Authorization": "Bearer a key for signing up"}, 403),
    ],
)
def test_without_the_right_key_nothing_is_taken(newspaper, headers, status):
    with newspaper.house.database.write() as conn:
        house.put_api_key(conn, name="pages", key="a key for signing up", scopes=["subscriptions"])
    before = newspaper.snapshot()
    answer = newspaper.post("/api/v1/articles", json=ARTICLE, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert answer.json()["status"] == status
    after = newspaper.snapshot()
    assert after == before | {"api_key": after["api_key"]}  # which notes that it was used


def test_a_key_of_the_house_with_the_scope_will_do(newspaper):
    with newspaper.house.database.write() as conn:
        house.put_api_key(conn, name="cms", key="a key for pushing", scopes=["articles"])
    answer = newspaper.post("/api/v1/articles", json=ARTICLE, headers={"Authorization": "Bearer a key for pushing"})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": "a\0b"}, "#/title"),
        ({"body": "a\0b"}, "#/body"),
        ({"tags": ["a\0b"]}, "#/tags"),
        ({"title": "", "body": "", "summary": ""}, "#/title"),
        ({"url": "javascript:alert(1)"}, "#/url"),
        ({"url": 7}, "#/url"),
        ({"published_at": "yesterday"}, "#/published_at"),
        ({"published_at": "2026-11-23T09:30:00"}, "#/published_at"),
        ({"severity": "shouting"}, "#/severity"),
        ({"tags": "Asia"}, "#/tags"),
        ({"titel": "x"}, "#/titel"),
    ],
)
def test_a_mistake_names_its_field_and_nothing_is_stored(newspaper, changes, pointer):
    before = newspaper.snapshot()
    answer = push(newspaper, **changes)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["title"].startswith("Unprocessable ")
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert newspaper.snapshot() == before


def test_half_a_character_is_refused(newspaper):
    raw = json.dumps(ARTICLE).replace("Quake", "\\ud800")
    answer = newspaper.post("/api/v1/articles", content=raw, headers=BEARER | {"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/articles", ARTICLE | {"published_at": "0001-01-01T00:00:00+14:00"}, "#/published_at"),
        ("/subscriptions", {"email": "jo@example.org", "topics": ["oman"], "name": "Jo \ud800"}, "#/name"),
        ("/topics/backtest", {"query": "korea\udfff"}, "#/query"),
    ],
)
def test_what_no_database_and_no_clock_can_hold_is_refused_with_its_place(newspaper, path, body, pointer):
    headers = BEARER | {"Content-Type": "application/json"}
    answer = newspaper.post(f"/api/v1{path}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"title": "a\0b"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"7", 422),
    ],
)
def test_a_body_that_is_no_article_is_a_problem_not_a_crash(newspaper, content, status):
    answer = newspaper.post("/api/v1/articles", content=content, headers=BEARER | {"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_article_of_more_than_four_megabytes_is_refused(newspaper):
    before = newspaper.snapshot()
    answer = push(newspaper, body="x" * 5_000_000)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "at most 4,000,000 bytes are taken"
    assert newspaper.snapshot() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/articles", 405), ("POST", "/api/v1/nowhere", 404), ("GET", "/api/v2", 404)],
)
def test_what_the_api_does_not_have_is_a_problem_too(newspaper, method, path, status):
    answer = newspaper.client.request(method, newspaper.url + path, headers=BEARER)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


def subscribe(newspaper, **changes):
    wanted = {"email": "jo@example.org", "topics": ["oman"], "cadence": "weekly", "at": ["18:30"], "weekday": 5}
    return newspaper.post("/api/v1/subscriptions", json=wanted | changes, headers=BEARER)


def test_a_subscription_by_api_stays_pending_until_its_owner_confirms(newspaper):
    answer = subscribe(newspaper)
    assert answer.status_code == 202
    assert newspaper.status("jo@example.org") == "pending"
    assert newspaper.reader("jo@example.org").timezone == "Europe/London"
    assert newspaper.house.rung == [("sweep_planning",)]
    newspaper.post(newspaper.question("jo@example.org"))
    follow = newspaper.follows("jo@example.org")["oman"]
    assert (follow.cadence, follow.times, follow.weekday) == ("weekly", ("18:30",), 5)


def test_the_api_tells_nobody_who_is_a_reader(newspaper):
    newspaper.joins("jo@example.org", "oman")
    assert subscribe(newspaper).json() == subscribe(newspaper, email="new@example.org").json()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "nobody"}, "#/email"),
        ({"topics": ["atlantis"]}, "#/topics"),
        ({"topics": ["No Slug"]}, "#/topics/0"),
        ({"timezone": "Mars/Olympus"}, "#/timezone"),
        ({"at": ["noon"]}, "#/at"),
        ({"locale": "?"}, "#/locale"),
        ({"weekday": 9}, "#/weekday"),
        ({"query": "(oman"}, "#/query"),
        ({"query": "om\0an"}, "#/query"),
    ],
)
def test_a_wrong_wish_names_its_field(newspaper, changes, pointer):
    answer = subscribe(newspaper, **changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not newspaper.knows("jo@example.org")


def test_the_api_describes_itself(newspaper):
    document = newspaper.get("/api/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/v1/articles",
        "/api/v1/articles/{article_id}",
        "/api/v1/articles/{article_id}/break",
        "/api/v1/articles/{article_id}/kill",
        "/api/v1/articles/{article_id}/versions",
        "/api/v1/deliveries",
        "/api/v1/editions/{edition_id}/draft",
        "/api/v1/editions/{edition_id}/preview",
        "/api/v1/editions/{edition_id}/approve",
        "/api/v1/editions/{edition_id}/skip",
        "/api/v1/editions/{edition_id}/test-send",
        "/api/v1/newsletters",
        "/api/v1/articles/{article_id}/correct",
        "/api/v1/editions/{edition_id}",
        "/api/v1/editions/{edition_id}/{command}",
        "/api/v1/editions",
        "/api/v1/sources",
        "/api/v1/sources/{source_id}",
        "/api/v1/sources/{source_id}/release",
        "/api/v1/subscribers",
        "/api/v1/subscribers/lookup",
        "/api/v1/subscribers/{subscriber_id}",
        "/api/v1/subscriptions",
        "/api/v1/topics",
        "/api/v1/topics/{slug}",
        "/api/v1/topics/backtest",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{endpoint_id}",
        "/api/v1/webhooks/{endpoint_id}/messages",
        "/api/v1/webhooks/{endpoint_id}/rotate",
        "/api/v1/webhooks/{endpoint_id}/test",
        "/api/v1/webhooks/{endpoint_id}/retry",
    }
    answers = document["paths"]["/api/v1/articles"]["post"]["responses"]
    assert {"200", "201", "202", "401", "403", "413", "422"} <= set(answers)
    assert list(answers["422"]["content"]) == ["application/problem+json"]


def test_life_is_not_readiness(newspaper):
    assert newspaper.get("/healthz").status_code == 200
    answer = newspaper.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "missing": [f"worker for {queue}: not seen yet" for queue in ("alerts", "bulk", "control")],
    }


def test_the_house_is_ready_when_every_queue_has_a_living_worker(newspaper):
    with newspaper.house.database.write() as conn:
        for queue in ("alerts", "bulk", "control"):
            house.beat(conn, queue)
    assert newspaper.get("/readyz").json() == {"ready": True, "missing": []}
    with newspaper.house.database.write() as conn:
        house.set_fact(conn, "clock_offset_s", str(SILENT_AFTER_S + 5))
        house.beat(conn, "alerts")
    answer = newspaper.get("/readyz")
    assert answer.status_code == 503
    assert [missing.split(": ")[0] for missing in answer.json()["missing"]] == ["worker for bulk", "worker for control"]


def test_a_database_whose_connections_are_all_busy_is_said_so(newspaper, monkeypatch):
    monkeypatch.setattr(newspaper.house.database.engine.pool, "_timeout", 0.1)
    with ExitStack() as stack:
        with suppress(PoolTimeoutError):
            while True:
                stack.enter_context(newspaper.house.database.read())
        answer = newspaper.get("/topics")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


def test_a_database_that_is_gone_is_said_so(newspaper):
    newspaper.house.database.close()
    newspaper.house.database.engine = newspaper.house.database.engine.execution_options()
    (newspaper.house.home.parent / "tocsin.db").rename(newspaper.house.home.parent / "gone.db")
    (newspaper.house.home.parent / "tocsin.db").mkdir()
    assert newspaper.get("/healthz").status_code == 200
    answer = newspaper.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database: no answer"])
    page = newspaper.get("/subscribe")
    assert page.status_code == 503
    assert page.headers["retry-after"]


def test_the_figures_are_prometheus_text(newspaper):
    newspaper.joins("jo@example.org", "oman")
    newspaper.mails("jo@example.org")
    with newspaper.house.database.write() as conn:
        house.beat(conn, "alerts")
        breakers.trip(conn, Way("relay", "digest"), Trouble.POLICY, reason="550 5.7.1 no")
        throttles.change(conn, Place("", "gmail.com"), lambda *_: Halved(full_per_s=20, share=0.5, since=now(conn)))
    answer = newspaper.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'tocsin_deliveries{state="planned"} 1' in lines
    assert 'tocsin_conservation{term="open"} 1' in lines
    assert 'tocsin_batches_due{lane="alerts"} 0' in lines
    way = 'provider="relay",stream="digest",domain="",condition="shut",trouble="policy"'
    assert f"tocsin_way_shut{{{way}}} 1" in lines
    assert any(line.startswith('tocsin_rate_slowed_per_second{provider="",domain="gmail.com"} 10.') for line in lines)
    assert any(line.startswith('tocsin_heartbeat_age_seconds{queue="alerts"} 0.') for line in lines)
