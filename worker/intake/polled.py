"""What polling decides upon: a source's columns, how a poll came out, and what follows.

Values only, and how they lie in the database's columns. `polling` decides by them; `run_polling` reads and writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from worker.feeds import Manners, SourceState
from worker.intake import courtesy
from worker.intake.moving import Arrival
from worker.model import SourceId


@dataclass(frozen=True, kw_only=True, slots=True)
class Polled:
    """A source as polling knows it: every field is the column of this name, but for `published` and `manners`.

    `published` is when it published of late, newest first (column `published_lately`, as seconds since 1970).
    """

    id: SourceId
    url: str
    created_at: datetime
    house: bool = False
    every_s: float | None = None
    state: SourceState = SourceState.ACTIVE
    state_since: datetime | None = None
    state_reason: str = ""
    format: str = ""
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    refreshed_at: datetime | None = None
    poll_every_s: float | None = None
    bears_s: float | None = None
    manners: Manners = field(default_factory=Manners)
    published: tuple[datetime, ...] = ()
    moved_to: str = ""
    moved_count: int = 0
    moved_since: datetime | None = None
    last_polled_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_news_at: datetime | None = None
    last_status: int | None = None
    last_error: str = ""
    failures: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a poll sends along: validators, verbatim as they came; both "" for the whole document."""

    etag: str = ""
    last_modified: str = ""

    @property
    def is_conditional(self) -> bool:
        """Whether the answer may be "not modified"."""
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A poll that was answered with the document (`status` 200 ...) or with word that it is the same (304).

    The first fields are `fetch.Fetched`'s. `asked` is what had been asked. Of a document that was read: `format`,
    `manners`, the items' dates in any order (`published`), and how many of the items were new to us; all of these stay
    as they are here when it was not read, since it had not changed. `arrival` is what `run_moving` found out about the
    address that it permanently redirects to, where `polling.is_to_be_looked_into` wanted to know.
    """

    status: int
    url: str
    asked: Question
    etag: str = ""
    last_modified: str = ""
    permanent_redirect_to: str | None = None
    retry_after_s: float | None = None
    fresh_s: float | None = None
    body_hash: str = ""
    format: str = ""
    manners: Manners | None = None
    published: tuple[datetime, ...] = ()
    new_items: int = 0
    arrival: Arrival | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A poll that came to nothing. `status` is the answer's, None without one, 200 for bytes that are no feed.

    `reason` is one printable line.
    """

    reason: str
    asked: Question
    status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A line for the log, which begins with the source's number and name; `serious` when somebody should look."""

    text: str
    serious: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What follows from a poll: the source from now on, when to come again (None: not by itself), and what to tell."""

    source: Polled
    next_poll_at: datetime | None
    told: tuple[Told, ...] = ()

    def changes(self, before: Polled) -> dict[str, Any]:
        """Return the columns that are to be written, by name; `next_poll_at` and a free claim are always among them."""
        was, is_ = columns(before), columns(self.source)
        changed = {name: value for name, value in is_.items() if value != was[name]}
        if "url" in changed:
            changed["host"] = urlsplit(self.source.url).hostname or ""
        return {**changed, "next_poll_at": self.next_poll_at, "claimed_until": None}


_AS_THEY_ARE: Final = tuple(one.name for one in fields(Polled) if one.name not in {"id", "manners", "published"})


def polled(row: Any) -> Polled:  # noqa: ANN401  any row with all of a source's columns
    """Return a source's row as polling knows it."""
    values = {name: getattr(row, name) for name in _AS_THEY_ARE}
    published = tuple(datetime.fromtimestamp(second, UTC) for second in row.published_lately or ())
    return Polled(id=SourceId(row.id), manners=courtesy.read(row.manners), published=published, **values)


def columns(source: Polled) -> dict[str, Any]:
    """Return a source's columns by name, apart from its id, as they are written."""
    values = {name: getattr(source, name) for name in _AS_THEY_ARE}
    seconds = [int(moment.timestamp()) for moment in source.published] or None
    return {**values, "manners": courtesy.written(source.manners), "published_lately": seconds}
