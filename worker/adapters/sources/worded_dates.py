"""Dates as people write them: the months of many languages, AM and PM, days before months and behind them.

Pure. Returns None for what could mean two days (03/04/2026). `dates` calls it for what is neither ISO 8601 nor RFC 822.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from worker.adapters.sources.zone_words import offset_of

# The beginnings of months' names, without accents. None is the beginning of another month's in another of these
# languages: Polish and Croatian, whose "listopad" is not the same, are left out.
_STEMS_BY_MONTH: Final = (
    "jan ene gen янв січ ιαν oca يناير",
    "feb fev фев лют φεβ sub فبراير",
    "mar maa mrt мар бер μαρ مارس",
    "apr avr abr апр квіт κвіт απρ nis أبريل",
    "mai may mag maj mei май мая маи трав μαι مايو",
    "jun juin giu июн черв ιουν haz يونيو",
    "jul juil lug июл лип ιουλ tem يوليو",
    "aug aou ago авг серп αυγ agu أغسطس",
    "sep set сен вер σεπ eyl سبتمبر",
    "oct okt out ott окт жовт οκτ eki أكتوبر",
    "nov ноя листоп νοε kas نوفمبر",
    "dec dez dic des дек груд δεκ ara ديسمبر",
)
_ENGLISH: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905  a row of twelve
_TIME: Final = (
    r"(?:[\s,;–T-]*(?:um|at|a las|a|alle|kl\.?|в|о)?\s*(?P<early>a\.?m\.?|p\.?m\.?|오전|오후|午前|午後|上午|下午)?\s*"
    r"(?P<hour>\d{1,2})(?:\s*(?:[:.h시時时点點])\s*(?:(?P<minute>\d{1,2})(?:\s*[:.분分]\s*(?:(?P<second>\d{1,2})[초秒]?"
    r"(?:[.,]\d+)?)?)?)?)?\s*(?:uhr)?\s*(?P<half>[ap]\.?\s?m\b\.?)?)?"
    r"\s*(?P<zone>\(?[a-z]{1,5}\)?|(?:gmt|utc)?\s?[+-]\d{1,2}:?(?:\d{2})?(?:\s?\([a-z ]+\))?)?"
)
_DAY_FIRST: Final = re.compile(
    r"(?:[^\W\d_]+[.,]*\s+){0,2}?(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|°|\.)?[\s./-]*(?:de\s+|of\s+)?"
    r"(?P<month>[^\W\d_]{3,})\.?,?[\s./-]*(?:de\s+|del\s+)?(?P<year>\d{4}|\d{2})\b\.?(?:\s?(?:г|р|года|року)\b\.?)?"
    + _TIME
)
_MONTH_FIRST: Final = re.compile(
    r"(?:[^\W\d_]+[.,]*\s+)?(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})\b" + _TIME
)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})\s*[./年년-]\s*(?P<month>\d{1,2})\s*[./月월-]\s*(?P<day>\d{1,2})\s*[.日일号號]?"
    r"\s*(?:\([^()]{1,5}\)|[월화수목금토일]요일|星期.|[週周].|.曜日)?" + _TIME
)
_DOTTED: Final = re.compile(
    r"(?:[^\W\d_]+[.,]*\s+)?(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})\b" + _TIME
)
_SLASHED: Final = re.compile(r"(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<year>\d{4})\b" + _TIME)
_KOREAN: Final = re.compile(r"[가-힣]")
_JAPANESE: Final = re.compile(r"[ぁ-ヶ]|午前|午後|時|曜")
_CHINESE: Final = re.compile(r"上午|下午|[时点點号號]|星期|[週周]")


def parse_worded(text: str) -> datetime | None:
    """Read a date in words or in an order of its own.

    Without a zone it is in UTC, but for Korean, Japanese and Chinese. Raises `ValueError` for a day that never was.

    >>> parse_worded("lundi 23 novembre 2026 à 10h30 +0100").isoformat()
    '2026-11-23T09:30:00+00:00'
    >>> parse_worded("2026년 11월 23일 오후 3시 5분").isoformat()
    '2026-11-23T06:05:00+00:00'
    >>> parse_worded("03/04/2026") is None, parse_worded("23/11/2026").day
    (True, 23)
    """
    folded = _folded(text)
    found = _YEAR_FIRST.fullmatch(folded) or _DOTTED.fullmatch(folded)
    if found:
        return _moment(found, int(found["month"]), int(found["day"]))
    found = _SLASHED.fullmatch(folded)
    if found:
        return _of_two_numbers(found)
    found = _DAY_FIRST.fullmatch(folded)
    month = _month(found["month"]) if found else None
    if found and month:
        return _moment(found, month, int(found["day"]))
    found = _MONTH_FIRST.fullmatch(folded)
    month = _month(found["month"]) if found and found["month"][:3] in _ENGLISH else None
    return _moment(found, month, int(found["day"])) if found and month else None


def at_clock(day: datetime, hour: int, minute: int, second: int, microsecond: int = 0) -> datetime:
    """Return a time of a day, whose end may be written as 24:00; a leap second is the last but one.

    >>> at_clock(datetime(2026, 12, 31), 24, 0, 0).isoformat(), at_clock(datetime(2026, 1, 1), 9, 0, 60).isoformat()
    ('2027-01-01T00:00:00', '2026-01-01T09:00:59')
    """
    if hour == 24 and not (minute or second or microsecond):
        return day + timedelta(days=1)
    return day.replace(hour=hour, minute=minute, second=59 if second == 60 else second, microsecond=microsecond)


def _folded(text: str) -> str:
    """Return small letters without accents; Hangul, which would fall apart, as it is."""
    if text.isascii():
        return text.lower().strip()
    letters = "".join(one if _KOREAN.match(one) else unicodedata.normalize("NFKD", one) for one in text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold().strip()


def _month(word: str) -> int | None:
    found = [
        number
        for number, stems in enumerate(_STEMS_BY_MONTH, 1)
        if any(word.startswith(_folded(stem)) for stem in stems.split())
    ]
    return found[0] if len(found) == 1 else None


def _of_two_numbers(found: re.Match[str]) -> datetime | None:
    one, other = int(found["a"]), int(found["b"])
    if one <= 12 and other <= 12 and one != other:
        return None
    day, month = (one, other) if one > 12 else (other, one)
    return _moment(found, month, day)


def _moment(found: re.Match[str], month: int, day: int) -> datetime | None:
    offset = offset_of(found["zone"].split("(")[0] or found["zone"]) if found["zone"] else _usual_offset(found[0])
    hour = _hour(found)
    if offset is None or hour is None:
        return None
    year = int(found["year"])
    if year < 100:
        year += 2000 if year < 50 else 1900  # RFC 2822, section 4.3
    midnight = datetime(year, month, day, tzinfo=timezone(offset))
    return at_clock(midnight, hour, int(found["minute"] or 0), int(found["second"] or 0)).astimezone(UTC)


def _hour(found: re.Match[str]) -> int | None:
    hour = int(found["hour"] or 0)
    half = (found["early"] or found["half"] or "").replace(".", "").replace(" ", "")
    if not half or 12 < hour < 24:
        return hour
    if hour > 12:
        return None
    is_late = half.startswith("p") or half in {"오후", "午後", "下午"}
    return hour % 12 + (12 if is_late else 0)


def _usual_offset(text: str) -> timedelta:
    """Return the zone in which a date of a script is written that one zone, or nearly, writes alone."""
    if _KOREAN.search(text) or _JAPANESE.search(text):
        return timedelta(hours=9)
    return timedelta(hours=8) if _CHINESE.search(text) else timedelta(0)
