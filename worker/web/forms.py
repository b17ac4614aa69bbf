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
from worker.model import Cadence, StoryId, SubscriberStatus, SubscriptionId
from worker.planning.times import local_day
from worker.rendering.language import Language
from worker.signup.address import Address, normalise
from worker.signup.doubts import Disposable, Doubt, doubt
from worker.signup.run import Known
from worker.signup.run_wishes import rhythm_of
from worker.signup.wishes import (
    MOST_FOLLOWS,
    Change,
    CheckQuery,
    Follow,
    Muting,
    Preferences,
    Rhythm,
    Wish,
    read_cadence,
    read_locale,
    read_name,
    read_times,
    read_zone,
)
from worker.web.own_terms import TermsDraft
from worker.web.refusals import refusal
from worker.web.trying import Finding, Question, fault_of

_Text = TypeVar("_Text")
_Value = TypeVar("_Value")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_LONGEST_QUERY: Final = 2_000
_SHOWN_TIMES: Final = 2  # fields for times of day that a form offers at least


@dataclass(kw_only=True, slots=True)
class Pace:
    """The fields of a rhythm, as text. `key` tells several of them on one page apart."""

    key: str = ""
    cadence: str = Cadence.DAILY
    at: Sequence[str] = ("07:00",)
    weekday: str = "1"
    muting: str = Muting.KEEP
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a sign-up form carries unseen: when it was shown, and a puzzle where one is asked for (`web.marks`)."""

    shown: str
    has_puzzle: bool = False
    patience: str = ""


@dataclass(kw_only=True, slots=True)
class Draft:
    """A form as it stands on a page, with what is wrong by field name."""

    email: str = ""
    name: str = ""
    topics: Sequence[str] = ()
    newsletters: Sequence[str] = ()
    query: str = ""
    sought: str = ""  # the topic that was searched for
    locale: str = "en"
    timezone: str = "UTC"
    paused_until: str = ""
    pace: Pace = field(default_factory=Pace)
    paces: dict[int, Pace] = field(default_factory=dict)  # by subscription
    terms: TermsDraft = field(default_factory=TermsDraft)
    hear_again: Sequence[str] = ()  # muted stories, by number
    errors: dict[str, str] = field(default_factory=dict)
    fault: tuple[str, str, str] | None = None  # where the query is at fault: before, there, after
    finding: Finding | None = None  # what came of trying the query
    doubt: Doubt | None = None  # why the address should be looked at again
    as_written: str = ""  # the address that was doubted, which its owner may insist on
    look_at: str = ""  # where the form goes to be looked at only; "" where it cannot
    mark: Mark | None = None  # in a sign-up form


class Reading:
    """One form being read: values come out where they make sense, sentences go into the draft where they do not."""

    def __init__(self, form: FormData, language: Language, check_query: CheckQuery) -> None:
        self._form, self._language, self._check_query = form, language, check_query
        self.draft = Draft(
            email=self._text("instead") or self._text("email"),
            name=self._text("name"),
            topics=tuple(filter(None, self._texts("topics"))),
            newsletters=tuple(filter(None, self._texts("newsletters"))),
            query=self._text("query"),
            sought=self._text("q"),
            locale=self._text("locale") or language.tag,
            timezone=self._text("timezone") or "UTC",
            paused_until=self._text("paused_until"),
            pace=self._pace(""),
            terms=TermsDraft.sent(self._text),
            hear_again=tuple(self._texts("hear")),
        )

    def address(self) -> Address | None:
        """Read the address."""
        sentence = self._language.gettext("Write your address as name@example.org.")
        return self._take("email", normalise, self.draft.email, sentence)

    def wish(self) -> Wish | None:
        """Read what the sign-up form asks for."""
        follows = self.follows()
        if not follows and not {"query", "topics", "newsletters"} & self.draft.errors.keys():
            self.draft.errors["topics"] = (
                self._language.gettext("Choose a topic or a newsletter, or write a search of your own.")
                if "query" in self._form
                else self._language.gettext("Choose a topic or a newsletter.")
            )
        wish = Wish(follows=follows, locale=self._locale(), timezone=self._zone(), name=self._name())
        return None if self.draft.errors else wish

    def is_only_a_look(self) -> bool:
        """Tell whether the Enter key was pressed in the search for topics, which is no wish to be signed up."""
        return "enter" in self._form and self.draft.sought != self._text("shown_q")

    def look(self, known: Known | None = None) -> Question | None:
        """Read a form that is not sent yet, and return the query to try, if there is a sound one.

        Nothing else is judged. A button may have put a topic, or another query, in the query's place.
        """
        taken, _, value = self._text("take").partition(":")
        if taken == "topic":
            self.draft.topics, self.draft.query = (*self.draft.topics, value), ""
        elif taken == "query":
            self.draft.query = value
        for _ in self._changes(known) if known else ():
            pass  # what was typed goes into the draft
        rhythm, zone = self._rhythm(self.draft.pace), self._zone()
        self.draft.errors.clear()
        if not self._query_is_sound():
            return None
        return Question(query=self.draft.query, rhythm=rhythm, timezone=zone)

    def doubts(self, address: Address, *, disposable: Disposable, asks_again: bool) -> bool:
        """Tell whether an address must be looked at again first; who sends it again as written means it."""
        found = doubt(address, disposable=disposable)
        is_meant = not asks_again or self._text("as_written") == address.key
        if found is None or (is_meant and not found.is_refused):
            return False
        if found.instead:
            said = self._language.gettext("Did you mean %(address)s?") % {"address": found.instead}
        elif found.is_refused:
            said = self._language.gettext("Mailboxes that are thrown away after a few minutes are not taken here.")
        else:
            said = self._language.gettext("This looks like a mailbox that is thrown away after a few minutes.")
        self.draft.errors["email"], self.draft.doubt = said, found
        self.draft.as_written = address.key
        return True

    def hidden(self, name: str) -> str:
        """Read a field that nobody sees."""
        return self._text(name)

    def ask_again(self, mark: Mark) -> None:
        """Ask for the button to be pressed once more, after a puzzle or without one."""
        self.draft.mark = mark
        self.draft.errors["again"] = (
            self._language.gettext("Wait for the check above the button, then press the button again.")
            if mark.has_puzzle
            else self._language.gettext("Press the button once more: the form came back at once, or was open for long.")
        )

    def preferences(self, known: Known) -> Preferences | None:
        """Read what the preferences form asks for."""
        changes = tuple(self._changes(known))
        follows = self.follows()
        preferences = Preferences(
            locale=self._locale(),
            timezone=self._zone(),
            paused_until=self._day(),
            terms=self.draft.terms.read(self._language, self.draft.errors) if "below_floor" in self._form else None,
            changes=changes,
            follows=follows,
            hear_again=tuple(StoryId(int(story)) for story in self.draft.hear_again if _NUMBER.fullmatch(story)),
        )
        return None if self.draft.errors else preferences

    def follows(self) -> tuple[Follow, ...]:
        """Read the topics, the newsletters and the query to follow."""
        rhythm = self._rhythm(self.draft.pace)
        slugs, letters = dict.fromkeys(self.draft.topics), dict.fromkeys(self.draft.newsletters)
        try:
            chosen = [Follow(topic=slug, rhythm=rhythm) for slug in slugs]
        except ValueError:  # made up: the page offers no such slug
            self.refuse(InputError("no such topic", where="topics"))
            return ()
        try:
            chosen += [Follow(newsletter=slug) for slug in letters]
        except ValueError:
            self.refuse(InputError("no such newsletter", where="newsletters"))
            return ()
        own = [Follow(query=self.draft.query, rhythm=rhythm)] if self._query_is_sound() else []
        return (*chosen[: MOST_FOLLOWS - len(own)], *own)

    def refuse(self, error: InputError) -> None:
        """Put what a room refused beside its field."""
        if isinstance(error, QueryError):
            why = {"why": refusal(error, self._language)}
            self.draft.errors["query"] = self._language.gettext("This search cannot be read: %(why)s.") % why
            self.draft.fault = fault_of(error, self.draft.query)
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
            pace.muting = self._text(f"mute-{following.id}") or Muting.KEEP
            rhythm = rhythm_of(following) if pace.end else self._rhythm(pace)
            muting = Muting(pace.muting) if pace.muting in set(Muting) else Muting.KEEP
            yield Change(subscription_id=SubscriptionId(following.id), rhythm=rhythm, muting=muting, end=pace.end)

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
        terms=TermsDraft.of(reader),
    )


def _line(value: object) -> str:
    """Return what was typed into a field, without what nobody can type; "" for an uploaded file, or nothing."""
    return " ".join(_CONTROL.sub(" ", value).split()) if isinstance(value, str) else ""


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day") from error
