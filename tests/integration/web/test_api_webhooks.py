"""Looking after endpoints by API: who may, what is shown, and that no network of the house's own is reached."""

from __future__ import annotations

from tests.integration.notifying.receiver import receiving
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.store import house, outbox
from worker.store.house import put_api_key
from worker.tidings import Tiding
from worker.tokens import Purpose

from .newspaper import API_KEY

URL = "https://crm.example.org/tocsin"


def call(newspaper, method, path="", key=API_KEY, **options):
    headers = {"Authorization": f"Bearer {key}"}
    return newspaper.client.request(method, f"{newspaper.url}/api/v1/webhooks{path}", headers=headers, **options)


def test_an_endpoint_comes_is_changed_and_goes(newspaper):
    made = call(newspaper, "POST", json={"url": URL, "events": ["confirmed"]})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    told = made.json()
    secret = told.pop("secret")
    assert secret.startswith("whsec_")
    path = f"/{told['id']}"
    assert made.headers["location"] == f"/api/v1/webhooks{path}"
    assert call(newspaper, "GET", path).json() == told
    assert call(newspaper, "GET").json() == [told]
    assert (told["events"], told["addresses"], told["private"]) == (["subscriber.confirmed"], True, False)
    changed = call(newspaper, "PATCH", path, json={"events": [], "addresses": False, "url": URL + "2"}).json()
    assert changed["events"] == [str(one) for one in Tiding]
    assert (changed["url"], changed["addresses"]) == (URL + "2", False)
    assert call(newspaper, "PATCH", path, json={"disabled": True}).json()["disabled_reason"].startswith("switched off")
    assert call(newspaper, "PATCH", path, json={"disabled": False}).json()["disabled_at"] is None
    rotated = call(newspaper, "POST", f"{path}/rotate").json()["secret"]
    assert rotated != secret
    assert call(newspaper, "GET", path).json()["old_secret_until"]
    assert call(newspaper, "POST", f"{path}/rotate", json={"at_once": True}).status_code == 200
    assert call(newspaper, "GET", path).json()["old_secret_until"] is None
    assert call(newspaper, "DELETE", path).status_code == 204
    assert call(newspaper, "GET", path).status_code == 404
    with newspaper.house.database.read() as conn:
        acts = [action for _, _, action, _ in house.notes(conn, f"endpoint {told['id']}")]
    assert acts[0] == "webhook add"
    assert acts[-1] == "webhook remove"


def test_only_an_administrator_may(newspaper):
    with newspaper.house.database.write() as conn:
        put_api_key(conn, name="desk", key="the desk's own key", scopes=["articles", "personal", "editions"])
    ways = [("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1"), ("DELETE", "/1"), ("GET", "/1/messages")]
    for method, path in [*ways, *(("POST", f"/1/{act}") for act in ("rotate", "test", "retry"))]:
        body = {"json": {"url": URL} if path == "" else {}} if method in {"POST", "PATCH"} else {}
        assert call(newspaper, method, path, key="nobody's", **body).status_code == 401, path
        assert call(newspaper, method, path, key="the desk's own key", **body).status_code == 403, path
        if path:
            missing = call(newspaper, method, path, **body)
            assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json"), path


