"""The three traps of DELIVERABILITY.md and a crowd of hostile values, checked on the serialised bytes."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.content import AlertContent, Personal
from worker.errors import InputError
from worker.model import EditionKind, Pieces
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.fields import addr_spec, mailbox, unstructured, verbatim
from worker.rendering.holes import Hole
from worker.rendering.mail import CompiledMail
from worker.rendering.prose import one_line, shorten
from worker.rendering.skeleton import Part, body, encoded, quoted, travelling

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


def reader(**changes: Any) -> Personal:
    return samples.personal("alert", "en")._replace(**changes)


def alert(**changes: str) -> AlertContent:
    return AlertContent(locale="en", card=samples.cards_of("en")[0].model_copy(update={"highlights": (), **changes}))


def body_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@thorough(many=150)
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
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00|^\.|\n\.", data)


@pytest.mark.parametrize("length", [0, 100, 400, 800])
def test_first_trap_a_long_unsubscribe_link_is_never_folded_or_encoded(length):
    base = f"https://news.courier.example/{'k' * length}"
    house = samples.newsroom("en").model_copy(update={"base_url": base})
    data = Renderer(newsroom=house).compile(samples.content("alert", "en")).fill(reader(unsubscribe="u" * 75))
    assert f"\r\nList-Unsubscribe: <{base}/unsubscribe/{'u' * 75}>\r\n".encode() in data
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


@pytest.mark.parametrize(
    "changes",
    [
        {"unsubscribe": "k" * 76},
        {"view": ""},
        {"view": ".a"},
        {"confirm": "a b"},
        {"preferences": "a\r\n"},
        {"preferences": "ü"},
        {"message_id": "k" * 251},
        {"message_id": "a@b>\r\nBcc: x"},
        {"message_id": "a@b><c@d"},
        {"in_reply_to": "a@b> <c@d"},
        {"feedback_id": ""},
        {"feedback_id": "a\nb"},
    ],
)
def test_third_trap_what_no_line_can_hold_is_refused(renderer, changes):
    with pytest.raises(ValueError, match="at most 75 letters"):
        renderer.compile(samples.content("alert", "en")).fill(reader(**changes))


def test_third_trap_an_address_of_the_pages_that_no_line_can_hold_is_refused_at_once():
    house = samples.newsroom("en").model_copy(update={"base_url": f"https://news.courier.example/{'k' * 900}"})
    with pytest.raises(ValueError, match="998"):
        Renderer(newsroom=house).compile(samples.content("alert", "en"))


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_third_trap_no_line_of_a_body_is_long_however_long_its_links(kind, locale):
    base = f"https://news.courier.example/{'k' * 800}"
    mail = Renderer(newsroom=samples.newsroom(locale).model_copy(update={"base_url": base})).compile(
        samples.content(kind, locale)
    )
    personal = samples.personal(kind, locale)._replace(
        view="v" * 75, preferences="p" * 75, recipient=f"{'r' * 64}@{'d' * 60}.{'e' * 60}.example"
    )
    _, _, body = mail.fill(personal).partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76


TEXTS = st.lists(
    st.sampled_from(
        [".", "..", "\n", "\r\n", "\r", " ", "\t", "=", "From ", "북", "é", "x" * 73, "x" * 76, "=2E", "--=_"]
    )
    | st.text(max_size=5),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("begin", [".", "From "])
def test_a_line_that_a_hole_ends_is_short_however_it_begins(begin):
    for length in range(60, 90):
        face = travelling([encoded(begin + "x" * length), Hole.VIEW], Part.PLAIN)
        assert max(map(len, face.fill({Hole.VIEW: ""}).split("\r\n"))) <= 76


@given(TEXTS, TEXTS, st.lists(st.sampled_from([Hole.VIEW, Hole.RECIPIENT]), max_size=3))
def test_whatever_a_text_is_it_travels_in_short_lines_none_of_which_begins_with_a_dot(first, second, holes):
    holes = tuple(holes)
    texts = [first, second, first + second, "."][: len(holes) + 1]
    face = Pieces(literals=tuple(text.replace("\ud800", "") for text in texts), holes=holes)
    values: dict[str, str] = {Hole.VIEW: "t" * 75, Hole.RECIPIENT: ".mi=na@reader.example "}
    written = map(encoded, face.literals)
    parts = [part for pair in itertools.zip_longest(written, holes, fillvalue=encoded("")) for part in pair]
    wire = body(travelling(parts, Part.PLAIN), travelling(parts, Part.HTML), boundary="=_b").fill(
        {
            **values,
            Hole.RECIPIENT_TEXT: quoted(values[Hole.RECIPIENT]),
            Hole.RECIPIENT_HTML: quoted(values[Hole.RECIPIENT]),
        }
    )
    lines = wire.split("\r\n")
    assert max(map(len, lines)) <= 76
    assert not [line for line in lines if line.startswith((".", "From ")) or line.endswith((" ", "\t"))]
    assert "\r" not in "".join(lines)
    assert "\n" not in "".join(lines)
    message = parsed(f'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n{wire}'.encode())
    expected = re.sub(r"\r\n?|\n", "\n", face.fill(values))
    for subtype in ("plain", "html"):
        assert body_of(message, subtype) == expected


def test_a_long_korean_subject_is_folded_into_words_that_rfc_2047_allows():
    words = unstructured("Subject", "북한군 파병에 항의하는 외교부 " * 8).split("\r\n ")
    assert len(words) > 3
    assert all(len(word) <= 75 for word in words)
    assert len(f"Subject: {words[0]}") <= 78


def test_a_long_english_subject_is_folded_between_words_and_not_encoded():
    text = "Seoul summons the Russian ambassador over troops sent from the North " * 3
    lines = f"Subject: {unstructured('Subject', text)}".split("\r\n ")
    assert " ".join(lines) == f"Subject: {text.strip()}"
    assert len(lines) > 2
    assert max(map(len, lines)) <= 78


@given(HOSTILE, st.sampled_from(["mina@reader.example", "m.i+na@b-c.example"]))
def test_a_mailbox_reads_back_as_it_went_in(name, address):
    assert mailbox_of(f"To: {mailbox('To', name, address)}\r\n\r\n".encode()) == (shorten(one_line(name), 100), address)


@pytest.mark.parametrize(
    "address",
    ["", "mina", "@reader.example", "mina@", "mina@read er.example", "mina@reader.example\r\nBcc: x@y.example",
     "mina@reader.example, all@courier.example", "mina@xn--.한국..example", "mi\x00na@reader.example", "a@b@<c>",
     "a" * 300 + "@b.example", "미" * 300 + "@b.example", "a" * 65 + "@b.example", "미" * 22 + "@b.example",
     f"a@{'b.' * 126}example", f"a@{'b' * 64}.example", "a..b@c.example", ".a@c.example", "a.@c.example",
     "a@-b.example", "a@b-.example", "a@b..example", "a@b.example.", "a@.example", "mi\u200bna@b.example",
     "mina\u202e@b.example", "mi\ud800na@b.example", "a@\ud800.example", "a@[192.0.2.1]", '"a b"@c.example',
     "a@b.example\u2028", "a@b\x0b.example"],
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


def test_a_recipient_is_shown_as_it_is_and_never_as_markup(renderer):
    mail = renderer.compile(samples.content("confirmation", "en"))
    personal = samples.personal("confirmation", "en")._replace(recipient="o'neill&=so.n.미나@straße.example")
    message = parsed(mail.fill(personal))
    assert "o&#x27;neill&amp;=so.n.미나@straße.example" in body_of(message, "html")
    assert f"\n  {personal.recipient}\n" in body_of(message, "plain")
    assert message["To"] == "o'neill&=so.n.미나@xn--strae-oqa.example"


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_message_in_parts_says_what_the_finished_one_says(kind, locale):
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    personal = samples.personal(kind, locale)._replace(name="Mina, “the reader”", recipient="미나&co@straße.example")
    parts, message = mail.parts(personal), parsed(mail.fill(personal))
    assert (parts.subject, parts.text) == (message["Subject"], body_of(message, "plain"))
    assert parts.html == body_of(message, "html")
    (sender,) = message["From"].addresses
    assert (parts.from_name, parts.from_address) == (sender.display_name, sender.addr_spec)
    assert parts.to_name == ("Mina, “the reader”" if kind in samples.EDITORIAL else "")
    own = {"From", "Reply-To", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
    assert [name for name, _ in parts.headers] == [name for name in message if name not in own]
    for name, value in parts.headers:
        assert parsed(f"{name}: {value}\r\n\r\n".encode())[name] == message[name]
        assert "\n" not in value
        assert value.isascii()


def test_all_copies_of_a_content_share_one_composition(renderer):
    mail = renderer.compile(samples.content("digest", "en"))
    assert mail.parts(reader()).composition is mail.parts(reader(name="Bo")).composition


def test_a_subject_may_have_a_hole(renderer):
    alert = renderer.compile(samples.content("alert", "en"))
    subject = Pieces(literals=("북한 ", ""), holes=(Hole.RECIPIENT,))
    composition = replace(alert.composition, subject=subject)
    mail = CompiledMail.of(
        kind=EditionKind.ALERT,
        language="en",
        newsroom=samples.newsroom("en"),
        composition=composition,
        sent=(composition.text, composition.html),
        page=composition.html,
    )
    assert parsed(mail.fill(reader()))["Subject"] == "북한 mina@reader.example" == mail.parts(reader()).subject
