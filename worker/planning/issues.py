"""Which issues of newsletters come out in a span that is simulated, by whose clocks, and in which order their stories.

Pure; `recurrence` says when and `decide_newsletter` what. Called by `run_simulate`, whose walk asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from worker.model import StoryId
from worker.planning.decide_newsletter import Choices, Chosen, Selection, Skipped, for_reader, rank
from worker.planning.quiet import quiet_at
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.times import is_stale, stamp
from worker.planning.world import Simulatee, Span, World
from worker.recurrence import FIRST_ZONE, next_occurrence
from worker.schedule import resolve

_FIRST_ISSUE: Final = timedelta(days=1)
_LOOK_BACK: Final = timedelta(days=35)
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A newsletter. `selection.topics` are all shared topics where it names none; nobody has chosen anything for it."""

    slug: str
    schedule: str
    starts_on: date
    timezone: str
    by_readers: bool
    needs_approval: bool
    selection: Selection


class Given(NamedTuple):
    """What an issue is for a reader, and when it goes: no stories, no mail."""

    stories: tuple[StoryId, ...]
    omitted: tuple[StoryId, ...]
    at: datetime
    reason: str


def given(slug: str, chosen: Chosen | Skipped, terms: ReaderTerms, *, at: datetime) -> Given:
    """Say what a reader's choice of an issue comes to; within their quiet hours it goes when these are over."""
    if isinstance(chosen, Skipped):
        return Given((), chosen.stories, at, chosen.reason)
    span = quiet_at(terms, at)
    return Given(chosen.stories, (), span.end if span else at, f"{slug}: {len(chosen.stories)} stories")


class Coming(NamedTuple):
    """An issue that is due to one reader, and what it is to them: by their terms and what they have seen, at a time."""

    due_at: datetime
    give: Callable[[ReaderTerms, Mapping[StoryId, int], datetime], Given]


IssuesOf = Callable[[Simulatee], Iterable[Coming]]


class Issues:
    """The issues of a span, each ranked once."""

    def __init__(self, world: World, span: Span) -> None:
        self._world, self._span = world, span
        self._rankings: dict[tuple[str, datetime], tuple[StoryId, ...]] = {}

    def of(self, letters: Mapping[str, Letter], rules: Rules) -> IssuesOf:
        """Return what tells the issues of newsletters, which are by slug, that come to a reader."""

        def coming(reader: Simulatee) -> Iterator[Coming]:
            for letter in (letters[slug] for slug in reader.newsletters if slug in letters):
                for due_at in self.instants(letter, reader.terms.timezone):
                    yield self._coming(letter, due_at, rules)

        return coming

    def instants(self, letter: Letter, timezone: str) -> Iterator[datetime]:
        """Yield when a newsletter is due to a reader of a zone within the span."""
        zone = ZoneInfo(timezone if letter.by_readers else letter.timezone)
        at: datetime | None = self._span.start - _INSTANT
        while at is not None:
            at = next_occurrence(letter.schedule, starts_on=letter.starts_on, zone=zone, after=at)
            if at is None or at >= self._span.end:
                return
            yield at

    def ranking(self, letter: Letter, due_at: datetime, timezone: str) -> tuple[StoryId, ...]:
        """Return an issue's stories, the best first. Where it goes by readers' clocks, the first of them fix it."""
        zone = ZoneInfo(FIRST_ZONE if letter.by_readers else letter.timezone)
        if letter.by_readers:
            wall = due_at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
            due_at = resolve(wall.date(), wall.time(), zone)
        key = (letter.slug, due_at)
        if key not in self._rankings:
            since = self._before(letter, due_at, zone)
            after, head = self._world.head_at(since), self._world.head_at(self._span.acts_at(due_at))
            news = self._world.news
            found = {story for topic in letter.selection.topics for story in news.after(topic, after, head)}
            self._rankings[key] = rank(sorted(found), news, Choices(), letter.selection, at=due_at)
        return self._rankings[key]

    def give(
        self,
        letter: Letter,
        due_at: datetime,
        terms: ReaderTerms,
        seen: Mapping[StoryId, int],
        rules: Rules,
        *,
        at: datetime,
    ) -> Given:
        """Give a reader an issue, or say why not; one that comes within their quiet hours goes when these are over."""
        if letter.needs_approval:
            return Given((), (), at, "waits for approval")
        if is_stale(due_at, at, rules.digest_expires):
            return Given((), (), at, f"too old: due at {stamp(due_at)}")
        if not terms.awake:
            return Given((), (), at, "paused")
        ranking, news = self.ranking(letter, due_at, terms.timezone), self._world.news
        everybodys = for_reader(ranking, news, letter.selection, seen={})
        if isinstance(everybodys, Skipped):
            return Given((), (), at, everybodys.reason)
        chosen = for_reader(ranking, news, letter.selection, seen=seen)
        return given(letter.slug, chosen, terms, at=at)

    def _coming(self, letter: Letter, due_at: datetime, rules: Rules) -> Coming:
        def give(terms: ReaderTerms, seen: Mapping[StoryId, int], at: datetime) -> Given:
            return self.give(letter, due_at, terms, seen, rules, at=at)

        return Coming(due_at, give)

    def _before(self, letter: Letter, due_at: datetime, zone: ZoneInfo) -> datetime:
        """Return when the issue before came out, or how far back a first one reaches."""
        last, at = (
            None,
            next_occurrence(letter.schedule, starts_on=letter.starts_on, zone=zone, after=due_at - _LOOK_BACK),
        )
        while at is not None and at < due_at:
            last, at = at, next_occurrence(letter.schedule, starts_on=letter.starts_on, zone=zone, after=at)
        return last or due_at - _FIRST_ISSUE