def test_what_is_wrong_is_refused_with_its_place(newspaper):
    for body, pointer in (
        ({"url": "http://crm.example.org/"}, "#/url"),
        ({"url": "https://10.0.0.7/"}, "#/url"),
        ({"url": "https://[::1]/"}, "#/url"),
        ({"url": URL, "events": ["born"]}, "#/events"),
        ({"url": URL, "private": True}, "#/private"),
        ({}, "#/url"),
    ):
        refused = call(newspaper, "POST", json=body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert call(newspaper, "GET").json() == []


def test_an_endpoint_of_the_houses_own_network_is_pointed_elsewhere_by_no_key(newspaper):
    wish = Wish(url="http://crm.lan/tocsin", allow_private=True)
    endpoint, _ = run_endpoints.add(newspaper.house.database, wish, actor="a test")
    refused = call(newspaper, "PATCH", f"/{endpoint.id}", json={"url": "http://169.254.169.254/latest"})
    assert refused.status_code == 422
    assert call(newspaper, "PATCH", f"/{endpoint.id}", json={"url": URL}).json()["private"] is False


def test_a_time_that_utc_cannot_name_is_refused(newspaper):
    made = call(newspaper, "POST", json={"url": URL}).json()
    refused = call(newspaper, "POST", f"/{made['id']}/retry", json={"since": "0001-01-01T00:00:00+14:00"})
    assert refused.status_code == 422


def test_a_try_of_a_name_that_leads_into_the_house_connects_to_nothing_and_shows_nothing(newspaper):
    with receiving() as inside:
        inside.otherwise, inside.body = 200, b"the keys of the house"
        port = inside.url.rpartition(":")[2].partition("/")[0]
        made = call(newspaper, "POST", json={"url": f"https://localhost:{port}/"}).json()
        tried = call(newspaper, "POST", f"/{made['id']}/test").json()
        assert (tried["taken"], tried["code"]) == (False, None)
        assert "not on the public internet" in tried["error"]
        assert inside.posts == []


def test_a_try_tells_the_status_and_never_what_was_said(newspaper):
    with receiving() as inside:
        inside.otherwise, inside.body = 500, b"a secret of the CRM"
        wish = Wish(url=inside.url, allow_private=True)
        endpoint, secret = run_endpoints.add(newspaper.house.database, wish, actor="a test")
        tried = call(newspaper, "POST", f"/{endpoint.id}/test")
        assert tried.json() == {"taken": False, "code": 500, "error": ""}
        assert inside.posts[0].verified(secret)["type"] == "webhook.test"


def test_messages_are_listed_page_by_page_without_what_they_say(newspaper):
    made = call(newspaper, "POST", json={"url": URL}).json()
    reader_id = newspaper.joins("jo@example.org", "oman")
    with newspaper.house.database.write() as conn:
        for _ in range(3):
            outbox.tell(conn, Tiding.BOUNCED, reader_id)
    first = call(newspaper, "GET", f"/{made['id']}/messages?limit=3").json()
    assert [one["type"] for one in first["messages"]] == ["subscriber.bounced"] * 3
    answer = call(newspaper, "GET", f"/{made['id']}/messages?limit=3&cursor={first['next']}")
    assert "link" not in answer.headers
    rest = answer.json()
    assert [one["type"] for one in rest["messages"]] == ["subscriber.confirmed", "subscriber.subscribed"]
    assert rest["next"] is None
    assert "jo@example.org" not in repr((first, rest))
    assert call(newspaper, "GET", f"/{made['id']}/messages?state=failed").json()["messages"] == []
    assert call(newspaper, "POST", f"/{made['id']}/retry", json={"since": "2000-01-01T00:00:00Z"}).json() == {
        "messages": 5
    }
    assert newspaper.house.rung[-1] == ("sweep_webhooks",)


def test_the_pages_tell_too(newspaper):
    call(newspaper, "POST", json={"url": URL})
    form = {"email": "jo@example.org", "topics": ["oman"], "cadence": "daily", "timezone": "UTC", "locale": "en"}
    newspaper.post("/subscribe", data=form)
    newspaper.post(newspaper.question("jo@example.org"))
    mail = newspaper.mails("jo@example.org", newspaper.follows("jo@example.org")["oman"].id)
    reader = newspaper.reader("jo@example.org")
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, reader.id, mail), data={"List-Unsubscribe": "One-Click"})
    with newspaper.house.database.read() as conn:
        told = outbox.told_of(conn, reader.id)
    assert [one["type"] for one in told] == [
        "subscriber.subscribed",
        "subscriber.confirmed",
        "subscriber.unsubscribed",
    ]


def test_monitors_are_told_of_endpoints(newspaper):
    assert "# TYPE tocsin_webhook_messages gauge" in newspaper.get("/metrics").text
    made = call(newspaper, "POST", json={"url": URL}).json()
    newspaper.joins("jo@example.org", "oman")
    told = newspaper.get("/metrics").text
    assert f'tocsin_webhook_messages{{endpoint="{made["id"]}",state="pending"}} 2' in told
    assert f'tocsin_webhook_endpoint{{endpoint="{made["id"]}",condition="on"}} 1' in told


def test_what_programs_do_to_a_reader_is_told_too(newspaper):
    headers = {"Authorization": f"Bearer {API_KEY}"}
    call(newspaper, "POST", json={"url": URL})
    wish = {"email": "jo@example.org", "topics": ["oman", "russia"], "timezone": "UTC"}
    consent = {"at": "2026-01-05T10:00:00Z", "how": "checkout page"}
    made = newspaper.post("/api/v1/subscriptions", json=wish | {"consent": consent}, headers=headers)
    reader = made.json()["id"]
    path = f"{newspaper.url}/api/v1/subscribers/{reader}"
    for changes in (
        {"locale": "ko"},
        {"subscriptions": [{"topic": "oman"}]},
        {"subscriptions": [{"topic": "oman"}]},
        {"status": "left"},
    ):
        assert newspaper.client.patch(path, json=changes, headers=headers).status_code == 200
    newspaper.post("/api/v1/subscriptions", json=wish | {"consent": consent}, headers=headers)  # who left is asked
    with newspaper.house.database.read() as conn:
        told = [(one["type"].partition(".")[2], one["data"]) for one in outbox.told_of(conn, reader)]
    assert [kind for kind, _ in told] == [
        "confirmed",
        "preferences_changed",
        "unsubscribed",
        "preferences_changed",
        "unsubscribed",
        "subscribed",
    ]
    assert told[1][1]["changed"] == ["locale"]
    assert (told[2][1]["ended"], told[2][1]["left"]) == ([{"topic": "russia"}], False)
    assert told[3][1]["changed"] == ["subscriptions"]
    assert (told[4][1]["status"], told[4][1]["left"]) == ("left", True)
    assert newspaper.client.delete(path, headers=headers).status_code in {200, 204}
    with newspaper.house.database.read() as conn:
        assert [one["data"] for one in outbox.told_of(conn, reader)] == [{"id": reader, "erased": True}] * 7
