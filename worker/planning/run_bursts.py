"""Opens bursts: when a topic has more news than alerts are good for, its stories wait for the next rolling summary.

Runs inside the transaction that claims a story's pairs. Called by `run_alerts`; `run_rolling` sums up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from worker.model import StoryId
from worker.planning.bursts import Burst, step
from worker.planning.rules import Policy
from worker.store import bursts
from worker.store.alerting import DuePair


def put_off(
    conn: Connection, policy: Policy, story_id: StoryId, pairs: Sequence[DuePair], *, at: datetime
) -> list[DuePair]:
    """Put pairs of bursting topics off to the summary, opening bursts as need be; return those to be alerted now."""
    if not policy.burst_count:  # the governor is switched off
        return list(pairs)
    topics = [pair.topic_id for pair in pairs]
    standing = bursts.standing(conn, topics)
    crowded = bursts.crowded(conn, topics, since=at - policy.burst_window, least=policy.burst_count)
    kept = []
    for pair in pairs:
        known = standing.get(pair.topic_id)
        burst = Burst(opened_at=known.opened_at, summary_due_at=known.summary_due_at) if known else None
        if burst is None and pair.topic_id in crowded:
            alerted = bursts.alerted(conn, pair.topic_id, least=policy.burst_count)
            burst = step(None, [*alerted, at], policy, at=at)
            if burst is not None:
                bursts.open_burst(
                    conn,
                    pair.topic_id,
                    opened_at=burst.opened_at,
                    summary_due_at=burst.summary_due_at,
                    from_seq=pair.seq - 1,
                )
        if burst is None:
            kept.append(pair)
        else:
            bursts.roll(conn, pair.topic_id, story_id, summary_due_at=burst.summary_due_at, at=at)
    return kept
