"""Newsletters by API: what is to come, what editors choose, and letting it go; following one by API and by list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests import builders
from worker.model import EditionStatus, SubscriberId, SubscriberStatus
from worker.planning.run import plan
from worker.planning.run_choosing import look
from worker.planning.run_preflight import Noticed, note
from worker.preflight.findings import Check, problem
from worker.store import people
from worker.store.schema import Subscriber
from worker.tokens import Purpose

from .newspaper import API_KEY

SOON = timedelta(minutes=30)


def call(newspaper, method, path, key=API_KEY, **options):
    headers = {"Authorization": f"Bearer {key}"}
    return newspaper.client.request(method, f"{newspaper.url}/api/v1{path}", headers=headers, **options)


@pytest.mark.usefixtures("issue")
def test_newsletters_are_listed_with_who_follows_them(newspaper):
    [letter] = call(newspaper, "GET", "/newsletters").json()
    assert (letter["slug"], letter["approval"], letter["readers"]) == ("top-10", "required", 1)
    assert datetime.fromisoformat(letter["next_due_at"]) > datetime.now(UTC) + timedelta(hours=23)


def test_a_draft_is_looked_at_changed_approved_and_goes(newspaper, issue):
    draft = call(newspaper, "GET", f"/editions/{issue}/draft").json()
    assert [story["title"] for story in draft["stories"]] == ["Cranes", "Boats", "Anchors"]
    assert (draft["status"], draft["subject"]) == ("draft", "Top 10 stories: Cranes")
    last = draft["stories"][-1]["story"]
    body = {"pins": [last], "note": "Good morning.", "notes": {str(last): "Ours."}}
    changed = call(newspaper, "PATCH", f"/editions/{issue}/draft", json=body).json()
    assert [story["title"] for story in changed["stories"]] == ["Anchors", "Cranes", "Boats"]
    kept = call(newspaper, "PATCH", f"/editions/{issue}/draft", json={"subject": "A day"}).json()
    assert (kept["choices"]["pins"], kept["choices"]["note"], kept["subject"]) == ([last], "Good morning.", "A day")
    shown = call(newspaper, "GET", f"/editions/{issue}/preview").json()
    assert shown["subject"] == "A day"
    assert "Good morning." in shown["html"]
    assert "Good morning." in shown["text"]
    approved = call(newspaper, "POST", f"/editions/{issue}/approve").json()
    assert approved["changed"]
    assert "goes out at" in approved["says"]
    assert call(newspaper, "PATCH", f"/editions/{issue}/draft", json={"note": ""}).status_code == 409
    assert "now" in call(newspaper, "POST", f"/editions/{issue}/approve", json={"now": True}).json()["says"]
    assert newspaper.house.rung[-1] == ("sweep_planning",)
    assert plan(newspaper.house.database, newspaper.house.planning_policy).deliveries == 1
    gone = call(newspaper, "POST", f"/editions/{issue}/skip", json={"reason": "too late"})
    assert (gone.status_code, gone.headers["content-type"]) == (409, "application/problem+json")


def test_of_two_editors_who_have_seen_the_same_draft_the_second_is_told(newspaper, issue):
    seen = call(newspaper, "GET", f"/editions/{issue}/draft").headers["etag"]

    def change(etag, **choices):
        headers = {"Authorization": f"Bearer {API_KEY}", "If-Match": etag}
        url = f"{newspaper.url}/api/v1/editions/{issue}/draft"
        return newspaper.client.patch(url, headers=headers, json=choices)

    first = change(seen, note="Good morning.")
    late = change(seen, note="Good night.")
    assert (first.status_code, late.status_code, late.headers["content-type"]) == (200, 412, "application/problem+json")
    both = change(first.headers["etag"], subject="A day").json()["choices"]
    assert (both["note"], both["subject"]) == ("Good morning.", "A day")


def test_an_issue_is_skipped_with_its_reason(newspaper, issue):
    assert call(newspaper, "POST", f"/editions/{issue}/skip", json={"reason": "a holiday"}).json()["changed"]
    shown = call(newspaper, "GET", f"/editions/{issue}").json()
    assert (shown["status"], shown["reason"], shown["audience"]) == ("finished", "a holiday", 0)


def test_a_test_goes_to_a_confirmed_reader_only(newspaper, issue):
    sent = call(newspaper, "POST", f"/editions/{issue}/test-send", json={"address": "stranger@readers.example"})
    assert sent.status_code == 422
    with newspaper.house.database.write() as conn:
        address = "desk@readers.example"
        values = {"email": address, "address_hash": newspaper.house.address_hash(address)}
        desk = people.add_reader(conn, status=SubscriberStatus.ACTIVE, **values)
    sent = call(newspaper, "POST", f"/editions/{issue}/test-send", json={"address": "Desk@readers.example"})
    assert sent.json()["changed"]
    assert newspaper.house.rung[-1] == ("sweep_deliveries",)
    with newspaper.house.database.read() as conn:
        assert [row.subscriber_id for row in builders.deliveries_of(conn)] == [desk]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "draft"), ("PATCH", "draft"), ("GET", "preview"), ("POST", "approve"), ("POST", "skip")],
)
def test_what_is_no_issue_is_not_found_and_who_may_not_is_refused(newspaper, issue, method, path):
    with newspaper.house.database.write() as conn:
        other = builders.edition(conn, [builders.reader(conn)])
    for edition in (other, 999_999):
        options: dict[str, Any] = {} if method == "GET" else {"json": {}}
        assert call(newspaper, method, f"/editions/{edition}/{path}", **options).status_code == 404
    assert call(newspaper, method, f"/editions/{issue}/{path}", key="nobody's").status_code == 401


@pytest.mark.parametrize("body", [{"pins": [999_999]}, {"pins": ["x"]}, {"pin": []}, {"subject": "x" * 201}])
def test_choices_that_make_no_sense_are_refused(newspaper, issue, body):
    assert call(newspaper, "PATCH", f"/editions/{issue}/draft", json=body).status_code == 422
    assert call(newspaper, "GET", f"/editions/{issue}/draft").json()["choices"]["pins"] == []


def test_a_subject_of_two_lines_is_one(newspaper, issue):
    body = {"subject": "A day\r\nBcc: all@example.com"}
    call(newspaper, "PATCH", f"/editions/{issue}/draft", json=body)
    shown = call(newspaper, "GET", f"/editions/{issue}/preview").json()
    assert shown["subject"] == "A day Bcc: all@example.com"


@pytest.mark.usefixtures("issue")
def test_a_reader_signs_up_for_a_newsletter_by_api(newspaper):
    body = {"email": "zoe@readers.example", "newsletters": ["top-10"]}
    assert call(newspaper, "POST", "/subscriptions", json=body).status_code == 202
    body = {"email": "zoe@readers.example", "newsletters": ["top-11"]}
    refused = call(newspaper, "POST", "/subscriptions", json=body)
    assert refused.status_code == 422
    assert "did you mean top-10?" in refused.text


@pytest.mark.usefixtures("issue")
def test_the_preferences_page_shows_a_newsletter_and_ends_it_without_touching_its_schedule(newspaper):
    house = newspaper.house
    with house.database.read() as conn:
        reader_id = SubscriberId(conn.execute(sa.select(Subscriber.id)).scalar_one())
        [letter] = people.followings(conn, reader_id)
    page = f"/preferences/{house.tokens.sign(Purpose.PREFERENCES, reader_id)}"
    shown = newspaper.get(page).text
    assert "Top 10 stories" in shown
    assert "Every day at" in shown
    form = {f"cadence-{letter.id}": "immediate", "timezone": "Asia/Seoul", "locale": "en"}
    assert newspaper.post(page, data=form).status_code == 200
    with house.database.read() as conn:
        [kept] = people.followings(conn, reader_id)
    assert (kept.cadence, kept.next_due_at) == (letter.cadence, None)
    assert newspaper.post(page, data=form | {f"end-{letter.id}": "yes"}).status_code == 200
    with house.database.read() as conn:
        assert people.followings(conn, reader_id) == []


def test_programs_see_what_holds_an_issue_and_let_it_go_as_it_is(newspaper, issue):
    assert call(newspaper, "GET", f"/editions/{issue}").json()["preflight"] is None
    assert call(newspaper, "POST", f"/editions/{issue}/approve").json()["changed"]
    database, harm = newspaper.house.database, problem(Check.SUBJECT, "it is odd", "mend it", harms=True)
    content = look(database, issue).content
    assert content is not None
    held_by = "subject: it is odd"
    noticed = Noticed(digest=content.digest(), mark=str(harm.mark), findings=[harm.told()], held_by=held_by)
    assert note(database, issue, noticed) is EditionStatus.HELD
    told = call(newspaper, "GET", f"/editions/{issue}").json()
    assert (told["status"], told["reason"]) == ("held", f"held by its preflight: {held_by}")
    assert (told["preflight"]["held_by"], told["preflight"]["findings"]) == (held_by, [harm.told()])
    refused = call(newspaper, "POST", f"/editions/{issue}/approve")
    assert (refused.status_code, held_by in refused.json()["detail"]) == (409, True)
    assert 'tocsin_editions{kind="newsletter",status="held"} 1' in newspaper.get("/metrics").text
    assert call(newspaper, "POST", f"/editions/{issue}/approve", json={"anyway": True, "now": True}).json()["changed"]
    policy = replace(newspaper.house.planning_policy, preflight_patience=timedelta(minutes=5))
    assert plan(database, policy).deliveries == 1
    assert call(newspaper, "GET", f"/editions/{issue}").json()["preflight"]["waived_by"]
