"""When a source's new address is believed: what polling makes of redirects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.intake.polls import NOON, PACE, URL, a_source, document, failure, unchanged
from worker.intake.moving import Arrival, why_not
from worker.intake.polled import Next, Polled
from worker.intake.polling import after, is_to_be_looked_into, question

NEW = "https://new.example/feed"
OURS = Arrival(items=20, known=19, has_items=True)
HOUR = timedelta(hours=1)


def polls(source: Polled, times: int, *, every: timedelta, target: str | None = NEW, **answer) -> Next:
    """Poll so many times, beginning at noon, with a permanent redirect each time."""
    following = None
    for number in range(times):
        now = NOON + number * every
        answered = unchanged(permanent_redirect_to=target, url=target or URL, **answer)
        following = after(following.source if following else source, answered, now=now, pace=PACE)
    assert following is not None
    return following


def test_a_permanent_redirect_is_believed_after_three_polls_over_a_day_when_our_items_lie_there():
    seen = polls(a_source(), 2, every=24 * HOUR)
    assert (seen.source.url, seen.source.moved_to, seen.source.moved_count) == (URL, NEW, 2)
    now = NOON + 48 * HOUR
    assert is_to_be_looked_into(seen.source, permanent_redirect_to=NEW, now=now)
    assert not question(seen.source, now=now).is_conditional  # a move is decided by the whole document
    moved = after(seen.source, document(permanent_redirect_to=NEW, url=NEW, arrival=OURS), now=now, pace=PACE)
    assert (moved.source.url, moved.source.moved_to, moved.source.moved_count) == (NEW, "", 0)
    assert moved.changes(seen.source) | {"url": NEW, "host": "new.example"} == moved.changes(seen.source)
    assert NEW in moved.told[0].text


def test_many_polls_within_a_day_are_not_enough_nor_is_a_day_with_two():
    often = polls(a_source(), 20, every=HOUR)
    assert not is_to_be_looked_into(often.source, permanent_redirect_to=NEW, now=NOON + 20 * HOUR)
    once = polls(a_source(), 1, every=HOUR)
    assert not is_to_be_looked_into(once.source, permanent_redirect_to=NEW, now=NOON + 90 * HOUR)
    unlooked = after(often.source, document(permanent_redirect_to=NEW, arrival=OURS), now=NOON + 20 * HOUR, pace=PACE)
    assert unlooked.source.url == URL


@pytest.mark.parametrize("other", [None, "https://third.example/feed"])
def test_an_answer_from_the_old_address_or_a_third_begins_the_count_anew(other):
    seen = polls(a_source(), 5, every=24 * HOUR)
    now = NOON + 200 * HOUR
    answered = unchanged(permanent_redirect_to=other, url=other or URL)
    back = after(seen.source, answered, now=now, pace=PACE)
    assert back.source.moved_count == (1 if other else 0)
    assert not is_to_be_looked_into(back.source, permanent_redirect_to=NEW, now=now + HOUR)


def test_a_failure_in_between_does_not():
    seen = polls(a_source(), 2, every=24 * HOUR)
    failed = after(seen.source, failure(502), now=NOON + 25 * HOUR, pace=PACE)
    assert is_to_be_looked_into(failed.source, permanent_redirect_to=NEW, now=NOON + 48 * HOUR)


def test_a_move_that_is_not_safe_is_told_and_looked_into_again_later():
    seen = polls(a_source(), 2, every=24 * HOUR)
    foreign = Arrival(items=20, known=1, has_items=True)
    now = NOON + 48 * HOUR
    stays = after(seen.source, document(permanent_redirect_to=NEW, url=NEW, arrival=foreign), now=now, pace=PACE)
    assert stays.source.url == URL
    assert stays.told[0].serious
    assert "we know 1" in stays.told[0].text
    assert not is_to_be_looked_into(stays.source, permanent_redirect_to=NEW, now=now + HOUR)


def test_an_address_with_a_password_is_changed_by_people_only():
    assert "change it yourself" in why_not("https://desk:hush@a.example/rss", NEW, OURS)


@pytest.mark.parametrize(
    ("target", "arrival", "reason"),
    [
        ("https://user:pw@new.example/", OURS, "password"),
        ("http://new.example/", OURS, "encryption"),
        ("https://localhost/", OURS, "network's own"),
        ("https://10.0.0.1/rss", OURS, "network's own"),
        ("https://[fd00::1]/rss", OURS, "network's own"),
        ("https://cms.internal/rss", OURS, "network's own"),
        ("https://new.example/" + "x" * 2_000, OURS, "too long"),
        (NEW, replace(OURS, watched_as="The Gull"), "The Gull"),
        (NEW, replace(OURS, known=9), "we know 9"),
        (NEW, replace(OURS, items=0, known=0), "0 items"),
    ],
)
def test_a_source_stays_where_it_is_for_any_of_these_reasons(target, arrival, reason):
    assert reason in why_not(URL, target, arrival)


def test_a_source_that_never_told_anything_may_move_with_its_first_items():
    assert why_not(URL, NEW, Arrival(items=3, known=0, has_items=False)) == ""


def test_a_house_in_its_own_network_may_move_within_it():
    assert why_not("http://10.0.0.1/rss", "http://10.0.0.1/feed", OURS) == ""


def test_a_temporary_redirect_to_another_host_is_told_once_and_never_remembered():
    away = unchanged(url="https://cdn.example/x")
    first = after(a_source(), away, now=NOON, pace=PACE)
    assert "cdn.example" in first.told[0].text
    second = after(first.source, away, now=NOON + HOUR, pace=PACE)
    assert (second.told, second.source.url, second.source.moved_count) == ((), URL, 0)
    assert not is_to_be_looked_into(second.source, permanent_redirect_to=None, now=NOON + 99 * HOUR)
    back = after(second.source, unchanged(), now=NOON + 2 * HOUR, pace=PACE)
    assert (back.told, back.source.moved_to) == ((), "")


def test_the_loss_of_encryption_is_told():
    lost = after(a_source(), unchanged(url=URL.replace("https", "http")), now=NOON, pace=PACE)
    assert "http://paper.example" in lost.told[0].text
    assert after(a_source(), unchanged(url=URL + "?x=1"), now=NOON, pace=PACE).told == ()
