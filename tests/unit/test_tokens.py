"""Signed links: bound to a purpose, spelt one way, valid as long as they should be and under every old key."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from worker.errors import TokenError
from worker.model import DeliveryId
from worker.tokens import Purpose, Tokens, keyed_hash

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD, NEW = "an old key of thirty-two characters", "a new key of thirty-two characters"
TOKENS = Tokens([NEW, OLD])
NUMBERS = st.lists(st.integers(min_value=0, max_value=2**63), max_size=4)
PURPOSES = st.sampled_from(Purpose)


@given(PURPOSES, NUMBERS)
def test_what_was_signed_is_read_back(purpose, numbers):
    token = TOKENS.sign(purpose, *numbers)
    assert TOKENS.read(purpose, token, now=NOW) == tuple(numbers)
    assert token == Tokens([NEW]).sign(purpose, *numbers)  # the same for the same input, in every process
    assert re.fullmatch(r"[\w.-]+", token, re.ASCII)


@pytest.mark.parametrize(
    ("key", "purpose", "token"),
    [
        (OLD, Purpose.CONFIRM, "tp3ks0.9.e13wu1og.iuRsYEYS_qwIrfujLRSlaTfV8vb2dG4oID_ay-30ed4"),
        (OLD, Purpose.UNSUBSCRIBE, "0.9.e13wu1og.k6SGfUHm9HD9V3q1zWNPiIVWD6mPNhMAvvetfYfWrB8"),
        (NEW, Purpose.PREFERENCES, "0.9.e13wu1og.CT5BuL2kKbXH06vXgx73aG1m3Cjy_eHTi9hXcr3dDow"),
        (NEW, Purpose.VIEW, "0.9.e13wu1og.LJEuxYZ4GVy-PR5tdrXCAfEm5rzsDlxNzO4kXWJKh0Q"),
    ],
)
def test_links_in_mails_of_the_first_version_which_itsdangerous_signed_are_good_for_ever(key, purpose, token):
    expires_at = datetime(2026, 11, 26, 7, tzinfo=UTC) if purpose is Purpose.CONFIRM else None
    assert TOKENS.read(purpose, token, now=NOW) == (9, 2**40)
    assert Tokens([key]).sign(purpose, 9, 2**40, expires_at=expires_at) == token


def test_a_link_is_short():
    assert len(TOKENS.sign(Purpose.UNSUBSCRIBE, 2**63, 2**63)) <= 75  # worker.rendering.headers.TOKEN_CHARS
    assert len(TOKENS.sign(Purpose.CONFIRM, 2**63, 10**9, expires_at=NOW)) <= 75


@given(PURPOSES, PURPOSES, NUMBERS)
def test_a_link_for_one_purpose_is_refused_for_any_other(made_for, used_for, numbers):
    assume(made_for is not used_for)
    with pytest.raises(TokenError, match="damaged"):
        TOKENS.read(used_for, TOKENS.sign(made_for, *numbers), now=NOW)


@given(NUMBERS, st.data())
def test_a_link_in_which_a_character_was_changed_is_refused(numbers, data):
    """Also when the change touches nothing but base64's spare bits: a link that works once must have one spelling."""
    token = TOKENS.sign(Purpose.CONFIRM, *numbers)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(codec="utf-8"))
    assume(character != token[at])
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.CONFIRM, token[:at] + character + token[at + 1 :], now=NOW)


def test_no_last_character_but_the_right_one_is_taken():
    token = TOKENS.sign(Purpose.CONFIRM, 7)
    accepted = []
    for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=":
        try:
            TOKENS.read(Purpose.CONFIRM, token[:-1] + character, now=NOW)
        except TokenError:
            continue
        accepted.append(character)
    assert accepted == [token[-1]]


@given(st.text(max_size=80))
def test_whatever_a_stranger_writes_is_refused_and_never_crashes(text):
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.UNSUBSCRIBE, text, now=NOW)


@given(NUMBERS, st.integers(0, 80))
def test_a_link_that_was_cut_short_is_refused(numbers, length):
    token = TOKENS.sign(Purpose.CONFIRM, *numbers)
    assume(length < len(token))
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.CONFIRM, token[:length], now=NOW)


