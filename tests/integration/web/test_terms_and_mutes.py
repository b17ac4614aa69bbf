"""A reader's own terms and mutes on the preferences page, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.builders import news
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.store import mutes, topics
from worker.store.database import now
from worker.tokens import Purpose

JO = "jo@example.org"


@pytest.fixture
def reader(newspaper):
    """A reader of two topics, in Seoul."""
    return newspaper.joins(JO, "oman", "russia")


@pytest.fixture
def save(newspaper, reader):
    """Send the preferences form as the page has it, with some fields changed; None leaves a field out."""

    def send(**fields):
        wanted = {"locale": "en", "timezone": "Asia/Seoul", "below_floor": "merge", "digest_floor": "1"}
        wanted |= {f"cadence-{one.id}": one.cadence for one in newspaper.follows(JO).values()}
        form = {name: value for name, value in (wanted | fields).items() if value is not None}
        return newspaper.post(newspaper.link(Purpose.PREFERENCES, reader), data=form)

    return send


def terms(newspaper):
    jo = newspaper.reader(JO)
    return (jo.quiet_from, jo.quiet_to), jo.alert_budget, jo.digest_floor, jo.below_floor


def test_terms_are_set_shown_and_taken_back(newspaper, reader, save):
    fields = {
        "quiet_from": "22:30",
        "quiet_to": "7:00",
        "alert_budget": "3",
        "digest_floor": "4",
        "below_floor": "skip",
    }
    answer = save(**fields)
    assert answer.status_code == 200
    assert terms(newspaper) == (("22:30", "07:00"), 3, 4, "skip")
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).text
    for value in ('value="22:30"', 'value="07:00"', 'value="4"', '<option value="skip" selected>'):
        assert value in page
    assert re.search(r'name="alert_budget"[^>]* value="3"', page)
    save(quiet_from="", quiet_to="", alert_budget="")
    assert terms(newspaper) == ((None, None), None, 1, "merge")


def test_a_form_without_terms_leaves_them_as_they_are(newspaper, save):
    save(quiet_from="22:30", quiet_to="07:00", alert_budget="0")
    save(below_floor=None, digest_floor=None)
    assert terms(newspaper) == (("22:30", "07:00"), 0, 1, "merge")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"quiet_from": "22:30"}, "quiet_from"),
        ({"quiet_from": "22:30", "quiet_to": "22:30"}, "quiet_from"),
        ({"quiet_from": "late", "quiet_to": "7"}, "quiet_from"),
        ({"alert_budget": "many"}, "alert_budget"),
        ({"alert_budget": "1001"}, "alert_budget"),
        ({"digest_floor": "0"}, "digest_floor"),
        ({"digest_floor": "²"}, "digest_floor"),
    ],
)
def test_what_is_wrong_with_terms_is_told_and_nothing_is_changed(newspaper, save, fields, wrong):
    before = newspaper.snapshot()
    answer = save(locale="ko", **fields)
    assert answer.status_code == 422
    assert f'id="wrong-{wrong}"' in answer.text
    assert all(f'value="{value}"' in answer.text for value in fields.values())
    assert newspaper.snapshot() == before


def test_a_topic_is_muted_for_a_week_and_heard_again(newspaper, save):
    oman = newspaper.follows(JO)["oman"].id
    answer = save(**{f"mute-{oman}": "begin"})
    assert answer.text.count("Muted until") == 1
    until = newspaper.follows(JO)["oman"].muted_until
    with newspaper.house.database.read() as conn:
        left = until - now(conn)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    save()
    assert newspaper.follows(JO)["oman"].muted_until == until
    assert newspaper.follows(JO)["russia"].muted_until is None
    assert "Muted until" not in save(**{f"mute-{oman}": "end"}).text
    assert newspaper.follows(JO)["oman"].muted_until is None


def test_what_is_no_way_to_mute_changes_nothing(newspaper, save):
    save(**{f"mute-{newspaper.follows(JO)['oman'].id}": "for ever"})
    assert newspaper.follows(JO)["oman"].muted_until is None


def test_a_topic_that_is_followed_anew_is_not_muted(newspaper, save):
    oman = newspaper.follows(JO)["oman"].id
    save(**{f"mute-{oman}": "begin"})
    save(**{f"end-{oman}": "yes"})
    save(topics="oman", cadence="daily")
    assert newspaper.follows(JO)["oman"].muted_until is None


def test_muted_stories_are_listed_and_heard_again(newspaper, reader, save):
    with newspaper.house.database.write() as conn:
        oman = topics.topic_by_slug(conn, "oman")
        assert oman is not None
        stories = [news(conn, oman.id, title=f"Dhow <{number}> sinks") for number in range(2)]
        for story in stories:
            mutes.mute_story(conn, reader, story, until=now(conn) + timedelta(days=7))
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).text
    assert page.count('name="hear"') == 2
    assert "Dhow &lt;0&gt; sinks" in page
    assert save(hear=[str(stories[0]), "99999999999999999999", "x"]).text.count('name="hear"') == 1
    with newspaper.house.database.read() as conn:
        assert [one.story_id for one in mutes.of_reader(conn, reader, at=now(conn))] == [stories[1]]


def test_newsletters_are_offered_with_when_they_come_and_chosen(newspaper, reader, save):
    letter = NewNewsletter.model_validate(
        {
            "slug": "top-10",
            "name": "Top 10",
            "description": "What mattered.",
            "sender": {"name": "The Courier", "address": "top10@courier.example"},
            "schedule": "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
            "timezone": "Europe/London",
        }
    )
    store_newsletters(newspaper.house.database, (letter,), where="n.yaml")
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).text
    assert "What mattered." in page
    assert "Every day at 06:30" in page
    answer = save(newsletters="top-10")
    assert set(newspaper.follows(JO)) == {"oman", "russia", "top-10"}
    assert 'name="newsletters"' not in answer.text
    assert save(newsletters="no-such").status_code == 422


def test_nobody_ends_somebody_elses_mutes(newspaper, reader, save):
    other = newspaper.joins("al@example.org", "oman")
    theirs = newspaper.follows("al@example.org")["oman"].id
    with newspaper.house.database.write() as conn:
        oman = topics.topic_by_slug(conn, "oman")
        assert oman is not None
        story = news(conn, oman.id)
        mutes.mute_story(conn, other, story, until=now(conn) + timedelta(days=7))
        mutes.mute_topic(conn, theirs, until=now(conn) + timedelta(days=7))
    assert reader
    save(hear=str(story), **{f"cadence-{theirs}": "daily", f"mute-{theirs}": "end"})
    with newspaper.house.database.read() as conn:
        assert len(mutes.of_reader(conn, other, at=now(conn))) == 1
    assert newspaper.follows("al@example.org")["oman"].muted_until is not None
