"""An article's HTML page: JSON-LD first, then Open Graph, then what the page itself shows.

Pure: bytes in, one article out. nh3 parses the page as a browser does and writes it again with only the elements and
attributes that are asked for; patterns are used on that output alone. `files.read_document` calls it.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import nh3

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.decoding import decode, sniffable
from worker.adapters.sources.json_ld import NewsArticle, find_article
from worker.adapters.sources.limits import MAX_HTML_CHARS
from worker.adapters.sources.page_pictures import page_picture
from worker.adapters.sources.page_text import page_text
from worker.errors import FeedError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle

_HEAD_BYTES: Final = 4_096
_PAGE: Final = re.compile(
    rb"<(?:!doctype\s+html|(?:html|head|body|main|article|section|header|meta|title|link|div|p|h1|h2)[\s>])",
    re.IGNORECASE,
)
_XML: Final = re.compile(
    rb"<(?:[\w-]+:)?(?:rss|rdf|feed|opml|urlset|sitemapindex|newsmessage|(?:news|package|concept|planning)item)[\s/>]",
    re.IGNORECASE,
)
_METADATA: Final = nh3.Cleaner(
    tags={"title", "meta", "link", "script", "h1", "time"},
    clean_content_tags={"style", "svg"},
    attributes={
        "meta": {"property", "name", "itemprop", "content"},
        "link": {"rel", "href"},
        "script": {"type"},
        "time": {"datetime"},
    },
    link_rel=None,
)
_ELEMENT: Final = re.compile(r'<(title|h1|script|time|meta|link)((?: [\w:-]+="[^"]*")*)>')
_ATTRIBUTE: Final = re.compile(r' ([\w:-]+)="([^"]*)"')
_LANG: Final = re.compile(r"""<html\s[^<>]*?\blang\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


class HtmlPageSource:
    """A web page with one article."""

    name = "html"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  files carry none
        """Look for a page's elements at the beginning, and for no XML format's root."""
        head = sniffable(data[:_HEAD_BYTES]).lstrip()
        return head.startswith(b"<") and bool(_PAGE.search(head)) and not _XML.search(head)

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read one article. Raises `FeedError` when the page shows neither a title nor any text."""
        return ParsedFeed(articles=(read_page(data, url=url, content_type=content_type).article,), format=self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPage:
    """An article's page. `is_article`: it calls itself one, where the page of a section or of the house would not."""

    article: ParsedArticle
    is_article: bool


def read_page(data: bytes, *, url: str, content_type: str) -> ReadPage:
    """Read a page as `HtmlPageSource.parse` does, and tell what it takes itself for. Raises as that does."""
    markup = plain.sound(decode(data, content_type))
    if len(markup) > MAX_HTML_CHARS or plain.is_costly(markup):
        raise FeedError("the page is too long, too deeply nested or too full of ampersands to be an article's")
    page = _Page(markup)
    article = _article(markup, page, url)
    if not article.title and not article.body:
        raise FeedError("no article: the page has neither a title nor any text")
    says = bool(page.structured.headline) or page.first("og:type").strip().lower() == "article"
    return ReadPage(article=article, is_article=says or bool(page.first("article:published_time")))


class _Page:
    """The metadata of a page: `named` by lower-case name or property, all values in order; `texts` by element."""

    def __init__(self, page: str) -> None:
        self.named: dict[str, list[str]] = defaultdict(list)
        self.texts: dict[str, list[str]] = defaultdict(list)
        clean = _METADATA.clean(page)
        for match in _ELEMENT.finditer(clean):
            attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(match.group(2))}
            self._take(match.group(1), attributes, clean, match.end())
        self.structured: NewsArticle = find_article(self.texts["script"])

    def first(self, *names: str) -> str:
        """Return the first value there is of these names, "" if there is none."""
        return next((value for name in names for value in self.named.get(name, ()) if value.strip()), "")

    def _take(self, element: str, attributes: Mapping[str, str], clean: str, end: int) -> None:
        if element == "meta":
            name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
            self.named[name.lower()].append(attributes.get("content", ""))
        elif element == "link":
            self.named["rel:" + attributes.get("rel", "").lower()].append(attributes.get("href", ""))
        elif element == "time":
            self.named["time"].append(attributes.get("datetime", ""))
        elif element != "script" or "ld+json" in attributes.get("type", ""):
            close = clean.find(f"</{element}>", end)
            self.texts[element].append(clean[end : close if close >= 0 else None])


def _article(markup: str, page: _Page, url: str) -> ParsedArticle:
    told = page.structured
    lang = _LANG.search(markup[:_HEAD_BYTES])
    tags = told.keywords or [*page.named["article:tag"], *page.first("news_keywords", "keywords").split(",")]
    return ParsedArticle(
        url=_address(page, url),
        title=_title(page),
        summary=plain.prose(told.description or page.first("og:description", "description"), markup=False),
        body=page_text(markup, told.body),
        author=plain.byline(told.authors or _authors(page)),
        section=plain.one_line(told.section or page.first("article:section")),
        source=plain.headline(told.publisher or page.first("og:site_name"), markup=False),
        lang=plain.language(told.language or (lang.group(1) if lang else page.first("og:locale"))),
        tags=plain.labels(tags),
        published_at=parse_date(
            told.published or page.first("article:published_time", "datepublished", "date", "time")
        ),
        updated_at=parse_date(told.modified or page.first("article:modified_time", "datemodified", "og:updated_time")),
        image=page_picture(told, page.named, url),
    )


def _title(page: _Page) -> str:
    own = plain.headline(page.structured.headline or page.first("og:title"), markup=False)
    shown = (plain.headline(text, markup=True) for element in ("h1", "title") for text in page.texts[element])
    return own or next((title for title in shown if title), "")


def _authors(page: _Page) -> list[str]:
    """List the authors that are names: `article:author` is often the address of a profile."""
    names = [*page.named["author"], *page.named["article:author"]]
    return [name for name in names if "://" not in name]


def _address(page: _Page, url: str) -> str:
    for candidate in (page.first("rel:canonical"), page.first("og:url"), page.structured.url):
        try:
            address = urljoin(url, candidate.strip())
        except ValueError:  # "http://[": no address
            continue
        if candidate.strip() and address.lower().startswith(("http://", "https://")):
            return address
    return url
