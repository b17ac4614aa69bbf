"""What a failed try leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.decide import Patience, after_error, after_look_up, is_sent_again
from worker.errors import Blame, SendError
from worker.lifecycle import Happening, State, step
from worker.model import EditionKind, Lane, Severity, Sighting

PATIENCE = Patience(alerts_s=30, bulk_s=300)
LANES = st.sampled_from([Lane.ALERTS, Lane.BULK])
ATTEMPTS = st.integers(min_value=1, max_value=5000)
JITTER = st.floats(min_value=0, max_value=1)


def busy(retry_after_s: float | None = None) -> SendError:
    return SendError("busy", permanent=False, code=451, retry_after_s=retry_after_s)


def test_a_refusal_that_is_about_us_waits_for_somebody_to_mend_it():
    error = SendError("5.7.1 relay denied", permanent=True, blame=Blame.US, code=550)
    verdict = after_error(error, attempts=1, lane=Lane.BULK, patience=PATIENCE, jitter=0.5)
    assert verdict.happening is Happening.DEFERRED
    assert verdict.retry_in_s == PATIENCE.bulk_s


@pytest.mark.parametrize("retry_after_s", [None, 10.0])
def test_what_can_never_work_is_refused_at_the_first_try(retry_after_s):
    error = SendError("5.1.1", permanent=True, blame=Blame.RECIPIENT, retry_after_s=retry_after_s)
    verdict = after_error(error, attempts=1, lane=Lane.BULK, patience=PATIENCE, jitter=0.5)
    assert (verdict.happening, verdict.retry_in_s) == (Happening.REFUSED, None)


@given(lane=LANES, jitter=JITTER)
def test_the_first_retry_comes_when_it_was_promised(lane, jitter):
    verdict = after_error(busy(), attempts=1, lane=lane, patience=PATIENCE, jitter=jitter)
    assert (verdict.happening, verdict.retry_in_s) == (Happening.DEFERRED, PATIENCE.first_s(lane))


@given(attempts=ATTEMPTS, lane=LANES, jitter=JITTER)
def test_waits_grow_and_are_bounded_however_often_it_has_been_tried(attempts, lane, jitter):
    waits_s = [
        after_error(busy(), attempts=tries, lane=lane, patience=PATIENCE, jitter=jitter).retry_in_s
        for tries in (attempts, attempts + 1)
    ]
    longest = timedelta(minutes=15) if lane is Lane.ALERTS else timedelta(hours=4)
    assert waits_s[0] is not None
    assert waits_s[1] is not None
    assert PATIENCE.first_s(lane) <= waits_s[0] <= waits_s[1] <= 1.5 * longest.total_seconds()


@given(attempts=ATTEMPTS, lane=LANES, jitter=JITTER, asked_s=st.floats(min_value=0, max_value=1e6))
def test_nobody_comes_back_sooner_than_the_provider_asks(attempts, lane, jitter, asked_s):
    verdict = after_error(busy(asked_s), attempts=attempts, lane=lane, patience=PATIENCE, jitter=jitter)
    assert verdict.retry_in_s is not None
    assert verdict.retry_in_s >= asked_s


@pytest.mark.parametrize("kind", list(EditionKind))
@pytest.mark.parametrize("severity", list(Severity))
def test_only_a_confirmation_and_a_breaking_alert_rather_come_twice_than_never(kind, severity):
    expected = kind is EditionKind.CONFIRMATION or (kind is EditionKind.ALERT and severity is Severity.BREAKING)
    assert is_sent_again(kind, severity) is expected


@given(
    sighting=st.sampled_from(Sighting),
    kind=st.sampled_from(EditionKind),
    severity=st.sampled_from(Severity),
    attempts=ATTEMPTS,
    lane=LANES,
)
def test_a_look_up_settles_what_it_can_by_steps_that_the_table_has(sighting, kind, severity, attempts, lane):
    verdict = after_look_up(sighting, kind=kind, severity=severity, attempts=attempts, lane=lane, patience=PATIENCE)
    if sighting is Sighting.CANNOT_TELL and (attempts >= 3 or not is_sent_again(kind, severity)):
        assert verdict is None
        return
    assert verdict is not None
    assert step(State.UNKNOWN, verdict.happening) is not None
    assert (verdict.happening is Happening.ACCEPTED) is (sighting is Sighting.FOUND)
    if verdict.happening is Happening.DEFERRED:
        assert verdict.retry_in_s is not None
        assert (verdict.retry_in_s == 0) is (attempts == 1)