def test_numbers_cannot_be_moved_from_one_link_to_another():
    ada, bo = (TOKENS.sign(Purpose.PREFERENCES, number) for number in (1, 2))
    forged = ada.rpartition(".")[0] + "." + bo.rpartition(".")[2]
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.PREFERENCES, forged, now=NOW)


def test_the_newest_key_signs_and_old_ones_verify_for_ever():
    before = Tokens([OLD]).sign(Purpose.UNSUBSCRIBE, 7)
    assert TOKENS.read(Purpose.UNSUBSCRIBE, before, now=NOW + timedelta(days=365 * 30)) == (7,)
    with pytest.raises(TokenError):
        Tokens([OLD]).read(Purpose.UNSUBSCRIBE, TOKENS.sign(Purpose.UNSUBSCRIBE, 7), now=NOW)
    with pytest.raises(TokenError):
        Tokens(["a stranger's key of the same length"]).read(Purpose.UNSUBSCRIBE, before, now=NOW)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  zone is given
def test_a_link_ends_at_its_second(expires_at):
    token = TOKENS.sign(Purpose.CONFIRM, 7, expires_at=expires_at)
    last = expires_at.replace(microsecond=0)
    assert TOKENS.read(Purpose.CONFIRM, token, now=last - timedelta(microseconds=1)) == (7,)
    with pytest.raises(TokenError, match="expired") as caught:
        TOKENS.read(Purpose.CONFIRM, token, now=last)
    assert caught.value.expired


def test_a_forged_link_is_not_told_that_it_has_expired():
    with pytest.raises(TokenError) as caught:
        TOKENS.read(Purpose.CONFIRM, "1.7.forged", now=NOW)
    assert not caught.value.expired


@given(st.integers(0, 2**63), st.sampled_from([str, str.lower, str.upper, str.swapcase]))
@example(delivery_id=77, spelt=str.upper)
def test_a_return_path_names_its_delivery_whatever_a_server_on_the_way_has_made_of_it(delivery_id, spelt):
    path = TOKENS.return_path(DeliveryId(delivery_id), domain="courier.example")
    local, _, domain = path.partition("@")
    assert (domain, len(local) <= 64) == ("courier.example", True)  # RFC 5321, 4.5.3.1.1
    for wrapped in (
        path,
        f"<{path}>",
        f"rfc822; {path}",
        f"SRS0=abcd=7x=courier.example={local}@forwarder.example",
        f"prvs=0123456789={path}",
        f"news@courier.example, {path}",
        f"b.forged@courier.example {path}",
    ):
        assert TOKENS.delivery_of(spelt(wrapped)) == delivery_id


@given(st.text(max_size=80) | st.text("b.@<>=", max_size=20))
@example("b.@courier.example")
@example("")
def test_a_return_path_that_we_did_not_write_names_no_delivery(text):
    assert TOKENS.delivery_of(text) is None
    other = Tokens(["a stranger's key of the same length"]).return_path(DeliveryId(7), domain="courier.example")
    assert TOKENS.delivery_of(other) is None
    assert TOKENS.delivery_of(f"b.{TOKENS.sign(Purpose.VIEW, 7)}@courier.example") is None


def test_return_paths_of_old_keys_are_still_known():
    path = Tokens([OLD]).return_path(DeliveryId(7), domain="courier.example")
    assert TOKENS.delivery_of(path) == 7
    assert TOKENS.delivery_of(f"x{path}") is None


def test_without_a_key_nothing_is_signed():
    with pytest.raises(ValueError, match="at least one key"):
        Tokens([])


def test_a_negative_number_is_a_defect_and_not_an_endless_loop():
    with pytest.raises(ValueError, match="negative"):
        TOKENS.sign(Purpose.VIEW, -1)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200])
def test_a_keyed_hash_is_rfc_2104s(length):
    key, value = "kö" * length, "jo@exämple.org"
    assert keyed_hash(key, value) == hmac.new(key.encode(), value.encode(), "sha256").hexdigest()


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_keyed_hash_tells_values_and_keys_apart_and_shows_neither(first, second):
    assert (keyed_hash("key", first) == keyed_hash("key", second)) is (first == second)
    assert keyed_hash("key", first) != keyed_hash("other key", first)
    assert re.fullmatch(r"[0-9a-f]{64}", keyed_hash("key", first))
