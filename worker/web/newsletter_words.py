"""Puts newsletters into a reader's words: what they are, and when they come. Pure. Called by the pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from worker.facts import OfferedNewsletter
from worker.model import Timing
from worker.rendering import schedules
from worker.rendering.language import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsletterLine:
    """A newsletter that can be followed. Its name and description are in its own language, `lang`."""

    slug: str
    name: str
    description: str
    lang: str
    when: str


def newsletter_lines(newsletters: Iterable[OfferedNewsletter], language: Language) -> list[NewsletterLine]:
    """Word newsletters: those in the page's language first, then by name."""
    lines = [
        NewsletterLine(
            slug=one.slug, name=one.name, description=one.description, lang=one.locale, when=comes(one, language)
        )
        for one in newsletters
    ]
    spoken = language.tag.partition("-")[0]
    return sorted(lines, key=lambda line: (line.lang.partition("-")[0] != spoken, line.name.casefold()))


def comes(newsletter: OfferedNewsletter, language: Language) -> str:
    """Say when a newsletter comes."""
    return schedules.comes(
        newsletter.schedule,
        zone=newsletter.timezone if newsletter.timing is Timing.NEWSROOM else "",
        next_at=newsletter.next_due_at,
        next_zone=newsletter.timezone,
        language=language,
    )
