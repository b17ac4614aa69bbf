"""Sees to it that readers get what they are owed: stories of copies that never went, and those that had to wait.

A digest takes them along; who has none ahead gets a mail of its own once they are due. Called by `planning.run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from worker.facts import Copy
from worker.model import Lane, Lapse, Owing, RunKind, StoryId, SubscriberId
from worker.planning.decide_digest import Followed, decide_digest
from worker.planning.news import News
from worker.planning.owing import owed_case, owed_due, owed_rules, waits_until
from worker.planning.quiet import next_quiet
from worker.planning.rules import Policy, Quiet, ReaderTerms
from worker.planning.run_copies import Made, close
from worker.planning.run_news import Newsstand
from worker.planning.run_press import Order, Press, Printed
from worker.planning.run_serving import at_once
from worker.planning.times import digest_plan, local_day, stamp
from worker.store import debtors, due, editions, omissions, owed, returns, runs, turns
from worker.store.database import Database, now
from worker.store.debtors import Debtor, Follows
from worker.store.house import MATCH_SEQ, reached
from worker.store.omissions import Omitted
from worker.store.owed import Owed
from worker.store.runs import Run

CHUNK_READERS: Final = 500
_SLICE: Final = 1_000
_SLEEPS: Final = timedelta(days=1)  # until a reader who rests is looked at again


def settle_returns(database: Database, policy: Policy, *, at: datetime | None = None) -> None:
    """Owe readers the stories of copies that have expired, were cancelled, or were refused because of us."""
    while True:
        with database.read() as conn:
            found = returns.unreturned(conn, limit=_SLICE)
        if not found:
            return
        with database.write() as conn:
            turns.share(conn, [reader for _, reader in found])
            moment = at or now(conn)
            given_back = returns.give_back(conn, [copy for copy, _ in found], at=moment)
            readers = sorted({one.subscriber_id for one in given_back})
            known, follows = debtors.terms(conn, readers, at=moment), debtors.follows(conn, readers)
            dues = {
                reader: owed_due(
                    terms_of(known[reader]), debtors.digests_due(follows.get(reader, ())), policy, at=moment
                )
                for reader in readers
                if not known[reader].is_gone
            }
            owing = [
                Owed(one.subscriber_id, one.story_id, one.why, dues[one.subscriber_id])
                for one in given_back
                if one.subscriber_id in dues
            ]
            owed.put(conn, owing, at=moment)


def plan_owed(database: Database, policy: Policy, *, at: datetime | None = None) -> list[Made]:
    """Send what is due of what is owed, to readers whom no digest ahead will bring it."""
    with database.read() as conn:
        left = runs.unfinished(conn, RunKind.OWED)
        moment = at or now(conn)
        is_due = bool(owed.due_readers(conn, at=moment, after=SubscriberId(0), limit=1))
    for run in left:  # its planner has died: what it has not sent is due still
        _close(database, policy, run)
    if not is_due:
        return []
    run = _run_of(database, moment)
    payer = _Payer(database, policy, run, at=moment)
    made: list[Made] = []
    after = SubscriberId(0)
    while True:
        with database.read() as conn:
            readers = owed.due_readers(conn, at=moment, after=after, limit=CHUNK_READERS)
            if not readers:
                break
        with database.write() as conn:
            turns.share(conn, readers)
            if runs.claim(conn, run.id) is None:
                break
            made += payer.pay(conn, readers)
        after = readers[-1]
    _close(database, policy, run)
    return made


def terms_of(one: Debtor) -> ReaderTerms:
    """Return what decides about a reader."""
    return ReaderTerms(
        subscriber_id=one.subscriber_id,
        locale=one.locale,
        timezone=one.timezone,
        awake=one.awake,
        quiet=Quiet.between(one.quiet_from, one.quiet_to),
        floor=one.floor,
        below_floor=one.below_floor,
        paused_at=one.paused_at,
    )


def _run_of(database: Database, at: datetime) -> Run:
    with database.write() as conn:
        head = reached(conn, MATCH_SEQ)
        slot = f"owed {stamp(at.replace(second=0, microsecond=0))}"
        run = runs.open_run(conn, RunKind.OWED, slot, due_at=at, head=head)
        while run is None:
            run = runs.open_run(conn, RunKind.OWED, f"{slot} again at {stamp(now(conn))}", due_at=at, head=head)
        return run


class _Payer:
    """Pays readers what they are owed, within one run."""

    def __init__(self, database: Database, policy: Policy, run: Run, *, at: datetime) -> None:
        self._policy, self._run, self._at = policy, run, at
        self._stand, self._press = Newsstand(run.head_seq), Press(database)

    def pay(self, conn: Connection, readers: Sequence[SubscriberId]) -> list[Made]:
        """Serve some readers, in their turn."""
        owed.settle(conn, returns.settled_otherwise(conn, readers[0], readers[-1]))
        owed.let_go_of_muted(conn, readers[0], readers[-1], at=self._at)
        owing = owed.due_of(conn, readers, at=self._at)
        stories = {story for found in owing.values() for story in found}
        news = self._stand.news(conn, after=self._run.head_seq, owed=stories, at=self._at)
        known, follows = debtors.terms(conn, list(owing), at=self._at), debtors.follows(conn, list(owing))
        orders: list[tuple[Debtor, Sequence[Follows], Order]] = []
        for reader, mine in owing.items():
            followed: Sequence[Follows] = follows.get(reader, [])
            going = self._going(conn, known[reader], followed, mine, news)
            order = self._order(known[reader], followed, going, news) if going else None
            if order is not None:
                orders.append((known[reader], followed, order))
        printed = self._press.print(conn, [order for _, _, order in orders], news, own=self._stand.own)
        copies: dict[str, list[Copy]] = {}
        for (debtor, followed, order), told in zip(orders, printed, strict=True):
            if told is not None:
                copies.setdefault(debtor.locale, []).append(_copy(debtor, followed, order, told, at=self._at))
                reader, layout = debtor.subscriber_id, order.layout
                owed.settle(conn, [(reader, story) for story in owing[reader] if story in layout.topics_of])
                if layout.left_out:  # more than one mail holds
                    later = owed_due(terms_of(debtor), debtors.digests_due(followed), self._policy, at=self._at)
                    owed.postpone(conn, reader, list(layout.left_out), due_at=later)
        return _write(conn, self._policy, self._run, copies)

    def _going(
        self, conn: Connection, debtor: Debtor, follows: Sequence[Follows], owing: Mapping[StoryId, Owing], news: News
    ) -> list[StoryId]:
        """Return which of a reader's due stories go now; what nobody wants is let go, what waits is put off."""
        reader = debtor.subscriber_id
        told = [story for story in owing if story in news.stories]
        wanted = [] if debtor.is_gone else [one for one in told if debtors.told_of(follows, one, news.strengths)]
        owed.settle(conn, [(reader, story) for story in owing if story not in wanted])
        omissions.note(conn, [Omitted(reader, Lapse.ENDED, [one for one in told if one not in wanted])], at=self._at)
        if wanted and not debtor.awake:
            ends = debtor.paused_until
            owed.postpone(conn, reader, wanted, due_at=ends if ends and ends > self._at else self._at + _SLEEPS)
            return []
        going = []
        digests = debtors.digests_due(follows)
        for story in wanted:
            waits = waits_until(terms_of(debtor), owing[story], digests, self._policy, at=self._at)
            if waits is None:
                going.append(story)
            else:
                owed.postpone(conn, reader, [story], due_at=waits)
        return going

    def _order(self, debtor: Debtor, follows: Sequence[Follows], going: Sequence[StoryId], news: News) -> Order | None:
        followed = [Followed(one.subscription_id, one.topic_id, one.cursor) for one in follows]
        case = owed_case(terms_of(debtor), followed, going, at=self._at, head=self._run.head_seq)
        layout = decide_digest(case, news, owed_rules(self._policy), at=self._at).layout
        if layout is None:
            return None
        topics = {topic for shown in layout.topics_of.values() for topic in shown}
        owner = None if self._stand.own.isdisjoint(topics) else debtor.subscriber_id
        return Order(debtor.locale, local_day(self._at, debtor.timezone), layout, owner=owner)


