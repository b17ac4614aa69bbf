"""The editors' preview: what it shows, and who may see it."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests import builders
from worker.cli import app
from worker.rendering import samples
from worker.store.database import now
from worker.tokens import Purpose

from .issues import SECRET, send_issue

PROXY = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
def edition(newspaper):
    """The number of an issue that has gone out."""
    send_issue(newspaper.house)
    with newspaper.house.database.read() as conn:
        return conn.exec_driver_sql("SELECT id FROM edition WHERE kind = 'newsletter'").scalar_one()


def frames(page):
    return [html.unescape(source) for source in re.findall(r'<iframe src="([^"]+)"', page.text)]


def test_every_kind_is_shown_in_frames_that_can_do_nothing(newspaper):
    for kind in samples.KINDS:
        page = newspaper.get(f"/preview?kind={kind}")
        assert page.status_code == 200, kind
        assert page.text.count('sandbox=""') == 2
        assert page.headers["cache-control"] == "no-store"
        assert "KB of HTML" in page.text
        frame = newspaper.get(frames(page)[0])
        assert frame.status_code == 200, kind
        policy = frame.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "script" not in policy
        assert newspaper.house.newsroom.name in frame.text


def test_an_address_says_language_view_night_and_pictures(newspaper):
    page = newspaper.get("/preview?kind=digest&locale=ko&view=phone&dark=on&images=off")
    [source] = frames(page)
    frame = newspaper.get(source)
    assert '<html lang="ko"' in frame.text
    assert "prefers-color-scheme" not in frame.text
    assert "img-src 'none';" in frame.headers["content-security-policy"]
    assert "(min-width: 0px)" in frame.text.replace("(min-width:0px)", "(min-width: 0px)")
    day = newspaper.get(source.replace("dark=on", "dark=off").replace("images=off", "images=on"))
    assert "(min-width: 0px)" not in day.text
    assert "img-src https: http: data:;" in day.headers["content-security-policy"]


def test_text_links_and_the_message_are_there_too(newspaper):
    page = newspaper.get("/preview?kind=alert&view=text")
    assert "<iframe" not in page.text
    assert "Why you got this" in page.text
    assert f"{newspaper.house.base_url}/unsubscribe/preview" in page.text
    [message] = re.findall(r'href="([^"]+)" download', page.text)
    assert b"List-Unsubscribe: <" in newspaper.get(html.unescape(message)).content


def test_what_an_address_says_wrongly_is_left_out(newspaper):
    for query in ("kind=x&locale=xx&view=x&dark=x&number=x", "number=99999999999999999999", "key=%00", "kind=%ff"):
        assert newspaper.get(f"/preview?{query}").status_code == 200, query


def test_an_edition_that_has_gone_out_is_shown_without_anybodys_own_search(newspaper, edition):
    page = newspaper.get(f"/preview/editions/{edition}")
    assert "Anchors" in page.text
    assert frames(page)[0].startswith(f"/preview/editions/{edition}/frame?")
    assert "Anchors" in newspaper.get(frames(page)[0]).text
    with newspaper.house.database.read() as conn:
        [own] = conn.exec_driver_sql("SELECT id FROM edition WHERE kind = 'alert'").scalars()
    hidden = newspaper.get(f"/preview/editions/{own}")
    assert "own search" in hidden.text
    assert SECRET not in hidden.text
    assert newspaper.get(f"/preview/editions/{own}/frame").status_code == 404


def test_a_draft_is_shown_as_it_would_go_now(newspaper, issue):
    page = newspaper.get(f"/preview/editions/{issue}")
    assert "<b>Top 10 stories: Cranes</b>" in page.text
    assert all("Boats" in newspaper.get(source).text for source in frames(page))
    korean = newspaper.get(f"/preview/editions/{issue}?locale=ko")
    assert '<html lang="ko"' in newspaper.get(frames(korean)[0]).text


def test_nobody_from_elsewhere_learns_that_there_are_samples(newspaper, edition):
    key = newspaper.house.tokens.sign(Purpose.PREVIEW, edition)
    for path in ("/preview", "/preview/frame", "/preview/since", "/preview/message.eml"):
        assert newspaper.get(path).status_code == 200, path
        assert newspaper.get(f"{path}?key={key}", headers=PROXY).status_code == 404, path
        assert newspaper.get(path, headers={"Host": "attacker.example"}).status_code == 404, path


def test_a_link_opens_its_own_edition_for_an_hour(newspaper, edition):
    with newspaper.house.database.read() as conn:
        at = now(conn)

    def get(key, number=edition, end=""):
        return newspaper.get(f"/preview/editions/{number}{end}?key={key}", headers=PROXY).status_code

    sign = newspaper.house.tokens.sign
    good = sign(Purpose.PREVIEW, edition, expires_at=at + timedelta(minutes=59))
    assert [get(good, end=end) for end in ("", "/frame", "/since", "/message.eml")] == [200] * 4
    assert get(good, number=edition + 1) == 404
    assert get(sign(Purpose.PREVIEW, edition, expires_at=at)) == 404
    assert get(sign(Purpose.VIEW, edition)) == 404
    assert get(sign(Purpose.PREVIEW)) == 404
    assert get("") == get("x") == get("%00") == 404
    page = newspaper.get(f"/preview/editions/{edition}?key={good}", headers=PROXY)
    assert all(f"key={good}" in source for source in frames(page))


def test_the_command_prints_a_link_that_works(newspaper, edition, monkeypatch):
    house = newspaper.house
    monkeypatch.setattr("worker.cli.issues.opened_house", lambda: house)
    printed = CliRunner().invoke(app, ["editions", "preview", str(edition), "--link"]).stdout.strip()
    assert printed.startswith(f"{house.base_url}/preview/editions/{edition}?key=")
    assert newspaper.get(printed.removeprefix(house.base_url), headers=PROXY).status_code == 200


def test_a_template_that_is_changed_shows_here_at_once_and_nowhere_else(open_newspaper, tmp_path):
    file = tmp_path / "home" / "theme" / "mail" / "alert" / "subject.txt.j2"
    file.parent.mkdir(parents=True)
    file.write_text("First")
    newspaper = open_newspaper(theme="theme")
    before = newspaper.get("/preview/since").json()
    assert "<b>First</b>" in newspaper.get("/preview").text
    file.write_text("Second subject")
    assert newspaper.get("/preview/since").json() != before
    assert "<b>Second subject</b>" in newspaper.get("/preview").text
    sent = newspaper.house.shown_letters.preview(
        samples.content("alert", "en"), at=builders.time_of(newspaper.house.database)
    )
    assert sent.subject == "First"
    file.write_text("{{ view.titel }}")
    page = newspaper.get("/preview").text
    assert "mail/alert/subject.txt.j2, line 1: view has no &#39;titel&#39;" in page
    assert "<b>First</b>" in page
