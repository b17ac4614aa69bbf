"""Sitemaps (sitemaps.org 0.9) and Google's news sitemaps, and the indexes that name them.

Pure: bytes in, addresses out, with what a news sitemap tells of them. An entry of a plain sitemap has neither title nor
text: intake has its page fetched, or leaves it out. Never fetches; `ParsedFeed.further` names an index's sitemaps.
Polling and `tocsin sources parse` call it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.decoding import decode, sniffable
from worker.adapters.sources.picturing import chosen, picture
from worker.adapters.sources.xml_tree import child, children, local, subtrees, text_of
from worker.errors import FeedError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture

MAX_NEWS: Final = 1_000
"""Entries of a news sitemap that are taken, the newest: Google's own limit, which wants them from two days only."""

MAX_UNTITLED: Final = 200
"""Entries of a plain sitemap that are taken, those changed last: each costs the fetch of a page."""

MAX_FURTHER: Final = 3
"""Sitemaps of an index that are read, at every poll: those changed last."""

_HEAD_BYTES: Final = 65_536
_ROOT: Final = re.compile(rb"<(?:[\w-]+:)?(urlset|sitemapindex)[\s/>]", re.IGNORECASE)
_OTHER_ROOT: Final = re.compile(rb"<(?:!doctype\s+html|html|(?:[\w-]+:)?(?:rss|rdf|feed))[\s>]", re.IGNORECASE)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LISTS: Final = re.compile(r"(?:author|categor|tag|taxonom|user|image|video|product)", re.IGNORECASE)
_SERVICE: Final = frozenset({"www", "m", "sitemap", "sitemaps", "static", "cdn", "feeds", "rss", "amp", "xml"})
_SECOND_LEVEL: Final = frozenset({"co", "com", "or", "org", "go", "gov", "ac", "edu", "ne", "net"})


class SitemapSource:
    """Sitemaps."""

    name = "sitemap"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  servers call a sitemap anything
        """Look for a sitemap's root element that stands before any other format's."""
        head = sniffable(data[:_HEAD_BYTES])
        root, other = _ROOT.search(head), _OTHER_ROOT.search(head)
        return bool(root and (not other or root.start() < other.start()))

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the newest entries, newest first; those without any date stand last, in the document's order.

        Addresses of other hosts are left out, as the protocol says: a sitemap speaks for its own. Raises `FeedError`
        when the bytes are no sitemap, and when all its addresses are of other hosts.
        """
        text = decode(data, content_type)
        entries = list(subtrees(text, frozenset({"url", "sitemap"}), whole=False))
        ours = [entry for entry in entries if _is_ours(_address(entry, url), url)]
        if entries and not ours:
            there = urlsplit(_address(entries[0], url)).hostname or "nowhere"
            hint = f"give the address of the sitemap at {there[:80]}"
            raise FeedError("every address of this sitemap is of another host", hint=hint)
        maps = [entry for entry in ours if local(entry) == "sitemap"]
        articles = _newest([_article(entry, url) for entry in ours if local(entry) == "url"])
        kind = "sitemap-index" if maps else "news-sitemap" if any(one.title for one in articles) else "sitemap"
        title = next((one.source for one in articles if one.source), "")
        return ParsedFeed(articles=articles, format=kind, title=title, further=_further(maps, url))


def _article(entry: Element, base: str) -> ParsedArticle:
    news = child(entry, "news")
    return ParsedArticle(
        url=_address(entry, base),
        title=plain.headline(text_of(news, "title"), markup=False),
        source=plain.headline(text_of(news, "publication", "name"), markup=False),
        lang=plain.language(text_of(news, "publication", "language")),
        tags=plain.labels(re.split("[,;、]", text_of(news, "keywords"))),
        published_at=parse_date(text_of(news, "publication_date")),
        updated_at=parse_date(text_of(entry, "lastmod")),
        image=chosen(_pictures(entry, base)),
    )


def _pictures(entry: Element, base: str) -> list[Picture]:
    found = (
        picture(text_of(one, "loc"), base, alt=text_of(one, "caption") or text_of(one, "title"))
        for one in children(entry, "image")
    )
    return [one for one in found if one]


def _newest(found: list[ParsedArticle]) -> tuple[ParsedArticle, ...]:
    once: dict[str, ParsedArticle] = {}
    for article in found:
        once.setdefault(article.url, article)
    ordered = sorted(once.values(), key=lambda one: one.published_at or one.updated_at or _NEVER, reverse=True)
    titled = [one for one in ordered if one.title][:MAX_NEWS]
    untitled = [one for one in ordered if not one.title][:MAX_UNTITLED]
    return (*titled, *untitled)


def _further(maps: list[Element], base: str) -> tuple[str, ...]:
    """Return an index's sitemaps: those of articles first, then by date, then by the numbers in their names.

    Indexes without dates count their sitemaps, by month or by the thousand, and the highest number has the newest.
    """

    def rank(entry: Element) -> tuple[bool, datetime, tuple[int, ...]]:
        address = _address(entry, base)
        name = address.rpartition("/")[2]
        numbers = tuple(int(digits[:18]) for digits in re.findall("[0-9]+", urlsplit(address).path))
        return not _LISTS.search(name), parse_date(text_of(entry, "lastmod")) or _NEVER, numbers

    addresses = (_address(entry, base) for entry in sorted(maps, key=rank, reverse=True))
    return tuple(dict.fromkeys(addresses))[:MAX_FURTHER]


def _address(entry: Element, base: str) -> str:
    """Return an entry's address, in full and without white space; "" for what is none on the web."""
    told = "".join(text_of(entry, "loc").split())
    try:
        address = urljoin(base, told) if told else ""
        is_web = urlsplit(address).scheme in {"http", "https"} and bool(urlsplit(address).hostname)
    except ValueError:  # "http://[": no address
        return ""
    return address if is_web and address != base else ""


def _is_ours(address: str, base: str) -> bool:
    """Tell whether a sitemap may speak of an address: one of its own host, or of one below the same house's name.

    >>> _is_ours("https://news.gull.example/1", "https://www.gull.example/sitemap.xml")
    True
    >>> _is_ours("https://gull.example.evil.example/1", "https://www.gull.example/sitemap.xml")
    False
    """
    if not address:
        return False
    home, host = _home(urlsplit(base).hostname or ""), (urlsplit(address).hostname or "").rstrip(".")
    return not home or host == home or host.endswith(f".{home}")


def _home(host: str) -> str:
    """Take a service's name off a host, where a name of somebody's own remains.

    >>> _home("www.gull.example"), _home("sitemaps.gull.co.kr"), _home("m.co.uk"), _home("gull.example")
    ('gull.example', 'gull.co.kr', 'm.co.uk', 'gull.example')
    """
    first, _, rest = host.rstrip(".").partition(".")
    labels = rest.split(".")
    is_suffix = len(labels) < 2 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL)
    return rest if first in _SERVICE and not is_suffix else host.rstrip(".")
