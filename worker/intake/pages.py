"""Which articles' own pages are worth a fetch, and what a page adds to what its source has told.

Pure. `run_pages` fetches what `wanted` names, in that order. An item is compared with what its source told of it
before, never with what its page said: a page that changes by itself changes no article.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from worker.intake.identity import item_key, told_hash
from worker.intake.places import place
from worker.model import ParsedArticle

MAX_TRIES: Final = 3
RETRY_S: Final = 3_600.0

_CUT: Final = 1.5
"""How much longer than a source's own text a page's must be to stand in: less is a caption, or somebody's banner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What a source tells of an item: the key that it is known by, and the hash of the telling."""

    article: ParsedArticle
    key: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What became of an item's page, as the item was told then. `again_s`: when to try again; None: not as it is."""

    hash: str
    tries: int
    again_s: float | None


def items_of(told: Sequence[ParsedArticle], *, lang: str) -> list[Item]:
    """Return what a source tells, each item once, in its order; `lang` is its language where it tells none.

    A key that stands for several addresses is none (see `told.once_each`): such items go by their addresses.
    """
    places = defaultdict(set)
    for article in told:
        places[item_key(article)].add(place(article.url))
    items: dict[str, Item] = {}
    for article in told:
        key, whole = item_key(article), replace(article, lang=article.lang or lang)
        if len(places[key]) > 1:
            key = item_key(replace(article, guid=""))
        items.setdefault(key, Item(article=article, key=key, hash=told_hash(whole)))
    return list(items.values())


def wanted(items: Sequence[Item], known: Mapping[str, str], looks: Mapping[str, Look], *, now_s: float) -> list[Item]:
    """Return the items whose pages are to be fetched: new ones, then changed ones, then those that had no luck.

    `known` is the hash of what was last told of each stored item.
    """
    ranked = [(rank, item) for item in items if (rank := _rank(item, known, looks.get(item.key), now_s)) is not None]
    return [item for _, item in sorted(ranked, key=lambda one: one[0])]


def _rank(item: Item, known: Mapping[str, str], look: Look | None, now_s: float) -> int | None:
    if not item.article.url or known.get(item.key) == item.hash:
        return None
    if look and look.hash == item.hash:
        if look.again_s is None or look.again_s > now_s:
            return None
        return 2 if item.key in known or look.tries else 0  # what nobody got to is as new as ever
    return 1 if item.key in known else 0


def owed_hash(item: Item) -> str:
    """Return what stands for an item whose page is still to come: told otherwise, once it has come."""
    return f"{item.hash}?"


def after_failure(item: Item, look: Look | None, *, now_s: float, for_good: bool) -> Look:
    """Return when to try a page again that failed: ever later, and not for ever."""
    tries = (look.tries if look and look.hash == item.hash else 0) + 1
    ends = for_good or tries >= MAX_TRIES
    return Look(hash=item.hash, tries=tries, again_s=None if ends else now_s + RETRY_S * 2 ** (tries - 1))


def completed(told: ParsedArticle, page: ParsedArticle) -> ParsedArticle:
    """Return an item with what its page adds; what the source says stays.

    A text is taken where the source has none, or one so much shorter that it must be a teaser.

    >>> completed(ParsedArticle(title="Quake", body="It shook."), ParsedArticle(title="Home", author="Jun Seo")).title
    'Quake'
    >>> completed(ParsedArticle(body="It shook."), ParsedArticle(body="It shook. Nobody was hurt.")).body
    'It shook. Nobody was hurt.'
    """
    return replace(
        told,
        title=told.title or page.title,
        summary=told.summary or page.summary,
        body=page.body if len(page.body) > _CUT * len(told.body) else told.body,
        author=told.author or page.author,
        section=told.section or page.section,
        source=told.source or page.source,
        lang=told.lang or page.lang,
        tags=told.tags or page.tags,
        published_at=told.published_at or page.published_at,
        updated_at=told.updated_at or page.updated_at,
        image=told.image or page.image,
    )


def told_by_page(told: ParsedArticle, page: ParsedArticle, *, is_article: bool) -> ParsedArticle | None:
    """Return what a source and a fetched page tell together; None where the two make no article.

    A sitemap lists every page of a site. What it gives no title counts as news only where the page calls itself an
    article (`is_article`) and says when it was published: a page about the house, touched today, is none.

    >>> told_by_page(ParsedArticle(url="https://gull.example/about"), ParsedArticle(title="About"), is_article=False)
    """
    if not told.title and not (is_article and page.title and page.published_at):
        return None
    return completed(told, page)
