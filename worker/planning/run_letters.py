"""Makes mails of the letters about readers' own business, asked for and not. Each of them once.

Decides nothing: signup has. A letter that may go to another's address says nothing of its reader; what a reader has
chosen stands in a content that is theirs alone. Called by `planning.run`.
"""

from __future__ import annotations

from sqlalchemy import Connection

from worker.content import AnyContent, ChangedContent, Choices, GoodbyeContent, LetterContent, WelcomeContent
from worker.facts import Copy, DueLetter, EditionPlan
from worker.letter_links import good_for
from worker.model import EditionKind, Lane, LetterKind, SubscriberStatus
from worker.planning.rules import Policy
from worker.planning.run_copies import CHUNK_READERS, Made
from worker.store import editions, own_letters, people, turns
from worker.store.choices import choices_of
from worker.store.database import Database, now


def plan_letters(database: Database, policy: Policy) -> list[Made]:
    """Write the letters that are due."""
    with database.write() as conn:
        turns.share(conn, ())  # who is being forgotten has no copy under a planner's pen
        written = [_write(conn, policy, letter) for letter in own_letters.due_letters(conn, limit=CHUNK_READERS)]
    return [made for made in written if made is not None]


def _write(conn: Connection, policy: Policy, letter: DueLetter) -> Made | None:
    content = _content(conn, letter) if letter.recipient else None
    if content is None or letter.recipient is None:
        own_letters.planned(conn, letter.id, None)
        return None
    at = now(conn)
    plan = EditionPlan(
        kind=EditionKind.SYSTEM,
        # With its time: SQLite gives the number of a deleted letter to the next one.
        slot=f"letter {letter.id} of {letter.asked_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        locale=content.locale,
        lane=Lane.ALERTS,
        due_at=at,
        expires_at=at + good_for(letter.kind),  # a link that works no longer helps nobody
    )
    edition_id = editions.open_edition(conn, plan)
    own_letters.planned(conn, letter.id, edition_id)
    if edition_id is None:  # pragma: no cover  a letter is due once
        return None
    copy = Copy(
        subscriber_id=letter.subscriber_id,
        recipient=letter.recipient,
        content_id=editions.intern(conn, content),
        subscriptions=(),
    )
    rows = editions.add_batch(conn, edition_id, [copy], lane=Lane.ALERTS, domain=policy.domain)
    editions.close_edition(conn, edition_id)
    return Made(edition_id=edition_id, rows=rows)


def _content(conn: Connection, letter: DueLetter) -> AnyContent | None:
    """Return what a letter says; None where it would tell nothing, or nothing that is still true."""
    match letter.kind:
        case LetterKind.WELCOME:
            return _welcome(conn, letter)
        case LetterKind.CHANGED:
            return _changed(conn, letter)
        case LetterKind.GOODBYE:
            reader = people.by_id(conn, letter.subscriber_id)
            has_left = reader is not None and reader.status is SubscriberStatus.LEFT
            return GoodbyeContent(locale=letter.locale) if has_left else None
        case _:
            return LetterContent(locale=letter.locale, about=letter.kind, letter=letter.id)


def _welcome(conn: Connection, letter: DueLetter) -> WelcomeContent | None:
    choices = choices_of(conn, letter.subscriber_id)
    if choices is None:
        return None
    return WelcomeContent(locale=letter.locale, personal_to=letter.subscriber_id, choices=choices)


def _changed(conn: Connection, letter: DueLetter) -> ChangedContent | None:
    """Tell a change in the language that its reader had before: it may be the language that a stranger has changed."""
    choices = choices_of(conn, letter.subscriber_id)
    if choices is None or letter.before is None:
        return None
    before = Choices.model_validate(letter.before).at(now(conn))
    if before.wishes() == choices.wishes():
        return None
    return ChangedContent(locale=before.locale, personal_to=letter.subscriber_id, before=before, now=choices)
