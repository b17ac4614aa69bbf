"""Looking at a send, and stopping it, by API: who may, what is answered, and what the books then say."""

from __future__ import annotations

import pytest

from tests import builders
from worker.model import EditionKind, EditionStatus
from worker.store import house, people
from worker.store.house import put_api_key
from worker.tokens import Purpose

from .newspaper import API_KEY


def call(newspaper, method, path, key=API_KEY, **options):
    headers = {"Authorization": f"Bearer {key}"}
    return newspaper.client.request(method, f"{newspaper.url}/api/v1{path}", headers=headers, **options)


@pytest.fixture
def send(newspaper):
    """An edition for three readers."""
    with newspaper.house.database.write() as conn:
        return builders.edition(conn, [builders.reader(conn) for _ in range(3)])


def test_an_edition_is_shown_with_its_books(newspaper, send):
    told = call(newspaper, "GET", f"/editions/{send}").json()
    assert (told["id"], told["kind"], told["status"], told["audience"]) == (send, "digest", "planned", 3)
    assert told["conservation"]["open"] == 3
    assert told["due_at"].endswith("Z")


def test_an_edition_is_paused_resumed_and_cancelled_and_the_bell_rings(newspaper, send):
    paused = call(newspaper, "POST", f"/editions/{send}/pause", json={"reason": "wrong headline"})
    assert paused.json()["says"] == f"edition {send} was planned and is paused now"
    assert newspaper.house.rung == []
    assert call(newspaper, "POST", f"/editions/{send}/pause").json()["changed"] is False
    assert call(newspaper, "POST", f"/editions/{send}/resume").json()["status"] == "sending"
    assert newspaper.house.rung == [("sweep_deliveries",)]
    assert call(newspaper, "POST", f"/editions/{send}/cancel").json()["cancelled"] == 3
    refused = call(newspaper, "POST", f"/editions/{send}/resume")
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert "already cancelled" in refused.json()["detail"]


