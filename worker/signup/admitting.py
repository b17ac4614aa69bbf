"""What becomes of a reader that a list names: the consent machine's answer to one line, for readers by the thousand.

Pure: it changes `Person` values in memory, who are read and written by `run_admitting`, a few statements for thousands
of them. What a line leads to is what `decide.TABLE` says, and what `run.ask` and `run.accept` make of it for a single
reader.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from worker.facts import StoredNewsletter
from worker.model import Cadence, SubscriberStatus, Timing
from worker.recurrence import next_occurrence
from worker.schedule import next_due
from worker.signup.consent import Consent, Evidence, Question
from worker.signup.decide import Act, Standing, Step, Wishes, standing, standing_on_a_list, step
from worker.signup.importing import Line, Record, Terms
from worker.signup.wishes import Follow, Rhythm, Wish

_VOUCHED: Final = Evidence(how="imported by the operator, with consent")
_UNVOUCHED: Final = Evidence(how="imported by the operator")
_BY_EDITORS: Final = Rhythm()  # what stands in the columns of a subscription that has no rhythm of its own
_CONSENTING: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})

Target = tuple[int | None, int | None]
"""A topic's id, or a newsletter's."""


class Fate(StrEnum):
    """What became of a line."""

    NEW = "new"
    UPDATED = "updated"
    ASKED = "asked"
    WAITING = "waiting"  # asked not long ago
    LEFT = "left"
    SUPPRESSED = "suppressed"
    KEPT = "kept as they are"  # another house bars them, and they have said yes here since
    UNMAPPED = "on no list that is taken over"


@dataclass(slots=True)
class Held:
    """A subscription that a reader holds, or has held. `id` is None for one that has just been made."""

    topic_id: int | None
    newsletter_id: int | None
    cadence: Cadence
    times: tuple[str, ...]
    weekday: int | None
    next_due_at: datetime | None
    cursor: int
    id: int | None = None
    ended_at: datetime | None = None
    is_changed: bool = False
    is_moved: bool = False  # its cursor too
    is_restarted: bool = False  # and what was muted of it is not any more


@dataclass(slots=True)
class Person:
    """A reader while lines about them are taken. `status` is None as long as there is nobody."""

    email: str
    address_hash: str
    id: int = 0
    status: SubscriberStatus | None = None
    name: str = ""
    locale: str = ""
    timezone: str = ""
    consent: Mapping[str, Any] = field(default_factory=dict)  # as `consent.Consent` stores it
    confirmations: int = 0
    confirmation_due_at: datetime | None = None
    paused_until: datetime | None = None
    paused_at: datetime | None = None
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    holds: dict[Target, Held] = field(default_factory=dict)
    shares_holds: bool = False  # with others of whom the list says the same
    is_new: bool = True
    is_changed: bool = False
    is_answered: bool = False  # the question that was open is so by the operator's word

    def put(self, **values: object) -> None:
        """Set what is named, and note whether that changes anything."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.is_changed = True

    def take_own_holds(self) -> None:
        """Have subscriptions of this reader's own, which may then change."""
        if self.shares_holds:
            self.holds = {target: dataclasses.replace(held) for target, held in self.holds.items()}
            self.shares_holds = False


