"""The page behind "not this" in mails: it shows on GET, and mutes or narrows on POST."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from tests.builders import article, match
from worker.model import Cadence, SubscriberStatus
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.signup.run_preferences import change_preferences
from worker.signup.wishes import Follow, Preferences, Rhythm
from worker.store import mutes, outbox, people, topics
from worker.store.database import now
from worker.store.schema import TopicStory
from worker.tokens import Purpose

JO = "jo@example.org"
QUERY = "oman | muscat"


@pytest.fixture
def reader(newspaper):
    """A reader of a topic and of a search of their own."""
    jo = newspaper.joins(JO, "oman")
    searches(newspaper, jo, Cadence.DAILY)
    return jo


def searches(newspaper, jo, cadence):
    wanted = Preferences(timezone="Asia/Seoul", follows=(Follow(query=QUERY, rhythm=Rhythm(cadence=cadence)),))
    change_preferences(newspaper.house.database, jo, wanted, check_query=lambda query: query)


@pytest.fixture
def publish(newspaper):
    """Store an article that concerns what is named, and return its story."""

    def store(title, *, alert_in=None):
        with newspaper.house.database.write() as conn:
            oman = topics.topic_by_slug(conn, "oman")
            own = newspaper.follows(JO)[QUERY].topic_id
            assert oman is not None
            number, story = article(conn, title)
            match(conn, number, oman.id, own, alert_in=alert_in)
        return story

    return store


@pytest.fixture
def story(publish, reader):
    assert reader
    return publish("Oman opens a film festival & <more>")


@pytest.fixture
def page(newspaper, reader, story):
    return f"{newspaper.link(Purpose.PREFERENCES, reader)}/not-this/{story}"


def words_on(answer):
    return [html.unescape(word) for word in re.findall(r'type="radio"[^>]* value="([^"]*)"', answer.text)]


def test_the_page_says_what_can_be_done_and_changes_nothing(newspaper, page):
    before = newspaper.snapshot()
    answer = newspaper.get(page)
    assert answer.status_code == 200
    assert "Oman opens a film festival &amp; &lt;more&gt;" in answer.text
    assert "<more>" not in answer.text
    assert answer.text.count('value="topic-') == 2
    assert words_on(answer) == ["opens", "film", "festival"]
    assert newspaper.client.head(newspaper.url + page).status_code == 200
    assert newspaper.snapshot() == before


def test_the_numbers_are_those_of_the_last_days(newspaper, page):
    """Counting rests when it has counted; the same page has its numbers all the same."""
    first, again = newspaper.get(page), newspaper.get(page)
    for answer in (first, again):
        assert "It found 1 story in the last 14 days." in answer.text
        assert answer.text.count("1 would have been left out.") == 3


def test_a_page_that_comes_while_counting_rests_goes_without_numbers(newspaper, page, publish, reader, monkeypatch):
    other = publish("Muscat builds a harbour")
    monkeypatch.setattr("worker.web.counting._RESTS", 1_000_000)
    assert "would have been left out" in newspaper.get(page).text
    answer = newspaper.get(f"{newspaper.link(Purpose.PREFERENCES, reader)}/not-this/{other}")
    assert words_on(answer) == ["builds", "harbour"]
    assert "would have been left out" not in answer.text
    assert "It found" not in answer.text


def test_a_story_is_muted_by_its_button(newspaper, reader, story, page):
    answer = newspaper.post(page, data={"do": "story"})
    assert "It is muted" in answer.text
    assert newspaper.post(page, data={"do": "story"}).status_code == 200
    with newspaper.house.database.read() as conn:
        (muted,) = mutes.of_reader(conn, reader, at=now(conn))
    assert muted.story_id == story
    assert timedelta(days=34) < muted.muted_until - muted.muted_at <= timedelta(days=35)


def test_a_topic_is_muted_by_its_button(newspaper, page):
    oman = newspaper.follows(JO)["oman"].id
    assert "Muted until" in newspaper.post(page, data={"do": f"topic-{oman}"}).text
    assert newspaper.follows(JO)["oman"].muted_until is not None
    assert newspaper.follows(JO)[QUERY].muted_until is None
    assert newspaper.get(page).text.count('value="topic-') == 1


def test_a_search_leaves_a_word_out_and_keeps_its_rhythm(newspaper, page):
    before = newspaper.follows(JO)[QUERY]
    answer = newspaper.post(page, data={"do": f"search-{before.id}", f"word-{before.id}": "film"})
    assert "Your search is changed" in answer.text
    after = newspaper.follows(JO)
    assert set(after) == {"oman", "(oman | muscat) NOT film"}
    narrowed = after["(oman | muscat) NOT film"]
    assert (narrowed.cadence, narrowed.times) == (before.cadence, before.times)
    assert narrowed.next_due_at == before.next_due_at


def test_the_newspapers_programs_hear_of_a_narrower_search(newspaper, reader, page):
    endpoint = Wish(url="https://crm.example.org/", types=("preferences_changed",))
    run_endpoints.add(newspaper.house.database, endpoint, actor="a test")
    before = newspaper.follows(JO)[QUERY]
    newspaper.post(page, data={"do": f"search-{before.id}", f"word-{before.id}": "film"})
    with newspaper.house.database.read() as conn:
        (told,) = outbox.told_of(conn, reader)
    assert told["data"]["changed"] == ["subscriptions"]
    assert "film" not in repr(told)


@pytest.mark.parametrize("cadence", [Cadence.DAILY, Cadence.IMMEDIATE])
def test_what_waited_for_the_old_search_waits_for_the_new_one(newspaper, reader, publish, page, cadence):
    searches(newspaper, reader, cadence)
    kept = publish("A dhow sinks off Muscat", alert_in=timedelta(hours=1))
    dropped = publish("A film about Muscat", alert_in=timedelta(hours=1))
    old = newspaper.follows(JO)[QUERY]
    newspaper.post(page, data={"do": f"search-{old.id}", f"word-{old.id}": "film"})
    (new,) = [one for name, one in newspaper.follows(JO).items() if "NOT" in name]
    with newspaper.house.database.read() as conn:
        cursor = dict(conn.exec_driver_sql("SELECT id, cursor FROM subscription").all())[new.id]
        rows = conn.execute(TopicStory.__table__.select()).all()
    found = {row.story_id: row for row in rows if row.topic_id == new.topic_id}
    assert (kept in found, dropped in found) == (True, False)
    assert found[kept].match_seq > cursor
    assert (found[kept].alert_due_at is not None) == (cadence is Cadence.IMMEDIATE)


@pytest.mark.parametrize("form", [{}, {"do": "everything"}, {"do": "topic-999"}, {"do": "search-1"}, {"do": "topic"}])
def test_what_the_page_does_not_offer_changes_nothing(newspaper, page, form):
    before = newspaper.snapshot()
    answer = newspaper.post(page, data=form)
    assert answer.status_code == 422
    assert "Nothing is changed yet" in answer.text
    assert newspaper.snapshot() == before


def test_a_word_that_was_not_offered_changes_nothing(newspaper, page):
    mine = newspaper.follows(JO)[QUERY].id
    before = newspaper.snapshot()
    for word in ("oman", "dhow", "film) | *", ""):
        answer = newspaper.post(page, data={"do": f"search-{mine}", f"word-{mine}": word})
        assert answer.status_code == 422
    assert newspaper.snapshot() == before


def test_nobody_touches_somebody_elses(newspaper, page):
    newspaper.joins("al@example.org", "oman")
    theirs = newspaper.follows("al@example.org")["oman"].id
    assert newspaper.post(page, data={"do": f"topic-{theirs}"}).status_code == 422
    assert newspaper.follows("al@example.org")["oman"].muted_until is None


def test_links_that_lead_nowhere_are_told(newspaper, reader, story, page):
    link = newspaper.link(Purpose.PREFERENCES, reader)
    assert newspaper.get(f"{link}/not-this/999").status_code == 410
    assert newspaper.get(f"{link}/not-this/0").status_code in {404, 422}
    assert newspaper.get(f"{link}x/not-this/{story}").status_code in {400, 403, 404}
    other = newspaper.link(Purpose.VIEW, reader).replace("/m/", "/preferences/")
    assert newspaper.get(f"{other}/not-this/{story}").status_code in {400, 403, 404}
    with newspaper.house.database.write() as conn:
        people.change_reader(conn, reader, status=SubscriberStatus.LEFT)
    assert "not subscribed" in newspaper.get(page).text
    assert "not subscribed" in newspaper.post(page, data={"do": "story"}).text
    with newspaper.house.database.read() as conn:
        assert mutes.of_reader(conn, reader, at=now(conn)) == []


def test_the_page_speaks_korean(newspaper, page):
    answer = newspaper.get(f"{page}?lang=ko")
    assert answer.headers["content-language"] == "ko"
    assert "이 기사 음소거" in answer.text
