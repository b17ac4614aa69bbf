"""The items of a document, fit to be judged: each under one key, none twice.

Pure. `run` makes them of what a source tells, before it asks the store which it knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from worker.intake.identity import item_key, told_hash
from worker.intake.places import place
from worker.intake.validate import Valid
from worker.model import ParsedArticle

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An item that may be an article: by which key it is known, and the hash of what was told of it."""

    article: ParsedArticle
    key: str
    hash: str
    notes: tuple[str, ...] = ()  # what was put right
    is_dated: bool = False  # its source tells when it was published


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWord:
    """What became of an article's own page, where its source has its pages fetched.

    `told_hash` stands for what the source itself has told, and for whether the page is still to come (`is_owed`).
    `note` says why there is none.
    """

    told_hash: str
    note: str = ""
    is_owed: bool = False


def told_of(parsed: ParsedArticle, valid: Valid, pages: Mapping[str, PageWord] | None = None) -> Told:
    """Return an item as told and as found valid; `pages` says, by item key, what became of its own page."""
    key = item_key(valid.article)
    page = (pages or {}).get(key)
    return Told(
        article=valid.article,
        notes=(*valid.notes, page.note) if page and page.note else valid.notes,
        key=key,
        hash=page.told_hash if page else told_hash(parsed),
        # A date in the future was taken for now: it tells nothing.
        is_dated=parsed.published_at is not None and parsed.published_at == valid.article.published_at,
    )


def once_each(items: Sequence[Told]) -> list[Told]:
    """Return a document's items, in their order, each under a key of its own.

    Of items with one key and one address the latest stands, and of these the first. A key that stands for several
    addresses is none: each of them then goes by its address.

    >>> one = ParsedArticle(guid="1", url="https://gull.example/a", title="Fog")
    >>> told = [Told(article=article, key="guid:1", hash="") for article in (one, replace(one, url=one.url + "b"), one)]
    >>> [item.key for item in once_each(told)]
    ['url:gull.example/a', 'url:gull.example/ab']
    """
    places = defaultdict(set)
    for one in items:
        places[one.key].add(place(one.article.url))
    keyed = [_by_place(one) if len(places[one.key]) > 1 else one for one in items]
    latest: dict[str, Told] = {}
    for one in keyed:
        if one.key not in latest or _told_at(latest[one.key]) < _told_at(one):
            latest[one.key] = one
    return list(latest.values())


def _by_place(one: Told) -> Told:
    return replace(one, key=item_key(replace(one.article, guid="")))


def _told_at(one: Told) -> datetime:
    return one.article.updated_at or one.article.published_at or _NEVER