class Dues:
    """When rhythms are due next, reckoned once: the first instant after one moment is so after all up to itself."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[datetime, datetime | None]] = {}

    def get(self, rhythm: object, at: datetime, reckon: Callable[[datetime], datetime | None]) -> datetime | None:
        """Return the first due instant after `at` of a rhythm, which `reckon` finds."""
        known = self._known.get(rhythm)
        if known is None or not known[0] <= at < (known[1] or at):
            known = self._known[rhythm] = (at, reckon(at))
        return known[1]


@dataclass(frozen=True, kw_only=True)
class House:
    """What lines are held against: the clock, the last match's number, what can be followed.

    `before_alerts` returns, for a topic, the cursor before which nothing of it waits to be alerted.
    """

    at: datetime
    head: int
    topics: Mapping[str, int]
    newsletters: Mapping[str, StoredNewsletter]
    before_alerts: Callable[[int], int]
    is_confirmed: bool
    dues: Dues
    # By the terms' own number, and the rhythm's: what a list says again and again is one value.
    begun: dict[int, tuple[Terms, dict[Target, Held]]] = field(default_factory=dict)
    reckoned: dict[tuple[int, str], tuple[Rhythm, datetime | None]] = field(default_factory=dict)

    def due(self, rhythm: Rhythm, timezone: str) -> datetime | None:
        """Return when a subscription of this rhythm is due next, None for immediate ones."""
        known = self.reckoned.get((id(rhythm), timezone))
        if known is None:
            known = self.reckoned[id(rhythm), timezone] = (rhythm, self._reckon(rhythm, timezone))
        return known[1]

    def _reckon(self, rhythm: Rhythm, timezone: str) -> datetime | None:
        if rhythm.cadence is Cadence.IMMEDIATE:
            return None
        cadence, times, weekday = rhythm.cadence, rhythm.times, rhythm.weekday
        return self.dues.get(
            (cadence, times, weekday, timezone),
            self.at,
            lambda at: next_due(cadence, times=times, weekday=weekday, timezone=timezone, after=at),
        )

    def newsletter_due(self, newsletter: StoredNewsletter, timezone: str) -> datetime | None:
        """Return when a newsletter is due to one reader: only one that goes by their own clock is."""
        schedule, starts_on = newsletter.schedule, newsletter.starts_on
        if newsletter.timing is not Timing.READER or starts_on is None:
            return None
        return self.dues.get(
            (schedule, starts_on, timezone),
            self.at,
            lambda at: next_occurrence(schedule, starts_on=starts_on, zone=ZoneInfo(timezone), after=at),
        )

    def newsletter_of(self, newsletter_id: int) -> StoredNewsletter | None:
        """Return a newsletter by its id."""
        return next((one for one in self.newsletters.values() if one.id == newsletter_id), None)


def admit(person: Person, line: Line, house: House) -> Fate:
    """Take one line about a reader, who is not suppressed, and tell what became of it."""
    where: Standing = None
    if person.status is None:
        terms = line.terms
        person.status = SubscriberStatus.PENDING
        person.name, person.locale, person.timezone = line.name, terms.locale, terms.timezone
        if line.status is SubscriberStatus.LEFT:
            person.status, person.left_at = SubscriberStatus.LEFT, house.at
            return Fate.LEFT
    elif line.status is SubscriberStatus.LEFT:
        return Fate.LEFT
    else:
        where = standing(person.status, paused_until=person.paused_until, now=house.at)
        where = standing_on_a_list(where, left_at=person.left_at)
    is_vouched = house.is_confirmed and line.status is not SubscriberStatus.PENDING
    due = step(where, Act.VOUCH if is_vouched else Act.IMPORT)
    if due is None or due.wishes is Wishes.DROPPED:
        return Fate.LEFT
    if due.asks:
        return _ask(person, where, line, house)
    _accept(person, where, due, line, house)
    return Fate.NEW if where is None else Fate.UPDATED


def _ask(person: Person, where: Standing, line: Line, house: House) -> Fate:
    evidence = _asked_how(line.record, house.at)
    if where is None:
        person.put(consent=_asking(line.terms, line.name, evidence), confirmations=1, confirmation_due_at=house.at)
        return Fate.ASKED
    consent = Consent.read(person.consent)
    wish = consent.question.wish.merged(line.wish) if consent.question else line.wish
    about = {"locale": wish.locale, "timezone": wish.timezone, "name": wish.name or person.name}
    if not consent.may_ask(house.at):
        person.put(consent=consent.reworded(wish).stored(), **about)
        return Fate.WAITING
    question = Question(number=person.confirmations + 1, wish=wish, asked=evidence)
    asking = consent.asking(question, house.at).stored()
    person.put(consent=asking, confirmations=question.number, confirmation_due_at=house.at, **about)
    return Fate.ASKED


def _asking(terms: Terms, name: str, evidence: Evidence) -> dict[str, Any]:
    """Return the record of somebody who is asked for the first time."""
    stored = _asking_anybody(terms, evidence)
    question = stored["question"]
    return {**stored, "question": {**question, "wish": {**question["wish"], "name": name}}}


@functools.lru_cache(maxsize=1024)
def _asking_anybody(terms: Terms, evidence: Evidence) -> dict[str, Any]:
    wish = Wish(follows=terms.follows, locale=terms.locale, timezone=terms.timezone)
    at = evidence.at
    if at is None:  # pragma: no cover  it has been noted
        raise AssertionError(evidence)
    return Consent().asking(Question(number=1, wish=wish, asked=evidence), at).stored()


def _accept(person: Person, where: Standing, due: Step, line: Line, house: House) -> None:
    terms = line.terms
    if where is None:
        person.consent, person.confirmed_at = _answered(person, where, line.record, house.at), house.at
        person.status = due.to
        person.holds, person.shares_holds = _begin(terms, house), True
    else:
        person.take_own_holds()
        _bring_up_to_date(person, where, due, line, house)
        for follow in terms.follows:
            _follow(person.holds, follow, house, terms.timezone)
    if where is None and line.status is SubscriberStatus.PAUSED:
        person.status, person.paused_at = SubscriberStatus.PAUSED, house.at


def _begin(terms: Terms, house: House) -> dict[Target, Held]:
    """Return what somebody new follows by these terms: made once for all of whom a list says the same."""
    known = house.begun.get(id(terms))
    if known is None:
        holds: dict[Target, Held] = {}
        for follow in terms.follows:
            _follow(holds, follow, house, terms.timezone)
        known = house.begun[id(terms)] = (terms, holds)
    return known[1]


def _bring_up_to_date(person: Person, where: Standing, due: Step, line: Line, house: House) -> None:
    """Take over what a line says of a reader who was there before, and what they follow by its clock."""
    if where not in _CONSENTING:
        consent = _answered(person, where, line.record, house.at)
        person.put(consent=consent, confirmed_at=person.confirmed_at or house.at)
        person.put(confirmation_due_at=None, left_at=None)
        person.is_answered = True
    had_zone, timezone = person.timezone, line.terms.timezone
    person.put(locale=line.terms.locale, timezone=timezone, name=line.name or person.name)
    if due.to is not where:
        person.put(status=due.to)
    for held in person.holds.values():
        if held.ended_at is None and (held.next_due_at is None or timezone != had_zone):
            _continue(held, house, timezone)


def _answered(person: Person, where: Standing, record: Record | None, at: datetime) -> dict[str, Any]:
    """Return the record of a reader for whom the operator vouches; what another house noted comes before that."""
    vouched = _vouched(at)
    if where is None and (record is None or record.evidence is None):
        return _first_yes(vouched)
    consent = Consent.read(person.consent)
    if record is not None and record.evidence is not None:
        consent = consent.answered(record.evidence)
    return consent.answered(vouched).stored()


@functools.lru_cache(maxsize=16)
def _vouched(at: datetime) -> Evidence:
    return _VOUCHED.noted(at)


@functools.lru_cache(maxsize=16)
def _first_yes(evidence: Evidence) -> dict[str, Any]:
    return Consent().answered(evidence).stored()


def _asked_how(record: Record | None, at: datetime) -> Evidence:
    """Return how the wish of an unproven reader came to us, with what another house has noted of it."""
    noted = record.evidence if record else None
    if noted is None:
        return _unvouched(at)
    when = f" at {noted.at.isoformat(timespec='seconds')}" if noted.at else ""
    return noted.model_copy(update={"how": f"{_UNVOUCHED.how}; {noted.how}{when}", "at": at})


@functools.lru_cache(maxsize=16)
def _unvouched(at: datetime) -> Evidence:
    return _UNVOUCHED.noted(at)


def _continue(held: Held, house: House, timezone: str) -> None:
    """Reckon a running subscription in a zone from now on; a newsletter keeps its editors' schedule."""
    if held.newsletter_id is None:
        rhythm = Rhythm(cadence=held.cadence, times=held.times, weekday=held.weekday)
        _take_up(held, rhythm, house.due(rhythm, timezone), house)
    elif (newsletter := house.newsletter_of(held.newsletter_id)) is not None:
        _take_up(held, _BY_EDITORS, house.newsletter_due(newsletter, timezone), house)


