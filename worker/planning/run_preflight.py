"""Holds issues by what their preflight has found, lets them go again, and says which may go when they are due.

Inside the caller's transaction, but for `note`. Never looks at a mail: the rehearsal does, and tells it here. Called by
the rehearsal, the run of newsletters and by what editors do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from worker.content import NewsletterContent
from worker.facts import Issue, StoredNewsletter
from worker.model import EditionId, EditionStatus
from worker.planning.decide_clearance import Clearance, decide_clearance
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.newsletter_content import issue_content
from worker.planning.rules import Policy
from worker.planning.run_issues import Made, tellings_of
from worker.store import archive, house, issues, preflights
from worker.store.database import Database

log = logging.getLogger(__name__)

ACTOR: Final = "preflight"
_LONGEST: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Noticed:
    """What a look at an edition's content has found. `held_by` is why an issue is held for it, "" for nothing."""

    digest: str
    mark: str
    findings: list[dict[str, Any]] = field(repr=False)
    held_by: str


def note(database: Database, edition_id: EditionId, noticed: Noticed) -> EditionStatus | None:
    """Store what was found, and hold an issue that is fixed, or let a held one go on; return its new status.

    None where the status stays. A draft that is not fixed yet is held when it is due, if nobody has mended it by then.
    """
    with database.write() as conn:
        issue = issues.issue(conn, edition_id, locked=True)
        before = preflights.of(conn, edition_id)
        preflights.keep(
            conn,
            edition_id,
            digest=noticed.digest,
            mark=noticed.mark,
            findings=noticed.findings,
            held_by=noticed.held_by,
        )
        if issue is None or archive.is_published(conn, edition_id):
            return None
        is_waived = before is not None and bool(before.waived_by)
        harms = noticed.held_by and not is_waived
        if issue.status is EditionStatus.DRAFT and issue.ranking and harms:
            hold(conn, issue, noticed.held_by)
            return EditionStatus.HELD
        if issue.status is EditionStatus.HELD and not harms:
            let_go(conn, issue, actor=ACTOR, why="what held it is mended")
            return EditionStatus.DRAFT
        return None


def hold(conn: Connection, issue: Issue, held_by: str) -> None:
    """Hold an issue until somebody mends what was found, or lets it go as it is."""
    reason = f"held by its preflight: {held_by}"[:_LONGEST]
    preflights.ask_no_more(conn, issue.id)
    if issues.change(conn, issue.id, status=EditionStatus.HELD, reason=reason):
        house.note(conn, actor=ACTOR, action="hold", subject=f"edition {issue.id}", reason=reason)
        log.warning("edition %d is %s", issue.id, reason)


def let_go(conn: Connection, issue: Issue, *, actor: str, why: str) -> None:
    """Make a held issue a draft again: it goes when it is due, if nothing else is found."""
    if issues.change(conn, issue.id, status=EditionStatus.DRAFT, reason=""):
        house.note(conn, actor=actor, action="let go", subject=f"edition {issue.id}", reason=why)


def waive(conn: Connection, issue: Issue, *, actor: str) -> None:
    """Let an issue go whatever its preflight finds."""
    preflights.waive(conn, issue.id, by=actor)
    house.note(conn, actor=actor, action="waive preflight", subject=f"edition {issue.id}", reason=issue.reason)
    if issue.status is EditionStatus.HELD:
        let_go(conn, issue, actor=actor, why="as it is")


def clearance(
    conn: Connection, policy: Policy, newsletter: StoredNewsletter, issue: Issue, made: Made, *, at: datetime
) -> tuple[Clearance, str]:
    """Say whether an issue that is due may go, and what holds it.

    What is public already has begun to go: nothing stops it any more but an editor.
    """
    if policy.preflight_patience is None or archive.is_published(conn, issue.id):
        return Clearance.GO, ""
    content = would_go(conn, newsletter, issue, made)
    found = preflights.of(conn, issue.id)
    if content is None:
        return Clearance.GO, ""
    verdict = decide_clearance(
        digest=content.digest(),
        looked_at_digest=found.digest if found else "",
        held_by=found.held_by if found else "",
        is_waived=bool(found and found.waived_by),
        asked_at=found.asked_at if found else None,
        patience=policy.preflight_patience,
        at=at,
    )
    return verdict, found.held_by if found else ""


def would_go(conn: Connection, newsletter: StoredNewsletter, issue: Issue, made: Made) -> NewsletterContent | None:
    """Return what somebody gets of an issue who has seen none of it; None where there is too little."""
    chosen = for_reader(made.ranking, made.news, made.selection, seen={})
    if isinstance(chosen, Skipped):
        return None
    return issue_content(newsletter, issue, chosen.stories, tellings_of(conn, made.ranking))
