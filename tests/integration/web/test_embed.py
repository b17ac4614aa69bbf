"""The sign-up box on the newspaper's own pages: who may frame it, what it offers, and what it answers."""

from __future__ import annotations

import re

import pytest

from worker.errors import ConfigurationError
from worker.settings import load
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters

PAPER = "https://www.courier.example"
JO = "jo@example.org"
TOP = {
    "slug": "top-10",
    "name": "Top 10 stories",
    "sender": {"name": "The Courier", "address": "top10@courier.example"},
    "schedule": "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
    "timezone": "Europe/London",
    "selection": {"minimum": 2, "maximum": 3},
}


@pytest.fixture
def top_10(newspaper):
    store_newsletters(newspaper.house.database, (NewNewsletter.model_validate(TOP),), where="n.yaml")


def ancestors(answer):
    return answer.headers["content-security-policy"].partition("frame-ancestors ")[2]


def fields(page, name):
    return re.findall(rf'<input type="(\w+)" name="{name}" value="([^"]*)"', page)


def asked_for(newspaper, address):
    """Return what the open question of an address asks to follow."""
    with newspaper.house.database.read() as conn:
        return conn.exec_driver_sql("SELECT consent FROM subscriber WHERE email = ?", (address,)).scalar_one()


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, "'self'"),
        ({"home_url": "https://www.Courier.example/news"}, f"'self' {PAPER}"),
        (
            {"home_url": PAPER, "embed_origins": "https://a.example http://b.example:81"},
            "'self' https://a.example http://b.example:81",
        ),
        ({"embed_origins": "https://www.Courier.example"}, f"'self' {PAPER}"),
        ({"embed_origins": "*"}, "'self' *"),
    ],
)
def test_only_pages_of_the_newspaper_may_frame_the_box(open_newspaper, settings, allowed):
    newspaper = open_newspaper(**settings)
    assert ancestors(newspaper.get("/embed")) == allowed
    assert ancestors(newspaper.post("/embed", data={"email": "no"})) == allowed
    for path in ("/", "/subscribe", "/topics", "/nowhere", "/embed.js"):
        assert ancestors(newspaper.get(path)) == "'none'", path


def test_origins_that_are_none_are_refused_with_the_settings():
    for faulty in ("courier.example", "https://courier.example/path", "https://a.example *", "'self'; x"):
        with pytest.raises(ConfigurationError, match="TOCSIN_EMBED_ORIGINS: must be origins such as"):
            load(embed_origins=faulty)


def test_a_box_for_one_topic_asks_for_an_address_only(newspaper):
    page = newspaper.get("/embed?topic=oman").text
    assert "News by mail: Oman" in page
    assert fields(page, "topics") == [("hidden", "oman")]
    assert 'action="/embed?topic=oman"' in page
    assert "masthead" not in page
    korean = newspaper.get("/embed?topic=oman&lang=ko").text
    assert 'lang="ko"' in korean
    assert "오만" in korean


@pytest.mark.usefixtures("top_10")
def test_a_box_for_several_things_offers_them_chosen_already(newspaper):
    page = newspaper.get("/embed?topic=oman,russia&newsletter=top-10").text
    assert fields(page, "topics") == [("checkbox", "oman"), ("checkbox", "russia")]
    assert fields(page, "newsletters") == [("checkbox", "top-10")]
    assert page.count(" checked") == 3


def test_a_box_that_names_nothing_that_is_there_offers_everything(newspaper):
    for path in ("/embed", "/embed?topic=atlantis"):
        page = newspaper.get(path).text
        assert [slug for _, slug in fields(page, "topics")] == ["north-korea", "oman", "russia"]
        assert " checked" not in page


def test_the_box_names_nothing_that_it_does_not_have(newspaper):
    page = newspaper.post("/embed", data={"email": JO, "topics": ""})
    assert page.status_code == 422
    assert "Choose a topic or a newsletter.<" in page.text
    assert "search of your own" not in page.text


@pytest.mark.usefixtures("top_10")
def test_a_reader_signs_up_in_the_box(newspaper):
    answer = newspaper.post(
        "/embed?topic=oman&newsletter=top-10",
        data={"email": JO, "topics": "oman", "newsletters": "top-10", "timezone": "Asia/Seoul", "locale": "ko"},
    )
    assert answer.status_code == 200
    assert JO in answer.text
    assert 'href="/embed?topic=oman&amp;newsletter=top-10"' in answer.text
    assert newspaper.house.rung == [("sweep_planning",)]
    assert newspaper.reader(JO).timezone == "Asia/Seoul"
    newspaper.post(newspaper.question(JO))
    assert set(newspaper.follows(JO)) == {"oman", "top-10"}
    assert newspaper.follows(JO)["oman"].cadence == "daily"


def test_the_consent_says_on_which_page_the_box_stood(open_newspaper):
    newspaper = open_newspaper(embed_origins=PAPER)
    newspaper.post(f"/embed?topic=oman&origin={PAPER}", data={"email": JO, "topics": "oman"})
    newspaper.post("/embed?topic=oman&origin=https://evil.example", data={"email": "ada@example.org", "topics": "oman"})
    assert f'"how": "sign-up box on {PAPER}"' in asked_for(newspaper, JO)
    assert '"how": "sign-up box"' in asked_for(newspaper, "ada@example.org")


def test_nothing_but_an_origin_gets_into_the_consent_where_any_page_may_show_the_box(open_newspaper):
    newspaper = open_newspaper(embed_origins="*")
    form = {"topics": "oman"}
    newspaper.post(f"/embed?origin={PAPER}/{'x' * 9_000}", data={**form, "email": JO})
    newspaper.post("/embed?origin=https://a.example:8443", data={**form, "email": "ada@example.org"})
    assert '"how": "sign-up box"' in asked_for(newspaper, JO)
    assert '"how": "sign-up box on https://a.example:8443"' in asked_for(newspaper, "ada@example.org")