def _follow(holds: dict[Target, Held], follow: Follow, house: House, timezone: str) -> None:
    """Let a reader have one thing; what has gone since the list was checked is left out."""
    if follow.newsletter is not None:
        newsletter = house.newsletters.get(follow.newsletter)
        if newsletter is None:
            return
        target: Target = (None, newsletter.id)
        rhythm, next_due_at = _BY_EDITORS, house.newsletter_due(newsletter, timezone)
    else:
        topic_id = house.topics.get(follow.topic or "")
        if topic_id is None:
            return
        target = (topic_id, None)
        rhythm, next_due_at = follow.rhythm, house.due(follow.rhythm, timezone)
    held = holds.get(target)
    if held is None:
        holds[target] = Held(
            *target, rhythm.cadence, rhythm.times, rhythm.weekday, next_due_at, house.head, is_changed=True
        )
        return
    _take_up(held, rhythm, next_due_at, house)


def _take_up(held: Held, rhythm: Rhythm, next_due_at: datetime | None, house: House) -> None:
    """Give a subscription a rhythm; one that had ended begins at the head, as if it were new.

    Nor does one that was immediate until now get old stories, but for those whose alert is still to come.
    """
    if held.ended_at is not None:
        held.ended_at, held.cursor, held.is_moved, held.is_restarted = None, house.head, True, True
    elif held.topic_id is not None and held.cadence is Cadence.IMMEDIATE and rhythm.cadence is not Cadence.IMMEDIATE:
        held.cursor, held.is_moved = house.before_alerts(held.topic_id), True
    wanted = (rhythm.cadence, rhythm.times, rhythm.weekday, next_due_at)
    if wanted != (held.cadence, held.times, held.weekday, held.next_due_at):
        held.cadence, held.times, held.weekday, held.next_due_at = wanted
        held.is_changed = True
