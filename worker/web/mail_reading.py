"""Takes a stored message apart for people to look at: HTML, text, headers, source. Pure.

Never trusts the message: what cannot be decoded is shown as it came, and its HTML is only ever shown in a sandbox.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from typing import Final

_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_SOURCE_SHOWN_BYTES: Final = 512 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadableMail:
    """A message as a page shows it. `html` is "" where it has none; `headers` keep their order and folding."""

    subject: str
    sender: str
    recipient: str
    sent_at: datetime | None
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    source: str
    size_bytes: int


def read_mail(data: bytes) -> ReadableMail:
    """Take a message apart, however broken it is."""
    message = email.message_from_bytes(data, _class=EmailMessage, policy=modern)
    return ReadableMail(
        subject=_header(message, "Subject"),
        sender=_header(message, "From"),
        recipient=_header(message, "Delivered-To") or _header(message, "To"),
        sent_at=_date(message),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers=tuple((_shown(name), _shown(str(value))) for name, value in message.raw_items()),
        source=data[:_SOURCE_SHOWN_BYTES].decode("utf-8", "replace"),
        size_bytes=len(data),
    )


def framed(html: str) -> str:
    """Return a mail's HTML for a frame: its links open beside the page, not inside the frame.

    >>> framed("<html><head><title>x</title></head><body></body></html>")
    '<html><head><base target="_blank"><title>x</title></head><body></body></html>'
    """
    base = '<base target="_blank">'
    found = _HEAD.search(html)
    return html[: found.end()] + base + html[found.end() :] if found else base + html


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return _shown(str(part.get_content()))
    except (LookupError, ValueError):  # a charset nobody knows, bytes that are not of it
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(_shown(str(message.get(name, ""))).split())


def _shown(text: str) -> str:
    """Return text that can be written as UTF-8: the parser keeps bytes that are none as lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _date(message: EmailMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message.get("Date", "")))
    except ValueError:
        return None
