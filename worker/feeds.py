"""What a watched document tells: its articles, and what it asks of whoever polls it.

Values only. The sources in `adapters` fill them, intake decides by them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from worker.model import ParsedArticle


class SourceState(StrEnum):
    """Whether a source is polled."""

    ACTIVE = "active"
    PAUSED = "paused"  # by an operator
    GONE = "gone"  # it says of itself that it is no more (HTTP 410)
    REMOVED = "removed"  # by an operator, for good; its row stays as long as its articles do


class SourceCondition(StrEnum):
    """How well a watched source does. `intake.judge_source` says when it is which."""

    OK = "ok"
    NEVER = "never"  # has not answered yet
    FAILING = "failing"
    SILENT = "silent"  # answers well, and has told nothing for far longer than it usually does
    SLOW = "slow"  # its articles come later after their publication than they used to
    MOVED = "moved"  # redirects for good, to where it has not been followed
    HELD = "held"
    PAUSED = "paused"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """How a feed wants to be polled, as far as it says; hours are UTC, 0 to 23, days 0 (Monday) to 6.

    `every_s` is its own word on how often it changes (RSS `ttl`, `sy:updatePeriod`), `None` where it says nothing.
    """

    every_s: float | None = None
    skip_hours: frozenset[int] = field(default_factory=frozenset)
    skip_days: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, kw_only=True, slots=True)
class Withheld:
    """An item that its agency does not let be published: never any more, or (`until`) not before that moment.

    `why` says so in its own words, `where` names the item in the document.
    """

    article: ParsedArticle
    why: str
    where: str = ""
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedFeed:
    """A document as its format tells it.

    `articles` stand in the document's own order and may be none. `title` is the feed's own. `hubs` are WebSub hubs and
    `topic` the address that they know it by (rel="self"), "" where not told. `further` are documents that belong to
    this one and list articles too: the sitemaps of an index, the next page of an archive is none of them. `withheld`
    items are not among the articles.
    """

    articles: tuple[ParsedArticle, ...]
    format: str = ""
    title: str = ""
    manners: Manners = field(default_factory=Manners)
    hubs: tuple[str, ...] = ()
    topic: str = ""
    further: tuple[str, ...] = ()
    withheld: tuple[Withheld, ...] = ()
