"""Checks the two lines that decide whether a mail is opened: its subject and its preheader. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from worker.preflight.findings import Check, Finding, ok, or_ok, problem, warning
from worker.preflight.mail import Mail

LONGEST_COLUMNS: Final = 60  # what lists of mail on a desk show; a phone shows 35 to 40
PHONE_COLUMNS: Final = 40
LEAST_PREHEADER: Final = 30
_REPLY: Final = re.compile(r"\s*(re|fw|fwd|aw|wg)\s*:", re.IGNORECASE)
_SHOUTED: Final = 12  # capitals without a small letter; fewer may be a name


def check_subject(mail: Mail) -> Iterator[Finding]:
    """Check the subject's length, and what makes readers or filters distrust it."""
    subject = mail.subject.strip()
    if not subject:
        yield problem(
            Check.SUBJECT,
            "the subject is empty",
            "write one: `tocsin editions choose` takes subject, or mend the kind's subject.txt.j2",
            harms=True,
        )
        return
    width = columns(subject)
    where = f"; a phone cuts it at “{_cut(subject, PHONE_COLUMNS)}…”" if width > PHONE_COLUMNS else ""
    yield from or_ok(_doubts(mail, subject, width), Check.SUBJECT, f"“{subject}”, {width} columns{where}")


def check_preheader(mail: Mail) -> Iterator[Finding]:
    """Check that the words which lists of mail show beside the subject say something of their own."""
    words = mail.page.preheader
    width = columns(words)
    if not words:
        yield warning(
            Check.PREHEADER, "there are no words before the first picture", "fill the template's block `preheader`"
        )
    elif words.casefold() == mail.subject.strip().casefold():
        yield warning(Check.PREHEADER, "it says the subject once more", "let it say what the subject does not")
    elif width < LEAST_PREHEADER:
        yield warning(
            Check.PREHEADER,
            f"“{words}” is short: lists of mail fill the line with what comes next, the date or a menu",
            f"write {LEAST_PREHEADER} columns or more, best 40 to 90",
        )
    else:
        yield ok(Check.PREHEADER, f"“{_cut(words, 90)}”, {width} columns")


def columns(text: str) -> int:
    """Count columns as a screen shows them: a Korean syllable or an emoji is two wide, a combining mark none.

    >>> columns("News"), columns("속보"), columns("Cafe\u0301")
    (4, 4, 4)
    """
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _doubts(mail: Mail, subject: str, width: int) -> Iterator[Finding]:
    letters = [char for char in subject if char.isalpha()]
    if width > LONGEST_COLUMNS:
        found = f"{width} columns; a desk shows {LONGEST_COLUMNS}, a phone “{_cut(subject, PHONE_COLUMNS)}…”"
        yield warning(Check.SUBJECT, found, "shorten it, or say what matters first")
    if not letters and not any(char.isdigit() for char in subject):
        yield warning(Check.SUBJECT, "it has no word, only signs", "say in words what is in the mail")
    if len(letters) >= _SHOUTED and any(map(str.isupper, letters)) and not any(map(str.islower, letters)):
        yield warning(
            Check.SUBJECT, "it is all capitals, which filters count and readers hear", "write it as a sentence"
        )
    if re.search(r"[!?！？]{2,}", subject):
        yield warning(Check.SUBJECT, "it has several exclamation or question marks in a row", "one is enough")
    if _REPLY.match(subject):
        yield warning(Check.SUBJECT, "it looks like an answer or a forwarded mail, and is none", "drop the RE: or FW:")
    if mail.previous_subject and subject.casefold() == mail.previous_subject.strip().casefold():
        yield warning(
            Check.SUBJECT, "the last issue had the same", "readers, and Gmail's threads, take it for the same mail"
        )


def _cut(text: str, most: int) -> str:
    cut, width = "", 0
    for char in text:
        width += _width(char)
        if width > most:
            return cut.rstrip()
        cut += char
    return cut
