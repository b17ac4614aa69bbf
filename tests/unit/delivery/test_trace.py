"""What a person at the help desk can say to a reader who asks why a mail did or didn't come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from worker.delivery.trace import Addressee, AskedAbout, Follows, Heard, Sent, Try, last_word, stands, timeline
from worker.delivery.trace_later import Later, Owed, Passed
from worker.lifecycle import State
from worker.model import Cadence, EditionStatus, Lapse, Owing, SubscriberStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

READER = Addressee(
    timezone="Asia/Seoul",
    standing=SubscriberStatus.ACTIVE,
    created_at=NOON - 72 * HOUR,
    confirmed_at=NOON - 71 * HOUR,
    left_at=None,
    paused_until=None,
)
ARTICLE = AskedAbout(
    id=7,
    title="Etna throws lava",
    outlet="Gazette",
    published_at=NOON - 3 * HOUR,
    seen_at=NOON - 2 * HOUR,
    matched_at=NOON - 2 * HOUR,
    killed_at=None,
    may_alert=True,
    topics=("Volcanoes",),
)
VOLCANOES = Follows(
    id=1,
    name="Volcanoes",
    cadence=Cadence.IMMEDIATE,
    created_at=NOON - 70 * HOUR,
    ended_at=None,
    next_due_at=None,
    matched_at=NOON - 2 * HOUR,
    words=("lava", "Etna"),
    alert_due_at=NOON + HOUR,
)
TRAINS = Follows(
    id=2, name="Trains", cadence=Cadence.DAILY, created_at=NOON - 70 * HOUR, ended_at=None, next_due_at=NOON + HOUR
)
COPY = Sent(
    id=3,
    edition_id=4,
    kind="alert",
    edition_status=EditionStatus.SENDING,
    edition_reason="",
    waits_for_canary=False,
    state=State.PLANNED,
    reason="",
    provider="relay",
    planned_at=NOON - HOUR,
    next_attempt_at=NOON - HOUR,
    accepted_at=None,
)


def said(reader=READER, article=ARTICLE, followed=(VOLCANOES, TRAINS), sent=()) -> str:
    return last_word(reader, article, followed, sent, at=NOON)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "The alert for Volcanoes gathers news until 23 November 2026, 22:00 and is sent then."),
        ({"alert_due_at": NOON - HOUR}, "is being planned at this moment"),
        ({"alert_due_at": None}, "went out without this reader"),
        ({"alert_due_at": None, "never_alerts": True}, "The story met Volcanoes by a backfill, which alerts nobody."),
        ({"is_past": True}, "began to follow Volcanoes after the article"),
        ({"ended_at": NOON}, "stopped following Volcanoes on 23 November 2026, 21:00"),
        ({"switched_off": "a word is missing at offset 3"}, "Volcanoes is switched off: a word is missing at offset 3"),
        (
            {"cadence": Cadence.DAILY, "next_due_at": NOON + HOUR},
            "the next digest for Volcanoes, due on 23 November 2026",
        ),
        ({"cadence": Cadence.DAILY, "is_past": True}, "went out without the story"),
        ({"cadence": Cadence.DAILY, "created_at": NOON}, "began to follow Volcanoes after the article"),
        ({"matched_at": None}, "The article concerns Volcanoes. The reader follows Volcanoes, Trains"),
    ],
)
def test_a_mail_that_was_not_due_is_explained_by_what_the_reader_follows(changes, words):
    assert words in said(followed=(replace(VOLCANOES, **changes), TRAINS))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"killed_at": NOON}, "An editor withdrew the story"),
        ({"matched_at": None}, "has not been held against the topics yet"),
    ],
)
def test_the_article_itself_may_be_the_reason(changes, words):
    assert words in said(article=replace(ARTICLE, **changes))


def test_an_article_that_came_too_late_alerts_nobody():
    followed = (replace(VOLCANOES, alert_due_at=None),)
    assert "too old when we first saw it" in said(article=replace(ARTICLE, may_alert=False), followed=followed)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"suppressed": "hard bounce", "suppressed_at": NOON}, "Nothing is sent to this address: hard bounce."),
        ({"standing": SubscriberStatus.PENDING}, "has not confirmed yet"),
        ({"standing": SubscriberStatus.LEFT, "left_at": NOON}, "has unsubscribed on 23 November 2026, 21:00"),
        ({"standing": SubscriberStatus.PAUSED, "paused_until": NOON + HOUR}, "has paused all mail until 23 November"),
    ],
)
def test_a_reader_who_gets_nothing_at_all_comes_before_what_they_follow(changes, words):
    assert words in said(reader=replace(READER, **changes))


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words_of_its_own(state):
    words = {other: stands(replace(COPY, state=other), timezone="UTC") for other in State}
    told = words[state]
    assert told.endswith(".")
    assert str(state) not in told or state is State.REFUSED  # no jargon
    reasons = {State.SUPPRESSED, State.CANCELLED, State.EXPIRED}  # differ by the reason that stands beside them
    assert state in reasons or list(words.values()).count(told) == 1


def test_a_copy_says_more_than_what_the_reader_follows():
    assert said(sent=[replace(COPY, state=State.ACCEPTED, accepted_at=NOON)]) == (
        "The alert of 23 November 2026, 20:00 was taken on by relay; if it is not in the inbox, it may be in the spam "
        "folder (23 November 2026, 21:00)."
    )


@pytest.mark.parametrize("status", [EditionStatus.PAUSED, EditionStatus.HELD])
def test_a_copy_of_an_edition_that_was_stopped_says_so(status):
    copy = replace(COPY, edition_status=status, edition_reason="paused by Jo: wrong headline")
    assert stands(copy, timezone="UTC").endswith(". The newsroom has stopped its edition for the moment.")
    (planned,) = [entry.says for entry in timeline(READER, None, (), [copy]) if entry.what == "planned"]
    assert planned.endswith("; paused by Jo: wrong headline")


def test_what_people_have_done_is_told_to_the_reader_without_their_names():
    by_jo = "it was not taken on and is not sent again, says Jo"
    asked = Try(at=NOON, outcome="refused", provider="", code=None, enhanced="", text=by_jo)
    lost = replace(COPY, state=State.REFUSED, reason=by_jo, tries=(asked,))
    assert "the mail server did not take it on" in stands(lost, timezone="UTC")
    assert "Jo" not in stands(lost, timezone="UTC")
    why = "the edition was cancelled by Jo: wrong headline"
    cancelled = replace(
        COPY, state=State.CANCELLED, edition_status=EditionStatus.CANCELLED, edition_reason=why, reason=why
    )
    assert stands(cancelled, timezone="UTC").endswith(" was not sent: the newsroom has cancelled it.")
    assert [why in entry.says for entry in timeline(READER, None, (), [cancelled])].count(True) == 1


def test_a_reply_is_told_once_with_its_codes():
    refused = Try(at=NOON, outcome="refused", provider="relay", code=550, enhanced="5.1.1", text="550 5.1.1 nobody")
    terse = replace(refused, outcome="reply_lost", text="nobody")
    (_, *tries) = timeline(READER, None, (), [replace(COPY, tries=(refused, terse))])[-3:]
    assert [(one.what, one.says) for one in tries] == [
        ("refused", "relay: 550 5.1.1 nobody"),
        ("reply lost", "relay: 550 5.1.1 nobody"),
    ]
    assert "until the first share" in stands(replace(COPY, waits_for_canary=True), timezone="UTC")


def test_the_timeline_tells_everything_in_its_order():
    refusal = Try(at=NOON, outcome="deferred", provider="relay", code=451, enhanced="4.7.1", text="greylisted")
    bounce = Heard(at=NOON + 2 * HOUR, kind="bounced", provider="mailgun", text="5.1.1 no such user")
    copy = replace(COPY, tries=(refusal,), heard=(bounce,))
    entries = timeline(READER, ARTICLE, [VOLCANOES], [copy])
    assert [(entry.what, entry.says) for entry in entries] == [
        ("signed up", "the address came to us"),
        ("confirmed", "the reader confirmed"),
        ("followed", "Volcanoes, immediate"),
        ("published", "Gazette: Etna throws lava"),
        ("seen", "article 7 came in"),
        ("matched", "Volcanoes"),
        ("concerned", "the story met Volcanoes by the words lava, Etna"),
        ("planned", "alert, edition 4, delivery 3"),
        ("deferred", "relay: 451 4.7.1 greylisted"),
        ("bounced", "mailgun: 5.1.1 no such user"),
    ]


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.CANCELLED, State.EXPIRED])
def test_the_end_of_a_copy_that_is_not_sent_has_its_line(state):
    ended = replace(COPY, state=state, reason="the address is suppressed", ended_at=NOON + HOUR)
    last = timeline(READER, ARTICLE, [VOLCANOES], [ended])[-1]
    assert (last.at, last.what, last.says) == (NOON + HOUR, state, "delivery 3 is not sent: the address is suppressed")


@pytest.mark.parametrize("why", Owing)
def test_a_story_that_comes_later_is_told_with_its_reason_and_its_time(why):
    owed = Owed(why=why, owed_at=NOON, due_at=NOON + 10 * HOUR)
    told = said_of(Later(owed=owed))
    assert told.startswith("The story comes with the reader's next digest")
    assert told.endswith("It is looked at again on 24 November 2026, 07:00.")
    assert "comes later" in {entry.what for entry in timeline(READER, ARTICLE, [VOLCANOES], [], Later(owed=owed))}


def test_what_is_owed_is_told_beside_the_mail_that_did_not_come():
    lost = replace(COPY, state=State.EXPIRED, reason="its last moment passed")
    told = said_of(Later(owed=Owed(why=Owing.EXPIRED, owed_at=NOON, due_at=NOON + HOUR)), sent=[lost])
    assert "was not sent: its last moment passed" in told
    assert "its mail could not be delivered in time" in told


@pytest.mark.parametrize("why", Lapse)
def test_a_story_that_never_comes_is_told_with_its_reason(why):
    assert said_of(Later(passed=[Passed(at=NOON, why=why)])).startswith("The reader does not get the story: ")


def test_a_mail_without_room_is_named():
    told = said_of(Later(passed=[Passed(at=NOON, kind="digest", edition_id=4, topic="Volcanoes")]))
    assert "the digest of 23 November 2026, 21:00 had no room for it under Volcanoes" in told


def test_a_burst_is_told_with_its_summary():
    rolled = replace(VOLCANOES, rolls=True, summary_due_at=NOON + HOUR, alert_due_at=NOON + HOUR)
    assert "So much is reported on Volcanoes" in said(followed=(rolled,))


def test_a_copy_that_waits_for_the_morning_says_so():
    morning = NOON + 10 * HOUR
    resting = replace(COPY, next_attempt_at=morning, quiet_until=morning)
    assert "waits for the end of the reader's quiet hours (24 November 2026, 07:00)" in said(sent=[resting])
    assert "quiet" not in said(sent=[replace(resting, next_attempt_at=NOON)])
    assert "quiet" not in said(sent=[replace(resting, state=State.ACCEPTED, accepted_at=NOON)])


def said_of(later: Later, *, sent=()) -> str:
    return last_word(READER, ARTICLE, [VOLCANOES], list(sent), later, at=NOON)
