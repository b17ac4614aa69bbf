"""Walks through a span of time for one reader after another, and tells what each run would send them, or why nothing.

Pure, and decides nothing by itself: it asks the deciders that the planners ask, in the order in which a planner's pass
goes through its work. Called by `run_simulate` and by the tests that let a month go by.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, Literal

from worker.model import Cadence, EditionKind, Owing, Severity, StoryId
from worker.planning.decide_alert import Act, AlertCase, AlertVerdict, decide_alert
from worker.planning.decide_away import best_of
from worker.planning.decide_digest import DigestCase, decide_digest
from worker.planning.decide_rolling import RollingCase, decide_rolling
from worker.planning.issues import Coming, IssuesOf
from worker.planning.lay_out import topics_told
from worker.planning.owing import owed_case, owed_due, owed_rules, waits_until
from worker.planning.reader_state import ReaderState
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.timeline import Claim, Summary, Timeline, timeline
from worker.planning.times import resumes_after, stamp
from worker.planning.world import Simulated, Simulatee, Span, World

_CADENCES: Final = list(Cadence)


def simulate(
    readers: Iterable[Simulatee], world: World, rules: Rules, span: Span, *, issues: IssuesOf = lambda _: ()
) -> Iterator[list[Simulated]]:
    """Yield for each reader, in the order given, all runs of the span, in order. Readers are held one at a time.

    `issues` tells which issues of newsletters come to a reader.
    """
    happenings = timeline(world, rules, span)
    for reader in readers:
        walk = _Walk(reader, world, rules, span, happenings)
        walk.subscribe(issues(reader))
        yield walk.runs()


class _Order(IntEnum):
    """In which order a planner's pass goes through what is due."""

    ALERT = 0
    ROLLING = 1
    NEWSLETTER = 2
    AWAY = 3
    OWED = 4
    DIGEST = 5


_Found = Claim | Summary | Coming | None


