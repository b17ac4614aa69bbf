"""Turns stories whose gathering time is over into alerts for those who follow one of their topics immediately.

A story's alert is one slot; its readers come in chunks, each in one transaction. Called by `planning.run`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from worker.content import AlertContent
from worker.facts import Copy, DueStory, EditionPlan, Followed
from worker.model import EditionKind, Lane, StoryId, TopicId
from worker.planning.cards import Library, alert, is_private, tellable
from worker.planning.rules import Policy
from worker.planning.run_copies import CHUNK_READERS, Made, by_reader, close, library_of, write_copy
from worker.store import alerting, editions, turns
from worker.store.database import Database, now

_STORIES_A_PASS = 200


def plan_alerts(database: Database, policy: Policy) -> list[Made]:
    """Plan every alert that is due."""
    with database.read() as conn:
        due = alerting.due_stories(conn, limit=_STORIES_A_PASS)
    made: list[Made] = []
    for story_id in due:
        while chunk := _chunk(database, policy, story_id):
            made += chunk
    return made


def _chunk(database: Database, policy: Policy, story_id: StoryId) -> list[Made]:
    """Give the next readers their copies; an empty list when nobody is left, and the alert is closed.

    What is due is asked anew for each chunk: between two of them another planner may have ended the alert, or another
    of the story's topics may have become due.
    """
    with database.write() as conn:
        turns.alone(conn)
        story = alerting.due_story(conn, story_id)
        if story is None:
            return []
        made = _alert(conn, policy, story)
        if not made:
            alerting.alerted(conn, story)
            close(conn, policy, alerting.open_alerts(conn, story_id))
        return made


def _alert(conn: Connection, policy: Policy, story: DueStory) -> list[Made]:
    library = library_of(conn, [story.story_id], story.topics)
    topics = tellable(library, story)
    if not topics:
        return []
    slot = f"{alerting.alert_slots(story.story_id)}{min(story.topics.values())}"
    followed = alerting.alert_followers(conn, story, topics=topics, slot=slot, limit=CHUNK_READERS)
    made = []
    for locale, group in itertools.groupby(sorted(followed, key=_by_locale), key=lambda one: one.locale):
        edition_id = editions.open_edition(conn, _plan(library, story, policy, slot=slot, locale=locale, at=now(conn)))
        if edition_id is not None:
            copies = _copies(conn, library, story, list(group), locale=locale)
            rows = editions.add_batch(conn, edition_id, copies, lane=Lane.ALERTS, domain=policy.domain)
            made += [Made(edition_id=edition_id, rows=rows)] if rows else []
    return made


def _plan(library: Library, story: DueStory, policy: Policy, *, slot: str, locale: str, at: datetime) -> EditionPlan:
    return EditionPlan(
        kind=EditionKind.ALERT,
        slot=slot,
        locale=locale,
        lane=Lane.ALERTS,
        severity=library.tellings[story.story_id][0].severity,
        due_at=at,
        expires_at=at + policy.alert_expires,
    )


def _copies(
    conn: Connection, library: Library, story: DueStory, followed: Sequence[Followed], *, locale: str
) -> list[Copy]:
    """Write one copy a reader; readers who follow the same of the story's topics share its content."""
    contents: dict[tuple[TopicId, ...], AlertContent | None] = {}
    copies = []
    for subscriber_id, subscriptions in by_reader(followed).items():
        topics = tuple(sorted({one.topic_id for one in subscriptions if one.topic_id is not None}))
        if topics not in contents:
            contents[topics] = alert(library, story.story_id, topics, locale=locale)
        content = contents[topics]
        if content is None:
            continue
        if is_private(library, [story.story_id], topics):
            content = content.model_copy(update={"personal_to": subscriber_id})
        copies.append(write_copy(conn, library, content, subscriptions))
    return copies


def _by_locale(one: Followed) -> tuple[str, int]:
    return one.locale, one.subscriber_id
