"""What a reader asks for: topics or a query of their own, how often, at what local times, in which language and zone.

Says which wishes make sense; never whether a topic exists (the store knows) or what a query means (the matching room
does, and doors hand its judgement in). Pure. Pages, API and import make wishes; the consent record keeps them as JSON.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from worker.errors import InputError
from worker.model import Cadence, StoryId, SubscriptionId
from worker.schedule import DEFAULT_TIMES, check_zone, parse_time
from worker.signup.terms import Terms

CheckQuery = Callable[[str], str]
"""Returns a query's canonical form, or raises `QueryError`."""

MOST_FOLLOWS: Final = 200
MOST_TIMES: Final = 12
MOST_NAME: Final = 200
_MONDAY: Final = 1
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]
Weekday = Annotated[int, Field(ge=1, le=7)]  # ISO, 1 is Monday


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rhythm(_Frozen):
    """How often, and when. Without times, a run that needs one is at 07:00; without a weekday, on Mondays."""

    cadence: Cadence = Cadence.DAILY
    times: tuple[str, ...] = ()
    weekday: Weekday | None = None

    @field_validator("times")
    @classmethod
    def _in_order(cls, times: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return read_times(times)
        except InputError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _fits_cadence(self) -> Self:
        """Fill in what the cadence needs and drop what it does not, so that equal rhythms are equal values."""
        by_clock = self.cadence not in {Cadence.IMMEDIATE, Cadence.HOURLY}
        weekday = (self.weekday or _MONDAY) if self.cadence is Cadence.WEEKLY else None
        object.__setattr__(self, "times", (self.times or DEFAULT_TIMES) if by_clock else ())
        object.__setattr__(self, "weekday", weekday)
        return self


class Follow(_Frozen):
    """One thing to follow: a shared topic or a newsletter by its slug, or an own query.

    `canonical` comes from the matching room. A newsletter comes when its editors say, whatever the rhythm.
    """

    topic: Slug | None = None
    newsletter: Slug | None = None
    query: Annotated[str, Field(max_length=20_000)] | None = None
    canonical: str = ""
    rhythm: Rhythm = Rhythm()

    @field_validator("query")
    @classmethod
    def _is_printable(cls, query: str | None) -> str | None:
        if query and _CONTROL.search(query):
            raise ValueError("a control character, which no text has")
        return query

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if [self.topic, self.newsletter, self.query].count(None) != 2:
            raise ValueError("follow either a topic, a newsletter or a query")
        return self

    @property
    def target(self) -> tuple[str, str]:
        """Return what tells two things to follow apart."""
        if self.topic is not None:
            return "topic", self.topic
        if self.newsletter is not None:
            return "newsletter", self.newsletter
        return "query", self.canonical or self.query or ""


class Wish(_Frozen):
    """All that one sign-up asks for. It may follow nothing: a list may hold such readers."""

    follows: tuple[Follow, ...] = Field(default=(), max_length=MOST_FOLLOWS)
    locale: str = "en"
    timezone: str = "UTC"
    name: str = ""

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            return read_zone(name)
        except InputError as error:
            raise ValueError(str(error)) from error

    @field_validator("locale")
    @classmethod
    def _is_locale(cls, locale: str) -> str:
        try:
            return read_locale(locale)
        except InputError as error:
            raise ValueError(str(error)) from error

    @field_validator("name")
    @classmethod
    def _is_one_line(cls, name: str) -> str:
        try:
            return read_name(name)
        except InputError as error:
            raise ValueError(str(error)) from error

    def merged(self, later: Wish) -> Wish:
        """Return this wish with a later one put on top: what both follow has the later rhythm."""
        follows = {follow.target: follow for follow in (*self.follows, *later.follows)}
        return later.model_copy(
            update={"follows": tuple(follows.values())[:MOST_FOLLOWS], "name": later.name or self.name}
        )

    def checked(self, check_query: CheckQuery) -> Wish:
        """Return this wish with every own query judged. Raises `QueryError`."""
        follows = tuple(
            follow.model_copy(update={"canonical": check_query(follow.query)}) if follow.query is not None else follow
            for follow in self.follows
        )
        return self.model_copy(update={"follows": follows})


class Muting(StrEnum):
    """What becomes of a topic's mute."""

    KEEP = "keep"  # as it is
    BEGIN = "begin"
    END = "end"


class Change(_Frozen):
    """A new rhythm for a subscription, its mute, or its end."""

    subscription_id: SubscriptionId
    rhythm: Rhythm = Rhythm()
    muting: Muting = Muting.KEEP
    end: bool = False


class Preferences(_Frozen):
    """What the preferences page sends: everything about the reader, and what else to follow.

    `paused_until` is the local day on whose beginning mail comes again; None for no pause. Without `terms` these stay
    as they are. `hear_again` are stories whose mute ends.
    """

    locale: str = "en"
    timezone: str = "UTC"
    paused_until: date | None = None
    terms: Terms | None = None
    changes: tuple[Change, ...] = ()
    follows: tuple[Follow, ...] = ()
    hear_again: tuple[StoryId, ...] = ()


def read_times(texts: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Read local times of day, in any order; blank ones do not count. Raises `InputError`.

    >>> read_times(("18:30", "7:00", "", "07:00"))
    ('07:00', '18:30')
    """
    times = sorted({parse_time(text).strftime("%H:%M") for text in texts if text.strip()})
    if len(times) > MOST_TIMES:
        raise InputError(f"{len(times)} times a day are too many", hint=f"write at most {MOST_TIMES}")
    return tuple(times)


@functools.lru_cache(maxsize=1024)  # the list of zones is read from disk at every look
def read_zone(name: str) -> str:
    """Read an IANA time zone. Raises `InputError`."""
    return check_zone(name.strip())


def read_locale(text: str) -> str:
    """Read a language tag; whether there is a catalogue for it does not matter. Raises `InputError`.

    >>> read_locale("pt_BR")
    'pt-BR'
    """
    tag = text.strip()
    if not _LOCALE.fullmatch(tag):
        raise InputError(f"{tag!r} is not a language", hint="write a tag such as en, ko or pt-BR")
    return tag.replace("_", "-")


def read_name(text: str) -> str:
    r"""Read a reader's name, as one line of printable text. Raises `InputError`.

    >>> read_name(" Zoë\r\nBcc: x ")
    'Zoë Bcc: x'
    """
    name = " ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split())
    if len(name) > MOST_NAME:
        raise InputError(f"{name[:20]!r}… is too long for a name", hint=f"write at most {MOST_NAME} characters")
    return name


def read_cadence(text: str) -> Cadence:
    """Read how often. Raises `InputError`.

    >>> read_cadence(" Daily ")
    <Cadence.DAILY: 'daily'>
    """
    try:
        return Cadence(text.strip().lower())
    except ValueError as error:
        raise InputError(f"{text.strip()!r} is not a cadence", hint=f"write one of {', '.join(Cadence)}") from error


def no_such_newsletter(slug: str, known: Iterable[str]) -> InputError:
    """Return the error that names an unknown newsletter, and the one that was probably meant."""
    near = difflib.get_close_matches(slug, list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else "`tocsin newsletters list` shows all"
    return InputError(f"there is no newsletter {slug[:100]!r}", where="newsletters", hint=hint)


def no_such_topic(slug: str, known: Iterable[str]) -> InputError:
    """Return the error that names an unknown topic, and the one that was probably meant.

    >>> str(no_such_topic("nort-korea", ["north-korea", "russia"]))
    "topics: there is no topic 'nort-korea' (did you mean north-korea?)"
    """
    near = difflib.get_close_matches(slug, list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else "`tocsin topics list` shows all"
    return InputError(f"there is no topic {slug[:100]!r}", where="topics", hint=hint)
