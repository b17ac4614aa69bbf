"""From the form to the first yes, without a line of JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from worker.signup.consent import Consent
from worker.tokens import Purpose

FORM = {
    "email": "Jo@example.org",
    "name": "Jo",
    "topics": ["north-korea", "russia"],
    "query": "",
    "cadence": "daily",
    "at": ["07:00", "18:30"],
    "weekday": "1",
    "timezone": "Asia/Seoul",
    "locale": "en",
}


def sign_up(newspaper, **changes):
    return newspaper.post("/subscribe", data=FORM | changes)


def headline(answer):
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    assert found
    return found[1]


def test_the_beginning_leads_to_the_form(newspaper):
    answer = newspaper.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/subscribe"


def test_the_form_offers_topics_in_the_readers_language(newspaper):
    english = newspaper.get("/subscribe")
    assert "North Korea" in english.text
    assert '<html lang="en"' in english.text
    korean = newspaper.get("/subscribe", headers={"Accept-Language": "ko-KR, en;q=0.5"})
    assert "북한" in korean.text
    assert '<html lang="ko"' in korean.text
    assert korean.headers["content-language"] == "ko"
    assert "북한" in newspaper.get("/subscribe?lang=ko").text


def test_the_newsrooms_zone_comes_first(newspaper):
    zones = re.search(r'<select name="timezone".*?</select>', newspaper.get("/subscribe").text, re.DOTALL)
    assert zones
    assert re.search(r'value="([^"]+)"', zones[0])[1] == "Europe/London"  # type: ignore[index]  # the page has it
    assert 'value="Asia/Seoul"' in zones[0]


def test_a_topic_page_leads_to_a_form_with_its_topic_chosen(newspaper):
    page = newspaper.get("/subscribe?topic=oman").text
    assert re.search(r'value="oman" checked', page)
    assert page.count("checked") == 2  # and the cadence


def test_a_stranger_is_told_to_check_their_mail_and_the_bell_is_rung(newspaper):
    answer = sign_up(newspaper)
    assert (answer.status_code, headline(answer)) == (200, "Check your mail")
    reader = newspaper.reader("jo@example.org")
    assert (reader.email, reader.name, reader.timezone, reader.status) == (
        "Jo@example.org",
        "Jo",
        "Asia/Seoul",
        "pending",
    )
    assert newspaper.house.rung == [("sweep_planning",)]


def test_the_evidence_has_a_network_and_no_address_of_a_person(newspaper):
    newspaper.post("/subscribe", data=FORM, headers={"X-Forwarded-For": "203.0.113.77"})
    question = Consent.read(newspaper.reader("jo@example.org").consent).question
    assert question is not None
    assert (question.asked.ip_prefix, question.asked.page) == ("203.0.113.0/24", "/subscribe")
    assert question.asked.wording


def test_the_answer_is_the_same_for_known_unknown_active_and_suppressed_addresses(newspaper):
    first = sign_up(newspaper)
    newspaper.joins("active@example.org", "oman")
    with newspaper.house.database.write() as conn:
        from worker.store import people

        people.suppress(conn, newspaper.house.address_hash("gone@example.org"), reason="bounced")
    for address in ("jo@example.org", "active@example.org", "gone@example.org"):
        answer = sign_up(newspaper, email=address)
        assert answer.status_code == first.status_code
        assert answer.text.replace(address, "Jo@example.org") == first.text
        assert {**answer.headers, "date": "", "content-length": ""} == {
            **first.headers,
            "date": "",
            "content-length": "",
        }


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"email": "nobody"}, "email", "Write your address as name@example.org."),
        ({"email": ""}, "email", "Write your address as name@example.org."),
        ({"topics": []}, "topics", "Choose a topic or a newsletter, or write a search of your own."),
        ({"topics": ["atlantis"]}, "topics", "This topic is not there any more."),
        ({"topics": ["No Slug!"]}, "topics", "This topic is not there any more."),
        ({"query": '("north korea"'}, "query", "This search cannot be read:"),
        ({"query": "@atlantis"}, "query", "This search cannot be read: there is no topic @atlantis"),
        ({"query": "x" * 2_001}, "query", "Write at most 2000 characters."),
        ({"at": ["25:00"]}, "at", "Write times as hours and minutes"),
        ({"timezone": "Mars/Olympus"}, "timezone", "Choose a place from the list."),
        ({"cadence": "sometimes"}, "cadence", "Choose how often mail should come."),
        ({"locale": "?"}, "locale", "Choose a language from the list."),
        ({"name": "x" * 201}, "name", "Write a shorter name."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(newspaper, changes, field, said):
    before = newspaper.snapshot()
    answer = sign_up(newspaper, **changes)
    assert answer.status_code == 422
    wrong = re.search(rf'id="wrong-{field}">(.*?)</p>', answer.text, re.DOTALL)
    assert wrong
    assert wrong[1].startswith(said)
    assert 'role="alert"' in answer.text
    assert newspaper.snapshot() == before


def test_a_field_is_tied_to_what_is_wrong_with_it_and_keeps_what_was_typed(newspaper):
    answer = sign_up(newspaper, email="<b>nobody", query="(oman", cadence="weekly", weekday="5")
    assert 'value="&lt;b&gt;nobody"' in answer.text
    assert re.search(r'id="email"[^>]*aria-invalid="true" aria-describedby="wrong-email"', answer.text)
    assert re.search(r'id="query"[^>]*value="\(oman"[^>]*aria-describedby="wrong-query hint-query"', answer.text)
    assert re.search(r'value="weekly" checked', answer.text)
    assert re.search(r'value="5" selected', answer.text)
    assert re.search(r'value="russia" checked', answer.text)


def test_mistakes_are_told_in_the_language_chosen(newspaper):
    assert "주소를 name@example.org 모양으로" in sign_up(newspaper, email="nobody", locale="ko").text


def test_a_nul_byte_does_no_harm(newspaper):
    assert sign_up(newspaper, name="J\0o", query="om\0an\x1b").status_code == 200
    assert newspaper.reader("jo@example.org").name == "J o"
    assert sign_up(newspaper, email="j\0o@exa\0mple.org").status_code in {200, 422}


def test_the_question_shows_what_was_asked_for_and_a_yes_makes_it_so(newspaper):
    sign_up(newspaper, query="Oman -women")
    link = newspaper.question("jo@example.org")
    page = newspaper.get(link)
    assert page.status_code == 200
    assert "North Korea" in page.text
    assert "“Oman -women”" in page.text
    assert "Every day at 07:00 and 18:30" in page.text
    assert "J…o@example.org" not in page.text
    assert "J…@example.org" in page.text
    done = newspaper.post(link)
    assert (done.status_code, headline(done)) == (200, "You are subscribed")
    assert newspaper.status("jo@example.org") == "active"
    assert set(newspaper.follows("jo@example.org")) == {"north-korea", "russia", "Oman -women"}
    assert re.search(r'href="(/preferences/[^"]+)"', done.text)


def test_confirming_twice_is_confirming_once(newspaper):
    sign_up(newspaper)
    link = newspaper.question("jo@example.org")
    newspaper.post(link)
    before = newspaper.snapshot()
    assert headline(newspaper.post(link)) == "You are subscribed already"
    assert headline(newspaper.get(link)) == "You are subscribed already"
    assert newspaper.snapshot() == before


def test_an_expired_question_offers_to_ask_again(newspaper):
    sign_up(newspaper)
    old = newspaper.question("jo@example.org", age=timedelta(days=2))
    page = newspaper.get(old)
    assert (page.status_code, headline(page)) == (410, "This link is too old")
    assert newspaper.post(old).status_code == 410
    assert newspaper.status("jo@example.org") == "pending"
    again = newspaper.post(old, data={"again": "yes"})
    assert (again.status_code, headline(again)) == (200, "Check your mail")
    assert newspaper.status("jo@example.org") == "pending"


def test_a_link_from_before_a_farewell_says_so(newspaper):
    reader = newspaper.joins("jo@example.org", "oman")
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, reader, 0))
    link = newspaper.link(Purpose.CONFIRM, reader, 1)
    assert headline(newspaper.get(link)) == "You have unsubscribed since"
    assert headline(newspaper.post(link)) == "You have unsubscribed since"
    assert newspaper.status("jo@example.org") == "left"


def test_an_active_reader_sees_and_confirms_what_would_be_added(newspaper):
    newspaper.joins("jo@example.org", "oman")
    sign_up(newspaper, topics=["russia"])
    assert set(newspaper.follows("jo@example.org")) == {"oman"}
    link = newspaper.question("jo@example.org")
    assert "Russia" in newspaper.get(link).text
    assert headline(newspaper.post(link)) == "It is added"
    assert set(newspaper.follows("jo@example.org")) == {"oman", "russia"}


def test_a_confirmation_speaks_the_readers_language(newspaper):
    sign_up(newspaper, locale="ko")
    page = newspaper.get(newspaper.question("jo@example.org"))
    assert '<html lang="ko"' in page.text
    assert "매일 07:00" in page.text