def test_the_audit_has_the_keys_name(newspaper, send):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="newsdesk", key="the newsdesk's own key", scopes=["editions"])
    assert call(newspaper, "POST", f"/editions/{send}/pause", key="the newsdesk's own key").status_code == 200
    with newspaper.house.database.read() as conn:
        ((_, actor, action, detail),) = house.notes(conn, f"edition {send}")
    assert (actor, action, detail) == (
        "API key newsdesk",
        "edition pause",
        {"was": EditionStatus.PLANNED, "reason": ""},
    )


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/editions/1", "personal"),
        ("POST", "/editions/1/pause", "personal"),
        ("POST", "/editions/1/cancel", "articles"),
        ("GET", "/deliveries", "editions"),
        ("POST", "/articles/1/kill", "editions"),
    ],
)
def test_a_key_for_something_else_is_turned_away(newspaper, method, path, scope):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="other", key="a key for something else", scopes=[scope])
    assert call(newspaper, method, path, key="a key for something else").status_code == 403
    assert call(newspaper, method, path, key="nobody's key").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/editions/99", 404),
        ("POST", "/editions/99/pause", 404),
        ("POST", "/editions/1/explode", 422),
        ("GET", "/editions/99999999999999999999", 422),
        ("GET", "/deliveries?limit=0", 422),
        ("GET", "/deliveries?state=lost", 422),
    ],
)
def test_what_is_asked_wrongly_is_told(newspaper, method, path, status):
    answer = call(newspaper, method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def pages(newspaper, path, **asked):
    """Ask for one page after the other, by the links that they give."""
    answer = call(newspaper, "GET", path, params=asked)
    yield answer.json()
    while "next" in answer.links:
        answer = call(newspaper, "GET", answer.links["next"]["url"].removeprefix("/api/v1"))
        yield answer.json()


def test_deliveries_come_in_pages_that_hold_each_once(newspaper, send):
    with newspaper.house.database.write() as conn:
        builders.edition(conn, [builders.reader(conn) for _ in range(4)])
    seen = [row["id"] for page in pages(newspaper, "/deliveries", limit=3) for row in page["deliveries"]]
    assert len(seen) == len(set(seen)) == 7
    (mine,) = pages(newspaper, "/deliveries", edition=send, state="planned")
    assert [row["edition"] for row in mine["deliveries"]] == [send] * 3
    assert mine["next"] is None
    assert mine["deliveries"][0]["recipient"].endswith("@readers.example")
    reader = reader_of(newspaper, mine["deliveries"][0]["recipient"])
    (theirs,) = pages(newspaper, "/deliveries", subscriber=reader)
    assert [row["id"] for row in theirs["deliveries"]] == [mine["deliveries"][0]["id"]]


def reader_of(newspaper, address):
    with newspaper.house.database.read() as conn:
        found = people.by_address(conn, builders.address_hash(address))
    assert found
    return found.id


def test_what_comes_while_somebody_pages_neither_repeats_nor_hides_anything(newspaper):
    def add():
        with newspaper.house.database.write() as conn:
            return builders.edition(conn, [builders.reader(conn)])

    made = [add() for _ in range(5)]
    asked = pages(newspaper, "/editions", limit=2)
    first = next(asked)
    add()
    seen = [row["id"] for page in (first, *asked) for row in page["editions"]]
    assert seen == made[::-1]


def test_a_cursor_is_good_for_its_own_list_only(newspaper, send):
    cursor = call(newspaper, "GET", "/deliveries", params={"limit": 1}).json()["next"]
    for path, asked in (
        ("/deliveries", {"cursor": cursor, "edition": send}),
        ("/editions", {"cursor": cursor}),
        ("/deliveries", {"cursor": cursor + "x"}),
        ("/deliveries", {"cursor": "7"}),
        ("/deliveries", {"cursor": newspaper.link(Purpose.PREFERENCES, 7).rpartition("/")[2]}),
    ):
        refused = call(newspaper, "GET", path, params=asked)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/cursor")


def test_editions_are_listed_by_kind_and_status_and_shown_only_when_they_are_new(newspaper, send):
    (page,) = pages(newspaper, "/editions", kind="digest", status="planned")
    assert [row["id"] for row in page["editions"]] == [send]
    (none,) = pages(newspaper, "/editions", kind="alert")
    assert none == {"editions": [], "next": None}
    etag = call(newspaper, "GET", f"/editions/{send}").headers["etag"]
    again = newspaper.get(
        f"/api/v1/editions/{send}", headers={"Authorization": f"Bearer {API_KEY}", "If-None-Match": etag}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    call(newspaper, "POST", f"/editions/{send}/pause")
    assert call(newspaper, "GET", f"/editions/{send}").headers["etag"] != etag


def test_the_books_are_a_metric(newspaper, send):
    call(newspaper, "POST", f"/editions/{send}/pause")
    told = newspaper.get("/metrics").text
    assert 'tocsin_editions{kind="digest",status="paused"} 1' in told
    assert 'tocsin_editions{kind="alert",status="held"} 0' in told
    assert 'tocsin_conservation{term="audience"} 3' in told
    assert 'tocsin_conservation{term="open"} 3' in told


def test_a_story_is_stopped_and_a_mail_of_it_says_so(newspaper):
    with newspaper.house.database.write() as conn:
        number, story = builders.article(conn)
        alert = builders.edition(conn, [builders.reader(conn)], kind=EditionKind.ALERT, story=story)
        (delivery,) = builders.ids_of(conn, alert)
    link = newspaper.link(Purpose.VIEW, delivery)
    assert newspaper.get(link).status_code == 200
    told = call(newspaper, "POST", f"/articles/{number}/kill", json={"reason": "not true"}).json()
    assert (told["changed"], told["cancelled"]) == (True, 1)
    page = newspaper.get(link)
    assert page.status_code == 410
    assert "This story was withdrawn" in page.text
    assert call(newspaper, "POST", "/articles/99/kill").status_code == 404