class _Walk:
    """One reader's way through a span."""

    def __init__(self, reader: Simulatee, world: World, rules: Rules, span: Span, happenings: Timeline) -> None:
        self._reader, self._world, self._rules, self._span = reader, world, rules, span
        self._state, self._lines = ReaderState(reader, world, rules, span), list[Simulated]()
        self._ahead: list[tuple[datetime, _Order, int, _Found]] = []
        followed = [one.topic_id for one in self._state.immediate]
        for index, found in enumerate(happenings.of(followed)):
            self._push(found.at, _Order.ALERT if isinstance(found, Claim) else _Order.ROLLING, index, found)
        for _, due_at in self._state.owed.values():
            self._push(span.acts_at(due_at), _Order.OWED)
        if self._state.paused_at and reader.paused_until and not self._state.due:
            self._push(span.acts_at(reader.paused_until), _Order.AWAY)
        self._push_digest()

    def subscribe(self, issues: Iterable[Coming]) -> None:
        """Have issues of newsletters come, too."""
        for number, issue in enumerate(issues):
            self._push(self._span.acts_at(issue.due_at), _Order.NEWSLETTER, number, issue)

    def runs(self) -> list[Simulated]:
        """Go on to the span's end, and return what happened, in order."""
        while self._ahead and self._ahead[0][0] < self._span.end:
            at, order, _, found = heapq.heappop(self._ahead)
            if isinstance(found, Claim):
                self._alert(found)
            elif isinstance(found, Summary):
                self._summary(found)
            elif isinstance(found, Coming):
                self._letter(found, at)
            elif order is _Order.AWAY:
                self._away(at)
            elif order is _Order.OWED:
                self._pay(at)
            else:
                self._digest(at)
        return self._lines

    def _push(self, at: datetime, order: _Order, index: int = 0, found: _Found = None) -> None:
        heapq.heappush(self._ahead, (at, order, index, found))

    def _push_digest(self) -> None:
        if self._state.due:
            self._push(self._span.acts_at(min(self._state.due.values())), _Order.DIGEST)

    def _alert(self, claim: Claim) -> None:
        at, story = claim.at, claim.story_id
        topics = tuple(
            sorted(
                one.topic_id
                for one in self._state.immediate
                if claim.topics.get(one.topic_id, 0) > self._state.cursors[one]
            )
        )
        if not topics:
            return
        case = AlertCase(
            reader=self._state.terms(at),
            topics=topics,
            bursting=frozenset(topic for topic in topics if topic in claim.bursting),
            seen_update=self._state.seen.get(story),
            alerted=tuple(self._state.alerted),
            digests_due=self._state.digests_due,
            facts=self._world.news.stories[story],
            due_at=claim.due_at,
        )
        verdict = decide_alert(case, self._rules, at=at)
        if verdict.act is Act.SEND:
            self._state.alerted.append(at)
            self._state.show([story])
        elif verdict.owing and verdict.owed_due_at:
            self._owe([story], verdict.owing, verdict.owed_due_at)
        self._tell(
            EditionKind.ALERT,
            Cadence.IMMEDIATE,
            claim.due_at,
            at=at,
            stories=[story],
            send=verdict.act is Act.SEND,
            reason=self._why(verdict, claim, case),
            owed=(story,) if verdict.act is Act.OWE else (),
            breaking=case.facts.severity is Severity.BREAKING,
        )

    def _why(self, verdict: AlertVerdict, claim: Claim, case: AlertCase) -> str:
        if verdict.act is Act.ROLL:
            topic = min(case.bursting, key=lambda one: (claim.bursting[one], one))
            return f"burst on {self._world.name(topic)}: in the summary at {stamp(claim.bursting[topic])}"
        if verdict.owing in {Owing.BUDGET, Owing.LATE} and verdict.owed_due_at:
            digest = min(self._state.due.values(), default=verdict.owed_due_at)
            return f"{verdict.reason}: in the digest at {stamp(digest)}"
        return self._paused(verdict.reason)

    def _summary(self, summary: Summary) -> None:
        numbers, followed = self._world.numbers, self._state.immediate
        rolled = {
            one.topic_id: [
                story
                for story in summary.rolled[one.topic_id]
                if numbers[story, one.topic_id] > self._state.cursors[one]
            ]
            for one in followed
            if one.topic_id in summary.rolled
        }
        case = RollingCase(
            reader=self._state.terms(summary.at),
            rolled=rolled,
            seen=self._state.seen,
            owed=frozenset(self._state.owed),
            alerted=tuple(self._state.alerted),
            digests_due=self._state.digests_due,
            due_at=summary.due_at,
        )
        verdict = decide_rolling(case, self._world.news, self._rules, at=summary.at)
        if verdict.layout:
            self._state.alerted.append(summary.at)
            self._state.show(verdict.stories)
        elif verdict.owing and verdict.owed_due_at:
            self._owe(verdict.stories, verdict.owing, verdict.owed_due_at)
        self._tell(
            EditionKind.ROLLING,
            Cadence.IMMEDIATE,
            summary.due_at,
            at=summary.at,
            stories=verdict.stories,
            send=verdict.send,
            reason=self._paused(verdict.reason),
            left_out=tuple(verdict.layout.left_out) if verdict.layout else (),
            owed=verdict.stories if verdict.owing else (),
        )

    def _letter(self, issue: Coming, at: datetime) -> None:
        given = issue.give(self._state.terms(at), self._state.seen, at)
        self._state.show(given.stories)
        self._tell(
            EditionKind.NEWSLETTER,
            "newsletter",
            issue.due_at,
            at=given.at,
            stories=given.stories,
            send=bool(given.stories),
            reason=self._paused(given.reason),
            omitted=given.omitted,
        )

    def _away(self, at: datetime) -> None:
        """Owe the best of a pause to a reader who has no digest that would tell it."""
        terms = self._state.terms(at)
        if terms.paused_at is None or not terms.awake:
            return
        fresh = {
            one.topic_id: self._state.unseen(one, self._state.missed(one, terms.paused_at), at)
            for one in self._state.immediate
        }
        told = topics_told(fresh, self._world.news)
        self._state.paused_at = None
        found = best_of(told, self._world.news, locale=terms.locale, at=at, cap=self._rules.away_cap)
        self._owe(found.best, Owing.AWAY, owed_due(terms, (), self._rules, at=at))
        self._tell(
            EditionKind.DIGEST,
            Cadence.IMMEDIATE,
            at,
            at=at,
            stories=(),
            send=False,
            reason=f"back from a pause: {len(found.best)} stories come later" if told else "nothing new",
            omitted=found.omitted,
            owed=found.best,
        )

    def _pay(self, at: datetime) -> None:
        """See to what the reader is owed and is due: it waits on, or goes in a mail of its own."""
        terms = self._state.terms(at)
        due = {story: why for story, (why, due_at) in self._state.owed.items() if due_at <= at}
        until = {story: self._waits(terms, why, at) for story, why in due.items()}
        for story, later in until.items():
            if later:
                self._owe([story], due[story], later)
        going = [story for story, later in until.items() if later is None]
        if not going or not terms.awake:
            return
        case = owed_case(terms, self._state.concerned(going), going, at=at, head=self._world.head_at(at))
        verdict = decide_digest(case, self._world.news, owed_rules(self._rules), at=at)
        scheduled_at = max(self._state.owed[story][1] for story in going)
        shown = verdict.layout.stories if verdict.layout else ()
        self._state.show(shown)
        for story in set(going) - set(shown):  # more than a mail holds, or nothing tells it any more
            if not verdict.send:
                del self._state.owed[story]
                continue
            self._owe([story], due[story], owed_due(terms, self._state.digests_due, self._rules, at=at))
        self._tell(
            EditionKind.DIGEST,
            Cadence.IMMEDIATE,
            scheduled_at,
            at=at,
            stories=shown,
            send=verdict.send,
            reason=verdict.reason,
        )

    def _waits(self, terms: ReaderTerms, why: Owing, at: datetime) -> datetime | None:
        if not terms.awake:
            return self._reader.paused_until
        return waits_until(terms, why, self._state.digests_due, self._rules, at=at)

    def _digest(self, at: datetime) -> None:
        due = {one: due_at for one, due_at in self._state.due.items() if due_at <= at}
        due_at = max(due.values())
        terms, head = self._state.terms(at), self._world.head_at(at)
        case = DigestCase(
            reader=terms,
            followed=self._state.served(due, terms, at=at),
            seen=self._state.seen,
            owed=tuple(sorted(self._state.owed)),
            due_at=due_at,
            head=head,
        )
        verdict = decide_digest(case, self._world.news, self._rules, at=at)
        layout = verdict.layout
        self._state.show(layout.stories if layout else ())
        for story in verdict.omitted:
            self._state.owed.pop(story, None)
        after = resumes_after(due_at, at, self._rules.digest_expires)
        for one in due:
            self._state.due[one] = verdict.hold_until or self._state.following(one, after=after)
            if verdict.cursor_moves:
                self._state.cursors[one] = head
        if verdict.away:
            self._state.paused_at = None
        self._push_digest()
        self._tell(
            EditionKind.DIGEST,
            _CADENCES[min(_CADENCES.index(one.cadence) for one in due)],
            due_at,
            at=at,
            stories=layout.stories if layout else (),
            send=verdict.send,
            reason=self._paused(verdict.reason),
            omitted=verdict.omitted,
            left_out=tuple(one for one in (layout.left_out if layout else ()) if one not in self._state.owed),
        )

    def _owe(self, stories: Iterable[StoryId], why: Owing, due_at: datetime) -> None:
        for story in stories:
            self._state.owed[story] = (why, due_at)
        self._push(self._span.acts_at(due_at), _Order.OWED)

    def _paused(self, reason: str) -> str:
        until = self._reader.paused_until
        return f"paused until {stamp(until)}" if reason == "paused" and until else reason

    def _tell(
        self,
        kind: EditionKind,
        cadence: Cadence | Literal["newsletter"],
        scheduled_at: datetime,
        *,
        at: datetime,
        stories: Iterable[StoryId],
        send: bool,
        reason: str,
        **what: Any,  # noqa: ANN401  what else became of stories, as `Simulated` names it
    ) -> None:
        if send and self._reader.unreachable:
            send, reason = False, self._reader.unreachable
        self._lines.append(
            Simulated(
                email=self._reader.email,
                kind=kind,
                cadence=cadence,
                scheduled_at=scheduled_at,
                at=at,
                timezone=self._reader.terms.timezone,
                stories=tuple(stories),
                send=send,
                reason=reason,
                **what,
            )
        )
