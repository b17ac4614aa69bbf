"""From the dates that sources write to aware UTC datetimes.

Pure. Returns None for what is no date, rather than guess. Feeds, pages and JSON formats call it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_ISO: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:T|t|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*([A-Za-z]{1,5}|[+-]\d{2}:?\d{0,2})?"
)
_COMPACT_ISO: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{0,2})?"
)
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_ZONE_WORD: Final = re.compile(r"\s\(?([A-Za-z]{1,5})\)?$")
_GMT_OFFSET: Final = re.compile(r"\b(?:GMT|UTC)\s*([+-])(\d{1,2}):?(\d{2})?$", re.IGNORECASE)

# Zone words that newspapers' feeds use. RFC 822 settles the North American ones; IST is India's here, BST Britain's.
_WORDS_BY_HOURS: Final = {
    0: "UTC GMT UT Z WET",
    1: "CET MET WEST BST",
    2: "CEST MEST EET SAST CAT",
    3: "EEST MSK EAT",
    5: "PKT",
    5.5: "IST",
    5.75: "NPT",
    7: "ICT WIB",
    8: "HKT SGT MYT PHT AWST",
    9: "KST JST",
    9.5: "ACST",
    10: "AEST",
    10.5: "ACDT",
    11: "AEDT",
    12: "NZST",
    13: "NZDT",
    -2.5: "NDT",
    -3: "BRT ART ADT",
    -3.5: "NST",
    -4: "AST EDT",
    -5: "EST CDT",
    -6: "CST MDT",
    -7: "MST PDT",
    -8: "PST AKDT",
    -9: "AKST",
    -10: "HST",
}
_ZONES: Final = {word: timedelta(hours=hours) for hours, words in _WORDS_BY_HOURS.items() for word in words.split()}
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200


def parse_date(text: str) -> datetime | None:
    """Read ISO 8601 and RFC 822 dates, with offsets or zone words; without either they count as UTC.

    >>> parse_date("Mon, 23 Nov 2026 09:00:00 KST")
    datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("2026-11-23T10:00:00.25-03:30").isoformat()
    '2026-11-23T13:30:00.250000+00:00'
    >>> parse_date("soon") is None
    True
    """
    text = " ".join(text.split())[:100]
    match = _ISO.fullmatch(text) or _COMPACT_ISO.fullmatch(text)
    try:
        return _plausible(_from_iso(match) if match else _from_rfc822(text))
    except (ValueError, OverflowError):  # the 31st of November; the year 10000
        return None


def from_utc_fields(fields: Sequence[int]) -> datetime | None:
    """Return the time of a `struct_time` in UTC.

    >>> from_utc_fields((2026, 11, 23, 9, 0, 61, 0, 0, 0)).isoformat()
    '2026-11-23T09:00:59+00:00'
    """
    year, month, day, hour, minute, second = fields[:6]
    try:
        return _plausible(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC))
    except (ValueError, OverflowError):
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


def _from_iso(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = _offset(zone or "Z")
    if offset is None:
        return None
    local = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        min(int(second or 0), 59),  # a leap second
        int((fraction or "0").ljust(6, "0")[:6]),
        tzinfo=timezone(offset),
    )
    return local.astimezone(UTC)


def _from_rfc822(text: str) -> datetime | None:
    text = _GMT_OFFSET.sub(lambda m: f"{m[1]}{int(m[2]):02}{m[3] or '00'}", text)
    word = _ZONE_WORD.search(text)
    zone = _offset(word.group(1)) if word else None
    fields = parsedate_tz(text[: word.start()] if word and zone is not None else text)
    if fields is None:
        return None
    if zone is None:
        zone = timedelta(seconds=fields[9] or 0)
    year, month, day, hour, minute, second = fields[:6]
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(zone)).astimezone(UTC)


def _offset(zone: str) -> timedelta | None:
    signed = _OFFSET.fullmatch(zone)
    if not signed:
        return _ZONES.get(zone.upper())
    size = timedelta(hours=int(signed[2]), minutes=int(signed[3] or 0))
    return -size if signed[1] == "-" else size
