"""The words of an article that change by themselves: how long ago, how often read. They are no news.

Pure. Only phrases that are known to be such: a number alone may be the dead of an earthquake. `decide` compares texts
without them; what is stored and shown keeps them.
"""

from __future__ import annotations

import re
from typing import Final

_COUNT: Final = r"\d[\d,.]*[km]?"
_UNIT: Final = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|[smhd])"
_CLOCK: Final = r"\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?(?:\s?(?:[A-Z]{2,4}T?|GMT|UTC)\b)?"
_DATE: Final = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}\s[A-Za-z]{3,9}\.?(?:\s\d{4})?|[A-Za-z]{3,9}\.?\s\d{1,2}(?:,?\s\d{4})?)"
_BEFORE: Final = (
    r"(?:^|(?<=[|·•\[(\n.!?])|(?<=[|·•\[(\n.!?] ))"  # a line's start, a mark between stamps, a sentence's end
)
_AFTER: Final = r"(?=\s*(?:$|[|·•\])\n]))"
_VOLATILE: Final = re.compile(
    "|".join(
        (
            rf"\b(?:last\s)?(?:updated|modified|posted|published)\b:?\s*(?:an?|{_COUNT})\s*{_UNIT}\s+ago\b",
            rf"\b(?:last\s)?(?:updated|modified)\b:?\s*(?:(?:on|at)\s)?(?:{_DATE},?\s*(?:at\s)?)?{_CLOCK}",
            r"\b(?:last\s)?(?:updated|modified)\b:?\s*just now\b",
            rf"{_BEFORE}{_COUNT}\s*(?:views?|reads?|shares?|comments?|likes?|retweets?|reactions?)\b{_AFTER}",
            rf"\b(?:views?|shares?|comments?|likes?)\s*[:(]\s*{_COUNT}\)?{_AFTER}",
            rf"{_BEFORE}(?:조회|조회수|댓글|추천|공유)\s*:?\s*\(?{_COUNT}\)?\s*(?:회|개|건)?{_AFTER}",
            rf"{_BEFORE}\d+\s*(?:초|분|시간|일)\s*전(?:\s*(?:업데이트|수정|입력))?{_AFTER}",
            rf"(?:최종\s*)?(?:수정|업데이트)\s*:?\s*\d{{4}}[.-]\d{{1,2}}[.-]\d{{1,2}}\.?\s*(?:오[전후]\s*)?{_CLOCK}",
        )
    ),
    re.IGNORECASE,
)

# What every stamp has in it, in a text that is folded: to look for that is a hundred times as fast, and few have it.
_TRACE: Final = re.compile(
    r"updated|modified|posted|published|수정|업데이트|조회|댓글|추천|공유|\d+\s*(?:초|분|시간|일)\s*전"
    r"|\d[\d,.]*[km]?\s*(?:view|read|share|comment|like|retweet|reaction)|(?:view|share|comment|like)s?\s*[:(]"
)


def without_stamps(text: str) -> str:
    """Return a text without what changes by itself, and with single spaces.

    >>> without_stamps("Storm nears coast | Updated 5 minutes ago"), without_stamps("19 dead, 3 hours ago")
    ('Storm nears coast |', '19 dead, 3 hours ago')
    >>> without_stamps("Ports agree. 1,204 views")
    'Ports agree.'
    """
    if _TRACE.search(_folded(text)):
        text = _VOLATILE.sub(" ", text)
    return " ".join(text.split())


def _folded(text: str) -> str:
    return text.replace("\u0130", "i").replace("\u0131", "i").casefold()  # an i to a pattern that ignores case
