"""By which key a source's item is known: what makes a later sighting of it the same item.

Pure. Unique within a source only. `run` calls it before it looks an item up.
"""

from __future__ import annotations

import hashlib
from typing import Final

from worker.intake.canonical import canonical_url
from worker.model import ParsedArticle

_MAX_KEY_CHARS: Final = 250


def item_key(article: ParsedArticle) -> str:
    """Return the item's key: its GUID, else its canonical address (under http and https alike), else its title.

    A GUID counts as it stands: publishers change its case or its query to mean another item. At most 250 characters.

    >>> item_key(ParsedArticle(guid="tag:news.example,2026:7", url="https://news.example/7"))
    'guid:tag:news.example,2026:7'
    >>> item_key(ParsedArticle(url="http://news.example/7?utm_source=rss"))
    'url:news.example/7'
    """
    address = canonical_url(article.url).partition("://")[2]
    if article.guid.strip():
        return _bounded("guid:", article.guid.strip())
    if address:
        return _bounded("url:", address)
    told = article.title or f"{article.summary}\n{article.body}"
    return "text:" + _hash(f"{article.source}\n{' '.join(told.casefold().split())}")


def _bounded(prefix: str, value: str) -> str:
    return prefix + (value if len(value) <= _MAX_KEY_CHARS - len(prefix) else "hash:" + _hash(value))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
