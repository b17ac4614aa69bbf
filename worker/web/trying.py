"""Tries a reader's query before it is saved, and words what came of it: how it is understood, what it would have found.

One trial runs at a time and its result is kept for a minute, so that a page that asks after every pause in typing costs
little; a few may wait, and beyond that the page is told that we are busy. Stores nothing. `subscribe` and
`preferences` call it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from worker.errors import QueryError, TooLongError
from worker.matching.plain_words import in_plain_words, slips
from worker.matching.query import Node, canonical, parse
from worker.matching.suggest import Directory, KnownTopic, Suggestion
from worker.rendering.language import Language
from worker.signup.wishes import Rhythm
from worker.store.topics import TopicRow
from worker.web.wording import named

if TYPE_CHECKING:
    from worker.matching.run_trial import Trial
    from worker.store.database import Database

_KEPT_S: Final = 60.0
_MOST_KEPT: Final = 200
_WAIT_S: Final = 1.0
_AT_ONCE: Final = 5  # one is tried, the others wait for it: whoever waits keeps a thread from all other pages


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundStory:
    """A story that the query would have found."""

    title: str
    url: str
    outlet: str
    lang: str
    published_at: datetime
    when: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What may say it better: a question, and a button that takes it. `value` is what the button sends."""

    question: str
    label: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a page says of a query: `says` in plain words, `told` how much mail; all whole sentences."""

    says: str
    told: tuple[str, ...] = ()
    stories: tuple[FoundStory, ...] = ()
    warnings: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    is_busy: bool = False


class Trials:
    """The trials of one installation in this process, and its topics as they are suggested."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line = threading.BoundedSemaphore(_AT_ONCE)
        self._turn, self._table = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Trial]] = OrderedDict()
        self._directory: tuple[tuple[KnownTopic, ...], Directory] = ((), Directory(()))

    def directory(self, rows: Sequence[TopicRow]) -> Directory:
        """Return the shared topics by what they cover; they are read again only when one of them has changed."""
        topics = tuple(
            KnownTopic(slug=row.slug, names=tuple(row.name.values()), query=row.query) for row in rows if row.slug
        )
        known, directory = self._directory
        if topics != known:
            directory = Directory(topics)
            self._directory = (topics, directory)  # one assignment: whoever reads meanwhile has the old pair
        return directory

    def of(self, database: Database, query: str, *, timezone: str) -> Trial | None:
        """Try a query; None where another one is being tried, or this one takes too long. Raises `QueryError`."""
        key = canonical(parse(query))
        if kept := self._recall(key):
            return kept
        if not self._line.acquire(blocking=False):
            return None
        try:
            if not self._turn.acquire(timeout=_WAIT_S):
                return None
            try:
                return self._recall(key) or self._try(database, query, key, timezone)
            finally:
                self._turn.release()
        finally:
            self._line.release()

    def _try(self, database: Database, query: str, key: str, timezone: str) -> Trial | None:
        from worker.matching.run_trial import try_query  # noqa: PLC0415  other pages need no arrays

        try:
            trial = try_query(database, query, timezone=timezone)
        except TooLongError:
            return None
        with self._table:
            self._kept[key] = (self._clock() + _KEPT_S, trial)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return trial

    def _recall(self, key: str) -> Trial | None:
        with self._table:
            until_s, trial = self._kept.get(key, (0.0, None))
            if trial is not None and until_s <= self._clock():
                del self._kept[key]
                return None
            return trial


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A sound query, and at what rhythm its mail would come, in the reader's zone."""

    query: str
    rhythm: Rhythm
    timezone: str


def find(
    question: Question, trials: Trials, rows: Sequence[TopicRow], language: Language, *, database: Database, zone: str
) -> Finding:
    """Answer a question that has been judged already. `zone` is the newsroom's. Raises `QueryError`."""
    node = parse(question.query)
    names = {row.slug: named(row.name, language) or row.slug for row in rows if row.slug}
    says = language.gettext("This finds stories with %(what)s.") % {
        "what": in_plain_words(node, language, query=question.query, topics=names)
    }
    offers = tuple(_offers(trials.directory(rows).suggest(question.query), names, language))
    trial = trials.of(database, question.query, timezone=zone)
    if trial is None:
        return Finding(says=says, offers=offers, warnings=slips(node, language), is_busy=True)
    return Finding(
        says=says,
        told=tuple(_told(trial, question, language)),
        stories=tuple(_stories(trial, language, ZoneInfo(question.timezone))),
        warnings=tuple(_warnings(node, trial, language)),
        offers=offers,
    )


