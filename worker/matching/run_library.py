"""Stores topics, all or none, once they have been checked against each other and those already stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker.matching.faults import refuse
from worker.matching.holding import Checked, check
from worker.matching.library import Reading, TopicDraft
from worker.store import topics
from worker.store.database import Database
from worker.store.topics import NewTopic, TopicRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import did, by slug in the drafts' order.

    A topic is `changed` when it asks for something else than before: its version rises by one, to the number given. It
    is `edited` when only its names, texts or examples, or the way its query is written, are others.
    """

    added: tuple[str, ...] = ()
    changed: tuple[tuple[str, int], ...] = ()
    edited: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def _no_report() -> None:
    """Tell nobody that one more topic is done."""


def import_reading(database: Database, reading: Reading, *, on_done: Callable[[], None] = _no_report) -> Imported:
    """Store what files hold, all or none.

    Raises `InputError`, or `ManyFaultsError` with the faults of all files. While an entry cannot be read,
    a reference that leads nowhere is not told: it may lead to that entry.
    """
    with database.write() as conn:
        known = {row.slug: row for row in topics.topics(conn, shared_only=True) if row.slug}
        checked = check(reading.drafts, {slug: row.query for slug, row in known.items()}, on_done=on_done)
        found = (fault for fault in checked.faults if not (reading.faults and "there is no topic @" in fault.message))
        refuse([*reading.faults, *found])
        added, changed, edited, unchanged = [], [], [], []
        for draft in checked.drafts:
            before = known.get(draft.slug)
            if before is not None and not before.disabled_reason and new_topic(draft) == _as_new(before):
                unchanged.append(draft.slug)
                continue
            topics.put_topic(conn, new_topic(draft))
            if before is None:
                added.append(draft.slug)
            elif before.canonical != draft.canonical:
                changed.append((draft.slug, before.version + 1))
            else:
                edited.append(draft.slug)
    return Imported(added=tuple(added), changed=tuple(changed), edited=tuple(edited), unchanged=tuple(unchanged))


def import_topics(database: Database, drafts: Sequence[TopicDraft]) -> Imported:
    """Store drafts that were read without fault. Raises as `import_reading` does."""
    return import_reading(database, Reading(drafts=tuple(drafts), faults=()))


def check_stored(rows: Sequence[TopicRow], *, on_done: Callable[[], None] = _no_report) -> Checked:
    """Check stored topics again, with their examples."""
    drafts = [
        TopicDraft(
            where=f"topic {row.slug}",
            slug=row.slug,
            name=row.name,
            description=row.description,
            query=row.query,
            must_match=tuple(row.must_match),
            must_not_match=tuple(row.must_not_match),
        )
        for row in rows
        if row.slug is not None
    ]
    return check(drafts, {}, on_done=on_done)


def new_topic(draft: TopicDraft) -> NewTopic:
    """Return a checked draft as it is stored."""
    return NewTopic(
        slug=draft.slug,
        name=draft.name,
        description=draft.description,
        query=draft.query,
        canonical=draft.canonical,
        must_match=list(draft.must_match),
        must_not_match=list(draft.must_not_match),
    )


def _as_new(row: TopicRow) -> NewTopic:
    return NewTopic(**{name: getattr(row, name) for name in NewTopic.__slots__})
