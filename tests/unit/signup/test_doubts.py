"""A slip in a well-known domain is noticed, and nobody's right address is doubted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.signup.address import normalise
from worker.signup.doubts import _PROVIDERS, Disposable, doubt, is_disposable, meant_domain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmai.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.com", "yahoo.com"),
        ("yahoo.co", "yahoo.com"),
        ("nvaer.com", "naver.com"),
        ("naver.con", "naver.com"),
        ("naver.net", "naver.com"),
        ("hanmail.com", "hanmail.net"),
        ("hamail.net", "hanmail.net"),
        ("daum.com", "daum.net"),
        ("icloud.co", "icloud.com"),
    ],
)
def test_slips_in_well_known_domains_are_noticed(written, meant):
    assert meant_domain(written) == meant


@pytest.mark.parametrize(
    "domain",
    [*_PROVIDERS, "mail.com", "email.com", "ymail.com", "yahoo.fr", "yahoo.com.br", "hotmail.it", "live.nl", "gmx.ch",
     "me.com", "courier.example", "snu.ac.kr", "xn--exmple-cua.org", "date.com", "five.com", "localhost"],
)  # fmt: skip
def test_right_domains_are_not_doubted(domain):
    assert meant_domain(domain) is None


@given(st.from_regex(r"[a-z0-9-]{1,30}(\.[a-z]{2,10}){1,3}", fullmatch=True))
def test_what_is_meant_is_always_a_domain_that_is_not_doubted_itself(domain):
    meant = meant_domain(domain)
    assert meant is None or (meant in _PROVIDERS and meant_domain(meant) is None)


def test_what_stands_before_the_at_sign_stays_as_it_was_written():
    found = doubt(normalise("Jo.Doe+News@GMIAL.com"), disposable=Disposable.WARN)
    assert found is not None
    assert found.instead == "Jo.Doe+News@gmail.com"


@pytest.mark.parametrize(
    ("policy", "expected"), [(Disposable.ALLOW, None), (Disposable.WARN, False), (Disposable.REFUSE, True)]
)
def test_throw_away_mailboxes_are_treated_as_the_operator_says(policy, expected):
    found = doubt(normalise("jo@mailinator.com"), disposable=policy)
    assert (found and found.is_refused) is expected


def test_no_well_known_domain_is_taken_for_a_throw_away_one():
    assert [domain for domain in _PROVIDERS if is_disposable(domain)] == []
