"""Which run a due instant belongs to, and whether it is still worth making."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from worker.facts import Followed
from worker.model import Cadence, EditionKind, Lane, SubscriberId, SubscriptionId, TopicId
from worker.planning.times import digest_plan, following_run, is_stale, local_day

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  zone is given
EXPIRES = timedelta(hours=12)


def followed(cadence: Cadence, timezone: str = "Asia/Seoul") -> Followed:
    return Followed(
        subscriber_id=SubscriberId(1),
        recipient="ada@readers.example",
        locale="en",
        timezone=timezone,
        awake=True,
        subscription_id=SubscriptionId(1),
        topic_id=TopicId(1),
        cadence=cadence,
        times=["07:00", "18:30"],
        weekday=3,
    )


@given(MOMENTS, MOMENTS)
def test_runs_are_told_apart_by_their_instant_however_it_is_written(first, second):
    slots = [digest_plan(at, "en", expires=EXPIRES).slot for at in (first, second)]
    assert (slots[0] == slots[1]) is (first == second)
    assert digest_plan(first.astimezone(ZoneInfo("Asia/Kathmandu")), "en", expires=EXPIRES).slot == slots[0]


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_second_run_has_a_name_of_its_own_and_ends_with_the_first(due_at, later):
    first = digest_plan(due_at, "ko", expires=EXPIRES)
    again = digest_plan(due_at, "ko", expires=EXPIRES, again_at=due_at + later)
    assert again.slot.startswith(f"{first.slot} again at ")
    assert (again.due_at, again.expires_at) == (first.due_at, first.expires_at) == (due_at, due_at + EXPIRES)
    assert (first.kind, first.lane, first.locale) == (EditionKind.DIGEST, Lane.BULK, "ko")


@given(MOMENTS, st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_a_run_is_worth_making_until_the_edition_would_expire(due_at, since):
    assert is_stale(due_at, due_at + since, EXPIRES) is (since >= EXPIRES)


@given(MOMENTS, st.sampled_from([cadence for cadence in Cadence if cadence is not Cadence.IMMEDIATE]))
def test_the_next_run_is_always_ahead(after, cadence):
    found = following_run(followed(cadence), after=after)
    assert found is not None
    assert found > after


def test_alerts_have_no_next_run():
    assert following_run(followed(Cadence.IMMEDIATE), after=datetime(2026, 1, 1, tzinfo=UTC)) is None


@given(MOMENTS, st.sampled_from(["Asia/Seoul", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"]))
def test_a_day_is_the_readers_own(at, timezone):
    assert abs(local_day(at, timezone) - at.date()) <= timedelta(days=1)
    assert local_day(at, timezone) == at.astimezone(ZoneInfo(timezone)).date()
