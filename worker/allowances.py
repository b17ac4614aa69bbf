"""What an operator may allow a way out of the house: hours, a warm-up plan, rates by receiver.

Pure: reads the words of settings and DSNs, and tells what they allow at a time. Delivery holds mail to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from worker.receivers import receiver

ANY_DOMAIN: Final = "*"
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """A part of each day, in minutes after midnight on the wall clock; it may go over midnight."""

    begins: int
    ends: int

    @classmethod
    def read(cls, text: str) -> Hours:
        """Read "07-22" or "07:30-22:15". Raises `ValueError`.

        >>> Hours.read("22-06:30")
        Hours(begins=1320, ends=390)
        """
        begins, ends = (_minute(part) for part in text.split("-"))
        if begins in {ends, _DAY_MINUTES}:
            raise ValueError(text)
        return cls(begins=begins, ends=ends)

    def __str__(self) -> str:
        """Write them as they are read."""
        return "-".join(f"{one // 60:02}:{one % 60:02}" for one in (self.begins, self.ends))

    def wait_s(self, now: datetime, zone: tzinfo) -> float:
        """Return how long it is until they begin, 0 within them. On the days of a DST change it may be an hour off.

        >>> from datetime import UTC
        >>> Hours.read("07-22").wait_s(datetime(2026, 11, 28, 23, tzinfo=UTC), UTC)
        28800.0
        """
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        inside = self.begins <= minute < self.ends if self.begins < self.ends else not self.ends <= minute < self.begins
        if inside:
            return 0.0
        begins = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=self.begins)
        return ((begins - local).total_seconds()) % 86_400


def _minute(text: str) -> int:
    found = re.fullmatch(r"(\d\d)(?::([0-5]\d))?", text, re.ASCII)
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else _DAY_MINUTES + 1
    if minute > _DAY_MINUTES:
        raise ValueError(text)
    return minute


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmUp:
    """How much a new sender may send a day: `first` on the day it starts, each day `growth` times as much.

    Receivers learn an address or domain by its steady growth; they block a stranger who sends thousands on day one.
    """

    starts: date
    first: int
    growth: float

    @classmethod
    def read(cls, text: str) -> WarmUp:
        """Read "2026-11-28:50x2": from that day, 50 and each day twice as many. Raises `ValueError`.

        >>> WarmUp.read("2026-11-28:50x1.5").allowed(date(2026, 11, 30))
        112
        """
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d):(\d{1,7})x(\d{1,2}(?:\.\d{1,3})?)", text, re.ASCII)
        if not found:
            raise ValueError(text)
        plan = cls(starts=date.fromisoformat(found[1]), first=int(found[2]), growth=float(found[3]))
        if plan.first < 1 or not 1 < plan.growth <= 10:
            raise ValueError(text)
        return plan

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.starts}:{self.first}x{self.growth:g}"

    def allowed(self, day: date) -> int | None:
        """Return how many may go on a day; before it starts as on its first, None beyond a million: it is over."""
        grown = self.first * self.growth ** min(max((day - self.starts).days, 0), 200)
        return None if grown > 1_000_000 else int(grown)


def read_domain_rates(text: str) -> dict[str, float]:
    """Read "gmail.com=20 yahoo.com=5 *=50": messages a second by receiver; `*` is each other one. Raises `ValueError`.

    >>> read_domain_rates("googlemail.com=20 *=0.5")
    {'gmail.com': 20.0, '*': 0.5}
    """
    rates = {}
    for item in text.split():
        domain, separator, number = item.partition("=")
        if not separator or not re.fullmatch(r"\*|[\w-]+(\.[\w-]+)+", domain) or not 0.001 <= float(number) <= 1e6:
            raise ValueError(item)
        rates[domain if domain == ANY_DOMAIN else receiver(domain)] = float(number)
    return rates
