"""What is counted of mails where a house wants it, and by whom a request was made: words that rooms and store share.

Decides nothing. Everything is counted by edition and story, never by reader.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from worker.model import EditionKind


class Measure(StrEnum):
    """What may be counted."""

    CLICKS = "clicks"
    OPENS = "opens"


class Visitor(StrEnum):
    """Who a request is taken for to come from."""

    PERSON = "person"
    PROXY = "proxy"  # a mail service that fetches an image when somebody opens the mail, once for many of its readers
    PREFETCH = "prefetch"  # a program that fetches whether or not anybody reads
    ROBOT = "robot"


MEASURED_KINDS: Final = frozenset(
    {EditionKind.ALERT, EditionKind.DIGEST, EditionKind.NEWSLETTER, EditionKind.ROLLING, EditionKind.CORRECTION}
)
"""News. Questions for consent and letters about a reader's own business are never counted."""


TRAP: Final = 0
"""Stands for an article in the link that nobody sees: there is none of this number."""


def read_measures(text: str) -> frozenset[Measure]:
    """Read TOCSIN_MEASURE. Raises `ValueError`.

    >>> sorted(read_measures("opens clicks")), sorted(read_measures(""))
    ([<Measure.CLICKS: 'clicks'>, <Measure.OPENS: 'opens'>], [])
    """
    return frozenset(map(Measure, text.split()))
