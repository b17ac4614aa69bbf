"""Topics by API: made, changed and taken away, each checked as a file of topics is."""

from __future__ import annotations

from typing import Any

from worker.store.house import put_api_key

from .newspaper import API_KEY

FERRIES = {
    "slug": "ferries",
    "name": {"en": "Ferries", "ko": "여객선"},
    "query": "ferry -lost",
    "must_match": ["Ferry runs aground"],
    "must_not_match": ["Harbour wall repaired"],
}


def call(newspaper, method, path, *, key=API_KEY, headers=None, **options):
    headers = {"Authorization": f"Bearer {key}"} | (headers or {})
    return newspaper.client.request(method, f"{newspaper.url}/api/v1{path}", headers=headers, **options)


def make(newspaper, **changes):
    return call(newspaper, "POST", "/topics", json=FERRIES | changes)


def slugs(newspaper):
    return [one["slug"] for one in call(newspaper, "GET", "/topics").json()["topics"]]


def test_a_topic_is_made_shown_and_changed(newspaper):
    made = make(newspaper)
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/topics/ferries")
    told = call(newspaper, "GET", "/topics/ferries")
    assert told.json() == made.json()
    assert told.headers["etag"] == made.headers["etag"]
    assert (told.json()["version"], told.json()["name"]["ko"]) == (1, "여객선")
    changed = call(newspaper, "PATCH", "/topics/ferries", json={"query": "ferry OR ship"}).json()
    assert (changed["version"], changed["query"], changed["must_match"]) == (2, "ferry OR ship", ["Ferry runs aground"])
    same = call(newspaper, "PATCH", "/topics/ferries", json={"name": {"en": "Ships"}}).json()
    assert (same["version"], same["name"]) == (2, {"en": "Ships"})


def test_a_slug_is_taken_once(newspaper):
    make(newspaper)
    again = make(newspaper, name={"en": "Others"})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert call(newspaper, "GET", "/topics/ferries").json()["name"]["en"] == "Ferries"


def test_topics_come_in_pages(newspaper):
    make(newspaper)
    page = call(newspaper, "GET", "/topics", params={"limit": 3})
    rest = call(newspaper, "GET", page.links["next"]["url"].removeprefix("/api/v1")).json()
    assert [one["slug"] for one in page.json()["topics"] + rest["topics"]] == [
        "north-korea",
        "russia",
        "oman",
        "ferries",
    ]
    assert rest["next"] is None


WRONG: list[tuple[dict[str, Any], str, int | None]] = [
    ({"query": "(ferry"}, "#/query", 0),
    ({"query": "@nowhere"}, "#/query", 0),
    ({"query": "ferry @ferries"}, "#/query", None),
    ({"must_match": ["Ferry sails", "Nothing of it"]}, "#/must_match/1", None),
    ({"must_not_match": ["Ferry sails"]}, "#/must_not_match/0", None),
    ({"slug": "No Slug"}, "#/slug", None),
    ({"name": {"en": ""}}, "#/name/en", None),
    ({"name": {"?": "x"}}, "#/name/?/[key]", None),
    ({"name": {"en": "a\0b"}}, "#/name/en", None),
]


def test_what_is_wrong_names_its_field_and_nothing_is_stored(newspaper):
    for changes, pointer, offset in WRONG:
        refused = make(newspaper, **changes)
        assert refused.status_code == 422
        fault = refused.json()["errors"][0]
        assert fault["pointer"] == pointer
        assert offset is None or fault["offset"] == offset
        assert slugs(newspaper) == ["north-korea", "russia", "oman"]


def test_all_that_is_wrong_is_told_at_once(newspaper):
    refused = make(newspaper, must_match=["Nothing", "Nothing else"]).json()
    assert [fault["pointer"] for fault in refused["errors"]] == ["#/must_match/0", "#/must_match/1"]


def test_who_has_not_seen_the_last_change_makes_none(newspaper):
    etag = make(newspaper).headers["etag"]
    assert call(newspaper, "GET", "/topics/ferries", headers={"If-None-Match": f"W/{etag}"}).status_code == 304
    call(newspaper, "PATCH", "/topics/ferries", json={"name": {"en": "Ships"}}, headers={"If-Match": etag})
    for method in ("PATCH", "DELETE"):
        late = call(newspaper, method, "/topics/ferries", json={"query": "x"}, headers={"If-Match": etag})
        assert late.status_code == 412
    assert call(newspaper, "GET", "/topics/ferries").json()["name"] == {"en": "Ships"}


def test_a_topic_that_nobody_needs_is_taken_away_and_its_slug_is_free_again(newspaper):
    make(newspaper)
    reader = newspaper.joins("jo@example.org", "ferries", "oman")
    needed = call(newspaper, "DELETE", "/topics/ferries")
    assert (needed.status_code, "1 reader follows it" in needed.json()["detail"]) == (409, True)
    call(newspaper, "PATCH", f"/subscribers/{reader}", json={"subscriptions": [{"topic": "oman"}]})
    make(newspaper, slug="boats", query="@ferries OR boat", must_match=[])
    assert "the topic boats names it" in call(newspaper, "DELETE", "/topics/ferries").json()["detail"]
    assert call(newspaper, "DELETE", "/topics/boats").status_code == 204
    assert call(newspaper, "DELETE", "/topics/ferries").status_code == 204
    assert slugs(newspaper) == ["north-korea", "russia", "oman"]
    assert call(newspaper, "GET", "/topics/ferries").status_code == 404
    assert newspaper.get("/topics/ferries").status_code == 404
    assert make(newspaper).status_code == 201


def test_a_topic_that_a_readers_own_query_names_is_needed(newspaper):
    make(newspaper)
    reader = newspaper.joins("jo@example.org", "oman")
    call(newspaper, "PATCH", f"/subscribers/{reader}", json={"subscriptions": [{"query": "@ferries -oman"}]})
    needed = call(newspaper, "DELETE", "/topics/ferries")
    assert (needed.status_code, "a reader's own query" in needed.json()["detail"]) == (409, True)


ALLOWED = [
    ("subscriptions", "GET", "/topics", 200),
    ("articles", "GET", "/topics/oman", 200),
    ("personal", "GET", "/topics", 403),
    ("subscriptions", "POST", "/topics", 403),
    ("articles", "PATCH", "/topics/oman", 403),
    ("personal", "DELETE", "/topics/oman", 403),
    ("editions", "PATCH", "/topics/nowhere", 404),
    ("editions", "DELETE", "/topics/nowhere", 404),
]


def test_many_may_look_and_editors_may_change(newspaper):
    for scope, method, path, status in ALLOWED:
        with newspaper.house.database.write() as conn:
            put_api_key(conn, name=scope, key=f"the key for {scope}", scopes=[scope])
        body = FERRIES if method == "POST" else {}
        assert call(newspaper, method, path, key=f"the key for {scope}", json=body).status_code == status
