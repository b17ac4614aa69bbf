"""By which key a source's item is known, and by which hash one that tells nothing new is known at a glance.

Pure. Unique within a source only. `run` calls it before it looks an item up.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import Final

from worker.intake.places import place
from worker.model import ParsedArticle, Picture

_MAX_KEY_CHARS: Final = 250
_FIELDS: Final = tuple((field.name, field.default) for field in fields(ParsedArticle))


def item_key(article: ParsedArticle) -> str:
    """Return the item's key: its GUID, else its canonical address (under http and https alike), else its title.

    A GUID counts as it stands: publishers change its case or its query to mean another item. At most 250 characters.

    >>> item_key(ParsedArticle(guid="tag:news.example,2026:7", url="https://news.example/7"))
    'guid:tag:news.example,2026:7'
    >>> item_key(ParsedArticle(url="http://news.example/7?utm_source=rss"))
    'url:news.example/7'
    """
    address = place(article.url)
    if article.guid.strip():
        return _bounded("guid:", article.guid.strip())
    if address:
        return _bounded("url:", address)
    told = article.title or f"{article.summary}\n{article.body}"
    return "text:" + _hash(f"{article.source}\n{' '.join(told.casefold().split())}")


def spare_key(article: ParsedArticle) -> str:
    """Return a key for an article whose own stands for another: by its address and title.

    >>> spare_key(ParsedArticle(title="Fog")).startswith("also:")
    True
    """
    return "also:" + _hash(f"{place(article.url)}\n{' '.join(article.title.casefold().split())}")


def told_hash(article: ParsedArticle) -> str:
    """Return a hash of all that a source told of an item, its picture and dates too; never empty.

    What it did not tell has no part in it: a field that we learn to read later changes no item that lacks it.

    >>> told_hash(ParsedArticle(guid="7", title="Quake")) == told_hash(ParsedArticle(guid="7", title="Quake!"))
    False
    """
    told = {name: value for name, empty in _FIELDS if (value := getattr(article, name)) != empty}
    return _hash(json.dumps(told, sort_keys=True, default=_written))


def _written(value: object) -> object:
    return asdict(value) if isinstance(value, Picture) else str(value)


def _bounded(prefix: str, value: str) -> str:
    return prefix + (value if len(value) <= _MAX_KEY_CHARS - len(prefix) else "hash:" + _hash(value))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