def fault_of(error: QueryError, query: str) -> tuple[str, str, str] | None:
    """Cut a refused query where it is at fault: what is before, the word there, what is after; None where elsewhere.

    >>> fault_of(QueryError("no word", offset=6), "korea OR )"), fault_of(QueryError("?", offset=0, where="oman"), "x")
    (('korea ', 'OR', ' )'), None)
    """
    if error.where or error.offset > len(query):
        return None
    word = query[error.offset :].split(" ", 1)[0] or query[error.offset : error.offset + 1]
    return query[: error.offset], word, query[error.offset + len(word) :]


def _told(trial: Trial, question: Question, language: Language) -> Iterator[str]:
    from worker.matching.mails import mails_at  # noqa: PLC0415  as above

    if not trial.stories:
        return
    period = replace(trial.period, timezone=question.timezone)
    rhythm = question.rhythm
    mails = mails_at(trial.found, period, rhythm.cadence, times=rhythm.times, weekday=rhythm.weekday)
    if mails is None:
        yield language.gettext("At the rhythm that you chose, no mail was due in the last 7 days.")
    elif not mails:
        yield language.gettext("At the rhythm that you chose, all of it would come with your next mail.")
    elif trial.is_estimated:
        yield language.ngettext(
            "In the last 7 days, this would have sent you about %(num)s mail.",
            "In the last 7 days, this would have sent you about %(num)s mails.",
            mails,
        ) % {"num": mails}
    else:
        yield language.ngettext(
            "In the last 7 days, this would have sent you %(num)s mail.",
            "In the last 7 days, this would have sent you %(num)s mails.",
            mails,
        ) % {"num": mails}
    if trial.stories > len(trial.samples):
        yield language.ngettext(
            "It finds %(num)s story. The newest:", "It finds %(num)s stories. The newest:", trial.stories
        ) % {"num": trial.stories}
    else:
        yield language.ngettext("It finds %(num)s story:", "It finds %(num)s stories:", trial.stories) % {
            "num": trial.stories
        }


def _stories(trial: Trial, language: Language, zone: ZoneInfo) -> Iterator[FoundStory]:
    for sample in trial.samples:
        yield FoundStory(
            title=sample.title,
            url=sample.url,
            outlet=sample.outlet,
            lang=sample.lang,
            published_at=sample.published_at,
            when=language.moment(sample.published_at, zone),
        )


def _warnings(node: Node, trial: Trial, language: Language) -> Iterator[str]:
    yield from slips(node, language)
    if not trial.all_stories:
        yield language.gettext("No story has come in within the last 7 days, so there is nothing to try this on.")
    elif not trial.stories:
        yield language.gettext("No story of the last 7 days has this.")
    elif trial.is_broad:
        share = f"{trial.stories / trial.all_stories:.0%}"
        yield language.gettext("This finds %(share)s of all stories. One more word would make it yours.") % {
            "share": share
        }


def _offers(found: Sequence[Suggestion], names: Mapping[str, str], language: Language) -> Iterator[Offer]:
    for one in found:
        words = {"topic": names.get(one.slug, one.slug), "words": language.listing(one.also)}
        if one.query:
            label = language.gettext("Search with the topic %(topic)s in it") % words
        else:
            label = language.gettext("Follow the topic %(topic)s instead") % words
        if one.also:
            question = language.gettext("Did you mean the topic %(topic)s, which also covers %(words)s?") % words
        else:
            question = language.gettext("Did you mean the topic %(topic)s?") % words
        yield Offer(question=question, label=label, value=f"query:{one.query}" if one.query else f"topic:{one.slug}")
