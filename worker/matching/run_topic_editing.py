"""Makes, changes and takes away one shared topic at a time, for the newsroom's own programs.

A topic is checked as a file of topics is: its query is understood, what it names is there, its examples hold. One
transaction an act. Called by the API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.errors import InputError, ManyFaultsError, QueryError
from worker.matching.faults import Fault
from worker.matching.holding import check
from worker.matching.library import TopicDraft
from worker.matching.query import parse
from worker.matching.references import slugs
from worker.matching.run_library import new_topic
from worker.store import house, newsletters, standing, topics
from worker.store.database import Database
from worker.store.topics import TopicRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """The topic as it is now; None: there is none, any more. `refused` says why nothing was done."""

    topic: TopicRow | None
    refused: str = ""


def create(database: Database, draft: TopicDraft, *, actor: str) -> Edited:
    """Store a new topic. Raises `InputError`, or `ManyFaultsError`, whose `where` names the draft's fields."""
    with database.write() as conn:
        if (known := topics.topic_by_slug(conn, draft.slug)) is not None:
            return Edited(topic=known, refused=f"there is a topic {draft.slug} already")
        return _put(conn, draft, actor=actor, action="new")


def change(database: Database, slug: str, edit: Callable[[TopicRow], TopicDraft], *, actor: str) -> Edited:
    """Store a topic as `edit` makes it of what it is, which may raise what it likes. Raises as `create`."""
    with database.write() as conn:
        before = topics.topic_by_slug(conn, slug)
        if before is None:
            return Edited(topic=None)
        return _put(conn, edit(before), actor=actor, action="change")


def remove(database: Database, slug: str, expects: Callable[[TopicRow], None], *, actor: str) -> Edited:
    """Take a topic away that nobody needs: no reader follows it, no query names it, no newsletter is made of it."""
    with database.write() as conn:
        before = topics.topic_by_slug(conn, slug)
        if before is None:
            return Edited(topic=None)
        expects(before)
        if needed := _needed(conn, before):
            return Edited(topic=before, refused=needed)
        topics.take_away(conn, before.id)
        house.note(conn, actor=actor, action="topic remove", subject=f"topic {slug}")
        return Edited(topic=before)


def draft_of(row: TopicRow) -> TopicDraft:
    """Return a stored topic as a draft of itself."""
    return TopicDraft(
        where="",
        slug=row.slug or "",
        name=row.name,
        description=row.description,
        query=row.query,
        must_match=tuple(row.must_match),
        must_not_match=tuple(row.must_not_match),
    )


def _put(conn: Connection, draft: TopicDraft, *, actor: str, action: str) -> Edited:
    stored = {row.slug: row.query for row in topics.topics(conn, shared_only=True) if row.slug}
    checked = check([draft], stored)
    if checked.faults:
        raise _refusal(checked.faults)
    topics.put_topic(conn, new_topic(checked.drafts[0]))
    house.note(conn, actor=actor, action=f"topic {action}", subject=f"topic {draft.slug}")
    return Edited(topic=topics.topic_by_slug(conn, draft.slug))


def _refusal(faults: tuple[Fault, ...]) -> InputError:
    errors = tuple(map(_error, faults))
    return errors[0] if len(errors) == 1 else ManyFaultsError(errors)


def _error(fault: Fault) -> InputError:
    """Return a fault as one of the draft's field: "must_match 2" is the second example."""
    name, _, number = fault.field.partition(" ")
    if fault.offset is not None and fault.query:
        return QueryError(fault.message, offset=fault.offset, where="query", hint=fault.hint)
    return InputError(fault.message, where=f"{name}.{int(number) - 1}" if number else name, hint=fault.hint)


def _needed(conn: Connection, topic: TopicRow) -> str:
    slug = topic.slug or ""
    if followers := topics.count_followers(conn, topic.id):
        return f"{followers} {'reader follows' if followers == 1 else 'readers follow'} it"
    naming = [row.slug for row in topics.topics(conn, shared_only=True) if row.slug != slug and _names(row.query, slug)]
    if naming:
        return f"the topic {naming[0]} names it"
    if any(_names(own.query, slug) for own in standing.naming(conn, [slug])):
        return "a reader's own query names it"
    made_of_it = [row["slug"] for row in newsletters.listed(conn) if slug in row["selection"].get("topics", ())]
    return f"the newsletter {made_of_it[0]} is made of it" if made_of_it else ""


def _names(query: str, slug: str) -> bool:
    try:
        return slug in slugs(parse(query))
    except QueryError:  # switched off already
        return False
