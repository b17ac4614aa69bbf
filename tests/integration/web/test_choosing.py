"""The form before it is sent: topics are searched, a query is tried, an address is doubted; nothing is stored by it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests import builders
from worker.errors import TooLongError
from worker.matching import run_trial
from worker.signup.newsletters import read_newsletters
from worker.signup.run_newsletters import store_newsletters
from worker.store import topics
from worker.store.schema import Newsletter
from worker.tokens import Purpose

from .newspaper import API_KEY

FORM = {
    "email": "jo@example.org",
    "cadence": "immediate",
    "at": ["07:00"],
    "weekday": "1",
    "timezone": "Asia/Seoul",
    "locale": "en",
}
PART = {"X-Tocsin-Part": "trial"}
LETTERS = """
- slug: top
  name: Top 10 stories
  description: What mattered most.
  sender: {name: The Courier, address: news@courier.example}
  schedule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30
  timezone: Europe/London
- slug: achim
  name: 아침 항구
  sender: {name: 하버, address: achim@courier.example}
  locale: ko
  schedule: FREQ=DAILY
  timezone: Asia/Seoul
  timing: reader
- slug: review
  name: The Review
  sender: {name: The Courier, address: news@courier.example}
  schedule: FREQ=MONTHLY;BYDAY=-1SU;BYHOUR=9
  timezone: Europe/London
