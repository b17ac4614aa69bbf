"""Turns subscriptions whose time has come into digests: for each reader one mail of all topics that are due together.

A due instant and locale is one slot; its readers come in chunks, each in one transaction with their cursors and next
due times. Called by `planning.run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from worker.content import DigestContent
from worker.facts import Copy, Followed
from worker.model import EditionId, Lane, StoryId, SubscriberId, SubscriptionId, TopicId
from worker.planning.cards import is_private, sections
from worker.planning.rules import Policy
from worker.planning.run_copies import CHUNK_READERS, Made, by_reader, close, library_of, write_copy
from worker.planning.times import digest_plan, following_run, is_stale, local_day
from worker.store import due, editions, turns
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, reached

_SLOTS_A_PASS = 200


def plan_digests(database: Database, policy: Policy) -> list[Made]:
    """Plan every digest that is due."""
    with database.read() as conn:
        slots = due.due_slots(conn, limit=_SLOTS_A_PASS)
    made: list[Made] = []
    for due_at, locale in slots:
        while (chunk := _chunk(database, policy, due_at, locale)) is not None:
            made += chunk
    return made


def _chunk(database: Database, policy: Policy, due_at: datetime, locale: str) -> list[Made] | None:
    """Serve the next readers due at one instant; None when nobody is left, and the run is closed."""
    with database.write() as conn:
        turns.alone(conn)
        at = now(conn)
        followed = due.due_followings(conn, due_at=due_at, locale=locale, limit=CHUNK_READERS)
        if not followed:
            close(conn, policy, due.open_digests(conn, due_at=due_at, locale=locale))
            return None
        worthwhile = not is_stale(due_at, at, policy.digest_expires)
        head = reached(conn, MATCH_SEQ)
        copies = _copies(conn, followed, due_at=due_at, locale=locale, head=head) if worthwhile else []
        made = []
        if copies:
            edition_id = _edition(conn, policy, due_at, locale, at=at)
            rows = editions.add_batch(conn, edition_id, copies, lane=Lane.BULK, domain=policy.domain)
            made.append(Made(edition_id=edition_id, rows=rows))
        # After a long silence the latest run that is still worthwhile is made up, and the earlier ones are not.
        after = max(at, due_at) if worthwhile else at - policy.digest_expires
        for one in followed:
            next_due_at = following_run(one, after=after)
            cursor = head if worthwhile and one.awake else None
            due.advance(conn, one.subscription_id, next_due_at=next_due_at, cursor=cursor)
        return made


def _edition(conn: Connection, policy: Policy, due_at: datetime, locale: str, *, at: datetime) -> EditionId:
    plan = digest_plan(due_at, locale, expires=policy.digest_expires)
    edition_id = editions.open_edition(conn, plan)
    while edition_id is None:  # somebody became due at an instant that is over: a run of their own
        plan = digest_plan(due_at, locale, expires=policy.digest_expires, again_at=at)
        edition_id = editions.open_edition(conn, plan)
        at = now(conn)
    return edition_id


def _copies(conn: Connection, followed: Sequence[Followed], *, due_at: datetime, locale: str, head: int) -> list[Copy]:
    """Write the digest of every reader for whom there is something new; equal digests share one content."""
    awake = [one for one in followed if one.awake]
    fresh = due.fresh_stories(conn, [one.subscription_id for one in awake], head=head)
    stories = {story for found in fresh.values() for story in found}
    library = library_of(conn, stories, {one.topic_id for one in awake if one.topic_id is not None})
    laid: dict[object, DigestContent] = {}
    copies = []
    for subscriber_id, subscriptions in by_reader(awake).items():
        wanted = _due(subscriptions, fresh)
        day = local_day(due_at, subscriptions[0].timezone)
        key = (day, tuple(sorted((topic, tuple(found)) for topic, found in wanted.items())))
        if key not in laid:
            laid[key] = DigestContent(locale=locale, day=day, sections=sections(library, wanted, locale=locale))
        if laid[key].sections:
            shown = [StoryId(story) for story in laid[key].stories()]
            content = _own(laid[key], subscriber_id) if is_private(library, shown, wanted) else laid[key]
            copies.append(write_copy(conn, library, content, subscriptions))
    return copies


def _due(
    subscriptions: Sequence[Followed], fresh: Mapping[SubscriptionId, Sequence[StoryId]]
) -> dict[TopicId, Sequence[StoryId]]:
    return {
        one.topic_id: fresh[one.subscription_id]
        for one in subscriptions
        if one.topic_id is not None and one.subscription_id in fresh
    }


def _own(content: DigestContent, subscriber_id: SubscriberId) -> DigestContent:
    """Return the content as one that nobody else shares, since it quotes the reader's own query."""
    return content.model_copy(update={"personal_to": subscriber_id})
