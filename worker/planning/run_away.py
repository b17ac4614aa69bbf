"""Welcomes back readers who have immediate subscriptions only: the best of what they missed comes in the morning.

Who has a digest is told by that. Called by `planning.run`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from worker.model import Lapse, Owing, SubscriberId
from worker.planning.decide_away import missed_since
from worker.planning.decide_digest import DigestCase, Followed, decide_digest
from worker.planning.owing import owed_due
from worker.planning.rules import Policy
from worker.planning.run_news import Newsstand
from worker.planning.run_outlived import outlived
from worker.planning.run_owed import terms_of
from worker.store import debtors, due, omissions, owed, seen, turns
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, reached
from worker.store.omissions import Omitted
from worker.store.owed import Owed
from worker.store.seen import SEEN_FOR

CHUNK_READERS: Final = 500


def welcome_back(database: Database, policy: Policy, *, at: datetime | None = None) -> None:
    """Owe readers whose pause is over what they have missed. Each of them once, as the pause ends with it."""
    while True:
        with database.read() as conn:
            moment = at or now(conn)
            readers = debtors.back_without_digest(conn, at=moment, limit=CHUNK_READERS)
        if not readers:
            return
        with database.write() as conn:
            turns.share(conn, readers)
            still = set(debtors.back_without_digest(conn, at=moment, limit=CHUNK_READERS))
            _welcome(conn, policy, [one for one in readers if one in still], at=moment)
            if not still.intersection(readers):
                return  # somebody else had them


def _welcome(conn: Connection, policy: Policy, readers: list[SubscriberId], *, at: datetime) -> None:
    if not readers:
        return
    head = reached(conn, MATCH_SEQ)
    known, follows = debtors.terms(conn, readers, at=at), debtors.follows(conn, readers)
    least = min((one.cursor for mine in follows.values() for one in mine), default=head)
    news = Newsstand(head).news(conn, after=least, owed=(), at=at)
    read = seen.of(conn, readers[0], readers[-1], news.stories.keys(), since=at - SEEN_FOR, at=at)
    for reader in readers:
        paused_at = known[reader].paused_at
        if paused_at is None:
            continue
        followed = tuple(
            Followed(
                one.subscription_id,
                one.topic_id,
                max(one.cursor, news.number_at(one.topic_id, missed_since(paused_at, policy))),
            )
            for one in follows.get(reader, ())
        )
        terms = replace(terms_of(known[reader]), floor=1)  # no digest comes that what is too little could wait for
        due_at = owed_due(terms, (), policy, at=at)
        # Decided as at that morning: what is owed then may not come within quiet hours, what is new now is not too old.
        case = DigestCase(reader=terms, followed=followed, seen=read.get(reader, {}), due_at=due_at, head=head)
        verdict = decide_digest(case, news, policy, at=due_at)
        if verdict.layout is not None:
            best = verdict.layout.stories
            owed.put(conn, [Owed(reader, story, Owing.AWAY, due_at) for story in best], at=at)
            left_out = [*verdict.omitted, *verdict.layout.left_out]
            omissions.note(conn, [Omitted(reader, Lapse.AWAY, left_out)], at=at)
    omissions.note(conn, outlived(conn, {reader: {} for reader in readers}, at=at), at=at)
    due.pauses_over(conn, readers)
