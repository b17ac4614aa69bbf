"""Puts issues of newsletters into the public archive as they are fixed, and reads them back as they stand today.

Of an issue the archive has what goes to somebody who has seen none of it. Called by the run of newsletters, which
publishes, and by the archive's pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from worker.content import NewsletterContent
from worker.facts import Issue, StoredNewsletter
from worker.model import StoryId
from worker.planning.archived import Place, as_it_stands
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.newsletter_content import issue_content
from worker.planning.run_issues import Made, make, tellings_of
from worker.store import archive, contents, withdrawals
from worker.store.archive import Archived
from worker.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicIssue:
    """An issue as anybody may read it. `subject` and `note` are an editor's and may be empty."""

    id: str
    slug: str
    name: str
    locale: str
    day: date
    subject: str
    note: str
    sender: str
    due_at: datetime
    updated_at: datetime
    places: tuple[Place, ...]

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing of it is told any more."""
        return not any(place.card for place in self.places)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """An issue with the ids of those before and after it."""

    issue: PublicIssue
    before: str | None
    after: str | None


def publish(
    conn: Connection, newsletter: StoredNewsletter, issue: Issue, *, at: datetime, made: Made | None = None
) -> None:
    """Put an issue that is fixed into the archive, in the transaction that lets it go; it is there once."""
    if archive.is_published(conn, issue.id):
        return
    ranked = made or make(conn, newsletter, issue, at=at)
    chosen = for_reader(ranked.ranking, ranked.news, ranked.selection, seen={})
    if isinstance(chosen, Skipped):
        return
    content = issue_content(newsletter, issue, chosen.stories, tellings_of(conn, chosen.stories))
    if content is None:
        return
    updates: dict[int, int] = {story: facts.update_no for story, facts in ranked.news.stories.items()}
    content_id = contents.put(conn, content, updates=updates)
    archive.publish(conn, issue.id, content_id, newsletter_id=newsletter.id, due_at=issue.due_at)


def open_issue(database: Database, public_id: str) -> Opened | None:
    """Read an issue; None where there is none in public."""
    with database.read() as conn:
        found = archive.issue(conn, public_id)
        read = _read(conn, [found]) if found else []
        if found is None or not read:
            return None
        before, after = archive.neighbours(conn, found)
        return Opened(issue=read[0], before=before, after=after)


def issues_of(
    database: Database, newsletter_id: int, *, limit: int, before: datetime | None = None
) -> tuple[list[PublicIssue], datetime | None]:
    """Read a newsletter's issues, the latest first, and before which time there are more; None: there are none."""
    with database.read() as conn:
        found = archive.issues_of(conn, newsletter_id, limit=limit + 1, before=before)
        more = found[limit - 1].due_at if len(found) > limit else None
        return [one for one in _read(conn, found[:limit]) if not one.is_gone], more


def _read(conn: Connection, found: Sequence[Archived]) -> list[PublicIssue]:
    numbers = [one.content_id for one in found]
    bodies = contents.thawed(conn, numbers)
    mendings = archive.mendings(conn, numbers)
    mended = sorted({StoryId(one.story_id) for some in mendings.values() for one in some})
    tellings = tellings_of(conn, mended) if mended else {}
    read = []
    for one in found:
        content = bodies.get(one.content_id)
        if not isinstance(content, NewsletterContent) or content.personal_to is not None:
            continue  # nothing but an issue ever comes here; whatever else did is nobody else's to read
        places = as_it_stands(
            content,
            stopped=withdrawals.stopped_among(conn, one.content_id),
            mendings=mendings.get(one.content_id, ()),
            tellings=tellings,
        )
        read.append(_public(one, content, places))
    return read


def _public(one: Archived, content: NewsletterContent, places: tuple[Place, ...]) -> PublicIssue:
    return PublicIssue(
        id=one.public_id,
        slug=content.slug,
        name=content.name,
        locale=content.locale,
        day=content.day,
        subject=content.subject,
        note=content.note,
        sender=content.sender_name,
        due_at=one.due_at,
        updated_at=one.updated_at,
        places=places,
    )
