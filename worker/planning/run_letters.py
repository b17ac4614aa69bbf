"""Makes mails of the letters that readers have asked for about their own business. Each of them once.

Decides nothing: signup has. What such a mail says holds nothing personal, whoever's address it goes to. Called by
`planning.run`.
"""

from __future__ import annotations

from sqlalchemy import Connection

from worker.content import LetterContent
from worker.facts import Copy, DueLetter, EditionPlan
from worker.letter_links import good_for
from worker.model import EditionKind, Lane
from worker.planning.rules import Policy
from worker.planning.run_copies import CHUNK_READERS, Made
from worker.store import editions, own_letters
from worker.store.database import Database, now


def plan_letters(database: Database, policy: Policy) -> list[Made]:
    """Write the letters that are due."""
    with database.write() as conn:
        written = [_write(conn, policy, letter) for letter in own_letters.due_letters(conn, limit=CHUNK_READERS)]
    return [made for made in written if made is not None]


def _write(conn: Connection, policy: Policy, letter: DueLetter) -> Made | None:
    if letter.recipient is None:
        own_letters.planned(conn, letter.id, None)
        return None
    at = now(conn)
    plan = EditionPlan(
        kind=EditionKind.SYSTEM,
        # With its time: SQLite gives the number of a deleted letter to the next one.
        slot=f"letter {letter.id} of {letter.asked_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        locale=letter.locale,
        lane=Lane.ALERTS,
        due_at=at,
        expires_at=at + good_for(letter.kind),  # a link that works no longer helps nobody
    )
    edition_id = editions.open_edition(conn, plan)
    own_letters.planned(conn, letter.id, edition_id)
    if edition_id is None:  # pragma: no cover  a letter is due once
        return None
    content = LetterContent(locale=letter.locale, about=letter.kind, letter=letter.id)
    copy = Copy(
        subscriber_id=letter.subscriber_id,
        recipient=letter.recipient,
        content_id=editions.intern(conn, content),
        subscriptions=(),
    )
    rows = editions.add_batch(conn, edition_id, [copy], lane=Lane.ALERTS, domain=policy.domain)
    editions.close_edition(conn, edition_id)
    return Made(edition_id=edition_id, rows=rows)
