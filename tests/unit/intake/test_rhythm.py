"""How a source tells its news, from the times of its articles: what is known of it, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.rhythm import Rhythm, Sighting, elapsed_s, lag_of, measure

MONDAY = datetime(2026, 11, 23, 0, 7, tzinfo=UTC)
LONG_AGO = MONDAY - timedelta(days=90)
MOMENTS = st.integers(0, 365 * 86_400).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))


def told(*moments: datetime, late_s: float = 60.0, dated: bool = True) -> list[Sighting]:
    """Make sightings, newest first."""
    late = timedelta(seconds=late_s)
    return [Sighting(published_at=at, seen_at=at + late, dated=dated) for at in sorted(moments, reverse=True)]


def hourly(count: int, *, start: datetime = MONDAY) -> list[datetime]:
    return [start + timedelta(hours=hour, seconds=hour) for hour in range(count)]


def working_days(weeks: int) -> list[datetime]:
    """Return 9, 13 and 17 o'clock of Monday to Friday."""
    days = (MONDAY + timedelta(days=day) for day in range(7 * weeks))
    return [day + timedelta(hours=hour, minutes=day.day) for day in days if day.weekday() < 5 for hour in (9, 13, 17)]


def test_what_lay_in_the_feed_when_we_first_looked_says_nothing_of_its_lateness_but_of_its_rhythm():
    backlog = [Sighting(published_at=at, seen_at=MONDAY + timedelta(days=2)) for at in reversed(hourly(20))]
    rhythm = measure(backlog, first_seen_at=MONDAY + timedelta(days=2))
    assert (rhythm.lag_p50_s, rhythm.lag_p95_s) == (None, None)
    assert rhythm.gap_s == 3601


def test_articles_without_a_date_have_no_lateness_and_their_rhythm_is_that_of_their_coming():
    rhythm = measure(told(*hourly(20), dated=False), first_seen_at=LONG_AGO)
    assert rhythm.lag_p50_s is None
    assert rhythm.gap_s == 3601


def test_a_source_that_dates_by_the_day_has_no_lateness_wherever_its_midnight_is():
    midnights_in_seoul = [datetime(2026, 11, day, 15, tzinfo=UTC) for day in range(1, 20)]
    assert measure(told(*midnights_in_seoul, late_s=40_000), first_seen_at=LONG_AGO).lag_p50_s is None


def test_things_of_the_archive_are_not_late():
    fresh, old = told(*hourly(10)), Sighting(published_at=LONG_AGO, seen_at=MONDAY)
    assert measure([*fresh, old], first_seen_at=LONG_AGO - timedelta(days=1)).lag_p95_s == 60


def test_median_and_95th_percentile_are_of_its_articles():
    sightings = [
        Sighting(published_at=at, seen_at=at + timedelta(seconds=late))
        for late, at in reversed(list(enumerate(hourly(100))))
    ]
    rhythm = measure(sightings, first_seen_at=LONG_AGO)
    assert (rhythm.lag_p50_s, rhythm.lag_p95_s, rhythm.recent_lag_s) == (49.5, 95, 97)


def test_weekends_are_left_out_of_the_pauses_of_a_source_that_rests_then():
    rhythm = measure(told(*working_days(3)), first_seen_at=LONG_AGO)
    assert not rhythm.tells_at_weekends
    assert rhythm.longest_gap_s is not None
    assert 16 * 3600 <= rhythm.longest_gap_s < 17 * 3600


def test_weekends_count_for_a_source_that_tells_something_then():
    rhythm = measure(told(*hourly(24 * 14)), first_seen_at=LONG_AGO)
    assert rhythm.tells_at_weekends
    assert rhythm.longest_gap_s == 3601


def test_of_too_few_articles_no_rhythm_is_made():
    assert measure(told(*hourly(4)), first_seen_at=LONG_AGO).gap_s is None
    assert measure([], first_seen_at=LONG_AGO) == Rhythm(articles=0)


@given(MOMENTS, MOMENTS)
def test_time_without_weekends_is_what_a_clock_that_stops_at_weekends_shows(begin, end):
    begin, end = (at.replace(minute=0, second=0, microsecond=0) for at in sorted((begin, end)))
    hours = int((end - begin).total_seconds() // 3600)
    worked = sum((begin + timedelta(hours=hour)).weekday() < 5 for hour in range(hours))
    assert elapsed_s(begin, end, weekends=False) == worked * 3600


@given(MOMENTS, MOMENTS, st.booleans())
def test_a_lateness_is_never_negative(published_at, seen_at, dated):
    lag = lag_of(published_at, seen_at, dated=dated)
    assert lag is None or (dated and lag >= timedelta())


@given(st.lists(st.tuples(MOMENTS, MOMENTS, st.booleans()), max_size=30), MOMENTS)
def test_any_times_can_be_measured_stored_and_read_back(times, first):
    newest = [Sighting(published_at=a, seen_at=b, dated=dated) for a, b, dated in sorted(times, key=lambda t: t[1])]
    rhythm = measure(newest[::-1], first_seen_at=first)
    assert Rhythm.restored(rhythm.stored()) == rhythm
