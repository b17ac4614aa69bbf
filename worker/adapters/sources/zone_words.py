"""What the words and numbers behind a time say of its distance from UTC.

Pure. `dates` and `worded_dates` call it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_OFFSET: Final = re.compile(r"(?:GMT|UTC|UT)?\s*([+-\u2212])\s*(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_MILITARY: Final = re.compile("[A-IK-Z]")
_LARGEST: Final = timedelta(hours=14)  # Kiritimati's

# Zone words that newspapers' feeds use. RFC 822 settles the North American ones; IST is India's here, BST Britain's.
_WORDS_BY_HOURS: Final = {
    0: "UTC GMT UT WET",
    1: "CET MET MEZ WEST BST WAT",
    2: "CEST MEST MESZ EET SAST CAT",
    3: "EEST MSK EAT TRT IDT",
    3.5: "IRST",
    4: "MSD GST",
    4.5: "AFT",
    5: "PKT YEKT UZT",
    5.5: "IST",
    5.75: "NPT",
    6.5: "MMT",
    7: "ICT WIB",
    8: "HKT SGT MYT PHT AWST WITA",
    9: "KST JST WIT",
    9.5: "ACST",
    10: "AEST VLAT",
    10.5: "ACDT",
    11: "AEDT",
    12: "NZST",
    13: "NZDT",
    -2: "BRST",
    -2.5: "NDT",
    -3: "BRT ART ADT CLST UYT",
    -3.5: "NST",
    -4: "AST EDT CLT BOT VET",
    -5: "EST CDT COT PET",
    -6: "CST MDT",
    -7: "MST PDT",
    -8: "PST AKDT",
    -9: "AKST",
    -10: "HST",
}
_ZONES: Final = {word: timedelta(hours=hours) for hours, words in _WORDS_BY_HOURS.items() for word in words.split()}


def offset_of(zone: str) -> timedelta | None:
    """Return a zone's distance from UTC, None for a word that is nobody's zone.

    The military's letters count as UTC, whatever they say (RFC 2822, section 4.3): RFC 822 had their signs reversed.

    >>> offset_of("KST"), offset_of("+05:30"), offset_of("GMT-3"), offset_of("A"), offset_of("XYZ")
    (datetime.timedelta(seconds=32400), datetime.timedelta(seconds=19800), datetime.timedelta(days=-1, seconds=75600), \
datetime.timedelta(0), None)
    """
    zone = zone.strip(" ()").upper()
    if not zone or _MILITARY.fullmatch(zone):
        return timedelta(0)
    signed = _OFFSET.fullmatch(zone)
    if not signed:
        return _ZONES.get(zone)
    size = timedelta(hours=int(signed[2]), minutes=int(signed[3] or 0))
    if size > _LARGEST:
        return None
    return size if signed[1] == "+" else -size
