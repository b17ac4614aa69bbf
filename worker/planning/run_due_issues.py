"""Tells which issues of newsletters a pass of planning would send to whom, as the store stands; writes nothing.

It goes the way of `run_newsletters` and asks the same deciders: what would be drafted is a draft here, what would be
frozen is ranked, with an editor's choices. Called by `run_simulate` for a dry run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy import Connection

from worker.facts import Issue, StoredNewsletter
from worker.model import EditionId, EditionStatus, RunKind, StoryId, SubscriberId, Timing
from worker.planning.decide_issue import Step, decide_draft, decide_start, next_to_reader, wall_at
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.issues import Coming, Given, given
from worker.planning.news import StoryFacts
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.run_issues import Made, make
from worker.planning.times import is_stale, resumes_after, stamp
from worker.planning.world import Simulatee
from worker.store import issues, newsletters, runs

_NOBODY: Final = SubscriberId(0)
_NOT_YET: Final = EditionId(0)  # of a draft that would be opened


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """An issue as a pass would have it once it has begun: what it is made of, or why nobody gets it."""

    newsletter: StoredNewsletter
    slot: str
    due_at: datetime
    made: Made | None = None
    reason: str = ""
    reached: SubscriberId = _NOBODY  # readers up to this one have been served


class _ByReaders(NamedTuple):
    """A newsletter that goes by readers' clocks, with the instants that a pass would serve."""

    newsletter: StoredNewsletter
    instants: frozenset[datetime]


