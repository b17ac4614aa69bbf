"""What follows from a poll: every rule of politeness with its case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.intake.polls import NOON, PACE, URL, a_source, document, failure, seconds_until, unchanged, wait_s
from worker.feeds import Manners, SourceState
from worker.intake.polled import Polled, Question
from worker.intake.polling import BACKUP_S, Push, after, question, why_unread

DAY_S = 86_400.0


def within_a_tenth(wait: float, expected: float) -> bool:
    return expected <= wait <= expected * 1.1


def test_validators_go_back_as_they_came():
    odd = 'W/"a b'
    assert question(a_source(etag=odd, last_modified="gestern"), now=NOON) == Question(
        etag=odd, last_modified="gestern"
    )


def test_the_whole_document_is_asked_for_once_a_day_whatever_the_server_says():
    stuck = a_source(refreshed_at=NOON - timedelta(days=1))
    assert question(stuck, now=NOON) == Question()
    assert question(a_source(refreshed_at=None), now=NOON) == Question()


def test_a_document_that_was_asked_for_with_validators_counts_as_whole():
    following = after(a_source(), document(asked=Question(etag='"v1"')), now=NOON, pace=PACE)
    assert following.source.refreshed_at == NOON
    assert (following.source.etag, following.source.last_modified) == ('"v2"', "")


def test_an_unchanged_document_keeps_its_validators_and_does_not_count_as_a_whole_one():
    source = a_source()
    following = after(source, unchanged(etag='"other"'), now=NOON, pace=PACE)
    assert (following.source.etag, following.source.refreshed_at) == ('"v1"', source.refreshed_at)


def test_not_modified_without_having_been_asked_is_a_failure():
    following = after(a_source(), unchanged(asked=Question()), now=NOON, pace=PACE)
    assert (following.source.failures, following.source.last_status) == (1, 304)
    assert "304" in following.source.last_error


def test_a_server_that_chokes_on_its_own_validators_is_asked_without_them():
    following = after(a_source(), failure(400), now=NOON, pace=PACE)
    assert question(following.source, now=NOON) == Question()
    assert within_a_tenth(seconds_until(following), 300)
    without = after(a_source(), failure(400, asked=Question()), now=NOON, pace=PACE)
    assert question(without.source, now=NOON).etag == '"v1"'


def test_410_ends_a_source_only_when_it_is_said_again_later():
    first = after(a_source(), failure(410), now=NOON, pace=PACE)
    assert first.source.state is SourceState.ACTIVE
    assert within_a_tenth(seconds_until(first), 3600)
    by_hand = after(first.source, failure(410), now=NOON + timedelta(minutes=1), pace=PACE)
    assert by_hand.source.state is SourceState.ACTIVE
    second = after(first.source, failure(410), now=NOON + timedelta(hours=1), pace=PACE)
    assert (second.source.state, second.next_poll_at) == (SourceState.GONE, None)
    assert second.source.state_since == NOON + timedelta(hours=1)
    assert "410" in second.source.state_reason
    assert second.told[0].serious


def test_410_by_mistake_is_forgotten_with_the_next_answer():
    first = after(a_source(), failure(410), now=NOON, pace=PACE)
    later = NOON + timedelta(hours=1)
    back = after(first.source, document(), now=later, pace=PACE)
    again = after(back.source, failure(410), now=later + timedelta(hours=1), pace=PACE)
    assert again.source.state is SourceState.ACTIVE


def test_a_source_that_was_gone_and_answers_somebody_who_asks_is_watched_again():
    gone = a_source(state=SourceState.GONE, state_reason="410", state_since=NOON - timedelta(days=9))
    following = after(gone, document(), now=NOON, pace=PACE)
    assert (following.source.state, following.source.state_reason) == (SourceState.ACTIVE, "")
    assert following.next_poll_at is not None
    still = after(gone, failure(500), now=NOON, pace=PACE)
    assert (still.source.state, still.next_poll_at) == (SourceState.GONE, None)


def test_a_paused_source_that_somebody_polls_by_hand_stays_paused():
    following = after(a_source(state=SourceState.PAUSED), document(new_items=1), now=NOON, pace=PACE)
    assert (following.source.state, following.next_poll_at) == (SourceState.PAUSED, None)
    assert following.source.last_news_at == NOON


@pytest.mark.parametrize("status", [None, 200, 401, 403, 404, 500, 503])
def test_whatever_fails_is_tried_again_for_ever_and_at_least_daily(status):
    source, now, waits = a_source(), NOON, []
    for _ in range(60):
        following = after(source, failure(status), now=now, pace=PACE)
        waits.append(seconds_until(following, now))
        assert following.next_poll_at is not None
        source, now = following.source, following.next_poll_at
    assert 0 < waits[0] <= 330
    assert waits[-1] == pytest.approx(DAY_S, rel=0.1)
    assert source.failures == 60


def test_an_outage_of_some_hours_does_not_cost_a_day():
    recent = a_source(failures=12, last_ok_at=NOON - timedelta(hours=20))
    assert wait_s(recent, failure(502)) <= 3600 * 1.1
    assert wait_s(recent, failure(404)) > DAY_S / 2
    assert wait_s(replace(recent, last_ok_at=NOON - timedelta(hours=25)), failure(502)) > DAY_S / 2


def test_a_busy_source_that_stumbles_is_tried_again_soon_and_a_quiet_one_too():
    assert wait_s(a_source(poll_every_s=60.0), failure()) <= 66
    assert wait_s(a_source(poll_every_s=3000.0), failure()) <= 330
    assert wait_s(a_source(poll_every_s=3000.0), failure(404)) >= 3000


@pytest.mark.parametrize(("wish", "least", "most"), [(7200, 7200, 7920), (1, 300, 330), (DAY_S, DAY_S, DAY_S)])
def test_retry_after_is_heeded_up_to_a_day_and_never_makes_us_hurry(wish, least, most):
    assert least <= wait_s(a_source(), failure(429, retry_after_s=wish)) <= most
    assert least <= wait_s(a_source(), failure(503, retry_after_s=wish)) <= most


def test_a_source_that_found_us_too_eager_is_polled_less_often_until_it_has_borne_that_for_a_while():
    busy = a_source(poll_every_s=60.0, published=tuple(NOON - timedelta(minutes=n) for n in range(1, 25)))
    source = after(busy, failure(429), now=NOON, pace=PACE).source
    assert source.bears_s == 120
    source = after(source, unchanged(), now=NOON, pace=PACE).source
    assert source.poll_every_s is not None
    assert 110 < source.poll_every_s <= 120
    for _ in range(40):
        source = after(source, unchanged(), now=NOON, pace=PACE).source
    assert (source.poll_every_s, source.bears_s) == (60, None)


def test_what_caches_repeat_anyway_is_not_asked_for_earlier_up_to_the_ceiling():
    assert within_a_tenth(wait_s(a_source(), unchanged(fresh_s=1800)), 1800)
    assert within_a_tenth(wait_s(a_source(), unchanged(fresh_s=10 * DAY_S)), 3600)
    assert wait_s(a_source(), unchanged(fresh_s=0)) <= 330


def test_a_feeds_own_word_is_heeded_unless_its_dates_belie_it():
    hourly = Manners(every_s=3600)
    rare = a_source(published=tuple(NOON - timedelta(hours=2 * n) for n in range(1, 25)))
    assert wait_s(rare, document(manners=hourly)) >= 3600
    often = a_source(published=tuple(NOON - timedelta(minutes=20 * n) for n in range(1, 25)))
    assert within_a_tenth(wait_s(often, document(manners=hourly)), 300)


def test_a_feeds_word_is_kept_for_the_polls_that_do_not_read_it():
    read = after(a_source(), document(manners=Manners(every_s=1500)), now=NOON, pace=PACE).source
    assert within_a_tenth(wait_s(read, unchanged()), 1500)


def test_nobody_comes_while_a_source_rests():
    night = Manners(skip_hours=frozenset({12, 13, 14}))
    following = after(a_source(manners=night), unchanged(), now=NOON, pace=PACE)
    assert following.next_poll_at is not None
    assert NOON + timedelta(hours=3) <= following.next_poll_at <= NOON + timedelta(hours=3, minutes=10)


def test_a_source_may_rest_for_a_day_at_most_and_not_for_ever():
    weekend = Manners(skip_days=frozenset({0, 1}))
    assert wait_s(a_source(manners=weekend), unchanged()) == DAY_S
    always = Manners(skip_hours=frozenset(range(24)), skip_days=frozenset(range(7)))
    assert wait_s(a_source(manners=always), unchanged()) <= 330


def test_an_operators_word_wins_over_what_a_feed_asks_but_not_over_a_server_that_is_overrun():
    asking = Manners(every_s=3600, skip_hours=frozenset({12}))
    told = a_source(every_s=120.0, manners=asking)
    assert within_a_tenth(wait_s(told, unchanged(fresh_s=3600)), 120)
    assert wait_s(told, failure(503, retry_after_s=3600)) >= 3600
    assert within_a_tenth(wait_s(a_source(every_s=20_000.0), unchanged()), 20_000)


def test_the_houses_own_source_is_polled_at_the_floor():
    assert within_a_tenth(wait_s(a_source(house=True), unchanged(fresh_s=3600)), 60)


def test_a_source_that_is_pushed_reliably_is_polled_as_a_backup_only():
    reliable = Push(last_push_at=NOON, misses=0)
    assert within_a_tenth(wait_s(a_source(), unchanged(), push=reliable), BACKUP_S)
    assert wait_s(a_source(), unchanged(), push=Push(last_push_at=NOON, misses=1)) <= 330
    assert wait_s(a_source(), unchanged(), push=Push(last_push_at=None)) <= 330


def test_news_pull_the_pace_up_at_once_and_silence_slows_it_gently():
    quiet = a_source(published=tuple(NOON - timedelta(days=n) for n in range(1, 10)), poll_every_s=1500.0)
    minutes = [NOON - timedelta(minutes=n) for n in (1, 3, 5)]
    burst = after(quiet, document(new_items=3, published=tuple(minutes)), now=NOON, pace=PACE)
    assert seconds_until(burst) <= 66
    paces = [
        after(burst.source, unchanged(), now=NOON + timedelta(hours=hours), pace=PACE).source.poll_every_s or 0
        for hours in (1, 6, 24, 24 * 7)
    ]
    assert paces == sorted(paces)
    assert paces[0] < 300 < paces[-1] <= 3600


def test_a_source_that_publishes_four_times_as_often_is_polled_twice_as_often():
    hourly = a_source(published=tuple(NOON - timedelta(hours=n) for n in range(1, 25)))
    often = a_source(published=tuple(NOON - timedelta(minutes=15 * n) for n in range(1, 25)))
    assert after(hourly, unchanged(), now=NOON, pace=PACE).source.poll_every_s == 300
    assert after(often, unchanged(), now=NOON, pace=PACE).source.poll_every_s == 150


def test_the_quietest_source_that_asks_for_nothing_is_polled_within_the_ceiling():
    silent = [a_source(id=number, published=(NOON - timedelta(days=900),)) for number in range(100)]
    waits = [wait_s(source, unchanged()) for source in silent]
    assert 3600 / 1.1 - 1 <= min(waits) <= max(waits) <= 3600


def test_dates_of_a_document_that_told_nothing_new_are_no_evidence():
    source = a_source()
    following = after(source, document(published=(NOON,) * 30), now=NOON, pace=PACE)
    assert following.source.published == source.published
    assert following.source.last_news_at == source.last_news_at


def test_an_answer_forgives_all_failures_and_is_told_after_several():
    following = after(a_source(failures=4, last_error="x"), unchanged(), now=NOON, pace=PACE)
    assert (following.source.failures, following.source.last_error) == (0, "")
    assert "after 4 failures" in following.told[0].text


def test_a_feed_that_has_become_a_web_page_is_not_read():
    assert "web page" in why_unread(a_source(format="rss20"), format_="html")
    assert why_unread(a_source(format="rss20"), format_="atom10") == ""
    assert why_unread(a_source(format=""), format_="html") == ""


def test_sources_of_one_kind_do_not_march_in_step():
    waits = {wait_s(a_source(id=number), unchanged()) for number in range(200)}
    assert len(waits) > 190
    assert max(waits) - min(waits) > 20
    assert wait_s(a_source(), unchanged()) == wait_s(a_source(), unchanged())


def test_only_columns_that_change_are_written_and_the_claim_is_freed():
    source = a_source(poll_every_s=300.0)
    changes = after(source, unchanged(), now=NOON, pace=PACE).changes(source)
    assert {"next_poll_at", "claimed_until", "last_polled_at", "last_ok_at"} <= set(changes)
    assert {"etag", "manners", "published_lately", "url", "host", "id"}.isdisjoint(changes)


def test_a_new_source_of_which_nothing_is_known_begins_at_the_usual_pace():
    new = Polled(id=a_source().id, url=URL, created_at=NOON)
    assert within_a_tenth(wait_s(new, document(asked=Question())), 300)
