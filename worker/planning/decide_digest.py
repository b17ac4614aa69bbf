"""Decides what one reader's digest is: a mail and its layout, or none and why, and whether their cursors move.

Pure. Called by the runs of digests and of what is owed, and by the simulator: nothing else decides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from worker.model import BelowFloor, StoryId, SubscriptionId, TopicId
from worker.planning.decide_away import best_of
from worker.planning.lay_out import Layout, lay_out, topics_told
from worker.planning.news import News
from worker.planning.quiet import quiet_at
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.times import is_stale, stamp


class Followed(NamedTuple):
    """One of the subscriptions that a digest serves."""

    subscription_id: SubscriptionId
    topic_id: TopicId
    cursor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestCase:
    """One reader's run: what is due, what of it they have seen (at which update) and what they are owed.

    Of a reader who is back from a pause (`reader.paused_at`, and awake) `followed` has their immediate subscriptions
    too, from where the pause began.
    """

    reader: ReaderTerms
    followed: tuple[Followed, ...]
    seen: Mapping[StoryId, int] = field(default_factory=dict)
    owed: tuple[StoryId, ...] = ()
    due_at: datetime
    head: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestVerdict:
    """What becomes of it. `layout` is None where no mail goes; `omitted` are stories that never come.

    Where the cursor does not move, what the reader is owed stays owed. `away`: it is the one mail after a pause, which
    is over for planning then, whether there was anything to tell or not.
    """

    layout: Layout | None = None
    cursor_moves: bool
    hold_until: datetime | None = None
    omitted: tuple[StoryId, ...] = ()
    away: bool = False
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
        return DigestVerdict(cursor_moves=False, reason=f"too old: due at {stamp(case.due_at)}")
    span = quiet_at(case.reader, at)
    if span is not None:
        return DigestVerdict(cursor_moves=False, hold_until=span.end, reason=f"quiet hours until {stamp(span.end)}")
    fresh = {one.topic_id: _fresh(case, one, news) for one in case.followed}
    told = topics_told(fresh, news)
    away = case.reader.paused_at is not None
    if not told:
        return DigestVerdict(cursor_moves=True, away=away, reason="nothing new")
    if len(told) < case.reader.floor:
        return _below_floor(case, told, away=away)
    return _mail(case, fresh, told, news, rules, away=away)


def _below_floor(case: DigestCase, told: Mapping[StoryId, object], *, away: bool) -> DigestVerdict:
    """Keep too few stories for the next digest, or let them go; what is owed stays owed in either case."""
    floor = case.reader.floor
    if case.reader.below_floor is BelowFloor.MERGE:
        return DigestVerdict(cursor_moves=False, reason=f"fewer than {floor}: kept for the next")
    dropped = tuple(sorted(set(told) - set(case.owed)))
    return DigestVerdict(cursor_moves=True, omitted=dropped, away=away, reason=f"fewer than {floor}: skipped")


def _mail(
    case: DigestCase,
    fresh: Mapping[TopicId, Sequence[StoryId]],
    told: Mapping[StoryId, Sequence[TopicId]],
    news: News,
    rules: Rules,
    *,
    away: bool,
) -> DigestVerdict:
    omitted: tuple[StoryId, ...] = ()
    if away and len(told) > rules.away_cap:
        missed = best_of(told, news, locale=case.reader.locale, at=case.due_at, cap=rules.away_cap)
        best, omitted = set(missed.best), missed.omitted
        fresh = {topic: [story for story in stories if story in best] for topic, stories in fresh.items()}
    layout = lay_out(
        fresh,
        news,
        locale=case.reader.locale,
        at=case.due_at,
        section_cap=rules.away_cap if away else rules.section_cap,
        mail_cap=rules.away_cap if away else rules.mail_cap,
    )
    count = len(layout.stories)
    reason = f"{count} {'story' if count == 1 else 'stories'}"
    return DigestVerdict(layout=layout, cursor_moves=True, omitted=omitted, away=away, reason=reason)


def _fresh(case: DigestCase, one: Followed, news: News) -> tuple[StoryId, ...]:
    """Return what one topic has for the reader: new and not seen at this update, or owed."""
    new = news.after(one.topic_id, one.cursor, case.head)
    if case.seen:
        new = tuple(story for story in new if case.seen.get(story, -1) < news.stories[story].update_no)
    if not case.owed:
        return new
    return tuple(dict.fromkeys([*new, *(story for story in case.owed if news.is_told(story, one.topic_id))]))
