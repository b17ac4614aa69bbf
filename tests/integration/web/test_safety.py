"""What no page may do: believe a forged link, take too much, load from elsewhere, tell a log who reads what."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy.exc import IntegrityError

from worker.tokens import Purpose
from worker.web import subscribe as subscribe_module

JO = "jo@example.org"
PAGES = ("/subscribe", "/topics", "/topics/oman", "/nowhere", "/confirm/x", "/inbox")


@pytest.fixture
def links(newspaper):
    reader = newspaper.joins(JO, "oman")
    mail = newspaper.mails(JO, newspaper.follows(JO)["oman"].id)
    return {
        Purpose.CONFIRM: newspaper.link(Purpose.CONFIRM, reader, 1),
        Purpose.PREFERENCES: newspaper.link(Purpose.PREFERENCES, reader),
        Purpose.UNSUBSCRIBE: newspaper.link(Purpose.UNSUBSCRIBE, reader, mail),
        Purpose.VIEW: newspaper.link(Purpose.VIEW, mail),
    }


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.VIEW])
def test_a_link_that_was_tampered_with_is_refused(newspaper, links, purpose):
    path, token = links[purpose].rsplit("/", 1)
    before = newspaper.snapshot()
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "9" + token,
        token[::-1],
        token.upper(),
        "x",
        "%00",
        "a.b",
    ]
    others = [link.rsplit("/", 1)[1] for other, link in links.items() if other is not purpose]
    for bad in [*forged, *others]:
        for method in ("GET", "POST") if purpose is not Purpose.VIEW else ("GET",):
            answer = newspaper.client.request(method, f"{newspaper.url}{path}/{bad}")
            assert answer.status_code == 404, bad
            assert "This link does not work" in answer.text
    assert newspaper.snapshot() == before


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.VIEW])
def test_pages_behind_links_are_kept_found_and_passed_on_by_nobody(newspaper, links, purpose):
    headers = newspaper.get(links[purpose]).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_loads_or_runs_anything_from_elsewhere(newspaper, path):
    answer = newspaper.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    for source in re.findall(r'<(?:script|img|iframe|link rel="stylesheet")[^>]*(?:src|href)="([^"]+)"', answer.text):
        assert source.startswith(("/static/", "data:"))
        if source.startswith("/static/"):
            assert newspaper.get(source).status_code == 200
    assert not re.search(r"<style| style=|<script>| on\w+=", answer.text)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/topics/", 404),
        ("GET", "/topics/atlantis", 404),
        ("GET", "/topics/%00", 404),
        ("GET", "/topics/..%2f..%2fetc", 404),
        ("GET", "/static/../layout.html.j2", 404),
        ("GET", "/static/%2e%2e/layout.html.j2", 404),
        ("PUT", "/subscribe", 405),
        ("DELETE", "/topics", 405),
        ("POST", "/topics", 405),
    ],
)
def test_what_does_not_exist_is_said_honestly_and_leads_nowhere_else(newspaper, method, path, status):
    answer = newspaper.client.request(method, newspaper.url + path)
    assert answer.status_code == status
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/")


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(newspaper, links):
    huge = b"email=" + b"x" * 1_000_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    before = newspaper.snapshot()
    for path in ("/subscribe", links[Purpose.PREFERENCES], links[Purpose.UNSUBSCRIBE], "/api/v1/subscriptions"):
        assert newspaper.post(path, content=huge, headers=form).status_code == 413, path
        chunks = (huge[start : start + 65_536] for start in range(0, len(huge), 65_536))
        assert newspaper.post(path, content=chunks, headers=form).status_code == 413, path
    assert newspaper.snapshot() == before


def test_a_form_of_ten_thousand_fields_is_refused(newspaper):
    answer = newspaper.post("/subscribe", data={f"f{number}": "" for number in range(10_000)})
    assert answer.status_code == 400


def test_the_log_names_neither_readers_nor_their_links(newspaper, links, caplog):
    caplog.set_level(logging.DEBUG)
    newspaper.get(links[Purpose.PREFERENCES])
    newspaper.get(f"/subscribe?topic={JO}")
    newspaper.get(f"/nowhere/{JO}")
    newspaper.post("/subscribe", data={"email": JO, "topics": "oman"})
    newspaper.post(links[Purpose.UNSUBSCRIBE], data={"scope": "these"})
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("/preferences/{token} 200" in line for line in ours)
    written = "\n".join(ours)
    assert JO not in written
    assert not any(link.rsplit("/", 1)[1] in written for link in links.values())


def test_a_defect_is_owned_up_to_and_its_data_stays_out_of_the_log(newspaper, caplog, monkeypatch):
    def fail(*_arguments, **_named):
        raise IntegrityError("INSERT INTO subscriber", {"email": JO}, Exception(JO))

    monkeypatch.setattr(subscribe_module, "sign_up", fail)
    answer = newspaper.post("/subscribe", data={"email": JO, "topics": "oman", "timezone": "UTC"})
    assert answer.status_code == 500
    assert "it is our fault" in answer.text
    assert "content-security-policy" in answer.headers
    assert JO not in caplog.text
    assert "/subscribe: a defect: IntegrityError" in caplog.text
    assert "in take_form" in caplog.text


def test_a_proxy_is_believed_only_where_it_is_trusted(open_newspaper):
    from worker.signup.consent import Consent

    distrustful = open_newspaper(trusted_proxies="192.0.2.1")
    data = {"email": JO, "topics": "oman", "timezone": "UTC"}
    distrustful.post("/subscribe", data=data, headers={"X-Forwarded-For": "203.0.113.77"})
    question = Consent.read(distrustful.reader(JO).consent).question
    assert question is not None
    assert question.asked.ip_prefix == "127.0.0.0/24"


@pytest.mark.parametrize("path", ["/inbox", "/metrics"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8025"}, 200),
        ({"X-Forwarded-For": "203.0.113.77"}, 404),
        ({"X-Forwarded-For": "127.0.0.1"}, 404),
        ({"Forwarded": "for=203.0.113.77"}, 404),
        ({"Host": "rebound.example"}, 404),
        ({"Host": "[::"}, 404),
        ({"Host": "[::1]:8025"}, 200),
    ],
)
def test_what_is_for_this_machine_only_is_not_there_for_others(newspaper, path, headers, status):
    assert newspaper.get(path, headers=headers).status_code == status