def _copy(debtor: Debtor, follows: Sequence[Follows], order: Order, told: Printed, *, at: datetime) -> Copy:
    span = next_quiet(terms_of(debtor), at)
    concerned = {topic for topics in order.layout.topics_of.values() for topic in topics}
    assert debtor.recipient is not None  # noqa: S101  for mypy: nobody is awake without an address
    return Copy(
        subscriber_id=debtor.subscriber_id,
        recipient=debtor.recipient,
        content_id=told.content_id,
        subscriptions=tuple(one.subscription_id for one in follows if one.topic_id in concerned),
        published_at=told.published_at,
        seen_at=told.seen_at,
        matched_at=told.matched_at,
        quiet=(span.start, span.end) if span else None,
    )


def _write(conn: Connection, policy: Policy, run: Run, copies: Mapping[str, Sequence[Copy]]) -> list[Made]:
    made = []
    for locale, some in at_once(copies):
        plan = replace(digest_plan(run.due_at, locale, expires=policy.digest_expires), slot=run.slot)
        edition_id = editions.join_edition(conn, plan)
        if edition_id is not None:
            rows = editions.add_rows(conn, edition_id, some, lane=Lane.BULK, domain=policy.domain)
            made.append(Made(edition_id=edition_id, rows=rows))
    return made


def _close(database: Database, policy: Policy, run: Run) -> None:
    with database.write() as conn:
        turns.alone(conn)
        if runs.claim(conn, run.id):
            close(conn, policy, due.open_digests(conn, run.slot))
            runs.close(conn, run)
