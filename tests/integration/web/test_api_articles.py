"""`/api/v1/articles/{id}`: an editor's system changes an article, breaks it, and says what is new."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.web.test_api_editions import call
from worker.model import Picture, Severity
from worker.store import house
from worker.store.house import put_api_key
from worker.store.schema import Article, ArticleVersion, Story
from worker.web import api


@pytest.fixture
def number(newspaper) -> int:
    with newspaper.house.database.write() as conn:
        found, _ = builders.article(conn, "Envoy summoned", body="Words enough to be an article.")
        builders.match(conn, found, builders.topic(conn, "russia"))
    return found


def column(newspaper, which):
    with newspaper.house.database.read() as conn:
        return conn.execute(sa.select(which)).scalar_one()


def test_words_are_changed_as_a_new_revision(newspaper, number):
    answer = call(newspaper, "PATCH", f"/articles/{number}", json={"title": "Envoy recalled", "tags": ["russia"]})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["title"], told["revision"]) == ("update", "Envoy recalled", 2)
    assert told["reason"] == "an editor has changed its title, tags"
    assert ("match_article", number) in newspaper.house.rung
    with newspaper.house.database.read() as conn:
        titles = conn.execute(sa.select(ArticleVersion.title).order_by(ArticleVersion.revision)).scalars().all()
    assert titles == ["Envoy summoned", "Envoy recalled"]


def test_nothing_changed_is_told(newspaper, number):
    told = call(newspaper, "PATCH", f"/articles/{number}", json={"title": "Envoy summoned"}).json()
    assert (told["status"], told["reason"], told["revision"]) == ("duplicate", "as it was", 1)
    assert newspaper.house.rung == []


def test_an_editor_may_make_an_article_less_urgent(newspaper, number):
    for severity in (Severity.BREAKING, Severity.NORMAL):
        answer = call(newspaper, "PATCH", f"/articles/{number}", json={"severity": severity})
        assert answer.status_code == 200
        assert column(newspaper, Article.severity) is severity
    assert newspaper.house.rung == [("plan_alerts",)]


def test_a_story_is_lifted_and_marked_as_new(newspaper, number):
    changes = {"boost": 2, "material": True, "note": "Three ships"}
    assert call(newspaper, "PATCH", f"/articles/{number}", json=changes).status_code == 200
    assert [column(newspaper, getattr(Story, name)) for name in ("boost", "update_no", "update_note")] == [
        2,
        1,
        "Three ships",
    ]


def test_news_is_broken(newspaper, number):
    told = call(newspaper, "POST", f"/articles/{number}/break", json={"reason": "ours first"}).json()
    assert (told["article"], told["changed"], told["readers"]) == (number, True, 0)
    assert newspaper.house.rung == [("plan_alerts",)]
    with newspaper.house.database.read() as conn:
        ((_, actor, action, detail),) = house.notes(conn, f"story {told['story']}")
    assert (actor, action, detail["reason"]) == ("API key TOCSIN_API_KEY", "story break", "ours first")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"material": True}, "#/note"),
        ({"boost": 9}, "#/boost"),
        ({"severity": "dire"}, "#/severity"),
        ({"x": 1}, "#/x"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(newspaper, number, changes, pointer):
    answer = call(newspaper, "PATCH", f"/articles/{number}", json=changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/articles/99"), ("POST", "/articles/99/break")])
def test_an_article_that_is_not_there_is_not_found(newspaper, method, path):
    assert call(newspaper, method, path, json={}).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/articles/1"), ("POST", "/articles/1/break")])
def test_a_key_for_something_else_is_turned_away(newspaper, method, path):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="other", key="a key for something else", scopes=["editions"])
    assert call(newspaper, method, path, key="a key for something else", json={}).status_code == 403


QUAY: dict[str, Any] = {
    "url": "https://img.courier.example/quay.jpg",
    "alt": "A quay",
    "credit": "Mari Kask",
    "width": 1200,
    "height": 800,
}


def test_a_picture_is_given_and_taken_away_without_a_new_revision(newspaper, number):
    for given, kept, reason in (
        ({"image": QUAY}, QUAY, "an editor has changed its picture"),
        ({"severity": "important"}, QUAY, "an editor has changed its severity"),
        ({"image": None}, None, "an editor has changed its picture"),
        ({"image": None}, None, "as it was"),
    ):
        told = call(newspaper, "PATCH", f"/articles/{number}", json=given).json()
        assert (told["image"], told["reason"], told["revision"]) == (kept, reason, 1)
    assert newspaper.house.rung == []


def test_a_pushed_article_keeps_its_picture(newspaper, monkeypatch):
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)
    told = call(newspaper, "POST", "/articles", json={"title": "Quake", "image": QUAY}).json()
    assert told["image"] == QUAY
    assert column(newspaper, Article.image) == Picture(**QUAY)


@pytest.mark.parametrize(
    ("image", "pointer"),
    [
        ({}, "#/image/url"),
        ({"url": ""}, "#/image/url"),
        ({"url": "javascript:alert(1)"}, "#/image/url"),
        ({"url": "https://127.0.0.1/a.jpg"}, "#/image/url"),
        ({"url": "https://a.example/a.jpg", "alt": "\u0000"}, "#/image/alt"),
        ({"url": "https://a.example/a.jpg", "width": "wide"}, "#/image/width"),
        ({"url": "https://a.example/a.jpg", "width": -1}, "#/image/width"),
        ({"url": "https://a.example/a.jpg", "width": 2}, "#/image"),
        ({"url": "https://a.example/a.jpg", "title": "x"}, "#/image/title"),
        ("https://a.example/a.jpg", "#/image"),
    ],
)
def test_a_bad_picture_is_refused_by_its_field(newspaper, number, image, pointer):
    for method, path in (("PATCH", f"/articles/{number}"), ("POST", "/articles")):
        answer = call(newspaper, method, path, json={"title": "Quake", "image": image})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert column(newspaper, Article.image) is None


def test_words_that_a_cms_has_escaped_or_marked_up_are_taken_as_people_see_them(newspaper, number, monkeypatch):
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 0.0)
    written = {"title": "AT&amp;T &lt;b&gt;wins&lt;/b&gt;: 5 < 6", "body": "<p>Nobody&nbsp;was</p><script>x()</script>"}
    pushed = call(newspaper, "POST", "/articles", json=written).json()
    changed = call(newspaper, "PATCH", f"/articles/{number}", json=written).json()
    assert [one["title"] for one in (pushed, changed)] == ["AT&T wins: 5 < 6"] * 2
    with newspaper.house.database.read() as conn:
        assert set(conn.execute(sa.select(Article.body)).scalars()) == {"Nobody was"}


def test_an_article_is_shown_with_its_ledger(newspaper, number):
    told = call(newspaper, "GET", f"/articles/{number}").json()
    assert (told["id"], told["title"]) == (number, "Envoy summoned")
    ledger = told["ledger"]
    assert ledger["published_at"] < ledger["seen_at"]
    assert ledger["lag_s"]["seen"] >= 299
    assert (ledger["deliveries"], ledger["accepted_at"], ledger["others"]) == (0, None, [])
    assert ledger["story"]["first_article"] == number
    assert call(newspaper, "GET", "/articles/99").status_code == 404
