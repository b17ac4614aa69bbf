"""Turns newsletters whose time has come into issues, and issues into copies: at one instant, or by each reader's clock.

A draft is opened some time before it is due, for editors to look at. An issue that is due is frozen, and its readers
come in chunks, each in one transaction: what was fixed once is what all of them get, but for what each has seen. Called
by `planning.run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from worker.facts import Issue, NewsletterReader, StoredNewsletter
from worker.model import (
    EditionId,
    EditionStatus,
    RunId,
    RunKind,
    SubscriberId,
    SubscriptionId,
    Timing,
)
from worker.planning.decide_clearance import Clearance
from worker.planning.decide_issue import (
    ROUND_THE_WORLD,
    Step,
    decide_draft,
    decide_start,
    issue_after,
    next_to_reader,
    wall_at,
)
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.rules import Policy
from worker.planning.run_archive import publish
from worker.planning.run_copies import Made, close
from worker.planning.run_issue_copies import Served
from worker.planning.run_issues import Made as Ranked
from worker.planning.run_issues import end, freeze, make
from worker.planning.run_preflight import clearance, hold
from worker.planning.times import is_stale
from worker.store import archive, issues, newsletters, preflights, runs, turns
from worker.store.database import Database, now

CHUNK_READERS: Final = 500
_NOBODY: Final = SubscriberId(0)


def plan_newsletters(database: Database, policy: Policy, *, at: datetime | None = None) -> list[Made]:
    """Draft, freeze and fan out whatever newsletters are due."""
    with database.read() as conn:
        moment = at or now(conn)
        due = newsletters.due(conn, at=moment)
    for newsletter in due:
        _draft(database, policy, newsletter, at=moment)
    with database.read() as conn:
        drafts = issues.open_issues(conn, at=moment)
    for issue in drafts:
        _begin(database, policy, issue.id, at=moment)
    made: list[Made] = []
    with database.read() as conn:
        unfinished = runs.unfinished(conn, RunKind.NEWSLETTER)
        by_readers = newsletters.timed_by_readers(conn)
    for run in unfinished:
        while (chunk := _chunk(database, policy, run.id, at=moment)) is not None:
            made += chunk
    for newsletter in by_readers:
        made += _by_their_clocks(database, policy, newsletter, at=moment)
    return made


# Drafts --------------------------------------------------------------------------------------------------------------


def _draft(database: Database, policy: Policy, newsletter: StoredNewsletter, *, at: datetime) -> None:
    """Open the next issue, and say when the one after it is due; one that nobody follows has none.

    Of several missed ones the latest is made up.
    """
    with database.write() as conn:
        starts_on, due_at = newsletter.starts_on, newsletter.next_due_at
        if starts_on is None or due_at is None:  # stored by a version that sent none
            today = at.astimezone(ZoneInfo(newsletter.timezone)).date()
            newsletters.reschedule(conn, newsletter, issue_after(newsletter, today, at), starts_on=today)
            return
        draft = decide_draft(newsletter, starts_on=starts_on, due_at=due_at, at=at, expires=policy.digest_expires)
        if not newsletters.reschedule(conn, newsletter, draft.following) or draft.is_stale:
            return
        if not newsletters.is_followed(conn, newsletter.id):
            return
        slot, expires_at = issues.slot_of(newsletter.slug, draft.wall), draft.due_at + policy.digest_expires
        issues.draft(conn, newsletter, slot=slot, due_at=draft.due_at, expires_at=expires_at)


def _begin(database: Database, policy: Policy, edition_id: EditionId, *, at: datetime) -> None:
    """Freeze an issue that is due and may go; end one that has too little, or that nobody approved in time."""
    with database.write() as conn:
        turns.share(conn, ())
        issue = issues.issue(conn, edition_id, locked=True)
        newsletter = newsletters.by_id(conn, issue.newsletter_id) if issue else None
        if issue is None or newsletter is None or not issue.is_waiting:
            return
        step, reason = decide_start(newsletter, issue, at=at)
        if step is Step.END:
            end(conn, issue, reason=reason)
        elif step is Step.WAIT:
            issues.change(conn, issue.id, reason=reason)
        if step not in {Step.GO, Step.ROUND}:
            return
        made = make(conn, newsletter, issue, at=at)
        if step is Step.ROUND:
            if _is_cleared(conn, policy, newsletter, issue, made, at=at):
                publish(conn, newsletter, issue, at=at, made=made)
                issues.change(conn, issue.id, reason="")
            _finish_round(conn, newsletter, issue, at=at)
            return
        everybodys = for_reader(made.ranking, made.news, made.selection, seen={})
        if isinstance(everybodys, Skipped):
            end(conn, issue, reason=everybodys.reason)
            return
        if not _is_cleared(conn, policy, newsletter, issue, made, at=at):
            return
        freeze(conn, issue, made)
        publish(conn, newsletter, issue, at=at, made=made)
        status = EditionStatus.PLANNING if newsletter.timing is Timing.NEWSROOM else EditionStatus.DRAFT
        issues.change(conn, issue.id, status=status, reason="")


def _is_cleared(
    conn: Connection, policy: Policy, newsletter: StoredNewsletter, issue: Issue, made: Ranked, *, at: datetime
) -> bool:
    """Tell whether an issue may go; hold it, or fix it for somebody to look at, where it may not."""
    verdict, held_by = clearance(conn, policy, newsletter, issue, made, at=at)
    if verdict is Clearance.HOLD:
        hold(conn, issue, held_by)
    elif verdict is Clearance.WAIT:
        freeze(conn, issue, made)
        preflights.ask(conn, issue.id)
        issues.change(conn, issue.id, reason="is looked over")
    return verdict is Clearance.GO


def _finish_round(conn: Connection, newsletter: StoredNewsletter, issue: Issue, *, at: datetime) -> None:
    """End an issue that has gone round the world, once nobody is due it any more."""
    over = issue.due_at + ROUND_THE_WORLD
    if at >= over and not newsletters.due_instants(conn, newsletter.id, at=over):
        parts, _ = issues.parts_of(conn, issue.id)
        end(conn, issue, reason=f"sent at {parts} {'instant' if parts == 1 else 'instants'}", copies=None)


# One instant for all -------------------------------------------------------------------------------------------------


def _chunk(database: Database, policy: Policy, run_id: RunId, *, at: datetime) -> list[Made] | None:
    """Serve the next readers of an issue; None when nobody is left, or another planner is at it."""
    with database.write() as conn:
        open_runs = [run for run in runs.unfinished(conn, RunKind.NEWSLETTER) if run.id == run_id]
        issue = issues.issue(conn, EditionId(open_runs[0].data["edition"])) if open_runs else None
        if issue is None or issue.status is not EditionStatus.PLANNING:
            _let_be(conn, run_id, issue)
            return None
        after = open_runs[0].reached
        nearest = newsletters.next_followers(conn, issue.newsletter_id, after=after, limit=CHUNK_READERS, at=at)
        if not nearest:
            return _close(conn, policy, run_id, issue, after=after)
        turns.share(conn, [reader.subscriber_id for reader in nearest])
        run = runs.claim(conn, run_id)
        newsletter = newsletters.by_id(conn, issue.newsletter_id)
        if run is None or newsletter is None:
            return None
        if run.reached != after:
            return []  # another planner has been faster: look again
        last = nearest[-1].subscriber_id
        readers = newsletters.next_followers(conn, newsletter.id, after=after, limit=CHUNK_READERS, at=at, upto=last)
        runs.reach(conn, run, last)
        served = Served(conn, newsletter, issue, at=at)
        return served.give(policy, issue.id, readers)


def _let_be(conn: Connection, run_id: RunId, issue: Issue | None) -> None:
    """Leave a run alone whose issue waits still, and end one whose issue is over."""
    if issue is None or issue.is_waiting:
        return
    run = runs.claim(conn, run_id)
    if run is not None:
        runs.close(conn, run)


def _close(conn: Connection, policy: Policy, run_id: RunId, issue: Issue, *, after: SubscriberId) -> list[Made] | None:
    turns.alone(conn)
    run = runs.claim(conn, run_id)
    if run is None:
        return None
    if run.reached != after:
        return []
    close(conn, policy, [issue.id])
    runs.close(conn, run)
    return None


# By each reader's clock ----------------------------------------------------------------------------------------------


def _by_their_clocks(database: Database, policy: Policy, newsletter: StoredNewsletter, *, at: datetime) -> list[Made]:
    """Serve the readers of a newsletter whose own local time has come, instant by instant."""
    with database.read() as conn:
        instants = newsletters.due_instants(conn, newsletter.id, at=at)
        instants += issues.open_instants(conn, newsletter.id)
    made: list[Made] = []
    for due_at in sorted(set(instants)):
        reached: SubscriberId | None = _NOBODY
        while reached is not None:
            found, reached = _their_chunk(database, policy, newsletter, due_at, after=reached, at=at)
            made += found
    return made


def _their_chunk(
    database: Database,
    policy: Policy,
    newsletter: StoredNewsletter,
    due_at: datetime,
    *,
    after: SubscriberId,
    at: datetime,
) -> tuple[list[Made], SubscriberId | None]:
    """Serve the next readers due at one instant, and say how far that is; None when nobody is left."""
    with database.write() as conn:
        nearest = newsletters.next_followers(
            conn, newsletter.id, after=after, limit=CHUNK_READERS, at=at, due_at=due_at
        )
        if not nearest:
            turns.alone(conn)
            if due_at not in newsletters.due_instants(conn, newsletter.id, at=due_at):
                close(conn, policy, issues.open_parts(conn, newsletter.id, due_at=due_at))
            return [], None
        turns.share(conn, [reader.subscriber_id for reader in nearest])
        last = nearest[-1].subscriber_id
        readers = newsletters.next_followers(
            conn, newsletter.id, after=after, limit=CHUNK_READERS, at=at, due_at=due_at, upto=last
        )
        made: list[Made] = []
        for slot, group in _by_issue(newsletter, readers, due_at).items():
            made += _serve_group(conn, policy, newsletter, slot, group, due_at=due_at, at=at)
        return made, last


def _by_issue(
    newsletter: StoredNewsletter, readers: Iterable[NewsletterReader], due_at: datetime
) -> dict[datetime | None, list[NewsletterReader]]:
    """Group readers by the local time that it is for them: at one instant two issues may be due, a day apart."""
    walls: dict[str, datetime | None] = {}
    groups: dict[datetime | None, list[NewsletterReader]] = {}
    for reader in readers:
        if reader.timezone not in walls:
            walls[reader.timezone] = wall_at(newsletter, reader.timezone, due_at)
        groups.setdefault(walls[reader.timezone], []).append(reader)
    return groups


def _serve_group(
    conn: Connection,
    policy: Policy,
    newsletter: StoredNewsletter,
    wall: datetime | None,
    readers: Sequence[NewsletterReader],
    *,
    due_at: datetime,
    at: datetime,
) -> list[Made]:
    """Give one issue's readers of an instant their copies, or move them on where there is none for them."""
    issue = issues.issue_at(conn, newsletter, wall) if wall else None
    is_fresh = not is_stale(due_at, at, policy.digest_expires)
    is_open = issue is not None and issue.is_waiting
    if is_fresh and is_open and issue is not None and not _has_begun(conn, policy, issue):
        return []  # it waits for approval or for a look, and they with it
    # After a long silence the latest instant that is still worthwhile is made up, and the earlier ones are not.
    after = max(at, due_at) if is_fresh else at - policy.digest_expires
    claimed = newsletters.claim(conn, _next_dues(newsletter, readers, after=after), due_at=due_at)
    if not is_fresh or not is_open or issue is None:
        return []
    part = issues.part(conn, newsletter, issue, due_at=due_at, slot=issues.part_slot(issue.slot, due_at))
    if part is None:
        return []
    served = Served(conn, newsletter, issue, at=at)
    return served.give(policy, part, [reader for reader in readers if reader.subscription_id in claimed])


def _has_begun(conn: Connection, policy: Policy, issue: Issue) -> bool:
    """Tell whether an issue goes round the world already."""
    if policy.preflight_patience is None:
        return bool(issue.ranking) and issue.status is EditionStatus.DRAFT
    return archive.is_published(conn, issue.id)


def _next_dues(
    newsletter: StoredNewsletter, readers: Iterable[NewsletterReader], *, after: datetime
) -> dict[SubscriptionId, datetime | None]:
    by_zone: dict[str, datetime | None] = {}
    dues = {}
    for reader in readers:
        if reader.timezone not in by_zone:
            by_zone[reader.timezone] = next_to_reader(newsletter, reader.timezone, after)
        dues[reader.subscription_id] = by_zone[reader.timezone]
    return dues