"""


def text(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def headline(answer):
    return re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)[1]  # type: ignore[index]  # every page has one


def shown(answer):
    return re.findall(r'name="topics" value="([^"]+)"', answer.text)


def chosen(answer, name="topics"):
    return re.findall(rf'name="{name}" value="([^"]+)" checked', answer.text)


def attempt(newspaper, query, *, path="/subscribe/try", headers=None, **changes):
    return newspaper.post(path, data=FORM | {"query": query} | changes, headers=headers)


@pytest.fixture
def many_topics(newspaper):
    with newspaper.house.database.write() as conn:
        for number in range(20):
            topic = topics.NewTopic(slug=f"topic-{number}", name={"en": f"Topic {number}"}, query="x", canonical="x")
            topics.put_topic(conn, topic)
        query = '"north korea" OR DPRK OR "Kim Jong Un"'
        korea = {"en": "North Korea", "ko": "북한"}
        topics.put_topic(conn, topics.NewTopic(slug="north-korea", name=korea, query=query, canonical=query))


@pytest.fixture
def letters(newspaper):
    store_newsletters(newspaper.house.database, read_newsletters(LETTERS), where="test")


@pytest.fixture
def archive(newspaper):
    """Three stories that have come in lately."""
    with newspaper.house.database.write() as conn:
        ids = [
            builders.article(conn, title, summary="", outlet="Harbour Courier")[0]
            for title in ("Oman’s envoy speaks", "Oman sings", "Rain in Busan")
        ]
    for article_id in ids:
        newspaper.house.matcher.match(article_id)


# Topics ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("many_topics")
def test_a_topic_is_found_by_any_of_its_names_and_what_is_chosen_stays(newspaper):
    for sought in ("north kor", "북한", "dprk", "KIM JONG"):
        answer = newspaper.get("/subscribe", params={"q": sought, "topic": ["oman", "topic-3"]})
        assert (shown(answer), chosen(answer)) == (["north-korea", "oman", "topic-3"], ["oman", "topic-3"])
        assert "Found: 1 of 23" in answer.text


@pytest.mark.usefixtures("many_topics")
def test_who_looks_for_a_topic_that_is_not_there_is_told_what_to_do_instead(newspaper):
    answer = newspaper.get("/subscribe", params={"q": "walrus"})
    assert shown(answer) == []
    assert "No topic is called that. A search of your own, below, finds any word." in text(answer)


@pytest.mark.usefixtures("many_topics")
def test_a_search_from_the_form_keeps_what_was_typed_and_puts_no_address_in_a_url(newspaper):
    before = newspaper.snapshot()
    answer = newspaper.post(
        "/subscribe/try",
        data=FORM | {"q": "dprk", "shown_q": "", "topics": ["russia"], "name": "Jo", "cadence": "weekly"},
    )
    assert (shown(answer), chosen(answer)) == (["north-korea", "russia"], ["russia"])
    assert 'value="jo@example.org"' in answer.text
    assert 'value="weekly" checked' in answer.text
    assert "jo@example.org" not in str(answer.url)
    assert newspaper.snapshot() == before


@pytest.mark.usefixtures("many_topics")
def test_the_enter_key_searches_while_there_is_something_to_look_for_and_then_signs_up(newspaper):
    form = FORM | {"q": "dprk", "topics": ["russia"], "enter": "yes"}
    assert "Found: 1 of" in newspaper.post("/subscribe", data=form | {"shown_q": ""}).text
    assert not newspaper.knows("jo@example.org")
    assert headline(newspaper.post("/subscribe", data=form | {"shown_q": "dprk"})) == "Check your mail"


@pytest.mark.usefixtures("many_topics")
def test_an_arabic_name_and_query_keep_their_direction(newspaper):
    with newspaper.house.database.write() as conn:
        arabic = topics.NewTopic(slug="arabic", name={"en": "عُمان"}, query="عمان", canonical="عمان")
        topics.put_topic(conn, arabic)
    answer = attempt(newspaper, "عمان")
    assert '<span dir="auto">عُمان</span>' in answer.text
    assert "“\u2068عمان\u2069”" in answer.text
    assert re.search(r'id="query" value="عمان"[^>]* dir="auto"', answer.text)


# Newsletters ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("letters")
def test_newsletters_are_offered_with_what_they_are_and_when_they_come(newspaper):
    page = text(newspaper.get("/subscribe"))
    assert "Top 10 stories What mattered most. Monday to Friday at 06:30, London time" in page
    assert "아침 항구 Every day at 07:00, by your own clock" in page
    assert re.search(r"The Review Next on \w{3} \d+, 09:00", page)
    assert "매일 07:00 (독자의 현지 시각)" in text(newspaper.get("/subscribe?lang=ko"))


@pytest.mark.usefixtures("letters")
def test_newsletters_alone_can_be_signed_up_for_and_the_pages_know_them_by_name(newspaper):
    answer = newspaper.post("/subscribe", data=FORM | {"newsletters": ["top", "achim"]})
    assert headline(answer) == "Check your mail"
    question = newspaper.question("jo@example.org")
    page = text(newspaper.get(question))
    assert "Top 10 stories Monday to Friday at 06:30, London time" in page
    assert "아침 항구" in page
    assert headline(newspaper.post(question)) == "You are subscribed"
    assert set(newspaper.follows("jo@example.org")) == {"top", "achim"}
    reader = newspaper.reader("jo@example.org")
    farewell = newspaper.link(Purpose.UNSUBSCRIBE, reader.id, 0)
    for path in (newspaper.link(Purpose.PREFERENCES, reader.id), farewell):
        assert "Monday to Friday at 06:30, London time" in text(newspaper.get(path))
    assert "Monday to Friday at 06:30, London time" in text(newspaper.post(farewell))


@pytest.mark.usefixtures("letters")
def test_a_newsletter_with_a_topics_slug_keeps_its_own_name(newspaper):
    with newspaper.house.database.write() as conn:
        conn.execute(update(Newsletter).where(Newsletter.slug == "top").values(slug="oman"))
    newspaper.post("/subscribe", data=FORM | {"newsletters": ["oman"], "topics": ["oman"]})
    page = text(newspaper.get(newspaper.question("jo@example.org")))
    assert "Oman As it happens" in page
    assert "Top 10 stories Monday" in page


@pytest.mark.usefixtures("letters")
def test_a_newsletter_that_is_not_there_is_refused_and_the_rest_is_kept(newspaper):
    for slug in ("atlantis", "No Slug!"):
        answer = newspaper.post("/subscribe", data=FORM | {"newsletters": ["top", slug]})
        assert answer.status_code == 422
        assert 'id="wrong-newsletters">This newsletter is not there any more.' in answer.text
        assert chosen(answer, "newsletters") == ["top"]


@pytest.mark.usefixtures("letters")
def test_a_newsletter_that_is_switched_off_is_not_offered(newspaper):
    with newspaper.house.database.write() as conn:
        conn.execute(update(Newsletter).where(Newsletter.slug == "top").values(disabled_reason="gone"))
    page = newspaper.get("/subscribe?newsletter=achim")
    assert "Top 10 stories" not in page.text
    assert chosen(page, "newsletters") == ["achim"]


def test_more_than_a_wish_may_hold_is_no_defect(newspaper):
    slugs = [f"topic-{number}" for number in range(250)]
    answer = newspaper.post("/subscribe", data=FORM | {"topics": ["oman"], "newsletters": slugs, "query": "oman"})
    assert answer.status_code == 422


# A query, tried -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("archive")
def test_a_query_is_told_in_plain_words_with_the_stories_and_mails_of_a_week(newspaper):
    before = newspaper.snapshot()
    answer = attempt(newspaper, "oman -busan")
    page = text(answer)
    assert answer.status_code == 200
    assert "This finds stories with “oman”, but not “busan”." in page
    assert "In the last 7 days, this would have sent you 2 mails. It finds 2 stories:" in page
    assert re.search(r"Oman’s envoy speaks Harbour Courier , \w{3} \d+, \d\d:\d\d KST", page)
    assert 'value="jo@example.org"' in answer.text
    assert newspaper.snapshot() == before
    assert newspaper.house.rung == []


@pytest.mark.usefixtures("archive")
def test_the_count_of_mails_follows_the_rhythm_chosen(newspaper):
    """The stories came in five minutes ago."""
    for minutes, told in ((2, "would have sent you 1 mail."), (20, "all of it would come with your next mail.")):
        clock = f"{datetime.now(UTC) - timedelta(minutes=minutes):%H:%M}"
        page = text(attempt(newspaper, "oman", cadence="daily", at=[clock], timezone="UTC"))
        assert f"{told} It finds 2 stories:" in page


@pytest.mark.usefixtures("archive")
def test_the_pages_script_gets_the_piece_alone_in_its_language(newspaper):
    answer = newspaper.post(
        "/subscribe/try", data={"query": "oman", "cadence": "immediate", "locale": "ko"}, headers=PART
    )
    assert "<html" not in answer.text
    assert "이런 기사를 찾습니다: “oman”" in text(answer)
    assert "메일을 2통 받았을 것입니다." in text(answer)
    assert answer.headers["cache-control"] == "no-store"


def test_a_query_is_shown_where_it_is_at_fault(newspaper):
    for query, marked in (
        ("(oman AND ) rain", "(oman <mark>AND</mark> ) rain"),
        ("oman (rain", "oman <mark>(rain</mark>"),
        ('"oman', "<mark>&#34;oman</mark>"),
    ):
        for headers in ({}, PART):
            answer = attempt(newspaper, query, headers=headers)
            assert f"<code>{marked}</code>" in answer.text
            assert 'id="wrong-query">This search cannot be read:' in answer.text
        assert marked in newspaper.post("/subscribe", data=FORM | {"query": query}).text


def test_an_empty_week_says_that_nothing_can_be_tried(newspaper):
    assert "No story has come in within the last 7 days" in text(attempt(newspaper, "oman"))


@pytest.mark.usefixtures("archive")
def test_a_query_that_finds_nothing_says_so(newspaper):
    assert "No story of the last 7 days has this." in text(attempt(newspaper, "zeppelin"))


def test_a_query_that_finds_nearly_everything_is_warned_of(newspaper):
    with newspaper.house.database.write() as conn:
        ids = [builders.article(conn, f"Rain falls on town {number}", summary="")[0] for number in range(12)]
    for article_id in ids:
        newspaper.house.matcher.match(article_id)
    page = text(attempt(newspaper, "rain"))
    assert "This finds 100% of all stories. One more word would make it yours." in page
    assert "It finds 12 stories. The newest:" in page
    assert len(re.findall("Rain falls on town", page)) == run_trial.SHOWN


@pytest.mark.usefixtures("many_topics")
def test_a_topic_that_says_it_better_is_suggested_and_taken_by_a_button(newspaper):
    answer = attempt(newspaper, "north korea")
    assert "Did you mean the topic North Korea, which also covers DPRK and Kim Jong Un?" in text(answer)
    take = re.search(r'name="take" value="([^"]+)" formaction="([^"]+)"', answer.text)
    assert take
    taken = attempt(newspaper, "north korea", path=take[2].partition("#")[0], take=take[1])
    assert chosen(taken) == ["north-korea"]
    assert re.search(r'id="query" value=""', taken.text)


@pytest.mark.usefixtures("many_topics")
def test_a_query_with_the_topic_in_it_is_suggested_and_taken(newspaper):
    answer = attempt(newspaper, "dprk missile")
    assert 'name="take" value="query:@north-korea AND missile"' in answer.text
    taken = attempt(newspaper, "dprk missile", take="query:@north-korea AND missile")
    assert re.search(r'id="query" value="@north-korea AND missile"', taken.text)
    assert "This finds stories with the topic North Korea and “missile”." in text(taken)


@pytest.mark.usefixtures("archive")
def test_the_same_query_is_tried_once_a_minute_and_two_never_at_once(newspaper, monkeypatch):
    real, tried = run_trial.try_query, []

    def count(database, query, **options):
        tried.append(query)
        return real(database, query, **options)

    monkeypatch.setattr(run_trial, "try_query", count)
    for query in ("oman OR busan", "(oman | busan)", "oman OR busan"):
        attempt(newspaper, query)
    assert tried == ["oman OR busan"]


@pytest.mark.usefixtures("archive")
def test_who_comes_while_another_query_is_tried_is_told_so_politely(newspaper, monkeypatch):
    monkeypatch.setattr("worker.web.trying._WAIT_S", 0.01)
    trials: list[str] = []
    real = run_trial.try_query

    def meanwhile(database, query, **options):
        if not trials:
            trials.append(text(attempt(newspaper, "busan")))
        return real(database, query, **options)

    monkeypatch.setattr(run_trial, "try_query", meanwhile)
    assert "It finds 2 stories:" in text(attempt(newspaper, "oman"))
    assert "Many searches are being tried at this moment." in trials[0]
    assert "This finds stories with “busan”." in trials[0]


def test_a_query_that_takes_too_long_is_given_up_politely(newspaper, monkeypatch):
    def give_up(*_arguments, **_options):
        raise TooLongError("no answer within 3 seconds")

    monkeypatch.setattr(run_trial, "try_query", give_up)
    answer = attempt(newspaper, "oman")
    assert answer.status_code == 200
    assert "Try yours again in a few seconds." in text(answer)


def test_an_old_link_to_a_trial_leads_to_the_form(newspaper):
    answer = newspaper.get("/subscribe/try")
    assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe")


@pytest.mark.usefixtures("archive", "many_topics")
def test_the_preferences_page_tries_queries_too_and_changes_nothing(newspaper):
    reader = newspaper.joins("noor@example.org", "oman", "russia")
    link = newspaper.link(Purpose.PREFERENCES, reader)
    page = newspaper.get(link)
    look = re.search(r'data-try="([^"]+)"', page.text)
    assert look
    before = newspaper.snapshot()
    number = newspaper.follows("noor@example.org")["oman"].id
    typed = {f"cadence-{number}": "weekly", f"weekday-{number}": "5", "query": "busan", "cadence": "immediate"}
    answer = newspaper.post(look[1], data=typed | {"timezone": "UTC", "locale": "en"})
    assert "This finds stories with “busan”." in text(answer)
    assert "It finds 1 story:" in text(answer)
    assert re.search(rf'id="cadence-{number}".*?value="weekly" selected', answer.text, re.DOTALL)
    assert "<html" not in newspaper.post(look[1], data=typed, headers=PART).text
    assert newspaper.snapshot() == before
    assert newspaper.get(look[1]).status_code == 303


# The address ----------------------------------------------------------------------------------------------------------


def test_a_slip_in_the_address_is_pointed_out_and_mended_by_a_button(newspaper):
    form = FORM | {"email": "Jo@gmial.com", "topics": ["oman"]}
    before = newspaper.snapshot()
    answer = newspaper.post("/subscribe", data=form)
    assert answer.status_code == 422
    assert 'id="wrong-email">Did you mean Jo@gmail.com?' in answer.text
    assert chosen(answer) == ["oman"]
    assert newspaper.snapshot() == before
    mended = newspaper.post("/subscribe", data=form | {"instead": "Jo@gmail.com", "as_written": "jo@gmial.com"})
    assert headline(mended) == "Check your mail"
    assert newspaper.reader("jo@gmail.com").email == "Jo@gmail.com"
    assert not newspaper.knows("jo@gmial.com")


def test_who_sends_the_address_again_as_written_means_it(newspaper):
    form = FORM | {"email": "jo@gmial.com", "topics": ["oman"], "as_written": "jo@gmial.com"}
    assert headline(newspaper.post("/subscribe", data=form)) == "Check your mail"
    assert newspaper.knows("jo@gmial.com")
    other = newspaper.post("/subscribe", data=form | {"email": "jo@hotmial.com"})
    assert 'id="wrong-email">Did you mean jo@hotmail.com?' in other.text


def test_a_throw_away_mailbox_is_asked_about_once(newspaper):
    form = FORM | {"email": "jo@mailinator.com", "topics": ["oman"]}
    answer = newspaper.post("/subscribe", data=form)
    assert "thrown away after a few minutes" in answer.text
    assert "Use it all the same" in answer.text
    assert headline(newspaper.post("/subscribe", data=form | {"as_written": "jo@mailinator.com"})) == "Check your mail"


def test_throw_away_mailboxes_are_refused_or_let_through_where_the_operator_says_so(open_newspaper):
    form = FORM | {"email": "jo@mailinator.com", "topics": ["oman"], "as_written": "jo@mailinator.com"}
    refusing = open_newspaper(disposable="refuse")
    answer = refusing.post("/subscribe", data=form)
    assert answer.status_code == 422
    assert "are not taken here." in answer.text
    assert "Use it all the same" not in answer.text
    assert not refusing.knows("jo@mailinator.com")
    del form["as_written"]
    allowing = open_newspaper(disposable="allow")
    assert headline(allowing.post("/subscribe", data=form)) == "Check your mail"


def test_the_api_takes_no_throw_away_mailbox_either_where_none_is_taken(open_newspaper):
    body = {"email": "jo@mailinator.com", "topics": ["oman"]}
    for policy, status in (("refuse", 422), ("warn", 202)):
        newspaper = open_newspaper(disposable=policy)
        answer = newspaper.post("/api/v1/subscriptions", json=body, headers={"Authorization": f"Bearer {API_KEY}"})
        assert answer.status_code == status
        assert newspaper.knows("jo@mailinator.com") is (policy == "warn")


def test_the_check_your_mail_page_helps_and_lets_the_address_be_corrected(newspaper):
    form = FORM | {"email": "jo@exmaple.org", "topics": ["oman", "russia"], "query": 'a "b"', "cadence": "daily"}
    answer = newspaper.post("/subscribe", data=form | {"at": ["07:00", "18:30"], "name": "Jo"})
    assert "Nothing came?" in text(answer)
    assert "news@courier.example" in text(answer)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text)
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(html.unescape(value))
    assert headline(newspaper.post("/subscribe", data=sent | {"email": "jo@example.org"})) == "Check your mail"
    newspaper.post(newspaper.question("jo@example.org"))
    follows = newspaper.follows("jo@example.org")
    assert set(follows) == {"oman", "russia", 'a "b"'}
    assert follows["oman"].times == ("07:00", "18:30")
    assert newspaper.reader("jo@example.org").timezone == "Asia/Seoul"
