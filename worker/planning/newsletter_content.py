"""Decides how an issue of a newsletter is written down: its stories' cards, its editor's words, who it comes from.

Pure: takes what the store read, returns frozen contents. Called by the runs of newsletters and of issues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from worker.content import NewsletterContent
from worker.facts import Issue, StoredNewsletter, Telling
from worker.model import StoryId
from worker.planning.cards import told_card
from worker.planning.decide_newsletter import Choices

_TEST = "[Test] "


def issue_content(
    newsletter: StoredNewsletter,
    issue: Issue,
    stories: Sequence[StoryId],
    tellings: Mapping[StoryId, Sequence[Telling]],
) -> NewsletterContent | None:
    """Write an issue that shows these stories; None when none of them is told any more."""
    choices = Choices.read(issue.choices)
    cards = tuple(told_card(tellings[story]) for story in stories if tellings.get(story))
    if not cards:
        return None
    shown = [StoryId(card.story_id) for card in cards]
    return NewsletterContent(
        locale=newsletter.locale,
        slug=newsletter.slug,
        name=newsletter.name,
        day=local_day_of(issue.slot),
        sender_name=newsletter.sender_name,
        sender_address=newsletter.sender_address,
        subject=choices.subject,
        note=choices.note,
        cards=cards,
        notes=tuple((story, choices.notes[story]) for story in shown if choices.notes.get(story)),
    )


def as_test(content: NewsletterContent) -> NewsletterContent:
    """Mark an issue as one that is only looked at, in its subject."""
    return content.model_copy(update={"subject": _TEST + (content.subject or content.name)})


def local_time_of(slot: str) -> datetime:
    """Return the local time that an issue is named by.

    >>> local_time_of("newsletter top-10 2026-11-23T06:30").isoformat()
    '2026-11-23T06:30:00'
    """
    return datetime.fromisoformat(slot.split(" ")[2])


def local_day_of(slot: str) -> date:
    """Return the day that an issue is dated by: its local time's."""
    return local_time_of(slot).date()
