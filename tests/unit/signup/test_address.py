"""Which spellings are one mailbox, and what is no address at all."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.signup.address import normalise, normalise_any


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


_LOCALS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_+.\-]{1,70}", fullmatch=True),
    st.sampled_from(["info", "Info", "NEWS", "Postmaster", "a..b", ".a", "a.", '"a b"', "zoë", "a'b", "\u212a", "ſ"]),
)
_DOMAINS = st.one_of(
    st.from_regex(r"[A-Za-z0-9\-]{1,66}(\.[A-Za-z0-9\-]{1,12}){0,3}", fullmatch=True),
    st.sampled_from(
        "Example.ORG bücher.example xn--bcher-kva.example xn--x.org ab--c.org x.test localhost x.invalid x.local x.123"
        " example.org. [127.0.0.1] 1.2.3.4 x.onion 例え.jp a_b.org x..org ｅxample.org a@b.org \u212aelvin.org"
        f" {'sub.' * 12}example.org".split(" ")
    ),
)


@given(local=_LOCALS, domain=_DOMAINS, pad=st.sampled_from(["", " ", "\t\n", "\u00a0"]))
def test_the_short_way_to_an_address_ends_where_the_long_one_does(local, domain, pad):
    written = f"{pad}{local}@{domain}{pad}"
    assert _outcome(normalise, written) == _outcome(normalise_any, written)


@given(st.text(max_size=80))
def test_the_short_way_ends_where_the_long_one_does_whatever_is_written(written):
    assert _outcome(normalise, written) == _outcome(normalise_any, written)


def _outcome(read, written):
    try:
        return read(written)
    except InputError as error:
        return str(error)
