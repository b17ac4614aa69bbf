"""What all of the IPTC's formats say of an item beside its words: which version it is, and whether it may be published.

Pure. `ninjs` and `newsml` call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from worker.feeds import ParsedFeed, Withheld
from worker.model import ParsedArticle, Severity

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An item as it stands in a document. `is_embargoed`: for nobody knows how long, where there is no `embargo`."""

    article: ParsedArticle
    version: str = ""
    status: str = "usable"
    embargo: datetime | None = None
    is_embargoed: bool = False
    created: datetime | None = None
    where: str = ""


def latest(told: Sequence[Told]) -> list[Told]:
    """Keep the latest version of each item, where its first one stood; what has no GUID is an item of its own.

    >>> told = [Told(article=ParsedArticle(guid="a"), version=version) for version in ("2", "10", "9")]
    >>> [one.version for one in latest(told)]
    ['10']
    """
    kept: dict[str, Told] = {}
    for number, one in enumerate(told):
        key = one.article.guid or f"\n{number}"
        if key not in kept or _age(kept[key]) <= _age(one):
            kept[key] = one
    return list(kept.values())


def without_withheld(told: Sequence[Told], *, format_: str) -> ParsedFeed:
    """Part what may be published from what may not, or not yet."""
    held = {id(one): found for one in told if (found := _withheld(one)) is not None}
    articles = tuple(one.article for one in told if id(one) not in held)
    return ParsedFeed(articles=articles, format=format_, withheld=tuple(held.values()))


def severity_of(urgency: str) -> Severity:
    """Return how urgent an agency's item is: its 1 and 2 of 9 are important. Breaking is our own editors' word alone.

    >>> severity_of("1"), severity_of("4"), severity_of("")
    (<Severity.IMPORTANT: 'important'>, <Severity.NORMAL: 'normal'>, <Severity.NORMAL: 'normal'>)
    """
    return Severity.IMPORTANT if urgency.strip() in {"1", "2"} else Severity.NORMAL


def _age(told: Told) -> tuple[int, datetime]:
    digits = told.version.strip()
    return int(digits[:18]) if digits.isascii() and digits.isdigit() else 0, told.created or _NEVER


def _withheld(told: Told) -> Withheld | None:
    if told.status != "usable":
        why = f'pubstatus is "{told.status[:40]}": not for publication'
        return Withheld(article=told.article, why=why, where=told.where)
    if told.embargo and (told.created is None or told.embargo > told.created):
        why = f"embargoed until {told.embargo.isoformat()}"
        return Withheld(article=told.article, why=why, where=told.where, until=told.embargo)
    if told.is_embargoed and not told.embargo:
        return Withheld(article=told.article, why="embargoed until further notice", where=told.where)
    return None
