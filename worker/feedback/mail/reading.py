"""A returned mail's bytes, taken apart: its headers, its texts, its reports, and the headers of our own mail in it.

Decides nothing about bounces. The standard library's parser recurses into every nest, gives up on a report whose
boundary is wrong, and reads a delivery-status as headers; this one is flat, bounded and tolerant: it stops at a
depth, a size and a number of parts, and never raises. `classify` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from worker.feedback.mail.decoding import header_text, text_of, text_of_html, unpack

MOST_BYTES: Final = 1_048_576  # of a message; what was returned to us may be large, what is said of it never is
_MOST_PARTS: Final = 60
_DEEPEST: Final = 8
_MOST_HEADER_BYTES: Final = 65_536
_MOST_TEXT: Final = 60_000
_MOST_LINES: Final = 1_500
_LONGEST_LINE: Final = 1_000

_MAILS: Final = frozenset(
    {
        "message/rfc822",
        "message/rfc822-headers",
        "message/global",
        "message/global-headers",
        "message/partial",
        "text/rfc822-headers",
        "text/rfc822-header",
        "text/rfc822",
    }
)
_HEADER: Final = re.compile(rb"([!-9;-~]{1,76})[ \t]*:[ \t]*(.*)", re.DOTALL)
_END_OF_HEADERS: Final = re.compile(rb"\r?\n[ \t]*\r?\n|\A\r?\n")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?!\n)")
_CHARSET: Final = re.compile(rb"charset=\"?([\w.-]{2,40})", re.IGNORECASE | re.ASCII)
_MACHINE: Final = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)
_PARAMETER: Final = re.compile(r";\s*([\w-]{1,40})\*?\s*=\s*(?:\"([^\"]{0,200})\"|([^\s;\"]{0,200}))")
_DELIMITER: Final = re.compile(
    rb"(?:\A|\n)--([^\s-][^\r\n]{0,78}|-{2,}[^\r\n-][^\r\n]{0,76})\r?\ncontent-", re.IGNORECASE
)


class Headers(Mapping[str, str]):
    """Headers by lower-case name; of several with one name, the first counts. `every` has them all."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._all[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def text(self, name: str) -> str:
        """Return a header, "" where it is missing."""
        return self.get(name, "")

    def every(self, name: str) -> Sequence[str]:
        """Return every header of that name, from the top."""
        return self._all.get(name, ())


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that came back. `text` is what it says to people, without the reports and without our own mail.

    `reports` and `complaints` are the texts of delivery-status and feedback-report parts. `returned` holds the
    headers of the mail that it is about, empty where it quotes none.
    """

    headers: Headers
    text: str
    reports: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    returned: Headers = field(default_factory=Headers)
    is_report: bool = False


@dataclass(slots=True)
class _Found:
    plain: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    returned: Headers | None = None
    is_report: bool = False
    by_machine: bool = False
    parts: int = 0


def read(data: bytes) -> Letter:
    """Take a message apart. Bytes beyond `MOST_BYTES` are not looked at."""
    data = data[:MOST_BYTES]
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    head, body = _halves(_without_mark(data))
    headers = headers_of(head)
    told = headers.text("content-type").lower()
    found = _Found(
        is_report="multipart/report" in told and "disposition-notification" not in told,
        by_machine=bool(_MACHINE.search(headers.text("from"))),
    )
    _walk(headers, body, found, depth=0)
    spoken = "\n".join(found.plain)
    if not spoken.strip():
        spoken = "\n".join(text_of_html(page[:_MOST_TEXT]) for page in found.pages[:3])
    return Letter(
        headers=headers,
        text=shortened(spoken),
        reports=tuple(map(shortened, found.reports)),
        complaints=tuple(map(shortened, found.complaints)),
        returned=found.returned or Headers(),
        is_report=found.is_report or "delivery-status" in told,
    )


def headers_of(head: bytes) -> Headers:
    """Read a block of headers; lines that are none are passed over."""
    pairs: list[tuple[str, bytes]] = []
    for line in _LINE_END.split(head[:_MOST_HEADER_BYTES]):
        if line[:1] in {b" ", b"\t"} and pairs:
            name, value = pairs[-1]
            if len(value) < 4_000:
                pairs[-1] = (name, value + b" " + line.strip())
        elif match := _HEADER.match(line):
            pairs.append((match[1].decode("ascii").lower(), match[2]))
    told = _CHARSET.search(head)
    charset = told[1].decode() if told else ""
    return Headers([(name, header_text(value, charset)) for name, value in pairs])


def shortened(text: str) -> str:
    """Cut a text to what anybody would read of it."""
    lines = text[:_MOST_TEXT].replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_MOST_LINES]
    return "\n".join(line[:_LONGEST_LINE].rstrip() for line in lines)


def _walk(headers: Headers, body: bytes, found: _Found, depth: int) -> None:
    found.parts += 1
    if found.parts > _MOST_PARTS:
        return
    media_type, parameters = _media_type(headers)
    pieces = _pieces(body, parameters.get("boundary", "")) if media_type.startswith("multipart/") else []
    if pieces and depth < _DEEPEST:
        for piece in pieces:
            _walk_piece(piece, found, depth + 1)
        return
    unpacked = unpack(body, headers.text("content-transfer-encoding"))
    if depth and media_type in _MAILS:
        _keep_mail(unpacked, found, depth)
        return
    text = text_of(unpacked[: _MOST_TEXT * 2], parameters.get("charset", ""))
    if "delivery-status" in media_type:
        found.reports.append(text)
    elif "disposition-notification" in media_type:
        pass  # a receipt: its fields look like a report's
    elif "feedback-report" in media_type:
        found.complaints.append(text)
    elif media_type == "text/html":
        found.pages.append(text)
    elif media_type.startswith(("text/", "multipart/", "message/")) or not media_type:
        found.plain.append(text)


def _walk_piece(piece: bytes, found: _Found, depth: int) -> None:
    head, body = _halves(piece)
    headers = headers_of(head)
    if "from" in headers and not headers.keys().isdisjoint({"received", "message-id"}):
        found.returned = found.returned or headers  # our mail as it was, put beside the bounce as if it were a part
    else:
        _walk(headers, body, found, depth)


def _keep_mail(data: bytes, found: _Found, depth: int) -> None:
    head, body = _halves(_without_mark(data))
    headers = headers_of(head)
    if _media_type(headers)[0] == "multipart/report" and found.by_machine and not found.is_report:
        _walk(headers, body, found, depth + 1)  # a bounce that somebody's gateway has packed into a mail of its own
    else:
        found.returned = found.returned or headers


def _without_mark(body: bytes) -> bytes:
    body = body.lstrip()
    return body.partition(b"\n")[2] if body.startswith((b"From ", b">From ")) else body


def _halves(data: bytes) -> tuple[bytes, bytes]:
    end = _END_OF_HEADERS.search(data)
    return (data[: end.start()], data[end.end() :]) if end else (data, b"")


def _media_type(headers: Headers) -> tuple[str, dict[str, str]]:
    value = headers.text("content-type")
    parameters = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(value)}
    return value.partition(";")[0].strip().lower(), parameters


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """Split a multipart's body, by the boundary that is there if the one that was announced is not."""
    pieces = _split(body, boundary.encode("latin-1", "replace")) if boundary else []
    if not pieces and (seen := _DELIMITER.search(body)):
        pieces = _split(body, seen[1].rstrip())
    return pieces


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    marks = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)", body, maxsplit=_MOST_PARTS)
    pieces = []
    for closing, piece in zip(marks[1::2], marks[2::2], strict=True):
        if closing:
            break
        pieces.append(piece.removeprefix(b"\r").removeprefix(b"\n"))
    return pieces
