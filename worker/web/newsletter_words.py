"""Puts newsletters into a reader's words: what they are, and when they come. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from worker.facts import OfferedNewsletter
from worker.model import Timing
from worker.rendering.language import Language
from worker.web.choices import zone_label

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WORKDAYS: Final = frozenset(_DAYS[:5])
_CLOCK: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND", "WKST", "FREQ", "INTERVAL", "UNTIL", "COUNT"})
_HOUR: Final = "7"  # what `recurrence` reads where a rule names none
_MOST_TIMES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsletterLine:
    """A newsletter that can be followed. Its name and description are in its own language, `lang`."""

    slug: str
    name: str
    description: str
    lang: str
    when: str


def newsletter_lines(newsletters: Iterable[OfferedNewsletter], language: Language) -> list[NewsletterLine]:
    """Word newsletters: those in the page's language first, then by name."""
    lines = [
        NewsletterLine(
            slug=one.slug, name=one.name, description=one.description, lang=one.locale, when=comes(one, language)
        )
        for one in newsletters
    ]
    spoken = language.tag.partition("-")[0]
    return sorted(lines, key=lambda line: (line.lang.partition("-")[0] != spoken, line.name.casefold()))


def comes(newsletter: OfferedNewsletter, language: Language) -> str:
    """Say when a newsletter comes: by its rule where that is simple, else when the next one is due."""
    regular = _regular(_parts(newsletter.schedule), language)
    if regular and newsletter.timing is Timing.READER:
        return language.gettext("%(when)s, by your own clock") % {"when": regular}
    if regular:
        place = zone_label(newsletter.timezone, language)
        return language.gettext("%(when)s, %(place)s time") % {"when": regular, "place": place}
    if newsletter.next_due_at:
        return language.gettext("Next on %(moment)s") % {
            "moment": _moment(newsletter, newsletter.next_due_at, language)
        }
    return language.gettext("Whenever it is published")


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


def _moment(newsletter: OfferedNewsletter, due_at: datetime, language: Language) -> str:
    return language.moment(due_at, ZoneInfo(newsletter.timezone))
