"""Which spellings are one mailbox, and what is no address at all."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.signup.address import normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jo@example.org", "JO@EXAMPLE.ORG"),
        ("jo@example.org", "  jo@example.org\t"),
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo@BÜCHER.example", "jo@bücher.example"),
        ("zoe\u0308@example.org", "zo\u00eb@example.org"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(one, other):
    assert normalise(one).key == normalise(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jo@example.org", "jo+news@example.org"),
        ("j.o@example.org", "jo@example.org"),
        ("jo@example.org", "jo@mail.example.org"),
    ],
)
def test_a_tag_or_a_dot_makes_another_mailbox(one, other):
    assert normalise(one).key != normalise(other).key


def test_mail_goes_out_as_its_owner_writes_the_address():
    assert normalise("Jo.Smith@Example.ORG").text == "Jo.Smith@example.org"


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "jo",
        "jo.example.org",
        "@example.org",
        "jo@",
        "jo@@example.org",
        "jo@example",
        "jo@-x.org",
        "a b@x.org",
        "Jo <jo@example.org>",
        "jo@example.org\r\nBcc: all@example.org",
        "jo\0@example.org",
        "jo@exa\0mple.org",
        "jo@[127.0.0.1]",
        "jo@localhost",
        "x" * 65 + "@example.org",
        "jo@" + "a" * 400 + ".org",
        "\ud800@example.org",
    ],
)
def test_what_is_no_address_is_refused_with_a_hint(written):
    with pytest.raises(InputError) as refused:
        normalise(written)
    assert refused.value.hint == "write it as name@example.org"
    assert "\n" not in str(refused.value)


def test_a_missing_at_sign_is_named():
    with pytest.raises(InputError, match="has no @"):
        normalise("jo.example.org")


@given(st.emails())
def test_a_key_is_its_own_key(address):
    try:
        once = normalise(address)
    except InputError:  # hypothesis knows odder local parts than mail servers take
        return
    assert normalise(once.key).key == once.key
    assert normalise(once.text).key == once.key


@given(st.text(max_size=400))
def test_no_text_whatever_does_more_than_be_refused(text):
    with suppress(InputError):
        assert "@" in normalise(text).key
