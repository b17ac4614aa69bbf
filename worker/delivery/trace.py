"""Decides how the story of one reader's mail is told: one timeline, and a last word that can be read to that reader.

Pure: facts and the time in, sentences out. `delivery.run_trace` collects the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from worker.delivery.trace_later import Later, on
from worker.lifecycle import OPEN, State
from worker.model import Cadence, EditionStatus, SubscriberStatus

_STOPPED: Final = (EditionStatus.PAUSED, EditionStatus.HELD)
# What people have done is told without their names: it may be read to the reader.
_LOST: Final = "got lost on its way: the mail server did not take it on, and it is not sent again"
_CALLED_OFF: Final = ": the newsroom has cancelled it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressee:
    """The reader who asks. `standing` knows of a pause that ends by itself."""

    timezone: str
    standing: SubscriberStatus
    created_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    paused_until: datetime | None
    suppressed: str | None = None
    suppressed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedAbout:
    """The article that the reader asks about. `topics` are the names of all that its story concerns."""

    id: int
    title: str
    outlet: str
    published_at: datetime
    seen_at: datetime
    matched_at: datetime | None
    killed_at: datetime | None
    may_alert: bool
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Follows:
    """One of the reader's subscriptions, ended ones too, and what the story is to it.

    `matched_at` is when the story first concerned what it follows, None when it does not; `words` are those that said
    so. `is_past` tells that its cursor has passed the story; `rolls` that the story waits for the topic's summary;
    `never_alerts` that no alert was ever due; `is_muted` that the reader had muted this when the story came.
    """

    id: int
    name: str
    cadence: Cadence
    created_at: datetime
    ended_at: datetime | None
    next_due_at: datetime | None
    switched_off: str = ""
    matched_at: datetime | None = None
    words: tuple[str, ...] = ()
    alert_due_at: datetime | None = None
    is_past: bool = False
    rolls: bool = False
    never_alerts: bool = False
    summary_due_at: datetime | None = None
    muted_until: datetime | None = None
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    """One attempt to hand a copy over."""

    at: datetime
    outcome: str
    provider: str
    code: int | None
    enhanced: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a provider, or the returned mail, told about a copy later."""

    at: datetime
    kind: str
    provider: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One copy, sent or not."""

    id: int
    edition_id: int
    kind: str
    edition_status: EditionStatus
    edition_reason: str
    waits_for_canary: bool
    state: State
    reason: str
    provider: str
    planned_at: datetime
    next_attempt_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None = None
    quiet_until: datetime | None = None
    tries: tuple[Try, ...] = ()
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline."""

    at: datetime
    what: str
    says: str


_NOTHING: Final = Later()


def timeline(
    reader: Addressee,
    article: AskedAbout | None,
    followed: Sequence[Follows],
    sent: Sequence[Sent],
    later: Later = _NOTHING,
) -> list[Entry]:
    """Return everything that happened, in its order."""
    entries = [Entry(*one) for one in later.entries(reader.timezone)]
    entries += [*_of_reader(reader), *(_of_article(article) if article else ())]
    for one in followed:
        entries += _of_following(one)
    for copy in sent:
        entries += _of_copy(copy)
    return sorted(entries, key=lambda entry: entry.at)


def last_word(
    reader: Addressee,
    article: AskedAbout | None,
    followed: Sequence[Follows],
    sent: Sequence[Sent],
    later: Later = _NOTHING,
    *,
    at: datetime,
) -> str:
    """Say in a sentence or two what became of it, so that it can be read to the reader."""
    known = later.says(reader.timezone)
    if sent:
        told = stands(sent[-1], timezone=reader.timezone)
        return f"{told} {known}" if later.owed else told
    if article is not None and article.killed_at is not None:
        return f"An editor withdrew the story on {on(article.killed_at, reader.timezone)}; nobody gets it any more."
    if article is not None and article.matched_at is None:
        return "The article has just come in and has not been held against the topics yet; this takes seconds."
    if blocked := _blocked(reader):
        return blocked
    if known:
        return known
    running = [one for one in followed if one.ended_at is None]
    if not running:
        return "No mail was due: the reader follows nothing at the moment."
    if article is None:
        return f"Nothing has been due yet. The reader follows {_names(running)}."
    concerned = [one for one in followed if one.matched_at is not None]
    if not concerned:
        told = (
            f"The article concerns {', '.join(article.topics)}" if article.topics else "The article concerns no topic"
        )
        return f"{told}. The reader follows {_names(running)}, so no mail was due."
    return " ".join(met(one, article, at=at, timezone=reader.timezone) for one in concerned)


