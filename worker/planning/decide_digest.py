"""Decides what one reader's digest is: a mail and its layout, or none and why, and whether their cursors move.

Pure. Called by the run of digests and by the simulator, which decide nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from worker.model import StoryId, SubscriptionId, TopicId
from worker.planning.lay_out import Layout, lay_out
from worker.planning.news import News
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.times import is_stale


class Followed(NamedTuple):
    """One of the subscriptions that a digest serves."""

    subscription_id: SubscriptionId
    topic_id: TopicId
    cursor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestCase:
    """One reader's run: what is due, what of it they have seen (at which update) and what they are owed."""

    reader: ReaderTerms
    followed: tuple[Followed, ...]
    seen: Mapping[StoryId, int] = field(default_factory=dict)
    owed: tuple[StoryId, ...] = ()
    due_at: datetime
    head: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestVerdict:
    """What becomes of it. `layout` is None where no mail goes; `omitted` are stories that never come."""

    layout: Layout | None = None
    cursor_moves: bool
    hold_until: datetime | None = None
    omitted: tuple[StoryId, ...] = ()
    reason: str

    @property
    def send(self) -> bool:
        """Whether a mail goes."""
        return self.layout is not None


def decide_digest(case: DigestCase, news: News, rules: Rules, *, at: datetime) -> DigestVerdict:
    """Decide one reader's digest. Equal cases but for the reader's number have equal verdicts."""
    if not case.reader.awake:
        return DigestVerdict(cursor_moves=False, reason="paused")
    if is_stale(case.due_at, at, rules.digest_expires):
        return DigestVerdict(cursor_moves=False, reason="too old")
    fresh = {one.topic_id: _fresh(case, one, news) for one in case.followed}
    layout = lay_out(
        fresh,
        news,
        locale=case.reader.locale,
        at=case.due_at,
        section_cap=rules.section_cap,
        mail_cap=rules.mail_cap,
    )
    if not layout.sections:
        return DigestVerdict(cursor_moves=True, reason="nothing new")
    count = len(layout.stories)
    return DigestVerdict(layout=layout, cursor_moves=True, reason=f"{count} {'story' if count == 1 else 'stories'}")


def _fresh(case: DigestCase, one: Followed, news: News) -> tuple[StoryId, ...]:
    """Return what one topic has for the reader: new and not seen at this update, or owed."""
    new = (
        story
        for story in news.after(one.topic_id, one.cursor, case.head)
        if case.seen.get(story, -1) < news.stories[story].update_no
    )
    owed = (story for story in case.owed if news.is_told(story, one.topic_id))
    return tuple(dict.fromkeys([*new, *owed]))
