"""What forms let a reader choose among, in the reader's language: zones, languages, cadences, weekdays. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from worker.model import Cadence
from worker.rendering.language import Language
from worker.rendering.schedules import own_name, zone_label

_TERRITORIES: Final[Mapping[str, str]] = {  # a zone's first part, and CLDR's code of the region that it means
    "Africa": "002",
    "America": "019",
    "Antarctica": "AQ",
    "Asia": "142",
    "Australia": "AU",
    "Europe": "150",
    "Pacific": "009",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option: what is sent, and what is shown."""

    value: str
    label: str


def cadences(language: Language) -> list[Choice]:
    """Return how often mail may come, the soonest first."""
    words = {
        Cadence.IMMEDIATE: language.gettext("As it happens"),
        Cadence.HOURLY: language.gettext("Every hour"),
        Cadence.DAILY: language.gettext("Every day"),
        Cadence.WEEKDAYS: language.gettext("Monday to Friday"),
        Cadence.WEEKLY: language.gettext("Once a week"),
        Cadence.MONTHLY: language.gettext("Once a month"),
    }
    return [Choice(cadence, words[cadence]) for cadence in Cadence]


def weekdays(language: Language) -> list[Choice]:
    """Return the days of the week, Monday (1) first."""
    names = language.locale.days["stand-alone"]["wide"]
    return [Choice(str(number), names[number - 1]) for number in range(1, 8)]


def languages(tags: Iterable[str], *, also: str) -> list[Choice]:
    """Return the languages that mail comes in, each by its own name; `also` is one more, which a reader has already."""
    known = list(tags)
    more = [] if {also, also.partition("-")[0]} & set(known) else [also]
    return [Choice(tag, own_name(tag)) for tag in [*known, *more]]


@functools.lru_cache(maxsize=64)
def zones(language: Language) -> Mapping[str, tuple[Choice, ...]]:
    """Return a place for every time zone, by region, each by its name in the reader's language."""
    regions = {region: _region_label(region, language) for region in _regions()}
    grouped: dict[str, list[Choice]] = {label: [] for label in sorted(regions.values())}
    for zone in _listed_zones():
        grouped[regions[zone.partition("/")[0]]].append(Choice(zone, zone_label(zone, language)))
    return {label: tuple(sorted(places, key=lambda place: place.label)) for label, places in grouped.items()}


@functools.cache
def _listed_zones() -> tuple[str, ...]:
    """Return the zones that tzdata's own list for choosers has: no aliases, no history."""
    lines = files("tzdata.zoneinfo").joinpath("zone.tab").read_text().splitlines()
    return tuple(sorted({line.split("\t")[2] for line in lines if line and not line.startswith("#")}))


def _regions() -> Iterator[str]:
    yield from dict.fromkeys(zone.partition("/")[0] for zone in _listed_zones())


def _region_label(region: str, language: Language) -> str:
    seas = {
        "Arctic": language.gettext("Arctic"),
        "Atlantic": language.gettext("Atlantic Ocean"),
        "Indian": language.gettext("Indian Ocean"),
    }
    return seas.get(region) or str(language.locale.territories[_TERRITORIES[region]])
