"""Says when something comes, in a reader's language: a reader's own rhythm, an editor's schedule, a time zone's place.

Decides about words only. Pure. The mails' views and the web pages call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import get_timezone_location

from worker.model import Cadence
from worker.rendering.language import Language

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WORKDAYS: Final = frozenset(_DAYS[:5])
_CLOCK: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND", "WKST", "FREQ", "INTERVAL", "UNTIL", "COUNT"})
_HOUR: Final = "7"  # what `recurrence` reads where a rule names none
_MOST_TIMES: Final = 4


def rhythm(cadence: Cadence, *, times: Sequence[str], weekday: int | None, language: Language) -> str:
    """Say how often, and when: "Every day at 07:00 and 18:30". `weekday` is ISO's, 1 is Monday."""
    at = {"times": language.listing(times)}
    days = language.locale.days["stand-alone"]["wide"]
    match cadence:
        case Cadence.IMMEDIATE:
            return language.gettext("As it happens")
        case Cadence.HOURLY:
            return language.gettext("Every hour")
        case Cadence.DAILY:
            return language.gettext("Every day at %(times)s") % at
        case Cadence.WEEKDAYS:
            return language.gettext("Monday to Friday at %(times)s") % at
        case Cadence.WEEKLY:
            return language.gettext("%(day)s at %(times)s") % {"day": days[(weekday or 1) - 1], **at}
        case Cadence.MONTHLY:
            return language.gettext("On the first of the month at %(times)s") % at


def comes(schedule: str, *, zone: str, next_at: datetime | None, next_zone: str, language: Language) -> str:
    """Say when a newsletter comes: by its rule (an RRULE) where that is simple, else when the next one is due.

    `zone` is where the rule's times are meant, "" for each reader's own clock; `next_zone` tells the next one's time.
    """
    regular = _regular(_parts(schedule), language) if schedule else None
    if regular and not zone:
        return language.gettext("%(when)s, by your own clock") % {"when": regular}
    if regular:
        place = zone_label(zone, language)
        return language.gettext("%(when)s, %(place)s time") % {"when": regular, "place": place}
    if next_at:
        return language.gettext("Next on %(moment)s") % {"moment": language.moment(next_at, ZoneInfo(next_zone))}
    return language.gettext("Whenever it is published")


def zone_label(zone: str, language: Language) -> str:
    """Return a zone's place as readers of a language call it; UTC, its like, and what is no zone stay as they are."""
    try:
        return (get_timezone_location(zone, locale=language.locale, return_city=True) if "/" in zone else "") or zone
    except LookupError:
        return zone


def own_name(tag: str) -> str:
    """Return what a language calls itself; a tag that nobody knows stays as it is.

    >>> own_name("ko"), own_name("x-1")
    ('한국어', 'x-1')
    """
    try:
        named = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return tag
    return str(named.get_display_name(named) or tag)


def _regular(rule: Mapping[str, str], language: Language) -> str | None:
    """Say how often by a rule that a sentence can hold; None for any other."""
    clocks = list(_clocks(rule))
    more = rule.keys() - _CLOCK
    if rule.get("INTERVAL", "1") != "1" or not 0 < len(clocks) <= _MOST_TIMES:
        return None
    at = {"times": language.listing(clocks)}
    days = rule.get("BYDAY", "").split(",")
    by_days = rule["FREQ"] in {"DAILY", "WEEKLY"} and more == {"BYDAY"} and set(days) <= set(_DAYS)
    if (rule["FREQ"] == "DAILY" and not more) or (by_days and set(days) == set(_DAYS)):
        return language.gettext("Every day at %(times)s") % at
    if by_days and set(days) == _WORKDAYS:
        return language.gettext("Monday to Friday at %(times)s") % at
    if by_days:
        names = language.locale.days["stand-alone"]["wide"]
        listed = language.listing([names[number] for number, day in enumerate(_DAYS) if day in days])
        return language.gettext("%(day)s at %(times)s") % {"day": listed, **at}
    if rule["FREQ"] == "MONTHLY" and more == {"BYMONTHDAY"} and rule["BYMONTHDAY"] == "1":
        return language.gettext("On the first of the month at %(times)s") % at
    return None


def _clocks(rule: Mapping[str, str]) -> Iterator[str]:
    """Yield the times of day that a rule names; none for an hourly one, which has no hours of its own."""
    if rule["FREQ"] == "HOURLY":
        return
    hours = sorted({int(hour) for hour in rule.get("BYHOUR", _HOUR).split(",")})
    minutes = sorted({int(minute) for minute in rule.get("BYMINUTE", "0").split(",")})
    for hour in hours:
        yield from (f"{time(hour, minute):%H:%M}" for minute in minutes)


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.split(";"))
