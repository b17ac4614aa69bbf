"""What is watched, by API: looked at, added, changed, paused, removed and released by programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.intake.test_taking_in import rss, served
from worker.store import house, sources
from worker.store.database import now
from worker.store.house import put_api_key

from .test_api_topics import call

WIRE = {"url": "https://wire.example/rss", "name": "The Wire", "every_s": 900, "folder": "World/Asia"}


def add(newspaper, **changes):
    return call(newspaper, "POST", "/sources", json=WIRE | changes)


def names(newspaper, **filters):
    return [one["name"] for one in call(newspaper, "GET", "/sources", params=filters).json()["sources"]]


def change_row(newspaper, source_id, **values):
    with newspaper.house.database.write() as conn:
        sources.change(conn, source_id, **values)


def test_a_source_is_added_shown_changed_and_removed(newspaper):
    added = add(newspaper)
    told = added.json()
    path = f"/sources/{told['id']}"
    assert (added.status_code, added.headers["location"]) == (201, f"/api/v1{path}")
    assert newspaper.house.rung[-1] == ("sweep_sources",)
    assert (told["name"], told["every_s"], told["folder"], told["state"]) == ("The Wire", 900.0, "World/Asia", "active")
    assert (told["health"], told["lag_p50_s"], told["failures"]) == ("never", None, 0)
    shown = call(newspaper, "GET", path)
    assert (shown.json(), shown.headers["etag"]) == (told, added.headers["etag"])
    assert call(newspaper, "GET", path, headers={"If-None-Match": shown.headers["etag"]}).status_code == 304
    changed = call(newspaper, "PATCH", path, json={"every_s": None, "house": True, "lang": "ko_KR", "name": " Wire "})
    assert [changed.json()[name] for name in ("every_s", "house", "lang", "name")] == [None, True, "ko-KR", "Wire"]
    late = call(newspaper, "PATCH", path, json={"house": False}, headers={"If-Match": shown.headers["etag"]})
    assert late.status_code == 412
    assert call(newspaper, "DELETE", path).status_code == 204
    assert [call(newspaper, method, path, json={}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3
    assert names(newspaper) == []
    again = add(newspaper)
    assert (again.status_code, again.json()["id"]) == (201, told["id"])
    with newspaper.house.database.read() as conn:
        done = [action for _, _, action, _ in house.notes(conn, f"source {told['id']}")]
    assert done == ["source add", "source change", "source remove", "source add"]


def test_an_address_is_watched_once_in_whatever_spelling(newspaper):
    first = add(newspaper).json()
    known = add(newspaper, url="feed://wire.example/rss/", name="Another")
    assert (known.status_code, known.json()["id"], known.json()["name"]) == (200, first["id"], "The Wire")
    other = add(newspaper, url="https://other.example/rss").json()
    taken = call(newspaper, "PATCH", f"/sources/{other['id']}", json={"url": "http://wire.example/rss"})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (422, "#/url")


def test_a_source_is_paused_and_polled_again(newspaper):
    path = f"/sources/{add(newspaper).json()['id']}"
    paused = call(newspaper, "PATCH", path, json={"state": "paused"}).json()
    assert (paused["state"], paused["next_poll_at"], paused["health"]) == ("paused", None, "paused")
    assert paused["state_reason"] == "by API key TOCSIN_API_KEY"
    active = call(newspaper, "PATCH", path, json={"state": "active"}).json()
    assert (active["state"], active["next_poll_at"] is None) == ("active", False)
    assert call(newspaper, "PATCH", path, json={"state": "gone"}).status_code == 422


def test_sources_come_in_pages_and_by_how_they_are(newspaper):
    ids = [add(newspaper, url=f"https://p{number}.example/rss", name=f"P{number}").json()["id"] for number in range(4)]
    page = call(newspaper, "GET", "/sources", params={"limit": 3})
    rest = call(newspaper, "GET", page.links["next"]["url"].removeprefix("/api/v1")).json()
    assert [one["name"] for one in page.json()["sources"] + rest["sources"]] == ["P0", "P1", "P2", "P3"]
    assert rest["next"] is None
    with newspaper.house.database.read() as conn:
        at = now(conn)
    change_row(newspaper, ids[1], failures=3, last_error="answers 503", last_ok_at=at - timedelta(hours=1))
    change_row(newspaper, ids[2], held_since=at, held_reason="all new")
    change_row(newspaper, ids[3], state="gone")
    assert names(newspaper, failing=True) == ["P1"]
    assert names(newspaper, held=True) == ["P2"]
    assert names(newspaper, state="gone") == ["P3"]
    assert names(newspaper, state="active", failing=False, held=False) == ["P0"]
    failing = call(newspaper, "GET", f"/sources/{ids[1]}").json()
    assert (failing["health"], failing["health_reason"]) == ("failing", "3 polls have failed: answers 503")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "wire.example/rss"}, "#/url"),
    ({"url": ""}, "#/url"),
    ({"every_s": 0.1}, "#/every_s"),
    ({"lang": "Korean (South)"}, "#/lang"),
    ({"homepage": "gopher://wire.example"}, "#/homepage"),
    ({"colour": "red"}, "#/colour"),
    ({"name": "a\0b"}, "#/name"),
]


def test_what_is_wrong_names_its_field_and_nothing_is_stored(newspaper):
    for changes, pointer in WRONG:
        refused = add(newspaper, **changes)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json"), changes
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert names(newspaper) == []


def test_an_address_is_looked_at_first_where_that_is_wanted(open_newspaper):
    newspaper = open_newspaper(allow_private=True)
    pages = {"/rss": rss(("1", "One")), "/": b'<!doctype html><link rel=alternate type="application/rss+xml" href=rss>'}
    with served(lambda request: (200, pages.get(request.path, b"Hello"))) as url:
        home = url.removesuffix("feed.xml")
        found = call(newspaper, "POST", "/sources", json={"url": home, "look": True})
        assert (found.status_code, found.json()["url"], found.json()["name"]) == (201, f"{home}rss", "Courier feed")
        refused = call(newspaper, "POST", "/sources", json={"url": f"{home}words", "look": True}).json()
        assert (refused["errors"][0]["pointer"], "plain text" in refused["detail"]) == ("#/url", True)


def test_no_key_makes_a_private_network_answer(newspaper):
    with served(lambda _: (200, rss(("1", "One")))) as url:
        refused = call(newspaper, "POST", "/sources", json={"url": url, "look": True})
    assert (refused.status_code, "not on the public internet" in refused.json()["detail"]) == (422, True)
    assert names(newspaper) == []


def test_a_password_in_an_address_is_shown_to_nobody_and_kept(newspaper):
    told = add(newspaper, url="https://desk:hush@wire.example/rss").json()
    assert told["url"] == "https://desk:***@wire.example/rss"
    with newspaper.house.database.read() as conn:
        row = sources.by_id(conn, told["id"])
    assert row is not None
    assert row.url == "https://desk:hush@wire.example/rss"


def test_a_password_that_is_given_back_as_it_is_shown_stays_what_it_was(newspaper):
    source_id = add(newspaper, url="https://desk:hush@wire.example/rss").json()["id"]

    def now_at(url: str):
        answered = call(newspaper, "PATCH", f"/sources/{source_id}", json={"url": url})
        with newspaper.house.database.read() as conn:
            row = sources.by_id(conn, source_id)
        assert row is not None
        return answered.status_code, row.url

    assert now_at("https://desk:***@wire.example/rss") == (200, "https://desk:hush@wire.example/rss")
    assert now_at("https://desk:***@wire.example/atom") == (200, "https://desk:hush@wire.example/atom")
    kept = "https://desk:hush@wire.example/atom"
    assert now_at("https://desk:***@else.example/atom") == (422, kept)
    assert now_at("https://other:***@wire.example/atom") == (422, kept)
    assert add(newspaper, url="https://desk:***@new.example/rss").status_code == 422
    assert now_at("https://desk:new@wire.example/atom") == (200, "https://desk:new@wire.example/atom")


def test_a_held_source_is_released(newspaper):
    source_id = add(newspaper).json()["id"]
    with newspaper.house.database.read() as conn:
        at = now(conn)
    change_row(newspaper, source_id, held_since=at, held_reason="all new")
    path = f"/sources/{source_id}/release"
    assert call(newspaper, "POST", path, json={"alert": True}).json()["changed"]
    assert not call(newspaper, "POST", path).json()["changed"]
    assert call(newspaper, "POST", "/sources/99/release").status_code == 404


def test_a_repeated_request_adds_once(newspaper):
    headers = {"Idempotency-Key": "once"}
    first, second = (call(newspaper, "POST", "/sources", json=WIRE, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert second.headers["idempotency-replayed"] == "true"


ALLOWED = [
    ("articles", "GET", "", 200),
    ("editions", "GET", "/{}", 200),
    ("personal", "GET", "", 403),
    ("articles", "POST", "", 403),
    ("editions", "PATCH", "/{}", 403),
    ("articles", "DELETE", "/{}", 403),
    ("articles", "POST", "/{}/release", 403),
    ("admin", "PATCH", "/{}", 200),
    ("admin", "DELETE", "/{}", 204),
]


def test_newsrooms_programs_may_look_and_administrators_may_change(newspaper):
    source_id = add(newspaper).json()["id"]
    for scope, method, path, status in ALLOWED:
        with newspaper.house.database.write() as conn:
            put_api_key(conn, name=scope, key=f"the key for {scope}", scopes=[scope])
        body = WIRE if (method, path) == ("POST", "") else {}
        got = call(newspaper, method, f"/sources{path.format(source_id)}", key=f"the key for {scope}", json=body)
        assert got.status_code == status, (scope, method, path)
