"""schema.org's NewsArticle as JSON-LD, the best that a page says of itself.

Pure, and tolerant: a script that is no JSON, or members of another type, count as not said. `html_page` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from worker.adapters.sources.jsons import mappings_in, read_json, text_in
from worker.errors import FeedError

_TYPES: Final = frozenset({"BlogPosting", "LiveBlogPosting", "Report"})
_MAX_DEPTH: Final = 6
_MAX_IMAGES: Final = 50
_MAX_UPDATES: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsArticle:
    """What the JSON-LD says, as it says it; "" where it does not."""

    headline: str = ""
    description: str = ""
    body: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    section: str = ""
    language: str = ""
    keywords: tuple[str, ...] = ()
    published: str = ""
    modified: str = ""
    images: tuple[Mapping[str, Any], ...] = ()  # ImageObjects; of a mere address, only `url` is there


def find_article(scripts: Sequence[str]) -> NewsArticle:
    """Return the first article in these scripts, an empty one if there is none.

    >>> find_article(['{"@graph": [{"@type": "WebSite"}, {"@type": ["NewsArticle"], "headline": "Quake"}]}']).headline
    'Quake'
    """
    for script in scripts:
        try:
            found = read_json(script.encode("utf-8", "replace"), "")
        except FeedError:
            continue
        for thing in _things(found, 0):
            if _is_article(thing):
                return _read(thing)
    return NewsArticle()


def _things(value: object, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _things(item, depth + 1)
    elif isinstance(value, Mapping):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _things(value.get(key), depth + 1)


def _is_article(thing: Mapping[str, Any]) -> bool:
    return any(name.endswith("Article") or name in _TYPES for name in _texts(thing.get("@type")))


def _read(thing: Mapping[str, Any]) -> NewsArticle:
    keywords = _texts(thing.get("keywords"))
    return NewsArticle(
        headline=text_in(thing, "headline") or text_in(thing, "name"),
        description=text_in(thing, "description"),
        body=text_in(thing, "articleBody") or _updates(thing),
        url=text_in(thing, "url") or _first(thing.get("mainEntityOfPage"), "@id"),
        authors=_names(thing.get("author")),
        publisher=_first(thing.get("publisher"), "name"),
        section=next(iter(_texts(thing.get("articleSection"))), ""),
        language=text_in(thing, "inLanguage"),
        keywords=tuple(part for keyword in keywords for part in keyword.split(",")),
        published=text_in(thing, "datePublished") or text_in(thing, "dateCreated"),
        modified=text_in(thing, "dateModified"),
        images=_images(thing.get("image")),
    )


def _updates(thing: Mapping[str, Any]) -> str:
    """Return the posts of a live blog in their order, the newest of so many."""
    posts = mappings_in(thing, "liveBlogUpdate")[:_MAX_UPDATES]
    texts = ([text_in(post, "headline"), text_in(post, "articleBody")] for post in posts)
    return "\n\n".join(part for text in texts for part in text if part)


def _images(value: object) -> tuple[Mapping[str, Any], ...]:
    items = value if isinstance(value, list) else [value]
    objects = ({"url": item} if isinstance(item, str) else item for item in items[:_MAX_IMAGES])
    return tuple(item for item in objects if isinstance(item, Mapping))


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _names(value: object) -> tuple[str, ...]:
    """Read names that stand as strings or as objects with a name, one or many."""
    items = value if isinstance(value, list) else [value]
    return tuple(name for item in items if (name := _first(item, "name")))


def _first(value: object, key: str) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, Mapping):
        return text_in(value, key)
    return value if isinstance(value, str) else ""
