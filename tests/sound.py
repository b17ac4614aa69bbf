"""What every message is, whoever's words are in it: asserted on its bytes, and on what Python's parser reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache
from typing import Final

from tests.hostile import Source
from worker.model import EditionKind
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.fields import addr_spec, display_name
from worker.rendering.mail import CompiledMail

GMAIL_CLIPS_BYTES: Final = 102 * 1024
_CLEAN_HEAD: Final = re.compile(rb"(?:[!-9;-~]+: ?(?:[^\r\n\0]*(?:\r\n[ \t](?=[^\r\n]*\S))?)*\r\n)+")


def assert_sound(data: bytes, mail: CompiledMail, source: Source) -> EmailMessage:
    """Assert all that holds for any mail; return what Python reads."""
    message = message_from_bytes(data, policy=policy.default)
    _assert_bytes(data, international=not all(map(str.isascii, addresses(mail, source))))
    assert [name for name in message if name != "DKIM-Signature"] == expected_fields(source)
    assert message["Subject"] == mail.subject(source.personal)
    assert people(data, "To") == (display_name(named(mail, source)), addr_spec(source.personal.recipient))
    assert people(data, "From")[1] == addr_spec(mail.newsroom.from_address)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8", "utf-8"]
    assert body_of(message, "plain") == mail.text(source.personal)
    assert body_of(message, "html") == mail.mailed_html(source.personal)
    assert len(mail.mailed_html(source.personal).encode()) < GMAIL_CLIPS_BYTES
    assert not [defect for part in message.walk() for defect in part.defects]
    return message


def expected_fields(source: Source) -> list[str]:
    """Return the fields that a sample of this kind has, whatever its words are."""
    fields = _sample_fields(source.kind, source.content.locale)
    return [name for name in fields if name != "Reply-To" or source.newsroom.reply_to]


def addresses(mail: CompiledMail, source: Source) -> Sequence[str]:
    """Return whose addresses stand in a mail's header, as they do."""
    house = (mail.newsroom.from_address, mail.newsroom.reply_to)
    return [addr_spec(one) for one in (source.personal.recipient, *house) if one]


def named(mail: CompiledMail, source: Source) -> str:
    """Return the name that is written to: none where it would be a stranger's words, or go to a stranger."""
    return "" if mail.kind in {EditionKind.CONFIRMATION, EditionKind.SYSTEM} else source.personal.name


def people(data: bytes, field: str) -> tuple[str, str]:
    """Return a name and an address.

    Read by the older parser: the newer one of Python 3.11 parts adjacent encoded-words of a name by a space, against
    RFC 2047, 6.2.
    """
    raw = _fields_of(data, field)
    assert len(raw) == 1
    name, address = parseaddr(re.sub(r"\r\n(?=[ \t])", "", raw[0].decode()))
    return str(make_header(decode_header(name))), address


def body_of(message: EmailMessage, subtype: str) -> str:
    """Return a part's text; lines end with LF."""
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _assert_bytes(data: bytes, *, international: bool) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", data), "a bare CR or LF, or NUL"
    assert not re.search(rb"(?:\A|\n)(?:\.|From )", data), "a line that SMTP or an mbox would change"
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert _CLEAN_HEAD.fullmatch(head + b"\r\n"), "a field that is none, or a line of blanks only"
    assert body.isascii()
    assert head.isascii() or international
    assert data.endswith(b"--\r\n")
    (boundary,) = re.findall(rb'boundary="([^"]+)"', head)
    assert re.findall(rb"^--=_.*", body, re.MULTILINE) == [
        *[b"--" + boundary + b"\r"] * 2,
        b"--" + boundary + b"--\r",
    ]


def _fields_of(data: bytes, field: str) -> Sequence[bytes]:
    head, _, _ = data.partition(b"\r\n\r\n")
    lines = re.split(rb"\r\n(?![ \t])", head)
    return [line.partition(b":")[2].strip() for line in lines if line.startswith(f"{field}:".encode())]


@cache
def _sample_fields(kind: str, locale: str) -> tuple[str, ...]:
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    return tuple(message_from_bytes(mail.fill(samples.personal(kind, locale)), policy=policy.default))
