"""Checks the stories of a mail: told twice, stopped since, dated ahead of time, or none at all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from worker.content import DigestContent, RollingContent, StoryCard
from worker.preflight.findings import Check, Finding, ok, or_ok, problem, warning
from worker.preflight.mail import Mail

_AHEAD: Final = timedelta(minutes=10)  # clocks differ


def check_stories(mail: Mail) -> Iterator[Finding]:
    """Check what the mail tells."""
    content = mail.content
    cards = content.all_cards() if content else ()
    if content is None or (not cards and not mail.is_of_a_list):
        yield ok(Check.STORIES, f"a {mail.kind} mail tells none")
        return
    count = "1 story, told once" if len(cards) == 1 else f"{len(cards)} stories, each told once"
    yield from or_ok(_faults(mail, cards), Check.STORIES, count)


def _faults(mail: Mail, cards: tuple[StoryCard, ...]) -> Iterator[Finding]:
    for card in cards:
        if card.story_id in mail.stopped:
            advice = "it is taken out of all that is unsent; run the check again, or find out why it is still there"
            yield problem(Check.STORIES, f"“{card.title[:80]}” has been stopped by an editor", advice, harms=True)
        if card.published_at > mail.at + _AHEAD:
            found = f"“{card.title[:80]}” is dated {card.published_at:%Y-%m-%d %H:%M} UTC, in the future"
            yield warning(Check.STORIES, found, "mend the article's time, or its embargo is being broken")
        if not card.title.strip():
            yield problem(Check.STORIES, f"story {card.story_id} has no title", "correct the article")
    said = {
        "story": Counter(str(card.story_id) for card in cards),
        "address": Counter(card.url for card in cards if card.url),
        "title": Counter(" ".join(card.title.casefold().split()) for card in cards),
    }
    for what, counts in said.items():
        twice = [value for value, count in counts.items() if count > 1]
        if twice:
            found = f"two stories have the same {what}: {twice[0][:100]}"
            yield warning(Check.STORIES, found, "drop one of them: `tocsin editions choose`")
            break  # the same story has all three in common
    if isinstance(mail.content, DigestContent | RollingContent):
        for section in mail.content.sections:
            if not section.cards:
                yield problem(Check.STORIES, f"the section {section.topic} is empty", "report this")
