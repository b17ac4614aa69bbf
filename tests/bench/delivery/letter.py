"""The ten-story message that everybody sends: a digest's content for our side, and the finished mail for the peers.

Decides what is in it: ten invented stories that make 25 KB on the wire. The peers get the very bytes that our side has
sent once, or its parts where they build their messages themselves.
"""

from __future__ import annotations

import email
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from random import Random
from typing import Final

from worker.content import DigestContent, Reason, Section, StoryCard
from worker.model import StoryId

STORIES: Final = 10
_TEXT: Final = """
the council approved a new budget after long debate while engineers said storage prices fell again and readers asked why
trains were late markets moved higher on Tuesday as ministers met to discuss water energy health schools rivers roads
local sport weather results science research museum library garden city
"""
_WORDS: Final = _TEXT.split()
_SUMMARY_WORDS: Final = 12
READER: Final = "Reader 1"
RECIPIENT: Final = "crowd.1@reader.example"


def content(first_story: StoryId) -> DigestContent:
    """Return a digest of ten stories, whose numbers begin with a stored story's; only that one needs to exist."""
    random = Random(7)
    cards = tuple(_card(random, first_story, number) for number in range(STORIES))
    sections = tuple(
        Section(topic=topic, slug=topic.lower(), cards=cards[start : start + 5])
        for topic, start in (("City", 0), ("World", 5))
    )
    return DigestContent(locale="en", day=datetime(2026, 11, 23, tzinfo=UTC).date(), sections=sections)


def _card(random: Random, story: StoryId, number: int) -> StoryCard:
    topic = "City" if number < 5 else "World"
    return StoryCard(
        story_id=story,
        article_id=number + 1,
        revision=1,
        title=_sentence(random, 8)[:-1],
        summary=" ".join(_sentence(random, _SUMMARY_WORDS // 4) for _ in range(4)),
        url=f"https://news.courier.example/2026/11/{random.randrange(10**6):06d}/story-{number}",
        source="The Harbour Courier",
        author=f"Author {number}",
        section=random.choice(["World", "City", "Sport"]),
        published_at=datetime(2026, 11, 23, 5, number, tzinfo=UTC),
        reasons=(Reason(topic=topic, slug=topic.lower(), words=("council",)),),
    )


def _sentence(random: Random, words: int) -> str:
    return " ".join(random.choice(_WORDS) for _ in range(words)).capitalize() + "."


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """The mail as files: `wire` with CRLF, `unix` with LF (smtp-source), `parts` as JSON for who builds it anew."""

    wire: Path
    unix: Path
    parts: Path
    size: int


def keep(wire: bytes, folder: Path) -> Letter:
    """Store a mail for the peers. In its parts the reader's name and address are `{{ name }}` and `{{ mail }}`."""
    letter = Letter(wire=folder / "mail.eml", unix=folder / "mail.lf", parts=folder / "parts.json", size=len(wire))
    letter.wire.write_bytes(wire)
    letter.unix.write_bytes(wire.replace(b"\r\n", b"\n"))
    mail = email.message_from_bytes(wire, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    parts = {"subject": str(mail["Subject"]), "unsubscribe": str(mail["List-Unsubscribe"])}
    parts |= {kind: _part(mail, kind) for kind in ("plain", "html")}
    letter.parts.write_text(json.dumps(parts), encoding="utf-8")
    return letter


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text.replace(RECIPIENT, "{{ mail }}").replace(READER, "{{ name }}")
