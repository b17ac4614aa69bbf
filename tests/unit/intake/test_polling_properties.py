"""What holds of polling whatever a source is like, whatever it answers and whatever an operator has set."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from worker.feeds import Manners, SourceState
from worker.intake import courtesy
from worker.intake.moving import Arrival
from worker.intake.pace import KEPT, Pace, gap_s, pace_s, remember
from worker.intake.patience import patience_s
from worker.intake.polled import Answered, Failed, Polled, Question, columns
from worker.intake.polling import Push, after, is_to_be_looked_into, question
from worker.model import SourceId

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

moments = st.integers(0, 364 * 86_400_000).map(lambda ms: BEGINNING + timedelta(milliseconds=ms))
seconds = st.floats(0, 10**9)
paces = st.builds(Pace, usual_s=st.floats(5, 86_400), floor_s=st.floats(1, 86_400), ceiling_s=st.floats(5, 86_400))
manners = st.builds(
    Manners,
    every_s=st.none() | seconds,
    skip_hours=st.frozensets(st.integers(0, 23)),
    skip_days=st.frozensets(st.integers(0, 6)),
)
published = st.lists(moments, max_size=KEPT, unique=True).map(lambda found: tuple(sorted(found, reverse=True)))
urls = st.sampled_from(["https://a.example/rss", "http://b.example/rss", "https://10.0.0.1/", "https://[::1]/x"])
sources = st.builds(
    Polled,
    id=st.integers(1, 10**6).map(SourceId),
    url=st.just("https://a.example/rss"),
    created_at=moments,
    house=st.booleans(),
    every_s=st.none() | st.floats(-10, 10**9),
    state=st.sampled_from(SourceState),
    etag=st.sampled_from(["", '"x"']),
    refreshed_at=st.none() | moments,
    poll_every_s=st.none() | st.floats(1, 10**6),
    bears_s=st.none() | st.floats(1, 10**5),
    manners=manners,
    published=published,
    moved_to=urls | st.just(""),
    moved_count=st.integers(0, 9),
    moved_since=st.none() | moments,
    last_polled_at=st.none() | moments,
    last_ok_at=st.none() | moments,
    last_status=st.none() | st.sampled_from([200, 304, 404, 410, 429]),
    failures=st.integers(0, 10**6),
)
questions = st.sampled_from([Question(), Question(etag='"x"')])
answers = st.builds(
    Answered,
    status=st.sampled_from([200, 203, 304]),
    url=urls,
    asked=questions,
    permanent_redirect_to=st.none() | urls,
    retry_after_s=st.none() | st.floats(0, 86_400),
    fresh_s=st.none() | seconds,
    manners=st.none() | manners,
    published=st.lists(moments, max_size=30).map(tuple),
    new_items=st.integers(0, 50),
    arrival=st.none() | st.builds(Arrival, items=st.integers(0, 50), known=st.integers(0, 50), has_items=st.booleans()),
)
statuses = st.none() | st.integers(100, 599)
failures = st.builds(
    Failed,
    reason=st.just("it failed"),
    asked=questions,
    status=statuses,
    retry_after_s=st.none() | st.floats(0, 86_400),
)
pushes = st.none() | st.builds(Push, last_push_at=st.none() | moments, misses=st.integers(0, 5))


@given(sources, answers | failures, moments, paces, pushes)
def test_a_next_poll_is_after_now_and_within_the_longest_wait_unless_the_source_is_not_polled(
    source, outcome, now, pace, push
):
    following = after(source, outcome, now=now, pace=pace, push=push)
    if following.source.state is not SourceState.ACTIVE:
        assert following.next_poll_at is None
        return
    at = following.next_poll_at
    assert at is not None
    assert at.tzinfo is not None
    assert now < at <= now + DAY
    if isinstance(outcome, Answered) and outcome.status != 304 and not (source.every_s or source.house or push):
        most = timedelta(seconds=pace.most_s * 1.1)
        resting = following.source.manners.skip_hours or following.source.manners.skip_days
        assert resting or at <= now + most + timedelta(microseconds=1)


@given(sources, answers | failures, moments, paces, pushes)
def test_what_follows_fits_into_the_columns_and_is_the_same_when_asked_twice(source, outcome, now, pace, push):
    following = after(source, outcome, now=now, pace=pace, push=push)
    assert following == after(source, outcome, now=now, pace=pace, push=push)
    written = columns(following.source)
    assert len(written["published_lately"] or ()) <= KEPT
    assert following.source.failures in {0, source.failures + 1}
    assert all(line.text and line.text.isprintable() for line in following.told)
    assert following.changes(source)["claimed_until"] is None
    if following.source.url != source.url:
        assert outcome.arrival is not None
        assert following.source.moved_to == ""


@given(sources, moments, st.none() | urls)
def test_a_move_that_is_to_be_looked_into_is_asked_for_as_a_whole(source, now, target):
    if is_to_be_looked_into(source, permanent_redirect_to=target, now=now):
        assert not question(source, now=now).is_conditional


@given(statuses, st.floats(1, 86_400), moments, paces, st.integers(0, 10**6))
def test_patience_grows_with_every_failure(status, at_present_s, last_ok_at, pace, ago_s):
    now = last_ok_at + timedelta(seconds=ago_s)
    known = {"status": status, "at_present_s": at_present_s, "last_ok_at": last_ok_at, "now": now, "pace": pace}
    waits = [patience_s(count, **known) for count in (1, 2, 3, 5, 8, 30, 10**6)]
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert waits[-1] <= 86_400


@given(manners, moments, st.integers(0, 86_400))
def test_nobody_comes_while_a_source_rests_unless_it_rests_for_more_than_a_day(asked, now, ahead_s):
    at = now + timedelta(seconds=ahead_s)
    awake = courtesy.awake(asked, at, now=now)
    assert at <= awake <= now + DAY
    takes_all = len(asked.skip_hours) == 24 or len(asked.skip_days) == 7
    if awake < now + DAY and not takes_all:
        assert awake.hour not in asked.skip_hours
        assert awake.weekday() not in asked.skip_days


@given(manners)
def test_manners_come_back_from_the_database_as_they_went(asked):
    assert courtesy.read(courtesy.written(asked)) == asked


@given(published, st.lists(moments, max_size=60), moments)
def test_what_is_remembered_is_past_newest_first_and_a_minute_apart(known, told, now):
    known = tuple(one for one in known if one <= now)
    kept = remember(known, told, now=now)
    assert 1 <= len(kept) <= KEPT
    assert kept[0] <= now
    assert all(later - earlier >= timedelta(minutes=1) for later, earlier in pairwise(kept))


@given(published, moments, moments, st.integers(1, 10**7), paces)
def test_silence_never_speeds_a_source_up(found, since, now, later_s, pace):
    found = tuple(one for one in found if one <= now)
    later = now + timedelta(seconds=later_s)
    before = pace_s(gap_s(found, since=since, now=now), pace)
    assert pace.least_s <= before <= pace.most_s
    assert pace_s(gap_s(found, since=since, now=later), pace) >= before


@given(sources.map(lambda source: replace(source, house=False, every_s=None)), moments, st.floats(60, 10**6))
def test_an_operators_word_is_kept_to_a_tenth(source, now, every_s):
    told = replace(source, every_s=every_s, state=SourceState.ACTIVE)
    following = after(told, Answered(status=200, url=told.url, asked=Question()), now=now, pace=Pace())
    assert following.next_poll_at is not None
    wait_s = (following.next_poll_at - now).total_seconds()
    assert min(every_s, 86_400) - 1e-3 <= wait_s <= min(every_s * 1.1, 86_400) + 1e-3