def met(one: Follows, article: AskedAbout, *, at: datetime, timezone: str) -> str:
    """Say what a subscription makes of the article."""
    if one.switched_off:
        return f"{one.name} is switched off: {one.switched_off}."
    if one.matched_at is None:
        return f"The article does not concern {one.name}."
    if one.ended_at is not None:
        return f"The reader stopped following {one.name} on {on(one.ended_at, timezone)}."
    if one.is_muted and one.muted_until is not None:
        return (
            f"The reader has muted {one.name} until {on(one.muted_until, timezone)}; what comes in a mute never does."
        )
    is_new = one.is_past if one.cadence is Cadence.IMMEDIATE else one.created_at > one.matched_at
    if is_new:
        return f"The reader began to follow {one.name} after the article; a new subscription begins with new stories."
    if one.cadence is Cadence.IMMEDIATE:
        return _alert_word(one, article, at=at, timezone=timezone)
    if one.is_past:
        return f"The digest for {one.name} went out without the story: the reader had seen it, or rested then."
    due = f"due on {on(one.next_due_at, timezone)}" if one.next_due_at else "of which no time is set"
    return f"The story goes into the next digest for {one.name}, {due}."


def stands(copy: Sent, *, timezone: str) -> str:
    """Say where one copy stands."""
    said = f": {copy.reason.rstrip('.')}" if copy.reason else ""
    by = f" by {copy.provider}" if copy.provider else ""
    words = {
        State.PLANNED: "waits to be sent",
        State.LEASED: "is about to be sent",
        State.COMMITTING: "is being handed over at this moment",
        State.DEFERRED: f"could not be handed over yet{said}; it is tried again",
        State.UNKNOWN: "was handed over, but the answer got lost: it may or may not have arrived, and we look into it",
        State.ACCEPTED: f"was taken on{by}; if it is not in the inbox, it may be in the spam folder",
        State.DELIVERED: "arrived at the reader's provider; if it is not in the inbox, it may be in the spam folder",
        State.BOUNCED: f"came back undelivered{said}",
        State.COMPLAINED: "arrived, and was reported as spam from that mailbox",
        State.REFUSED: f"was refused by the receiving mail server{said}" if _was_answered(copy) else _LOST,
        State.SUPPRESSED: f"was not sent{said}",
        State.CANCELLED: f"was not sent{said if copy.edition_status is not EditionStatus.CANCELLED else _CALLED_OFF}",
        State.EXPIRED: f"was not sent{said}",
    }
    when = copy.accepted_at or copy.next_attempt_at if copy.state in {State.ACCEPTED, State.DEFERRED} else None
    if _rests(copy):
        words[State.PLANNED] = words[State.DEFERRED] = "waits for the end of the reader's quiet hours"
        when = copy.quiet_until
    told = f"The {copy.kind} of {on(copy.planned_at, timezone)} {words[copy.state]}"
    told += f" ({on(when, timezone)})" if when else ""
    if copy.state in OPEN and copy.edition_status in _STOPPED:
        told += ". The newsroom has stopped its edition for the moment"
    elif copy.state in OPEN and copy.waits_for_canary:
        told += ". It waits until the first share of its edition has done well"
    return told + "."


def _blocked(reader: Addressee) -> str | None:
    """Say why the reader gets nothing whatever they follow, None when they do get mail."""
    if reader.suppressed is not None:
        return f"Nothing is sent to this address: {reader.suppressed}."
    words = {
        SubscriberStatus.PENDING: "The reader has not confirmed yet: the button in our first mail waits to be clicked.",
        SubscriberStatus.LEFT: "The reader has unsubscribed"
        + (f" on {on(reader.left_at, reader.timezone)}." if reader.left_at else "."),
        SubscriberStatus.PAUSED: "The reader has paused all mail"
        + (f" until {on(reader.paused_until, reader.timezone)}." if reader.paused_until else "."),
    }
    return words.get(reader.standing)


