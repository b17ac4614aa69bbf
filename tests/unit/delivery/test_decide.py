"""What a failed try leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.decide import Patience, after_error, after_look_up, is_greylisting, is_sent_again
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


def said(text: str, *, code: int, enhanced: str = "", blame: Blame = Blame.US) -> SendError:
    return SendError(text, permanent=code >= 500, blame=blame, code=code, enhanced=enhanced)


GREYLISTS = [
    (said("RCPT refused: 450 4.2.0 <x>: Recipient address rejected: Greylisted", code=450, enhanced="4.2.0"), 0),
    (said("RCPT refused: 451 4.7.1 Greylisting in action, please come back in 00:10:00", code=451), 600),
    (said("RCPT refused: 450 Greylisted for 7 minutes", code=450), 420),
    (said("RCPT refused: 451 Graylisted, try again in 500 seconds", code=451), 500),
    (said("end of data refused: 451 4.7.1 Try again later", code=451, enhanced="4.7.1"), 0),
    (said("end of data refused: 451 4.7.1 Service unavailable - try again later", code=451, enhanced="4.7.1"), 0),
]
NO_GREYLISTS = [
    said("421 4.7.0 Try again later, closing connection", code=421, enhanced="4.7.0"),
    said("451 4.7.500 Server busy. Please try again later", code=451, enhanced="4.7.500"),
    said("452 4.2.2 Mailbox full", code=452, enhanced="4.2.2"),
    said("550 5.7.1 Your greylisting is over, go away", code=550, enhanced="5.7.1"),
]


@pytest.mark.parametrize(("error", "asked_s"), GREYLISTS, ids=lambda value: str(value)[:50])
@pytest.mark.parametrize(("lane", "least_s"), [(Lane.ALERTS, 60), (Lane.BULK, 300)])
def test_a_greylist_sees_the_same_provider_again_when_it_is_ready(error, asked_s, lane, least_s):
    assert is_greylisting(error)
    verdict = after_error(error, attempts=1, lane=lane, patience=PATIENCE, jitter=0, others=3)
    assert (verdict.retry_in_s, verdict.avoids) == (max(asked_s, least_s), False)


@pytest.mark.parametrize("error", NO_GREYLISTS, ids=str)
def test_other_refusals_are_no_greylist(error):
    assert not is_greylisting(error)


@given(attempts=st.integers(min_value=1, max_value=10), others=st.integers(min_value=0, max_value=4), lane=LANES)
def test_what_is_about_us_goes_by_each_other_provider_soon_and_then_waits(attempts, others, lane):
    error = SendError("550 5.7.1 not from you", permanent=True, code=550, enhanced="5.7.1", retry_after_s=3600)
    verdict = after_error(error, attempts=attempts, lane=lane, patience=PATIENCE, jitter=0, others=others)
    assert verdict.avoids is (others > 0)
    assert verdict.retry_in_s is not None
    assert (verdict.retry_in_s <= 15) is (attempts <= others)


def test_a_full_mailbox_is_no_reason_to_change_the_provider():
    full = said("452 4.2.2 over quota", code=452, enhanced="4.2.2", blame=Blame.RECIPIENT)
    verdict = after_error(full, attempts=1, lane=Lane.BULK, patience=PATIENCE, jitter=0, others=2)
    assert (verdict.retry_in_s, verdict.avoids) == (PATIENCE.bulk_s, False)


@given(
    attempts=ATTEMPTS,
    lane=LANES,
    jitter=JITTER,
    asked_s=st.none() | st.floats(min_value=0, max_value=1e5),
    left_s=st.floats(min_value=0, max_value=1e5),
)
def test_a_retry_comes_before_the_end_whenever_that_is_polite(attempts, lane, jitter, asked_s, left_s):
    tried = {"attempts": attempts, "lane": lane, "patience": PATIENCE, "jitter": jitter}
    usual_s = after_error(busy(asked_s), **tried).retry_in_s
    wait_s = after_error(busy(asked_s), **tried, left_s=left_s).retry_in_s
    assert usual_s is not None
    assert wait_s is not None
    assert PATIENCE.first_s(lane) <= wait_s <= usual_s
    assert wait_s >= (asked_s or 0)
    if wait_s >= left_s:
        assert left_s - 300 < max(PATIENCE.first_s(lane), asked_s or 0)


def test_the_last_try_of_a_digest_is_made_five_minutes_before_it_expires():
    verdict = after_error(busy(), attempts=6, lane=Lane.BULK, patience=PATIENCE, jitter=0, left_s=3600)
    assert verdict.retry_in_s == 3300
