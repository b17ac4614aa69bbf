"""What a backtest makes of what it found: mails by the rules of planning, days, estimates, excerpts, advice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.matching.analyser import ArticleText, analyse
from worker.matching.backtest import Count, Part, evenly, excerpts, parts_of, warnings
from worker.matching.canonical import canonical
from worker.matching.evaluate import evidence
from worker.matching.mails import Found, Mails, Period, by_day, mails, mails_at
from worker.matching.query import parse
from worker.model import Cadence
from worker.schedule import next_due

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday


def period(days: float = 30, timezone: str = "UTC") -> Period:
    return Period(since=NOON - timedelta(days=days), until=NOON, timezone=timezone)


def found(*hours_ago: float, chance: float = 1.0) -> Found:
    times = [int((NOON - timedelta(hours=hours)).timestamp()) for hours in hours_ago]
    return Found(at_s=np.array(times, dtype=np.int64), chance=np.full(len(times), chance))


def at_each_cadence(told: Found, when: Period) -> dict[Cadence, Mails]:
    return {pace.cadence: pace for pace in mails(told, when)}


def test_stories_between_two_runs_are_one_mail_and_an_empty_run_is_none():
    paces = at_each_cadence(found(1, 1.2, 30, 100), period(days=10))
    assert paces[Cadence.IMMEDIATE].mails == 4
    assert (paces[Cadence.HOURLY].mails, paces[Cadence.HOURLY].runs) == (3, 240)
    assert (paces[Cadence.DAILY].mails, paces[Cadence.DAILY].runs) == (2, 10)  # the newest two wait for tomorrow's


def test_weekdays_gather_the_weekend_for_monday():
    saturday, sunday, friday = 4 * 24, 3 * 24, 5 * 24 + 8
    assert at_each_cadence(found(saturday, sunday), period())[Cadence.WEEKDAYS].mails == 1
    assert at_each_cadence(found(friday, sunday), period())[Cadence.WEEKDAYS].mails == 2
    assert at_each_cadence(found(saturday, sunday), period())[Cadence.DAILY].mails == 2


def test_runs_are_at_the_newsrooms_own_hour():
    """06:30 in UTC is before the run of 07:00 there, and after that of Seoul."""
    told = found(5.5, 5.2)
    assert at_each_cadence(told, period(days=1))[Cadence.DAILY].mails == 1
    assert at_each_cadence(told, period(days=1, timezone="Asia/Seoul"))[Cadence.DAILY].mails == 0


def test_a_cadence_without_a_run_in_the_period_says_so_instead_of_a_rate():
    monthly = at_each_cadence(found(1), period(days=7))[Cadence.MONTHLY]
    assert (monthly.runs, monthly.mails, monthly.says) == (0, 0, "no monthly run was due in these days")


@given(
    hours=st.lists(st.integers(0, 24 * 40), max_size=20),
    cadence=st.sampled_from([cadence for cadence in Cadence if cadence is not Cadence.IMMEDIATE]),
    timezone=st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns", "Europe/Berlin"]),
)
def test_mails_are_the_runs_that_come_next_after_a_story(hours, cadence, timezone):
    when = period(days=41, timezone=timezone)
    runs = set()
    for ago in hours:
        at = NOON - timedelta(hours=ago, seconds=1)
        runs.add(next_due(cadence, times=(), weekday=None, timezone=timezone, after=at))
    due = {run for run in runs if run is not None and run <= NOON}
    told = found(*(ago + 1 / 3600 for ago in hours))
    assert at_each_cadence(told, when)[cadence].mails == len(due)


def test_a_likely_story_is_part_of_a_mail_and_many_make_a_whole_one():
    one, many = found(10, chance=0.5), found(*[10.5] * 20, chance=0.5)
    assert at_each_cadence(one, period(days=2))[Cadence.DAILY].mails_a_day == 0.25
    assert at_each_cadence(many, period(days=2))[Cadence.DAILY].mails == 1
    assert at_each_cadence(many, period(days=2))[Cadence.IMMEDIATE].mails == 10


def test_days_are_the_newsrooms_and_none_is_left_out():
    days = by_day(found(1, 26, 27), period(days=3, timezone="Asia/Seoul"))
    assert [(day.date, day.stories) for day in days] == [
        ("2026-11-22", 0), ("2026-11-23", 0), ("2026-11-24", 2), ("2026-11-25", 1),
    ]  # fmt: skip


@given(st.integers(0, 300), st.data())
def test_every_beginning_of_the_reading_order_is_spread_over_all(count, data):
    order = evenly(count).tolist()
    assert sorted(order) == list(range(count))
    read = data.draw(st.integers(0, count))
    half = sum(place < count / 2 for place in order[:read])
    assert abs(half - read / 2) <= max(read / 4, 1.5)


@pytest.mark.parametrize(
    ("read", "hits", "unread", "margin"), [(100, 50, 0, 0), (100, 50, 1000, 100), (100, 100, 1000, 20), (0, 0, 7, 7)]
)
def test_a_margin_shrinks_with_what_was_read_and_never_to_nothing(read, hits, unread, margin):
    assert Count(found=found(), read=read, unread=unread, hits=hits).margin == margin


def test_an_excerpt_marks_what_was_found_and_says_where_it_was_cut():
    body = f"{'A word before. ' * 40}Then the DPRK fired.{' A word after.' * 40}"
    article = analyse(ArticleText(title="Fire", body=body))
    title, excerpt = excerpts(article, evidence(parse("dprk fired"), article))
    assert (title.text, title.highlights) == ("Fire", ())
    assert [excerpt.text[start:end] for start, end in excerpt.highlights] == ["DPRK", "fired"]
    assert excerpt.text.startswith("… ")
    assert excerpt.text.endswith(" …")
    assert len(excerpt.text) < 250


def test_overlapping_finds_are_one_mark():
    article = analyse(ArticleText(title="North Korea fires"))
    (title,) = excerpts(article, evidence(parse('"north korea" korea "korea fires"'), article))
    assert title.highlights == ((0, 17),)


def test_a_query_is_taken_apart_at_its_top():
    parts = [(canonical(part), excluded) for part, excluded in parts_of(parse("korea (fire | test) -film"))]
    assert parts == [("korea", False), ("fire OR test", False), ("film", True)]
    assert list(parts_of(parse("korea"))) == []


def test_advice_names_the_part_that_nobody_has():
    parts = [Part(part=name, stories=count, estimated=False, excluded=False) for name, count in (("a", 3), ("b", 0))]
    (nothing, missing) = warnings(share=0, stories=0, all_stories=9, parts=parts)
    assert (nothing, missing) == ("nothing would have matched", "no story has b")
    assert list(warnings(share=0.09, stories=9, all_stories=100, parts=())) == []


def test_a_reader_s_own_rhythm_is_counted_by_their_own_clock():
    told = found(1, 25, 26)  # Wednesday 11:00, and twice on Tuesday morning, UTC
    week = period(days=7)
    assert mails_at(told, week, Cadence.IMMEDIATE) == 3
    assert mails_at(told, week, Cadence.DAILY, times=["12:00"]) == 2
    assert mails_at(told, week, Cadence.DAILY, times=["10:30", "12:00"]) == 3
    assert mails_at(told, week, Cadence.DAILY, times=["19:30"]) == 1
    assert mails_at(told, period(days=7, timezone="Asia/Seoul"), Cadence.DAILY, times=["19:30"]) == 2  # 10:30 UTC
    assert mails_at(told, week, Cadence.WEEKLY, times=["07:00"], weekday=2) == 0
    assert mails_at(told, week, Cadence.WEEKLY, times=["07:00"], weekday=3) == 1
    assert mails_at(told, week, Cadence.MONTHLY) is None
