"""What a feed says of how it wants to be polled (`ttl`, `skipHours`, `skipDays`, `sy:updatePeriod`), and who pushes it.

Pure, and sceptical: what is absurd counts as not said. Never decides when a source is polled. The feed sources call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from worker.adapters.sources import plain
from worker.adapters.sources.limits import MAX_LINE_CHARS
from worker.feeds import Manners

MAX_HUBS: Final = 5
_SHORTEST_S: Final = 60.0
_LONGEST_S: Final = 7 * 86_400.0
"""Monthly and yearly count as weekly: news that comes so rarely has nobody who knows when."""

_PERIODS_S: Final = {
    "hourly": 3_600,
    "daily": 86_400,
    "weekly": 7 * 86_400,
    "monthly": 30 * 86_400,
    "yearly": 365 * 86_400,
}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_TOLD: Final = 100
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_HOUR: Final = re.compile(r"\d{1,2}", re.ASCII)
_WEB: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)


def manners_of(
    *, ttl: str = "", period: str = "", frequency: str = "", hours: Iterable[str] = (), days: Iterable[str] = ()
) -> Manners:
    """Read a feed's own words; `ttl` is in minutes and comes before a period, which is hourly unless told otherwise.

    >>> manners_of(ttl="15", hours=["0", "24", "7"], days=["Sunday"])
    Manners(every_s=900.0, skip_hours=frozenset({0, 7}), skip_days=frozenset({6}))
    >>> manners_of(period="daily", frequency="4").every_s, manners_of(ttl="0").every_s
    (21600.0, None)
    """
    minutes = _number(ttl)
    every_s = minutes * 60 if minutes else _by_period(period, frequency)
    skip_hours = {hour % 24 for text in [*hours][:_MOST_TOLD] if (hour := _hour(text)) is not None}
    names = (text.strip().lower()[:3] for text in [*days][:_MOST_TOLD])
    skip_days = {_DAYS.index(name) for name in names if name in _DAYS}
    return Manners(
        every_s=min(max(every_s, _SHORTEST_S), _LONGEST_S) if every_s else None,
        skip_hours=frozenset(skip_hours if len(skip_hours) < 24 else ()),  # never at all: it means something else
        skip_days=frozenset(skip_days if len(skip_days) < 7 else ()),
    )


def hubs_and_topic(links: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], str]:
    """Return the WebSub hubs among a feed's links, and the address that it calls its own (WebSub, section 4).

    >>> hubs_and_topic([{"rel": "hub", "href": "https://hub.example/"}, {"rel": "self", "href": "https://a.example/f"}])
    (('https://hub.example/',), 'https://a.example/f')
    """
    hubs: list[str] = []
    topics: list[str] = []
    for link in [*links][:_MOST_TOLD]:
        rel, href = link.get("rel"), link.get("href")
        if isinstance(rel, str) and isinstance(href, str):
            roles = rel.lower().split()
            hubs += [href] if "hub" in roles else []
            topics += [href] if "self" in roles else []
    return web_addresses(hubs)[:MAX_HUBS], next(iter(web_addresses(topics)), "")


def web_addresses(found: Iterable[str]) -> tuple[str, ...]:
    """Return those that are addresses on the web, each once, in order.

    >>> web_addresses([" https://hub.example/ ", "https://hub.example/", "urn:x", "http://"])
    ('https://hub.example/',)
    """
    tidy = (plain.sound(text).strip() for text in found)
    sound = (text for text in tidy if _WEB.match(text) and len(text) <= MAX_LINE_CHARS and not re.search(r"\s", text))
    return tuple(dict.fromkeys(sound))


def _by_period(period: str, frequency: str) -> float | None:
    """Read the syndication module of RSS 1.0: so often in each period, once unless told otherwise."""
    period = period.strip().lower()
    if period not in _PERIODS_S:
        return None
    return _PERIODS_S[period] / (_number(frequency) or 1)


def _number(text: str) -> float:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else 0.0


def _hour(text: str) -> int | None:
    found = _HOUR.fullmatch(text.strip())
    return int(found[0]) if found and int(found[0]) <= 24 else None
