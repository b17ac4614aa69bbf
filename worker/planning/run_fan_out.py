"""What the fan-outs of alerts and of rolling summaries share: readers' terms, their copies, and what comes later.

Runs inside the caller's transaction, who holds the run and the readers' ranges. Called by `run_alerts`, `run_rolling`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from worker.content import AnyContent
from worker.facts import Copy, EditionPlan
from worker.model import ContentId, EditionKind, Lane, Owing, Severity, StoryId, SubscriberId, SubscriptionId
from worker.planning.cards import Library
from worker.planning.owing import owed_due
from worker.planning.quiet import next_quiet
from worker.planning.rules import Policy, Quiet, ReaderTerms
from worker.planning.run_copies import Made, close
from worker.store import alerting, contents, editions, owed, runs
from worker.store.alerting import Follower
from worker.store.owed import Owed
from worker.store.runs import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A content that readers share, with the times of its newest story and at which update it shows each."""

    content_id: ContentId
    published_at: datetime
    seen_at: datetime
    matched_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressed:
    """One reader who gets a copy now. `answers` is the Message-ID of what it is an update of, "" for none."""

    reader: ReaderTerms
    recipient: str
    subscriptions: tuple[SubscriptionId, ...]
    told: Told
    answers: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """Stories that one reader gets later, and why."""

    reader: ReaderTerms
    stories: tuple[StoryId, ...]
    why: Owing


def by_reader(followers: Sequence[Follower]) -> dict[SubscriberId, list[Follower]]:
    """Group subscriptions by reader, in the order given."""
    readers: dict[SubscriberId, list[Follower]] = {}
    for one in followers:
        readers.setdefault(one.subscriber_id, []).append(one)
    return readers


def terms_of(one: Follower) -> ReaderTerms:
    """Return what decides about a reader."""
    return ReaderTerms(
        subscriber_id=one.subscriber_id,
        locale=one.locale,
        timezone=one.timezone,
        awake=one.awake,
        quiet=Quiet.between(one.quiet_from, one.quiet_to),
        budget=one.alert_budget,
        paused_at=one.paused_at,
    )


def alerted(
    conn: Connection, policy: Policy, readers: Iterable[ReaderTerms], *, at: datetime
) -> Mapping[SubscriberId, list[datetime]]:
    """Return when readers who have a budget were alerted lately."""
    counted = [one.subscriber_id for one in readers if (policy.budget if one.budget is None else one.budget)]
    return alerting.alerted_lately(conn, counted, at=at) if counted else {}


def intern(conn: Connection, library: Library, content: AnyContent, *, updates: Mapping[int, int]) -> Told:
    """Keep a content that shows stories at these material updates."""
    shown = [StoryId(story) for story in content.stories()]
    newest = max((library.tellings[story][0] for story in shown), key=lambda telling: telling.seen_at)
    matched = [found[0].matched_at for (story, _), found in library.concerns.items() if story in shown]
    return Told(
        content_id=contents.put(conn, content, updates=updates),
        published_at=newest.published_at,
        seen_at=newest.seen_at,
        matched_at=max(matched, default=None),
    )


def write(
    conn: Connection, policy: Policy, run: Run, kind: EditionKind, addressed: Sequence[Addressed], *, severity: Severity
) -> list[Made]:
    """Write readers' copies, in an edition a locale. Those of a run that was stopped meanwhile get none."""
    made = []
    for locale, group in itertools.groupby(sorted(addressed, key=_by_locale), key=lambda one: one.reader.locale):
        plan = EditionPlan(
            kind=kind,
            slot=run.slot,
            locale=locale,
            lane=Lane.ALERTS,
            severity=severity,
            due_at=run.due_at,
            expires_at=run.due_at + policy.alert_expires,
            story_id=StoryId(run.data["story"]) if "story" in run.data else None,
            run_id=run.id,
        )
        edition_id = editions.open_edition(conn, plan)
        if edition_id is None:
            continue
        copies = [_copy(one, severity=severity, at=run.due_at) for one in group]
        rows = editions.add_rows(conn, edition_id, copies, lane=Lane.ALERTS, domain=policy.domain)
        made += [Made(edition_id=edition_id, rows=rows)] if rows else []
    return made


def owe(conn: Connection, policy: Policy, later: Sequence[Later], *, at: datetime) -> None:
    """Note what readers get later. Their digests are asked for here: hardly any verdict needs to know of them."""
    if not later:
        return
    due = alerting.digests_due(conn, [one.reader.subscriber_id for one in later])
    rows = []
    for one in later:
        reader = one.reader.subscriber_id
        due_at = owed_due(one.reader, due.get(reader, ()), policy, at=at)
        rows += [Owed(reader, story, one.why, due_at) for story in one.stories]
    owed.put(conn, rows, at=at)


def finish(conn: Connection, policy: Policy, run: Run) -> None:
    """Close a run that has reached everybody, with its editions."""
    close(conn, policy, alerting.editions_of(conn, run.id))
    runs.close(conn, run)


def _copy(one: Addressed, *, severity: Severity, at: datetime) -> Copy:
    return Copy(
        subscriber_id=one.reader.subscriber_id,
        recipient=one.recipient,
        content_id=one.told.content_id,
        subscriptions=one.subscriptions,
        published_at=one.told.published_at,
        seen_at=one.told.seen_at,
        matched_at=one.told.matched_at,
        in_reply_to=one.answers,
        quiet=None if severity is Severity.BREAKING else next_quiet(one.reader, at),
    )


def _by_locale(one: Addressed) -> tuple[str, int]:
    return one.reader.locale, one.reader.subscriber_id