def test_the_answer_is_the_same_for_a_known_address(newspaper):
    newspaper.joins(JO, "oman")
    form = {"topics": "oman", "timezone": "UTC"}
    known = newspaper.post("/embed", data={**form, "email": JO})
    unknown = newspaper.post("/embed", data={**form, "email": "ab@example.org"})
    assert known.text.replace(JO, "…") == unknown.text.replace("ab@example.org", "…")


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(newspaper):
    answer = newspaper.post("/embed?topic=oman", data={"email": "nobody", "topics": "oman"})
    assert answer.status_code == 422
    assert 'id="wrong-email"' in answer.text
    assert 'value="nobody"' in answer.text
    nothing = newspaper.post("/embed", data={"email": JO, "topics": ""})
    assert nothing.status_code == 422
    assert 'id="wrong-topics"' in nothing.text
    gone = newspaper.post("/embed", data={"email": JO, "newsletters": "gone"})
    assert 'id="wrong-newsletters"' in gone.text
    assert not newspaper.knows(JO)
    # A zone that a browser made up is no mistake of the reader's.
    newspaper.post("/embed", data={"email": JO, "topics": "oman", "timezone": "Mars/Olympus"})
    assert newspaper.reader(JO).timezone == "Europe/London"


@pytest.mark.usefixtures("top_10")
def test_a_box_for_a_newsletter_says_when_it_comes(newspaper):
    page = newspaper.get("/embed?newsletter=top-10").text
    assert fields(page, "newsletters") == [("hidden", "top-10")]
    assert "Every day at 06:30" in page
    assert "07:00" not in page


def test_the_page_around_is_told_only_where_it_may_frame_the_box(open_newspaper):
    newspaper = open_newspaper(embed_origins=PAPER)
    assert f'data-parent="{PAPER}"' in newspaper.get(f"/embed?origin={PAPER}").text
    for other in ("https://evil.example", "null", "*", "%22%3E%3Cb%3E"):
        page = newspaper.get(f"/embed?origin={other}").text
        assert "data-parent" not in page
        assert "<b>" not in page


def test_a_form_of_the_newspapers_own_reads_the_answer_as_json(open_newspaper):
    newspaper = open_newspaper(embed_origins=PAPER)
    headers = {"Accept": "application/json", "Origin": PAPER}
    taken = newspaper.post("/embed", data={"email": JO, "topics": "oman"}, headers=headers)
    assert (taken.status_code, taken.json()) == (200, {"state": "check_your_mail"})
    assert taken.headers["access-control-allow-origin"] == PAPER
    assert "access-control-allow-credentials" not in taken.headers
    refused = newspaper.post("/embed", data={"email": "x", "topics": "oman"}, headers=headers)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["#/email"]
    stranger = newspaper.post(
        "/embed", data={"email": JO, "topics": "oman"}, headers={**headers, "Origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in stranger.headers
    assert stranger.headers["vary"] == "Accept, Origin"


def test_a_sender_who_has_had_enough_is_told_so_within_the_frame(open_newspaper):
    newspaper = open_newspaper(signups_per_ip=1, embed_origins=PAPER)
    form = {"email": JO, "topics": "oman"}
    assert newspaper.post("/embed", data=form).status_code == 200
    answer = newspaper.post("/embed", data=form)
    assert answer.status_code == 429
    assert ancestors(answer) == f"'self' {PAPER}"
    assert "masthead" not in answer.text
    told = newspaper.post("/embed", data=form, headers={"Accept": "application/json", "Origin": PAPER})
    assert (told.status_code, told.json()["status"]) == (429, 429)
    assert told.headers["access-control-allow-origin"] == PAPER
    assert int(told.headers["retry-after"]) > 0


def test_the_box_needs_no_cookie_and_may_be_kept(newspaper):
    answer = newspaper.get("/embed")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=60"
    sent = newspaper.post("/embed", data={"email": JO, "topics": "oman"})
    assert "set-cookie" not in sent.headers
    assert sent.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]


def test_the_script_is_small_has_a_version_and_is_not_sent_twice(newspaper):
    script = newspaper.get("/embed.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) < 3_000
    assert re.match(rb"// Tocsin \d", script.content)
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    again = newspaper.get("/embed.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for word in (b"cookie", b"localStorage", b"sessionStorage", b"innerHTML", b"import", b"fetch"):
        assert word not in re.sub(rb"//[^\n]*", b"", script.content)


def test_a_slip_in_the_address_is_asked_about_in_the_box_and_not_of_programs(newspaper):
    form = {"email": "jo@gmial.com", "topics": "oman"}
    answer = newspaper.post("/embed?topic=oman", data=form)
    assert answer.status_code == 422
    assert 'name="instead" value="jo@gmail.com"' in answer.text
    assert not newspaper.knows("jo@gmial.com")
    assert newspaper.post("/embed?topic=oman", data=form | {"as_written": "jo@gmial.com"}).status_code == 200
    assert newspaper.knows("jo@gmial.com")
    other = newspaper.post("/embed", data=form | {"email": "jo@hotmial.com"}, headers={"Accept": "application/json"})
    assert (other.status_code, other.json()) == (200, {"state": "check_your_mail"})


def test_throw_away_mailboxes_are_refused_of_programs_too(open_newspaper):
    newspaper = open_newspaper(disposable="refuse")
    form = {"email": "jo@mailinator.com", "topics": "oman"}
    answer = newspaper.post("/embed", data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/email"
