"""Reads what readers send by form into wishes, and says what is wrong beside each field, in their language.

Decides nothing that signup decides; stores nothing. A `Draft` is a form as it stands on a page: blank, filled from what
is stored, or sent and not accepted yet, so that nobody has to type anything twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from starlette.datastructures import FormData

from worker.errors import InputError, QueryError
from worker.model import Cadence, SubscriberStatus, SubscriptionId
from worker.planning.times import local_day
from worker.rendering.language import Language
from worker.signup.address import Address, normalise
from worker.signup.run import Known
from worker.signup.run_wishes import rhythm_of
from worker.signup.wishes import (
    MOST_FOLLOWS,
    Change,
    CheckQuery,
    Follow,
    Preferences,
    Rhythm,
    Wish,
    read_cadence,
    read_locale,
    read_name,
    read_times,
    read_zone,
)

_Text = TypeVar("_Text")
_Value = TypeVar("_Value")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_QUERY: Final = 2_000
_SHOWN_TIMES: Final = 2  # fields for times of day that a form offers at least


@dataclass(kw_only=True, slots=True)
class Pace:
    """The fields of a rhythm, as text. `key` tells several of them on one page apart."""

    key: str = ""
    cadence: str = Cadence.DAILY
    at: Sequence[str] = ("07:00",)
    weekday: str = "1"
    end: bool = False

    @classmethod
    def of(cls, rhythm: Rhythm, key: str) -> Pace:
        """Fill the fields from what is stored."""
        return cls(key=key, cadence=rhythm.cadence, at=rhythm.times or ("07:00",), weekday=str(rhythm.weekday or 1))

    @property
    def times(self) -> list[str]:
        """Return the values of the time fields: those that are set, and one more to fill in."""
        filled = [time for time in self.at if time]
        return filled + [""] * max(1, _SHOWN_TIMES - len(filled))


@dataclass(kw_only=True, slots=True)
class Draft:
    """A form as it stands on a page, with what is wrong by field name."""

    email: str = ""
    name: str = ""
    topics: Sequence[str] = ()
    newsletters: Sequence[str] = ()
    query: str = ""
    locale: str = "en"
    timezone: str = "UTC"
    paused_until: str = ""
    pace: Pace = field(default_factory=Pace)
    paces: dict[int, Pace] = field(default_factory=dict)  # by subscription
    errors: dict[str, str] = field(default_factory=dict)


class Reading:
    """One form being read: values come out where they make sense, sentences go into the draft where they do not."""

    def __init__(self, form: FormData, language: Language, check_query: CheckQuery) -> None:
        self._form, self._language, self._check_query = form, language, check_query
        self.draft = Draft(
            email=self._text("email"),
            name=self._text("name"),
            topics=tuple(filter(None, self._texts("topics"))),
            newsletters=tuple(filter(None, self._texts("newsletters"))),
            query=self._text("query"),
            locale=self._text("locale") or language.tag,
            timezone=self._text("timezone") or "UTC",
            paused_until=self._text("paused_until"),
            pace=self._pace(""),
        )

    def address(self) -> Address | None:
        """Read the address."""
        sentence = self._language.gettext("Write your address as name@example.org.")
        return self._take("email", normalise, self.draft.email, sentence)

    def wish(self) -> Wish | None:
        """Read what the sign-up form asks for."""
        follows = self.follows()
        if not follows and not {"query", "topics", "newsletters"} & self.draft.errors.keys():
            self.draft.errors["topics"] = self._language.gettext("Choose a topic, or write a search of your own.")
        wish = Wish(follows=follows, locale=self._locale(), timezone=self._zone(), name=self._name())
        return None if self.draft.errors else wish

    def preferences(self, known: Known) -> Preferences | None:
        """Read what the preferences form asks for."""
        changes = tuple(self._changes(known))
        follows = self.follows()
        preferences = Preferences(
            locale=self._locale(),
            timezone=self._zone(),
            paused_until=self._day(),
            changes=changes,
            follows=follows,
        )
        return None if self.draft.errors else preferences

    def follows(self) -> tuple[Follow, ...]:
        """Read the topics, the newsletters and the query to follow."""
        rhythm = self._rhythm(self.draft.pace)
        slugs = list(dict.fromkeys(self.draft.topics))[:MOST_FOLLOWS]
        letters = list(dict.fromkeys(self.draft.newsletters))[: MOST_FOLLOWS - len(slugs)]
        try:
            chosen = [Follow(topic=slug, rhythm=rhythm) for slug in slugs]
            chosen += [Follow(newsletter=slug) for slug in letters]
        except ValueError:  # made up: the page offers no such slug
            self.refuse(InputError("no such topic", where="topics"))
            return ()
        if self._query_is_sound():
            chosen.append(Follow(query=self.draft.query, rhythm=rhythm))
        return tuple(chosen)

    def refuse(self, error: InputError) -> None:
        """Put what a room refused beside its field."""
        if isinstance(error, QueryError):
            said = f"{error.reason} ({error.hint})" if error.hint else error.reason
            self.draft.errors["query"] = self._language.gettext("This search cannot be read: %(why)s.") % {"why": said}
        elif error.where == "paused_until":
            self.draft.errors["paused_until"] = self._language.gettext("Choose a day to come.")
        elif error.where == "topics":
            self.draft.errors["topics"] = self._language.gettext("This topic is not there any more. Choose again.")
        elif error.where == "newsletters":
            sentence = self._language.gettext("This newsletter is not there any more. Choose again.")
            self.draft.errors["newsletters"] = sentence
        else:
            raise error

    def _query_is_sound(self) -> bool:
        query = self.draft.query
        if len(query) > _LONGEST_QUERY:
            limit = self._language.gettext("Write at most %(num)s characters.") % {"num": _LONGEST_QUERY}
            self.draft.errors["query"] = limit
            return False
        try:
            return bool(query and self._check_query(query))
        except QueryError as error:
            self.refuse(error)
            return False

    def _changes(self, known: Known) -> Iterable[Change]:
        for following in known.followings:
            if f"cadence-{following.id}" not in self._form:
                continue  # begun meanwhile, on another page: not in this form, so not touched by it
            pace = self._pace(f"-{following.id}")
            self.draft.paces[following.id] = pace
            pace.end = self._text(f"end-{following.id}") != ""
            rhythm = rhythm_of(following) if pace.end else self._rhythm(pace)
            yield Change(subscription_id=SubscriptionId(following.id), rhythm=rhythm, end=pace.end)

    def _pace(self, key: str) -> Pace:
        return Pace(
            key=key,
            cadence=self._text(f"cadence{key}") or Cadence.DAILY,
            at=tuple(self._texts(f"at{key}")),
            weekday=self._text(f"weekday{key}") or "1",
        )

    def _rhythm(self, pace: Pace) -> Rhythm:
        sentence = self._language.gettext("Write times as hours and minutes, such as 07:00.")
        times = self._take(f"at{pace.key}", read_times, tuple(pace.at), sentence)
        how_often = self._language.gettext("Choose how often mail should come.")
        cadence = self._take(f"cadence{pace.key}", read_cadence, pace.cadence, how_often)
        weekday = int(pace.weekday) if pace.weekday in {"1", "2", "3", "4", "5", "6", "7"} else None
        return Rhythm(cadence=cadence or Cadence.DAILY, times=times or (), weekday=weekday)

    def _locale(self) -> str:
        sentence = self._language.gettext("Choose a language from the list.")
        return self._take("locale", read_locale, self.draft.locale, sentence) or self._language.tag

    def _zone(self) -> str:
        sentence = self._language.gettext("Choose a place from the list.")
        return self._take("timezone", read_zone, self.draft.timezone, sentence) or "UTC"

    def _name(self) -> str:
        sentence = self._language.gettext("Write a shorter name.")
        return self._take("name", read_name, self.draft.name, sentence) or ""

    def _day(self) -> date | None:
        if not self.draft.paused_until:
            return None
        return self._take("paused_until", _read_day, self.draft.paused_until, self._language.gettext("Choose a day."))

    def _take(self, name: str, read: Callable[[_Text], _Value], text: _Text, sentence: str) -> _Value | None:
        try:
            return read(text)
        except InputError:
            self.draft.errors[name] = sentence
            return None

    def _text(self, name: str) -> str:
        return _line(self._form.get(name))

    def _texts(self, name: str) -> list[str]:
        return [_line(value) for value in self._form.getlist(name)]


def draft_of(known: Known) -> Draft:
    """Fill the preferences form from what is stored."""
    reader = known.reader
    until = reader.paused_until if known.standing is SubscriberStatus.PAUSED else None
    return Draft(
        locale=reader.locale,
        timezone=reader.timezone,
        paused_until=str(local_day(until, reader.timezone)) if until else "",
        paces={one.id: Pace.of(rhythm_of(one), f"-{one.id}") for one in known.followings},
    )


def _line(value: object) -> str:
    """Return what was typed into a field, without what nobody can type; "" for an uploaded file, or nothing."""
    return " ".join(_CONTROL.sub(" ", value).split()) if isinstance(value, str) else ""


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day") from error