class DueIssues:
    """What is due by a time. `stories` are those that the issues may show."""

    def __init__(self, conn: Connection, rules: Rules, *, at: datetime) -> None:
        self._conn, self._rules, self._at = conn, rules, at
        self._heads: dict[int, int] = {}  # by newsletter: how far an issue that this pass freezes has looked
        self._ended: list[EditionId] = []
        self._begun: dict[str, _Begun] = {}
        for newsletter, issue in self._drafts():
            self._begun[issue.slot] = self._begin(newsletter, issue)
        self._at_once = self._in_turn()
        self._by_readers = [
            _ByReaders(
                one, frozenset([*newsletters.due_instants(conn, one.id, at=at), *issues.open_instants(conn, one.id)])
            )
            for one in newsletters.timed_by_readers(conn)
        ]
        self._closed: dict[str, bool] = {}
        known = [*self._begun.values(), *self._at_once]
        self.stories: Mapping[StoryId, StoryFacts] = {
            story: facts for one in known if one.made for story, facts in one.made.news.stories.items()
        }

    def of(self, reader: Simulatee) -> Iterator[Coming]:
        """Yield the issues that come to a reader, or would if nothing stood in the way, in planning's order."""
        for one in self._at_once:
            if one.newsletter.slug in reader.newsletters and reader.terms.subscriber_id > one.reached:
                yield Coming(one.due_at, partial(_give, one))
        for newsletter, instants in self._by_readers:
            due_at = reader.letters_due.get(newsletter.slug)
            while due_at is not None and due_at in instants:
                yield Coming(due_at, partial(_give, self._theirs(newsletter, due_at, reader.terms.timezone)))
                if not is_stale(due_at, self._at, self._rules.digest_expires):
                    break
                after = resumes_after(due_at, self._at, self._rules.digest_expires)
                due_at = next_to_reader(newsletter, reader.terms.timezone, after)

    def _drafts(self) -> list[tuple[StoredNewsletter, Issue]]:
        """Return the drafts that are due, and those that would be opened and are, the longest due first."""
        found = [
            (newsletter, issue)
            for issue in issues.open_issues(self._conn, at=self._at)
            if (newsletter := newsletters.by_id(self._conn, issue.newsletter_id))
        ]
        for newsletter in newsletters.due(self._conn, at=self._at):
            issue = self._would_be(newsletter)
            if issue is not None:
                found.append((newsletter, issue))
        return sorted(found, key=lambda one: one[1].due_at)  # of equals, what is stored comes first

    def _would_be(self, newsletter: StoredNewsletter) -> Issue | None:
        starts_on, due_at, expires = newsletter.starts_on, newsletter.next_due_at, self._rules.digest_expires
        if starts_on is None or due_at is None:
            return None
        draft = decide_draft(newsletter, starts_on=starts_on, due_at=due_at, at=self._at, expires=expires)
        if draft.due_at > self._at or issues.issue_at(self._conn, newsletter, draft.wall):
            return None
        return Issue(
            id=_NOT_YET,
            slot=issues.slot_of(newsletter.slug, draft.wall),
            newsletter_id=newsletter.id,
            status=EditionStatus.DRAFT,
            reason=f"too old: due at {stamp(draft.due_at)}" if draft.is_stale else "",
            due_at=draft.due_at,
            expires_at=draft.due_at + expires,
            choices={},
            ranking=[],
            approved_by="",
            approved_at=None,
        )

    def _begin(self, newsletter: StoredNewsletter, issue: Issue) -> _Begun:
        begun = partial(_Begun, newsletter=newsletter, slot=issue.slot, due_at=issue.due_at)
        if issue.id == _NOT_YET and issue.reason:
            return begun(reason=issue.reason)
        step, reason = decide_start(newsletter, issue, at=self._at)
        if step is Step.END:
            self._ended.append(issue.id)
        if step in {Step.END, Step.WAIT}:
            return begun(reason=reason)
        made = make(self._conn, newsletter, issue, at=self._at, after=self._heads.get(newsletter.id), ended=self._ended)
        everybodys = for_reader(made.ranking, made.news, made.selection, seen={})
        if step is Step.GO and isinstance(everybodys, Skipped):
            self._ended.append(issue.id)
            return begun(reason=everybodys.reason)
        if not issue.ranking:
            self._heads[newsletter.id] = made.head
        return begun(made=made)

    def _in_turn(self) -> list[_Begun]:
        """Return the issues that go to all of their readers at one instant, in the order in which they are sent."""
        open_runs = runs.unfinished(self._conn, RunKind.NEWSLETTER)
        known = {run.slot: (run.due_at, number) for number, run in enumerate(open_runs)}
        found = [one for one in self._begun.values() if one.newsletter.timing is Timing.NEWSROOM]
        for run in open_runs:
            issue = issues.issue(self._conn, EditionId(run.data["edition"])) if "edition" in run.data else None
            newsletter = newsletters.by_id(self._conn, issue.newsletter_id) if issue else None
            if issue is not None and newsletter is not None and issue.status is EditionStatus.PLANNING:
                made = make(self._conn, newsletter, issue, at=self._at)
                found.append(
                    _Begun(newsletter=newsletter, slot=issue.slot, due_at=issue.due_at, made=made, reached=run.reached)
                )
        return sorted(found, key=lambda one: known.get(one.slot, (one.due_at, len(known))))

    def _theirs(self, newsletter: StoredNewsletter, due_at: datetime, timezone: str) -> _Begun:
        """Return the issue that is due to readers in a zone at an instant."""
        wall = wall_at(newsletter, timezone, due_at)
        slot = issues.slot_of(newsletter.slug, wall) if wall else ""
        none = partial(_Begun, newsletter=newsletter, slot=slot, due_at=due_at)
        if is_stale(due_at, self._at, self._rules.digest_expires):
            return none(reason=f"too old: due at {stamp(due_at)}")
        if slot not in self._begun:
            issue = issues.issue_at(self._conn, newsletter, wall) if wall else None
            self._begun[slot] = none(
                reason=(issue.reason or str(issue.status)) if issue else "there is no issue for it"
            )
        part = issues.part_slot(slot, due_at)
        if part not in self._closed:
            self._closed[part] = issues.is_closed(self._conn, part)
        return none(reason="it has gone out to this local time's readers") if self._closed[part] else self._begun[slot]


def _give(issue: _Begun, terms: ReaderTerms, seen: Mapping[StoryId, int], at: datetime) -> Given:
    if issue.made is None:
        return Given((), (), at, issue.reason)
    if not terms.awake:
        return Given((), (), at, "paused")
    chosen = for_reader(issue.made.ranking, issue.made.news, issue.made.selection, seen=seen)
    return given(issue.newsletter.slug, chosen, terms, at=at)
