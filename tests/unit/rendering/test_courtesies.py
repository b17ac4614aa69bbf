"""The words of the letters that go unasked: what a new reader gets, and what was changed from what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from worker.content import ChangedContent, Choices, Subscribed, WelcomeContent
from worker.model import BelowFloor, Cadence
from worker.rendering import samples
from worker.rendering.courtesies import ChangedView, WelcomeView, courtesy_view
from worker.rendering.language import Languages
from worker.resources import templates_dir

LANGUAGES = Languages(templates_dir() / "locales")
EN, KO = LANGUAGES.best("en"), LANGUAGES.best("ko")
MORNING = datetime(2026, 11, 24, 7, tzinfo=UTC)
OMAN = Subscribed(
    target="topic 1", name={"en": "Oman", "ko": "오만"}, cadence=Cadence.DAILY, times=("07:00",), next_at=MORNING
)
PLAIN = Choices(locale="en", timezone="Asia/Seoul", follows=(OMAN,))


def changed(before=PLAIN, language=EN, **changes):
    now = before.model_copy(update=changes)
    view = courtesy_view(ChangedContent(locale="en", before=before, now=now), language)
    assert isinstance(view, ChangedView)
    return [(line.name, line.before, line.now) for line in view.lines]


def welcome(language=EN, **changes):
    choices = PLAIN.model_copy(update=changes)
    view = courtesy_view(WelcomeContent(locale="en", choices=choices), language)
    assert isinstance(view, WelcomeView)
    return view


def following(**changes):
    return {"follows": (OMAN.model_copy(update=changes),)}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"follows": ()}, ("Oman", "Every day at 07:00", "not followed any more")),
        (following(cadence=Cadence.IMMEDIATE, times=()), ("Oman", "Every day at 07:00", "As it happens")),
        (following(times=("07:00", "18:30")), ("Oman", "Every day at 07:00", "Every day at 07:00 and 18:30")),
        ({"quiet": ("22:00", "07:00")}, ("Quiet hours", "none", "from 22:00 to 07:00")),
        ({"alert_budget": 0}, ("Alerts a day, at most", "as many as the newspaper has set", "no limit")),
        ({"alert_budget": 3}, ("Alerts a day, at most", "as many as the newspaper has set", "3")),
        ({"digest_floor": 3}, ("Stories in a digest, at least", "1", "3")),
        ({"timezone": "Europe/London"}, ("Your time zone", "Seoul", "London")),
        ({"locale": "ko"}, ("Language", "English", "한국어")),
        ({"is_paused": True}, ("Pause", "none", "until you end it")),
        # Midnight of 1 December in Seoul.
        (
            {"is_paused": True, "paused_until": datetime(2026, 11, 30, 15, tzinfo=UTC)},
            ("Pause", "none", "until Tuesday, December 1, 2026"),
        ),
    ],
)
def test_what_was_changed_is_told_as_it_was_and_as_it_is(changes, line):
    assert changed(**changes) == [line]


def test_what_is_followed_since_was_not_followed_before():
    own = Subscribed(target="topic 2", name={"en": "rail OR train"}, is_own=True, cadence=Cadence.HOURLY)
    assert changed(follows=(OMAN, own)) == [("rail OR train", "not followed", "Every hour")]


def test_what_becomes_of_few_stories_is_told_only_where_few_can_be_too_few():
    assert changed(below_floor=BelowFloor.SKIP) == []
    three = PLAIN.model_copy(update={"digest_floor": 3})
    assert changed(three, below_floor=BelowFloor.SKIP) == [
        ("When there are fewer", "Keep them for the next digest", "Leave them out")
    ]


def test_an_editor_s_new_name_or_schedule_is_no_change_of_the_reader_s():
    letter = Subscribed(target="newsletter 1", name={"en": "Top 10"}, schedule="FREQ=DAILY", zone="UTC")
    before = PLAIN.model_copy(update={"follows": (OMAN, letter)})
    renamed = OMAN.model_copy(update={"name": {"en": "Muscat"}, "next_at": MORNING + timedelta(days=1)})
    after = (renamed, letter.model_copy(update={"schedule": "FREQ=WEEKLY;BYDAY=MO", "name": {"en": "Top 5"}}))
    assert changed(before, follows=after) == []
    assert before.wishes() == before.model_copy(update={"follows": after}).wishes()


@pytest.mark.parametrize(
    "changes",
    [
        {"follows": ()},
        following(times=("08:00",)),
        {"quiet": ("22:00", "07:00")},
        {"alert_budget": 0},
        {"digest_floor": 2},
        {"timezone": "Europe/London"},
        {"locale": "ko"},
        {"is_paused": True},
    ],
)
def test_whatever_counts_as_a_change_is_told(changes):
    assert PLAIN.wishes() != PLAIN.model_copy(update=changes).wishes()
    assert changed(**changes) != []


def test_a_pause_that_has_run_out_is_none():
    until = datetime(2026, 11, 30, tzinfo=UTC)
    resting = PLAIN.model_copy(update={"is_paused": True, "paused_until": until})
    assert resting.at(until - timedelta(seconds=1)) == resting
    assert resting.at(until) == PLAIN


def test_a_welcome_says_when_the_first_mail_comes_by_the_reader_s_clock():
    assert welcome().first == "The first mail comes on Tuesday, November 24, 2026 at 16:00, if there is news by then."
    assert "2026년 11월 24일 화요일 16:00" in welcome(KO).first
    assert welcome(KO).lines[0].name == "오만"
    at_once = OMAN.model_copy(update={"cadence": Cadence.IMMEDIATE, "times": (), "next_at": None})
    assert welcome(follows=(OMAN, at_once)).first == "The first mail comes as soon as there is news."
    assert welcome(follows=()).first == ""


def test_a_newsletter_is_told_by_its_own_schedule():
    by_house = Subscribed(target="newsletter 1", name={"en": "Top 10"}, schedule="FREQ=DAILY;BYHOUR=6", zone="UTC")
    by_clock = by_house.model_copy(update={"target": "newsletter 2", "zone": ""})
    odd = by_house.model_copy(update={"target": "newsletter 3", "schedule": "FREQ=YEARLY", "next_at": MORNING})
    told = [line.when for line in welcome(follows=(by_house, by_clock, odd)).lines]
    assert told[:2] == ["Every day at 06:00, UTC time", "Every day at 06:00, by your own clock"]
    assert told[2].replace("\N{NO-BREAK SPACE}", " ") == "Next on Nov 24, 07:00 UTC"


def test_a_reader_of_very_much_gets_a_letter_of_reasonable_length(renderer):
    many = tuple(OMAN.model_copy(update={"target": f"topic {n}", "name": {"en": "x" * 5_000}}) for n in range(200))
    choices = PLAIN.model_copy(update={"follows": many})
    view = welcome(follows=many)
    assert (len(view.lines), view.more) == (40, 160)
    mail = renderer.compile(WelcomeContent(locale="en", choices=choices))
    assert "and 160 more" in mail.text(samples.personal("welcome", "en"))
    assert len(mail.fill(samples.personal("welcome", "en"))) < 102_400


def test_a_name_with_markup_in_it_stays_a_name(renderer):
    evil = OMAN.model_copy(update={"name": {"en": "<script>x</script>\r\nBcc: eve@evil.example"}, "is_own": True})
    content = ChangedContent(
        locale="en", before=PLAIN, now=PLAIN.model_copy(update={"follows": (evil.model_copy(update={"target": "t"}),)})
    )
    mail = renderer.compile(content).mailed_html(samples.personal("changed", "en"))
    assert "<script>" not in mail
    assert "&lt;script&gt;x&lt;/script&gt; Bcc: eve@evil.example" in mail
