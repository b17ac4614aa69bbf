"""Which headers a mail has: DELIVERABILITY.md's table, line by line.

Decides only; `mime` knows how each is written. Pure. `compile` calls it for every message.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime

from worker.content import Newsroom, Personal
from worker.model import EditionKind
from worker.rendering.mime import list_id, mailbox, unstructured, verbatim


def header_lines(
    *, newsroom: Newsroom, personal: Personal, kind: EditionKind, language: str, subject: str
) -> tuple[str, ...]:
    """Return the header lines without their line ends, in a fixed order; a folded one has CRLF and a space within.

    Raises `InputError` for an address that is none, and `ValueError` for a link or id that only a defect can have made.
    """
    return (
        mailbox("From", newsroom.from_name, newsroom.from_address),
        *([mailbox("Reply-To", newsroom.from_name, newsroom.reply_to)] if newsroom.reply_to else []),
        mailbox("To", _addressee(personal, kind), personal.recipient),
        unstructured("Subject", subject),
        verbatim("Date", format_datetime(personal.sent_at.astimezone(UTC))),
        verbatim("Message-ID", f"<{personal.message_id}>"),
        *_list_headers(newsroom, personal, kind),
        *_automatic(kind),
        verbatim("Feedback-ID", personal.feedback_id),
        verbatim("Content-Language", language),
    )


def _addressee(personal: Personal, kind: EditionKind) -> str:
    # Before the owner of the address has said yes, the name is a stranger's words: none of it goes into a mail.
    return "" if kind is EditionKind.CONFIRMATION else personal.name


def _list_headers(newsroom: Newsroom, personal: Personal, kind: EditionKind) -> Iterator[str]:
    if kind is EditionKind.CONFIRMATION:
        return  # nobody is on a list yet
    yield list_id(personal.list_name, personal.list_id)
    yield verbatim("List-Unsubscribe", f"<{personal.unsubscribe_url}>")
    yield verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    yield verbatim("List-Help", f"<{personal.preferences_url}>")
    yield verbatim("List-Archive", f"<{newsroom.base_url}/topics>")


def _automatic(kind: EditionKind) -> Iterator[str]:
    if kind in {EditionKind.ALERT, EditionKind.CONFIRMATION}:
        yield verbatim("Auto-Submitted", "auto-generated")  # RFC 3834: no vacation replies, please
