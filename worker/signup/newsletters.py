"""Reads editorial newsletters from YAML, and says which entry and field is wrong.

Decides what an entry means, stores nothing. Pure; `run_newsletters` calls it. A schedule keeps to the grammar of RFC
5545, 3.3.10, and comes at least once in five years.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from worker.errors import InputError
from worker.model import Approval, Timing
from worker.recurrence import check_rule
from worker.signup.address import normalise
from worker.signup.wishes import Slug, read_locale, read_zone

_Value = TypeVar("_Value")
_Text = Annotated[str, Field(min_length=1, max_length=500)]

_SOME_DAY: Final = date(2026, 1, 1)  # a rule that names no first day comes, or never does, whichever that is

_FREQUENCIES: Final = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_SIGNED: Final = r"[+-]?[0-9]{1,3}"
_DAY: Final = r"(?:[+-]?[0-9]{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)"
_PARTS: Final[Mapping[str, str]] = {
    "FREQ": "|".join(_FREQUENCIES),
    "UNTIL": r"[0-9]{8}(?:T[0-9]{6}Z?)?",
    "COUNT": r"[1-9][0-9]{0,5}",
    "INTERVAL": r"[1-9][0-9]{0,3}",
    "BYSECOND": r"(?:[0-5]?[0-9]|60)",
    "BYMINUTE": r"[0-5]?[0-9]",
    "BYHOUR": r"(?:1?[0-9]|2[0-3])",
    "BYDAY": _DAY,
    "BYMONTHDAY": _SIGNED,
    "BYYEARDAY": _SIGNED,
    "BYWEEKNO": _SIGNED,
    "BYMONTH": r"(?:[1-9]|1[0-2])",
    "BYSETPOS": _SIGNED,
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sender(_Frozen):
    """Who a newsletter comes from."""

    name: _Text
    address: str

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _as_value(normalise, value).text


class Selection(_Frozen):
    """Where stories may come from (an empty list allows all), and how many an edition must and may hold.

    `sources` are names of outlets or feeds; upper and lower case of these and of sections are one.
    """

    topics: tuple[Slug, ...] = ()
    sections: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    minimum: Annotated[int, Field(ge=0, le=100)] = 1
    maximum: Annotated[int, Field(ge=1, le=100)] = 10

    @model_validator(mode="after")
    def _is_a_range(self) -> Selection:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is more than maximum {self.maximum}")
        return self


class NewNewsletter(_Frozen):
    """A newsletter as its editor describes it.

    `timing` says by whose clock the schedule goes, `approval` whether an issue waits for an editor's word, `lead` how
    many minutes before it is due an issue is drafted, and `starts` is the schedule's first day (its zone's).
    """

    slug: Slug
    name: _Text
    description: str = ""
    sender: Sender
    locale: str = "en"
    schedule: str
    timezone: str
    selection: Selection = Selection()
    timing: Timing = Timing.NEWSROOM
    approval: Approval = Approval.AUTOMATIC
    lead: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 60
    starts: date | None = None

    @field_validator("locale")
    @classmethod
    def _is_locale(cls, value: str) -> str:
        return _as_value(read_locale, value)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        return _as_value(read_zone, value)

    @field_validator("schedule")
    @classmethod
    def _is_rrule(cls, value: str) -> str:
        return _as_value(read_rrule, value)

    @model_validator(mode="after")
    def _comes(self) -> NewNewsletter:
        try:
            check_rule(self.schedule, starts_on=self.starts or _SOME_DAY)
        except InputError as error:
            raise ValueError(f"schedule: {error}") from error
        return self


def read_newsletters(text: str) -> tuple[NewNewsletter, ...]:
    """Read a YAML list of newsletters. Raises `InputError` that names every wrong entry and field."""
    entries = _load(text)
    mistakes: list[str] = []
    newsletters: list[NewNewsletter] = []
    for number, entry in enumerate(entries, start=1):
        place = f"entry {number}" + (f" ({entry['slug']})" if isinstance(entry, dict) and entry.get("slug") else "")
        try:
            newsletter = NewNewsletter.model_validate(entry)
        except ValidationError as error:
            mistakes += [f"{place}{_explain(dict(problem))}" for problem in error.errors()]
            continue
        if newsletter.slug in {known.slug for known in newsletters}:
            mistakes.append(f"{place}, slug: {newsletter.slug} stands there twice")
        newsletters.append(newsletter)
    if mistakes:
        raise InputError(mistakes[0] if len(mistakes) == 1 else "\n  ".join([f"{len(mistakes)} mistakes:", *mistakes]))
    return tuple(newsletters)


def read_rrule(text: str) -> str:
    """Read a recurrence rule, with or without its "RRULE:", and return it in capitals. Raises `InputError`.

    >>> read_rrule("RRULE:freq=weekly;byday=MO,FR;byhour=7")
    'FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=7'
    >>> read_rrule("FREQ=DAYLY")
    Traceback (most recent call last):
    worker.errors.InputError: FREQ=DAYLY is not possible (did you mean DAILY?)
    """
    rule = text.strip().upper().removeprefix("RRULE:")
    seen: set[str] = set()
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            raise InputError(f"{name[:40]!r} is no part of a schedule", hint=_near(name, _PARTS, "FREQ=DAILY;BYHOUR=7"))
        if name in seen:
            raise InputError(f"{name} stands there twice", hint="leave one of them out")
        seen.add(name)
        values = value.split(",") if name.startswith("BY") else [value]
        if not all(re.fullmatch(_PARTS[name], one) for one in values):
            hint = _near(value, _FREQUENCIES, "FREQ=DAILY") if name == "FREQ" else "see RFC 5545, 3.3.10"
            raise InputError(f"{part[:80]} is not possible", hint=hint)
    if "FREQ" not in seen:
        raise InputError("there is no FREQ", hint="begin with FREQ=DAILY or FREQ=WEEKLY")
    if {"UNTIL", "COUNT"} <= seen:
        raise InputError("UNTIL and COUNT exclude each other", hint="leave one of them out")
    return rule


def _load(text: str) -> list[Any]:
    try:
        entries = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"not YAML: {error.problem}", where=where) from error
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(entries, list) or not entries:
        raise InputError("no list of newsletters", hint="begin each entry with `- slug: ...`")
    return entries


def _as_value(read: Callable[[str], _Value], text: str) -> _Value:
    """Read a field, in the words by which pydantic knows a mistake."""
    try:
        return read(text)
    except InputError as error:
        raise ValueError(str(error)) from error


def _explain(problem: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"no such field ({_near(field.rpartition('.')[2], _fields(problem), 'leave it out')})"
    elif problem["type"] == "missing":
        message = "is missing"
    return (f", {field}: " if field else ": ") + message[:1].lower() + message[1:]


def _fields(problem: dict[str, Any]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"sender": Sender, "selection": Selection}
    return list(models.get(str(problem["loc"][0]), NewNewsletter).model_fields)


def _near(word: str, known: Any, otherwise: str) -> str:  # noqa: ANN401  any collection of words
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else otherwise
