"""Makes editions of whatever is due: alerts after their gathering, newsletters, digests, questions to confirm, letters.

Each chunk of readers is one transaction that holds the edition, its contents, its rows and the cursors: a planner that
dies at any point leaves nothing lost and nothing doubled, and the next sweep goes on. Called by `tasks` and the CLI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from worker.content import ConfirmationContent
from worker.facts import Asked, Copy, EditionPlan
from worker.model import EditionId, EditionKind, Lane, SubscriberId
from worker.planning import run_corrections
from worker.planning.rules import Policy
from worker.planning.run_alerts import plan_alerts
from worker.planning.run_away import welcome_back
from worker.planning.run_copies import CHUNK_READERS, Made
from worker.planning.run_digests import plan_digests
from worker.planning.run_letters import plan_letters
from worker.planning.run_newsletters import plan_newsletters
from worker.planning.run_owed import plan_owed, settle_returns
from worker.planning.run_rolling import plan_rolling
from worker.store import confirming, editions, people
from worker.store.database import Database, now

__all__ = ["Planned", "Policy", "plan", "plan_urgent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What one pass has made: editions that have new rows, and how many rows."""

    editions: tuple[EditionId, ...]
    deliveries: int


def plan(database: Database, policy: Policy, *, at: datetime | None = None) -> Planned:
    """Plan everything that is due, and return what there is to send. Safe to run any number of times at once.

    `at` is a time other than now at which to plan, by hand: what is due by then.
    """
    made = [
        *_plan_confirmations(database, policy),
        *plan_letters(database, policy),
        *plan_alerts(database, policy, at=at),
        *plan_rolling(database, policy, at=at),
        *run_corrections.sweep(database, policy),
        *plan_newsletters(database, policy, at=at),
        *_plan_owed(database, policy, at=at),
        *plan_digests(database, policy, at=at),
    ]
    return _planned(made)


def plan_urgent(database: Database, policy: Policy) -> Planned:
    """Plan only what waits for nobody's hour: alerts, and the summaries of bursts. Otherwise as `plan`."""
    return _planned([*plan_alerts(database, policy), *plan_rolling(database, policy)])


def _planned(made: Sequence[Made]) -> Planned:
    return Planned(
        editions=tuple(dict.fromkeys(one.edition_id for one in made)), deliveries=sum(one.rows for one in made)
    )


def _plan_owed(database: Database, policy: Policy, *, at: datetime | None) -> list[Made]:
    settle_returns(database, policy, at=at)
    welcome_back(database, policy, at=at)
    return plan_owed(database, policy, at=at)


def _plan_confirmations(database: Database, policy: Policy) -> list[Made]:
    with database.write() as conn:
        waiting = confirming.due_confirmations(conn, limit=CHUNK_READERS)
        asked = [_ask(conn, policy, reader) for reader in waiting]
    return [made for made in asked if made is not None]


def _ask(conn: Connection, policy: Policy, reader: Asked) -> Made | None:
    """Ask one reader whether it was them; None when that question has been asked already."""
    people.change_reader(conn, reader.subscriber_id, confirmation_due_at=None)
    at = now(conn)
    plan = EditionPlan(
        kind=EditionKind.CONFIRMATION,
        slot=confirming.slot_of(reader.subscriber_id, reader.question),
        locale=reader.locale,
        lane=Lane.ALERTS,
        due_at=at,
        expires_at=at + policy.confirmation_expires,
    )
    edition_id = editions.open_edition(conn, plan)
    if edition_id is None:
        return None
    content_id = editions.intern(conn, _question(conn, reader.subscriber_id, reader.locale))
    copy = Copy(subscriber_id=reader.subscriber_id, recipient=reader.recipient, content_id=content_id, subscriptions=())
    rows = editions.add_batch(conn, edition_id, [copy], lane=Lane.ALERTS, domain=policy.domain)
    editions.close_edition(conn, edition_id)
    return Made(edition_id=edition_id, rows=rows)


def _question(conn: Connection, subscriber_id: SubscriberId, locale: str) -> ConfirmationContent:
    wished = people.asked_for(conn, subscriber_id)
    return ConfirmationContent(locale=locale, topics=tuple(name.get(locale) or name.get("en", "") for name in wished))
