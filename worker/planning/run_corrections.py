"""Carries corrections out: unsent copies get the new words, and whoever was sent the faulty ones gets a mail about it.

Every step is a transaction of its own and safe to repeat, so that a process may die anywhere: what is left is found by
what copies show, never by a list. Called by the command line, the API, and planning's sweep.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from worker.content import CorrectionContent, StoryCard, recarded
from worker.facts import Copy, EditionPlan, Telling
from worker.model import ArticleId, ContentId, EditionId, EditionKind, Lane, Severity, StoryId
from worker.planning.quiet import next_quiet
from worker.planning.recarding import as_sent_anew, recarded_in
from worker.planning.rules import Policy, Quiet, ReaderTerms
from worker.planning.run_copies import Made
from worker.store import contents, corrections, editions, withdrawals
from worker.store.corrections import Correcting, Misled
from worker.store.database import Database, now
from worker.store.tellings import tellings
from worker.store.turns import alone

CHUNK_READERS = 1000
_BATCHES_AT_ONCE = 10
_AT_LEAST = timedelta(days=1)  # beyond anybody's night
_REASON = "an editor retracted all that it told of"


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedOut:
    """What a correction has led to: copies told anew, copies ended, copies that had been sent, mails about them."""

    article_id: ArticleId
    story_id: StoryId
    revision: int
    correction: int
    retracted: bool
    rerendered: int
    cancelled: int
    sent: int
    mails: int

    @property
    def says(self) -> str:
        """The answer in a line."""
        head = "is retracted" if self.retracted else "is corrected"
        return (
            f"article {self.article_id} {head}: {self.rerendered} unsent mails go out without the fault, "
            f"{self.cancelled} are cancelled, {self.sent} had been sent, of which {self.mails} readers are told"
        )

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {
            "article": self.article_id,
            "story": self.story_id,
            "revision": self.revision,
            "rerendered": self.rerendered,
            "cancelled": self.cancelled,
            "sent": self.sent,
            "mails": self.mails,
            "correction": self.correction,
            "says": self.says,
        }


def carry_out(database: Database, policy: Policy, one: Correcting, *, revision: int) -> CarriedOut:
    """Do all that can be done of a correction at this moment; the sweep does the rest."""
    done, _ = _work_on(database, policy, one)
    with database.read() as conn:
        sent, mails = corrections.sent_faulty(conn, one), corrections.count_told(conn, one)
    return CarriedOut(
        article_id=one.article_id,
        story_id=one.story_id,
        revision=revision,
        correction=one.id,
        retracted=one.retracts,
        rerendered=done["rerendered"],
        cancelled=done["cancelled"],
        sent=sent,
        mails=mails,
    )


def sweep(database: Database, policy: Policy) -> list[Made]:
    """Go on with corrections: a process died, or a copy came back from the wire, or arrived, that was on it then."""
    with database.read() as conn:
        open_ones = corrections.unsettled(conn)
    return [made for one in open_ones for made in _work_on(database, policy, one)[1]]


def _work_on(database: Database, policy: Policy, one: Correcting) -> tuple[Counter[str], list[Made]]:
    done = _tell_anew(database, one)
    mailed = _tell_misled(database, policy, one) if one.mails else []
    with database.write() as conn:
        corrections.settle(conn, one)
        if done:
            editions.finish_settled(conn)
    return done, mailed


def _tell_anew(database: Database, one: Correcting) -> Counter[str]:
    """Put the new words into every copy that is not on the wire."""
    with database.read() as conn:
        batches = corrections.faulty_batches(conn, one)
        telling = _telling(conn, one)
    done: Counter[str] = Counter()
    for start in range(0, len(batches), _BATCHES_AT_ONCE):
        with database.write() as conn:
            for edition_id, batch_no in batches[start : start + _BATCHES_AT_ONCE]:
                done += _in_batch(conn, one, telling, edition_id, batch_no)
    return done


def _in_batch(
    conn: Connection, one: Correcting, telling: Telling | None, edition_id: EditionId, batch_no: int
) -> Counter[str]:
    done: Counter[str] = Counter()
    faulty = corrections.faulty_in(conn, one, edition_id, batch_no)
    for content_id, content in contents.thawed(conn, faulty).items():
        new = recarded_in(content, telling, article_id=one.article_id, upto=one.faulty_upto)
        left = recarded(content, new)
        if left is None:
            done["cancelled"] += withdrawals.cancel(conn, edition_id, batch_no, content=content_id, reason=_REASON)
        else:
            number = contents.put(conn, left, updates=corrections.updates_in(conn, content_id))
            done["rerendered"] += withdrawals.replace(conn, edition_id, batch_no, old=content_id, new=number)
    return done


def _telling(conn: Connection, one: Correcting) -> Telling | None:
    """Return the article as it is told now; None when it is not told any more."""
    told = tellings(conn, [one.story_id])
    return next((telling for telling in told if telling.article_id == one.article_id), None)


def _tell_misled(database: Database, policy: Policy, one: Correcting) -> list[Made]:
    made: list[Made] = []
    while True:
        with database.write() as conn:
            alone(conn)
            readers = corrections.misled(conn, one, limit=CHUNK_READERS)
            made += _mail(conn, policy, one, readers)
            if len(readers) < CHUNK_READERS:
                for edition_id, _, is_open in corrections.rounds(conn, one):
                    if is_open:
                        editions.close_edition(conn, edition_id)
                return made


def _mail(conn: Connection, policy: Policy, one: Correcting, readers: list[Misled]) -> list[Made]:
    if not readers:
        return []
    at = now(conn)
    slot = _slot(conn, one)
    by_locale: dict[str, list[Misled]] = {}
    for reader in readers:
        by_locale.setdefault(reader.locale, []).append(reader)
    made = []
    for locale, group in sorted(by_locale.items()):
        plan = EditionPlan(
            kind=EditionKind.CORRECTION,
            slot=slot,
            locale=locale,
            lane=Lane.ALERTS,
            severity=Severity.NORMAL,
            due_at=at,
            expires_at=at + max(policy.digest_expires, _AT_LEAST),
        )
        edition_id = editions.open_edition(conn, plan)
        if edition_id is None:  # pragma: no cover  its slot was open a statement ago, and we are alone
            raise ValueError(f"the audience of {slot} is fixed")
        told = _contents(conn, one, group)
        copies = [
            Copy(
                subscriber_id=reader.subscriber_id,
                recipient=reader.recipient,
                content_id=told[_title(reader)],
                subscriptions=reader.serves,
                in_reply_to=reader.message_id,
                quiet=next_quiet(_terms(reader), at),
            )
            for reader in group
        ]
        rows = editions.add_rows(conn, edition_id, copies, lane=Lane.ALERTS, domain=policy.domain)
        made.append(Made(edition_id=edition_id, rows=rows))
    return made


def _slot(conn: Connection, one: Correcting) -> str:
    """Return the slot that takes readers: the first, or a later one for those whose copies were on the wire then."""
    rounds = corrections.rounds(conn, one)
    if open_slot := next((slot for _, slot, is_open in rounds if is_open), None):
        return open_slot
    count = len({slot for _, slot, _ in rounds})
    return f"{one.slot} round {count + 1}" if count else one.slot


def _contents(conn: Connection, one: Correcting, group: list[Misled]) -> dict[str, ContentId]:
    """Intern what readers of one language are told, by the title under which they were sent the story."""
    telling = None if one.retracts else _telling(conn, one)
    return {
        title: contents.put(
            conn,
            CorrectionContent(
                locale=group[0].locale,
                retracted=one.retracts,
                title=title,
                note=one.note,
                card=as_sent_anew(telling) if telling else None,
            ),
        )
        for title in sorted({_title(reader) for reader in group})
    }


def _title(reader: Misled) -> str:
    return StoryCard.model_validate_json(reader.card).title


def _terms(reader: Misled) -> ReaderTerms:
    quiet = Quiet.between(reader.quiet_from, reader.quiet_to)
    return ReaderTerms(
        subscriber_id=reader.subscriber_id, locale=reader.locale, timezone=reader.timezone, awake=True, quiet=quiet
    )
