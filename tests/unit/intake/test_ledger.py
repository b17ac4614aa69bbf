"""An article's ledger: each step's moment, the time since the one before, and what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.ledger import Copies, Ledger, Step

NOON = datetime(2026, 11, 29, 12, 0, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def copies(**values: Any) -> Copies:
    told: dict[str, Any] = {
        "kind": "alert",
        "deliveries": 3,
        "accepted": 3,
        "matched_at": after(41),
        "planned_at": after(60),
        "committed_at": after(61),
        "accepted_at": after(62.5),
        "median_accepted_at": after(63),
        "last_accepted_at": after(70),
    }
    return Copies(**told | values)


def ledger(**values: Any) -> Ledger:
    told: dict[str, Any] = {
        "published_at": NOON,
        "dated": True,
        "seen_at": after(40),
        "matched_at": after(41),
        "alerts": copies(),
        "others": (),
        "story": 7,
        "articles": 1,
        "first_article": 1,
    }
    return Ledger(**told | values)


def test_each_step_has_its_moment_and_the_time_since_the_one_before():
    told = ledger().told()
    assert [told[f"{step}_at"] for step in Step] == [NOON, *map(after, (40, 41, 60, 61, 62.5))]
    assert told["lag_s"] == {"seen": 40.0, "matched": 1.0, "planned": 19.0, "committed": 1.0, "accepted": 1.5}
    assert (told["deliveries"], told["last_accepted_at"]) == (3, after(70))


def test_an_article_that_led_to_no_alert_ends_where_it_ends():
    told = ledger(alerts=None, others=(copies(kind="digest"),)).told()
    assert (told["planned_at"], told["accepted_at"], told["deliveries"]) == (None, None, 0)
    assert told["lag_s"]["planned"] is None
    assert told["others"][0]["kind"] == "digest"


def test_a_date_that_is_none_is_not_told_and_one_that_is_a_day_has_no_span():
    undated = ledger(dated=False).told()
    assert (undated["published_at"], undated["lag_s"]["seen"], undated["lag_s"]["matched"]) == (None, None, 1.0)
    midnight = NOON.replace(hour=0, second=0)
    assert ledger(published_at=midnight).told()["lag_s"]["seen"] is None
    assert ledger(published_at=after(9_000)).told()["lag_s"]["seen"] is None


def test_a_step_that_seems_to_lie_before_the_one_before_it_has_no_span():
    assert ledger(matched_at=after(100)).told()["lag_s"]["planned"] is None


MOMENTS = st.none() | st.floats(-1e6, 1e6).map(after)


@given(MOMENTS, st.booleans(), MOMENTS, MOMENTS, MOMENTS)
def test_no_span_is_ever_negative(published_at, dated, matched_at, planned_at, accepted_at):
    found = ledger(
        published_at=published_at,
        dated=dated,
        matched_at=matched_at,
        alerts=copies(planned_at=planned_at, accepted_at=accepted_at),
    )
    assert all(span is None or span >= 0 for span in found.spans_s().values())
    assert [step for step, _, _ in found.lines()] == list(Step)
