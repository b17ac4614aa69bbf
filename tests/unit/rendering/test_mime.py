"""The three traps of DELIVERABILITY.md and a crowd of hostile values, checked on the serialised bytes."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.content import AlertContent, Personal
from worker.errors import InputError
from worker.rendering import samples
from worker.rendering.mime import Encoding, addr_spec, encoding_for, mailbox, unstructured, verbatim
from worker.rendering.prose import one_line, shorten

EVIL = st.sampled_from(
    [
        *("\r\nBcc: all@courier.example\r\n", "\n\nbody", "\x00", "\x7f", "\x85", "\u2028", "\u202e"),
        *(
            "=?utf-8?q?x=0ABcc:_a?=",
            "=?utf-8?b?Cg==?=",
            "\U0001f469\u200d\U0001f467",
            "é" * 40,
            "북한" * 60,
            "A" * 5_000,
        ),
        *('"', "\\", ",", "<b@c.example>", "(x)", ";", ":", "@", " ", "a b", "--=_", "."),
        *("{{ 7 * 7 }}", "{% raw %}", "&amp;<script>"),
    ]
)
HOSTILE = st.lists(EVIL | st.text(max_size=20), max_size=8).map("".join)

ALERT_HEADERS = [
    "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "List-Help", "List-Archive", "Auto-Submitted", "Feedback-ID", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip


def parsed(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def mailbox_of(data: bytes) -> tuple[str, str]:
    # Read by the older parser: the newer one of Python 3.11 parts adjacent encoded-words of a name by a space, against
    # RFC 2047, 6.2.
    name, address = parseaddr(str(message_from_bytes(data, policy=policy.compat32)["To"]))
    return str(make_header(decode_header(name))), address


def reader(**changes: str) -> Personal:
    return samples.personal("alert", "en").model_copy(update=changes)


def alert(**changes: str) -> AlertContent:
    return AlertContent(locale="en", card=samples.cards_of("en")[0].model_copy(update={"highlights": (), **changes}))


def body_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@settings(max_examples=150, deadline=None)
@given(name=HOSTILE, title=HOSTILE, summary=HOSTILE, author=HOSTILE)
@example(name="A" * 5_000, title="=?utf-8?q?x=0ABcc:_all=40courier.example?=", summary="\r.\r\n", author="")
def test_whatever_people_are_called_the_bytes_are_one_sound_message(renderer, name, title, summary, author):
    mail = renderer.compile(alert(title=title, summary=summary, author=author))
    personal = reader(name=name)
    data = mail.fill(personal)
    message = parsed(data)
    assert list(message.keys()) == ALERT_HEADERS
    assert message["Subject"] == mail.subject(personal)
    assert [address.addr_spec for address in message["To"].addresses] == ["mina@reader.example"]
    assert mailbox_of(data) == (shorten(one_line(name), 100), "mina@reader.example")
    assert not [*message.defects, *(defect for header in message.values() for defect in header.defects)]
    assert body_of(message, "plain") == mail.text(personal)
    assert body_of(message, "html") == mail.mailed_html(personal)
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", data)


@pytest.mark.parametrize("length", [40, 100, 400, 900])
def test_first_trap_a_long_unsubscribe_link_is_never_folded_or_encoded(renderer, length):
    link = "https://news.courier.example/unsubscribe/" + "k" * length
    data = renderer.compile(samples.content("alert", "en")).fill(reader(unsubscribe_url=link))
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in data
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data


@pytest.mark.parametrize(
    "title",
    ["x\nBcc: all@courier.example", "x\r\nBcc: all@courier.example", "=?utf-8?q?x=0ABcc:_all=40courier.example?="],
)
def test_second_trap_no_title_adds_a_header(renderer, title):
    personal = reader()
    message = parsed(renderer.compile(alert(title=title)).fill(personal))
    assert list(message.keys()) == ALERT_HEADERS
    assert message["Subject"] == one_line(title)


def test_third_trap_a_token_that_no_line_can_hold_is_refused_in_a_header(renderer):
    with pytest.raises(ValueError, match="998"):
        renderer.compile(samples.content("alert", "en")).fill(reader(unsubscribe_url="https://c.example/" + "k" * 990))


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_third_trap_no_line_of_a_body_is_long_however_long_its_links(renderer, kind, locale):
    link = "https://news.courier.example/" + "k" * 900
    personal = samples.personal(kind, locale).model_copy(update={"view_url": link, "confirm_url": link})
    data = renderer.compile(samples.content(kind, locale)).fill(personal)
    _, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 78


def test_a_long_korean_subject_is_folded_into_words_that_rfc_2047_allows():
    lines = unstructured("Subject", "북한군 파병에 항의하는 외교부 " * 8).split("\r\n ")
    assert len(lines) > 3
    words = [word for line in lines for word in line.removeprefix("Subject: ").split()]
    assert all(len(word) <= 75 for word in words)


@given(HOSTILE, st.sampled_from(["mina@reader.example", "m.i+na@b-c.example"]))
def test_a_mailbox_reads_back_as_it_went_in(name, address):
    assert mailbox_of(f"{mailbox('To', name, address)}\r\n\r\n".encode()) == (shorten(one_line(name), 100), address)


@pytest.mark.parametrize(
    "address",
    ["", "mina", "@reader.example", "mina@", "mina@read er.example", "mina@reader.example\r\nBcc: x@y.example",
     "mina@reader.example, all@courier.example", "mina@xn--.한국..example", "mi\x00na@reader.example", "a@b@<c>"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_quoted(address):
    with pytest.raises(InputError) as refused:
        addr_spec(address)
    assert str(refused.value) == "not an e-mail address"


def test_an_international_address_keeps_its_local_part_and_gets_an_ascii_domain():
    assert addr_spec("미나@straße.example") == "미나@xn--strae-oqa.example"  # IDNA 2008 keeps ß; 2003 made "strasse"


@pytest.mark.parametrize("value", ["<https://c.example/ü>", "<a>\r\nBcc: x", "<a\x00>"])
def test_a_header_for_machines_is_printable_ascii(value):
    with pytest.raises(ValueError, match="printable ASCII"):
        verbatim("List-Unsubscribe", value)


def test_korean_travels_in_base64_and_english_in_quoted_printable():
    assert encoding_for("북한군 파병에 항의") is Encoding.BASE64
    assert encoding_for("Seoul protests against “N. Korea” troops in Moscow’s war") is Encoding.QUOTED_PRINTABLE
