"""The newspaper's own programs look after its readers: look, change, let go, forget, and bring consent with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.model import LetterKind
from worker.store import house, own_letters, people
from worker.store.house import put_api_key

from .newspaper import API_KEY

CONSENT = {"at": "2026-01-05T10:00:00Z", "how": "checkout page, box ticked", "wording": "3", "ip": "203.0.113.77"}


def call(newspaper, method, path, *, key=API_KEY, headers=None, **options):
    headers = {"Authorization": f"Bearer {key}"} | (headers or {})
    return newspaper.client.request(method, f"{newspaper.url}/api/v1{path}", headers=headers, **options)


@pytest.fixture
def jo(newspaper):
    return newspaper.joins("jo@example.org", "oman", "russia")


def shown(newspaper, reader):
    answer = call(newspaper, "GET", f"/subscribers/{reader}")
    assert answer.status_code == 200
    return answer.json()


def change(newspaper, reader, *, etag=None, **changes):
    headers = {"If-Match": etag} if etag else {}
    return call(newspaper, "PATCH", f"/subscribers/{reader}", json=changes, headers=headers)


# Looking -------------------------------------------------------------------------------------------------------------


def test_a_reader_is_shown_with_terms_consent_and_what_they_follow(newspaper, jo):
    told = shown(newspaper, jo)
    assert (told["id"], told["email"], told["status"]) == (jo, "jo@example.org", "active")
    assert [one["topic"] for one in told["subscriptions"]] == ["oman", "russia"]
    assert [one["how"] for one in told["consent"]] == ["sign-up page", "confirm page"]
    assert told["created_at"].endswith("Z")
    assert "address_hash" not in told


def test_a_reader_is_found_by_their_address_however_it_is_spelt(newspaper, jo):
    found = call(newspaper, "POST", "/subscribers/lookup", json={"email": " Jo@Example.ORG "})
    assert found.json()["id"] == jo
    assert call(newspaper, "POST", "/subscribers/lookup", json={"email": "no@example.org"}).status_code == 404
    assert call(newspaper, "POST", "/subscribers/lookup", json={"email": "nobody"}).status_code == 422


@pytest.mark.usefixtures("jo")
def test_readers_are_listed_by_where_they_stand_and_what_they_follow(newspaper):
    ann = newspaper.joins("ann@example.org", "oman")
    left = newspaper.joins("left@example.org", "russia")
    change(newspaper, left, status="left")
    change(newspaper, ann, paused_until="2999-01-01")
    newspaper.post(
        "/api/v1/subscriptions", json={"email": "new@example.org"}, headers={"Authorization": f"Bearer {API_KEY}"}
    )

    def listed(**asked):
        return [
            one["email"].partition("@")[0]
            for one in call(newspaper, "GET", "/subscribers", params=asked).json()["subscribers"]
        ]

    assert listed() == ["jo", "ann", "left", "new"]
    assert [listed(status=where) for where in ("active", "paused", "left", "pending")] == [
        ["jo"],
        ["ann"],
        ["left"],
        ["new"],
    ]
    assert (listed(topic="oman"), listed(topic="russia"), listed(newsletter="none")) == (["jo", "ann"], ["jo"], [])
    page = call(newspaper, "GET", "/subscribers", params={"limit": 3})
    rest = call(newspaper, "GET", "/subscribers", params={"limit": 3, "cursor": page.json()["next"]})
    assert [one["email"] for one in rest.json()["subscribers"]] == ["new@example.org"]


PERSONAL = [
    ("GET", "/subscribers"),
    ("GET", "/subscribers/1"),
    ("POST", "/subscribers/lookup"),
    ("PATCH", "/subscribers/1"),
    ("DELETE", "/subscribers/1"),
]


@pytest.mark.usefixtures("jo")
def test_readers_are_for_keys_with_that_scope_only(newspaper):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="cms", key="a key without it", scopes=["articles", "subscriptions", "editions"])
    for method, path in PERSONAL:
        answer = call(newspaper, method, path, key="a key without it", json={})
        assert (answer.status_code, answer.json()["status"]) == (403, 403)
        assert newspaper.status("jo@example.org") == "active"


# Changing ------------------------------------------------------------------------------------------------------------


def test_terms_are_changed_and_what_is_left_out_stays(newspaper, jo):
    told = change(
        newspaper, jo, name="Jo", locale="ko", quiet="22:00-07:00", alert_budget=3, digest_floor=2, below_floor="skip"
    ).json()
    expected = {"name": "Jo", "locale": "ko", "quiet_from": "22:00", "quiet_to": "07:00", "alert_budget": 3}
    assert told | expected == told
    assert told["timezone"] == "Asia/Seoul"
    told = change(newspaper, jo, quiet=None, alert_budget=None).json()
    assert (told["quiet_from"], told["alert_budget"], told["digest_floor"], told["name"]) == (None, None, 2, "Jo")


def test_a_list_of_subscriptions_takes_the_place_of_the_old_one(newspaper, jo):
    before = newspaper.follows("jo@example.org")
    wanted = [
        {"topic": "oman"},
        {"topic": "north-korea", "cadence": "weekly", "weekday": 5},
        {"query": "ferry OR port"},
    ]
    told = change(newspaper, jo, subscriptions=wanted).json()
    assert [(one["topic"], one["query"], one["cadence"]) for one in told["subscriptions"]] == [
        ("oman", None, "daily"),
        ("north-korea", None, "weekly"),
        (None, "ferry OR port", "daily"),
    ]
    after = newspaper.follows("jo@example.org")
    assert after["oman"] == before["oman"]  # its next run included
    again = change(newspaper, jo, subscriptions=[{"query": "(ferry OR port)", "cadence": "weekly"}]).json()
    assert [(one["id"], one["cadence"]) for one in again["subscriptions"]] == [
        (told["subscriptions"][2]["id"], "weekly")
    ]


def test_another_zone_moves_every_next_run(newspaper, jo):
    before = newspaper.follows("jo@example.org")["oman"]
    change(newspaper, jo, timezone="Europe/Berlin")
    after = newspaper.follows("jo@example.org")["oman"]
    assert after.times == before.times
    assert after.next_due_at != before.next_due_at


def test_a_pause_begins_and_ends(newspaper, jo):
    assert change(newspaper, jo, paused_until="2999-01-01").json()["status"] == "paused"
    assert newspaper.reader("jo@example.org").paused_at is not None
    assert change(newspaper, jo, paused_until=None).json()["status"] == "active"


@pytest.mark.parametrize("farewell", [{"status": "left"}, {"subscriptions": []}])
def test_a_reader_who_leaves_gets_nothing_and_can_come_back_only_by_themselves(newspaper, jo, farewell):
    told = change(newspaper, jo, **farewell).json()
    assert (told["status"], told["subscriptions"]) == ("left", [])
    refused = change(newspaper, jo, subscriptions=[{"topic": "oman"}])
    assert (refused.status_code, refused.json()["status"]) == (409, 409)
    assert subscribe(newspaper, consent=CONSENT).status_code == 202
    assert newspaper.status("jo@example.org") == "pending"


WRONG_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"subscriptions": [{"topic": "atlantis"}]}, "#/topics"),
    ({"subscriptions": [{"newsletter": "atlantis"}]}, "#/newsletters"),
    ({"subscriptions": [{"topic": "oman", "query": "oman"}]}, "#/subscriptions"),
    ({"subscriptions": [{}]}, "#/subscriptions"),
    ({"subscriptions": [{"topic": "oman", "at": ["noon"]}]}, "#/subscriptions"),
    ({"timezone": "Mars/Olympus"}, "#/timezone"),
    ({"locale": "?"}, "#/locale"),
    ({"name": "x" * 300}, "#/name"),
    ({"name": "a\0b"}, "#/name"),
    ({"quiet": "at night"}, "#/quiet"),
    ({"paused_until": "2020-01-01"}, "#/paused_until"),
    ({"paused_until": "0001-01-01"}, "#/paused_until"),
    ({"alert_budget": -1}, "#/alert_budget"),
    ({"status": "left", "name": "Jo"}, "#/status"),
    ({"status": "active"}, "#/status"),
    ({"email": "other@example.org"}, "#/email"),
]


def test_a_wrong_change_names_its_field_and_changes_nothing(newspaper, jo):
    before = newspaper.snapshot()
    for changes, pointer in WRONG_CHANGES:
        answer = change(newspaper, jo, **changes)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert newspaper.snapshot() == before


def test_who_has_not_seen_the_last_change_makes_none(newspaper, jo):
    first = call(newspaper, "GET", f"/subscribers/{jo}").headers["etag"]
    unchanged = call(newspaper, "GET", f"/subscribers/{jo}", headers={"If-None-Match": first})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    done = change(newspaper, jo, etag=first, name="Jo")
    assert done.status_code == 200
    for method in ("PATCH", "DELETE"):
        late = call(newspaper, method, f"/subscribers/{jo}", headers={"If-Match": first}, json={"name": "Late"})
        assert (late.status_code, late.headers["content-type"]) == (412, "application/problem+json")
    assert shown(newspaper, jo)["name"] == "Jo"
    assert change(newspaper, jo, etag=done.headers["etag"], name="Joe").status_code == 200


def test_a_planned_run_does_not_make_a_reader_another(newspaper, jo):
    etag = call(newspaper, "GET", f"/subscribers/{jo}").headers["etag"]
    with newspaper.house.database.write() as conn:
        later = datetime.now(UTC) + timedelta(days=3)
        conn.exec_driver_sql("UPDATE subscription SET next_due_at = ?", (later.isoformat(sep=" "),))
    assert call(newspaper, "GET", f"/subscribers/{jo}").headers["etag"] == etag


def test_the_audit_says_who_changed_a_reader_and_the_reader_is_told(newspaper, jo):
    change(newspaper, jo, name="Jo")
    with newspaper.house.database.read() as conn:
        ((_, actor, action, _),) = house.notes(conn, f"subscriber {jo}")
    assert (actor, action) == ("API key TOCSIN_API_KEY", "change")


# Forgetting ----------------------------------------------------------------------------------------------------------


def test_a_reader_is_forgotten_in_every_table(newspaper, jo):
    newspaper.mails("jo@example.org")
    subscribe(newspaper, headers={"Idempotency-Key": "k"})
    answer = call(newspaper, "DELETE", f"/subscribers/{jo}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "jo@example.org" not in repr(newspaper.snapshot())
    for method in ("GET", "PATCH", "DELETE"):
        assert call(newspaper, method, f"/subscribers/{jo}", json={}).status_code == 404
    assert subscribe(newspaper).status_code == 202
    assert newspaper.status("jo@example.org") == "pending"


def test_mail_to_all_their_addresses_is_removed_from_the_inbox(newspaper, jo):
    """However the reader had it written, and wherever mail went before."""
    with newspaper.house.database.write() as conn:
        own_letters.put(conn, jo, LetterKind.MOVED, recipient="jo@before.example", recipient_hash="hash of it")
    for name in ("cur", "new", "tmp"):
        (newspaper.house.inbox / name).mkdir(parents=True)
    new = newspaper.house.inbox / "new"
    for number, address in enumerate(("Jo@example.org", "jo@before.example", "bo@example.org")):
        (new / f"{number}.M1P1.abc").write_text(f"Delivered-To: {address}\r\n\r\nNews.\r\n")
    assert call(newspaper, "DELETE", f"/subscribers/{jo}").status_code == 204
    assert [path.name for path in new.iterdir()] == ["2.M1P1.abc"]


def test_a_forgotten_address_can_be_kept_out_for_good(newspaper, jo):
    assert call(newspaper, "DELETE", f"/subscribers/{jo}", params={"suppress": True}).status_code == 204
    assert subscribe(newspaper, consent=CONSENT).json() == subscribe(newspaper, email="other@example.org").json()
    assert not newspaper.knows("jo@example.org")


# Consent -------------------------------------------------------------------------------------------------------------


def subscribe(newspaper, *, key=API_KEY, headers=None, **changes):
    wanted = {"email": "jo@example.org", "topics": ["oman"]} | changes
    return call(newspaper, "POST", "/subscriptions", key=key, json=wanted, headers=headers)


def test_consent_that_comes_with_a_wish_makes_a_reader_at_once_and_is_kept(newspaper):
    answer = subscribe(newspaper, consent=CONSENT)
    assert answer.status_code == 201
    reader = newspaper.reader("jo@example.org")
    assert answer.json() == {"status": "subscribed", "id": reader.id}
    assert newspaper.status("jo@example.org") == "active"
    assert list(newspaper.follows("jo@example.org")) == ["oman"]
    (given,) = shown(newspaper, reader.id)["consent"]
    assert given == {
        "how": "checkout page, box ticked",
        "page": "",
        "wording": "3",
        "ip_prefix": "203.0.113.0/24",
        "at": "2026-01-05T10:00:00Z",
    }
    assert newspaper.house.rung == []
    more = subscribe(newspaper, topics=["russia"], consent=CONSENT | {"how": "account page"})
    assert (more.status_code, more.json()["id"]) == (200, reader.id)
    assert list(newspaper.follows("jo@example.org")) == ["oman", "russia"]
    assert [one["how"] for one in shown(newspaper, reader.id)["consent"]] == [CONSENT["how"], "account page"]


@pytest.mark.usefixtures("jo")
def test_consent_that_is_added_leaves_an_open_question_open(newspaper):
    subscribe(newspaper, topics=["north-korea"])
    subscribe(newspaper, topics=["russia"], consent=CONSENT)
    newspaper.post(newspaper.question("jo@example.org"))
    assert "north-korea" in newspaper.follows("jo@example.org")


def test_who_was_pending_is_a_reader_with_consent(newspaper):
    subscribe(newspaper)
    assert subscribe(newspaper, consent=CONSENT).status_code == 201
    assert newspaper.status("jo@example.org") == "active"


def test_consent_is_taken_from_keys_with_that_scope_only(newspaper):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="form", key="a form's key", scopes=["subscriptions"])
        put_api_key(conn, name="shop", key="a shop's key", scopes=["subscriptions", "personal"])
    assert subscribe(newspaper, key="a form's key", consent=CONSENT).status_code == 403
    assert not newspaper.knows("jo@example.org")
    assert subscribe(newspaper, key="a shop's key", consent=CONSENT).status_code == 201


NO_EVIDENCE = [
    ({"at": "2999-01-01T00:00:00Z"}, "#/consent/at"),
    ({"ip": "somewhere"}, "#/consent/ip"),
    ({"how": ""}, "#/consent/how"),
    ({"at": "2026-01-05T10:00:00"}, "#/consent/at"),
]


def test_evidence_that_is_none_is_refused(newspaper):
    for consent, pointer in NO_EVIDENCE:
        answer = subscribe(newspaper, consent=CONSENT | consent)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert not newspaper.knows("jo@example.org")


def test_a_suppressed_address_stays_so_whatever_consent_there_is(newspaper, jo):
    with newspaper.house.database.write() as conn:
        people.suppress(conn, newspaper.house.address_hash("jo@example.org"), reason="asked by phone")
    assert subscribe(newspaper, topics=["north-korea"], consent=CONSENT).status_code == 202
    assert "north-korea" not in newspaper.follows("jo@example.org")
    assert shown(newspaper, jo)["suppressed"] == "asked by phone"