def _alert_word(one: Follows, article: AskedAbout, *, at: datetime, timezone: str) -> str:
    if one.rolls and one.summary_due_at is not None:
        due = on(one.summary_due_at, timezone)
        return f"So much is reported on {one.name} that its alerts come as one summary, due on {due}."
    if one.alert_due_at is not None and one.alert_due_at > at:
        return f"The alert for {one.name} gathers news until {on(one.alert_due_at, timezone)} and is sent then."
    if one.alert_due_at is not None:
        return f"The alert for {one.name} is being planned at this moment."
    if not article.may_alert:
        return f"The article was too old when we first saw it: it alerts nobody who follows {one.name}."
    if one.never_alerts:
        return f"The story met {one.name} by a backfill, which alerts nobody."
    return f"The alert for {one.name} went out without this reader: they had the story in another mail, or rested then."


def _of_reader(reader: Addressee) -> Iterator[Entry]:
    yield Entry(reader.created_at, "signed up", "the address came to us")
    if reader.confirmed_at:
        yield Entry(reader.confirmed_at, "confirmed", "the reader confirmed")
    if reader.left_at:
        yield Entry(reader.left_at, "left", "the reader unsubscribed")
    if reader.suppressed_at:
        yield Entry(reader.suppressed_at, "suppressed", f"nothing is sent to this address: {reader.suppressed}")


def _of_article(article: AskedAbout) -> Iterator[Entry]:
    yield Entry(article.published_at, "published", f"{article.outlet or 'its source'}: {article.title}")
    old = "" if article.may_alert else "; too old to alert"
    yield Entry(article.seen_at, "seen", f"article {article.id} came in{old}")
    if article.matched_at:
        yield Entry(article.matched_at, "matched", ", ".join(article.topics) or "it concerns no topic")
    if article.killed_at:
        yield Entry(article.killed_at, "withdrawn", "an editor stopped the story")


def _of_following(one: Follows) -> Iterator[Entry]:
    yield Entry(one.created_at, "followed", f"{one.name}, {one.cadence}")
    if one.ended_at:
        yield Entry(one.ended_at, "unfollowed", one.name)
    if one.matched_at:
        words = f" by the words {', '.join(one.words)}" if one.words else ""
        yield Entry(one.matched_at, "concerned", f"the story met {one.name}{words}")


def _rests(copy: Sent) -> bool:
    waits = copy.state in {State.PLANNED, State.DEFERRED}
    return waits and copy.quiet_until is not None and copy.next_attempt_at == copy.quiet_until


def _was_answered(copy: Sent) -> bool:
    """Tell whether it was a provider that said the last word, and not a person who looked into its log."""
    return not copy.tries or bool(copy.tries[-1].provider)


def _of_copy(copy: Sent) -> Iterator[Entry]:
    stopped = f"; {copy.edition_reason}" if copy.edition_reason and copy.state in OPEN | {State.CANCELLED} else ""
    yield Entry(copy.planned_at, "planned", f"{copy.kind}, edition {copy.edition_id}, delivery {copy.id}{stopped}")
    for one in copy.tries:
        codes = (str(code) for code in (one.code, one.enhanced) if code)
        reply = " ".join([*(code for code in codes if code not in one.text), one.text])
        yield Entry(one.at, one.outcome.replace("_", " "), f"{one.provider}: {reply}" if one.provider else reply)
    if copy.ended_at:
        yield Entry(copy.ended_at, copy.state, f"delivery {copy.id} is not sent: {copy.reason}")
    for heard in copy.heard:
        yield Entry(heard.at, heard.kind, f"{heard.provider}: {heard.text}" if heard.text else f"says {heard.provider}")


def _names(followed: Sequence[Follows]) -> str:
    return ", ".join(one.name for one in followed)
