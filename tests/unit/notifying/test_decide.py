"""When an endpoint is tried again, given up, switched off; and which addresses may be one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.notifying.decide import (
    PATIENCE,
    SPREAD,
    WAITS,
    checked_types,
    checked_url,
    farewell,
    judge,
    new_secret,
)
from worker.tidings import MessageState, Reply, Tiding

AT = datetime(2026, 11, 29, 5, tzinfo=UTC)
CODES = st.one_of(st.none(), st.integers(100, 599))
REPLIES = st.builds(Reply, code=CODES, error=st.just("no answer"), retry_after_s=st.none() | st.floats(0, 86_400))


@given(reply=REPLIES, attempts=st.integers(1, 12), jitter=st.floats(0, 1))
def test_a_message_ends_delivered_or_after_its_tenth_try_and_waits_otherwise(reply, attempts, jitter):
    verdict = judge(reply, attempts=attempts, jitter=jitter)
    taken = reply.code is not None and 200 <= reply.code <= 299
    assert (verdict.state is MessageState.DELIVERED) is taken
    assert (verdict.state is MessageState.FAILED) is (not taken and attempts >= 10)
    assert (verdict.again_in is not None) is (verdict.state is MessageState.PENDING)
    assert (verdict.error == "") is taken
    if verdict.again_in is not None:
        planned, wish = WAITS[attempts - 1], timedelta(seconds=reply.retry_after_s or 0)
        assert max(planned, wish) <= verdict.again_in <= max(planned * (1 + SPREAD), wish)


def test_the_waits_are_those_of_standard_webhooks_and_come_to_three_days():
    tries = [judge(Reply(code=500), attempts=number, jitter=0) for number in range(1, 11)]
    waits = [verdict.again_in for verdict in tries if verdict.again_in is not None]
    assert [wait.total_seconds() for wait in waits] == [
        5,
        *(60 * minutes for minutes in (5, 30)),
        *(3600 * hours for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert timedelta(days=3) < sum(waits, timedelta()) < PATIENCE


def test_an_endpoint_that_wants_to_be_left_alone_is():
    busy = judge(Reply(code=429, retry_after_s=120), attempts=1, jitter=1)
    assert busy.again_in == timedelta(seconds=120)


@given(codes=st.lists(CODES, min_size=1), failing_for=st.timedeltas(timedelta(0), timedelta(days=30)))
def test_only_one_that_is_gone_or_has_taken_nothing_for_days_is_switched_off(codes, failing_for):
    replies = [Reply(code=code) for code in codes]
    taken = any(code is not None and 200 <= code <= 299 for code in codes)
    reason = farewell(replies, failing_since=None if taken else AT - failing_for, now=AT)
    assert bool(reason) is (410 in codes or (not taken and failing_for >= PATIENCE))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm.example.org",
        "ftp://crm.example.org/",
        "https://",
        "https://[::1",
        "https://crm.example.org:0/",
        "https://crm.example.org:99999/",
        "https://user:word@crm.example.org/",
        "https://crm.example.org/#top",
        "https://crm.example.org/a b",
        "https://crm.example.org/\x00",
        "https://crm.example.org/" + "a" * 2_000,
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_what_is_no_endpoints_address_is_refused(url, allow_private):
    with pytest.raises(InputError) as refused:
        checked_url(url, allow_private=allow_private)
    assert refused.value.where == "url"
    assert refused.value.hint


def test_plain_http_is_for_the_own_network_only():
    assert checked_url("http://crm.lan/x", allow_private=True) == "http://crm.lan/x"
    with pytest.raises(InputError, match="HTTPS"):
        checked_url("http://crm.example.org/x", allow_private=False)


def test_no_event_named_means_all_of_them():
    assert checked_types([]) == [str(one) for one in Tiding]
    with pytest.raises(InputError, match="there is no event 'born'"):
        checked_types(["confirmed", "born"])


def test_secrets_are_of_the_prescribed_length_and_never_the_same():
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in made)
