"""From the dates that sources write to aware UTC datetimes.

Pure. Returns None for what is no date, rather than guess. Feeds, pages and JSON formats call it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from worker.adapters.sources.worded_dates import at_clock, parse_worded
from worker.adapters.sources.zone_words import offset_of

_ISO: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:T|t|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*([A-Za-z]{1,5}|[+-]\d{2}:?\d{0,2})?"
)
_COMPACT_ISO: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{0,2})?"
)
_WEEK: Final = re.compile(r"(\d{4})-?W(\d{2})-?(\d)(?:T(.+))?", re.ASCII)
_DAY_OF_YEAR: Final = re.compile(r"(\d{4})-?(\d{3})(?:T(.+))?", re.ASCII)
_UNIX: Final = re.compile(r"1\d{9}(?:\d{3})?", re.ASCII)
_ZONE_WORD: Final = re.compile(r"\s\(?([A-Za-z]{1,5})\)?$")
_GMT_OFFSET: Final = re.compile(r"\b(?:GMT|UTC)\s*([+-])(\d{1,2}):?(\d{2})?$", re.IGNORECASE)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RFC822: Final = re.compile(rf"(?=.*\d{{1,2}}:\d{{2}}).*\b(?:{'|'.join(_MONTHS)})", re.IGNORECASE)
_USUAL: Final = re.compile(
    r"(?:[A-Za-z]{3},? )?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))? ([+-]\d{4}|[A-Za-z]{1,5})",
    re.ASCII,
)
"""RFC 822 as nearly everybody writes it."""

_HALF_OF_A_DAY: Final = re.compile(r"\d\s?[ap]\.?m\b", re.IGNORECASE)
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200


def parse_date(text: str) -> datetime | None:
    """Read ISO 8601, RFC 822 and dates in words, with offsets or zone words; without either most count as UTC.

    What might be two times is none: a zone that nobody knows, 03/04/2026.

    >>> parse_date("Mon, 23 Nov 2026 09:00:00 KST")
    datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("2026-11-23T10:00:00.25-03:30").isoformat()
    '2026-11-23T13:30:00.250000+00:00'
    >>> parse_date("soon") is None
    True
    """
    text = " ".join(text.split())[:100]
    try:
        return _plausible(_read(text))
    except (ValueError, OverflowError):  # the 31st of November; the year 10000
        return None


def has_zone(text: str) -> bool:
    """Tell whether an ISO 8601 time says which zone it is in.

    >>> has_zone("2026-11-23T10:00:00Z"), has_zone("2026-11-23T10:00:00")
    (True, False)
    """
    match = _ISO.fullmatch(text.strip()) or _COMPACT_ISO.fullmatch(text.strip())
    return bool(match and match.group(8))


def _plausible(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and _FIRST_YEAR <= moment.year < _LAST_YEAR else None


def _read(text: str) -> datetime | None:
    iso = _ISO.fullmatch(text) or _COMPACT_ISO.fullmatch(text)
    if iso:
        return _from_iso(iso)
    usual = _USUAL.fullmatch(text)
    if usual and usual[2].lower() in _MONTHS:
        return _from_usual(usual)
    day = _by_number_of_day(text)
    if day:
        return day
    if _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), tz=UTC)
    worded = parse_worded(text)
    if worded or not _RFC822.match(text) or _HALF_OF_A_DAY.search(text):
        return worded
    return _from_rfc822(text)


def _by_number_of_day(text: str) -> datetime | None:
    """Read ISO 8601's days of a week and of a year: 2026-W48-1, 2026-327."""
    found = _WEEK.fullmatch(text)
    if found:
        first = date.fromisocalendar(int(found[1]), int(found[2]), int(found[3]))
        return _on(first, found[4])
    found = _DAY_OF_YEAR.fullmatch(text)
    if not found:
        return None
    first = date(int(found[1]), 1, 1) + timedelta(days=int(found[2]) - 1)
    if found[2] == "000" or first.year != int(found[1]):
        raise ValueError(text)
    return _on(first, found[3])


def _on(day: date, time: str | None) -> datetime | None:
    """Read a time on a day, both with their separators or both without."""
    if not time:
        return _read(day.isoformat())
    return _read(f"{day.isoformat()}T{time}" if ":" in time[:3] else f"{day:%Y%m%d}T{time}")


def _from_iso(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = offset_of(zone or "Z")
    if offset is None:
        return None
    midnight = datetime(int(year), int(month), int(day), tzinfo=timezone(offset))
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    return at_clock(midnight, int(hour or 0), int(minute or 0), int(second or 0), microsecond).astimezone(UTC)


def _from_usual(match: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second, zone = match.groups()
    offset = offset_of(zone)
    if offset is None:
        return None
    midnight = datetime(int(year), _MONTHS.index(month.lower()) + 1, int(day), tzinfo=timezone(offset))
    return at_clock(midnight, int(hour), int(minute), int(second or 0)).astimezone(UTC)


def _from_rfc822(text: str) -> datetime | None:
    text = _GMT_OFFSET.sub(lambda m: f"{m[1]}{int(m[2]):02}{m[3] or '00'}", text)
    word = _ZONE_WORD.search(text)
    zone = offset_of(word.group(1)) if word else None
    if word and zone is None:
        return None
    fields = parsedate_tz(text[: word.start()] if word else text)
    if fields is None:
        return None
    if zone is None:
        zone = timedelta(seconds=fields[9] or 0)
    year, month, day, hour, minute, second = fields[:6]
    return at_clock(datetime(year, month, day, tzinfo=timezone(zone)), hour, minute, second).astimezone(UTC)
