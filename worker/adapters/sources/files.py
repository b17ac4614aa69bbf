"""Which source reads a document: the choosers that the doors and polling call.

Pure. `read_feed` is for what is watched (feeds only); `read_document` for what a person hands in (anything).
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from worker.adapters.sources import html_page
from worker.adapters.sources.api_json import ApiJsonSource
from worker.adapters.sources.feed import FeedSource
from worker.adapters.sources.html_page import HtmlPageSource, ReadPage
from worker.adapters.sources.inflate import Inflater
from worker.adapters.sources.json_feed import JsonFeedSource
from worker.adapters.sources.limits import MAX_DOCUMENT_BYTES
from worker.adapters.sources.looks import not_a_feed, not_an_article
from worker.adapters.sources.newsml import NewsmlSource
from worker.adapters.sources.ninjs import NinjsSource
from worker.adapters.sources.plain_text import PlainTextSource
from worker.adapters.sources.sitemap import SitemapSource
from worker.errors import FeedError, FetchError, InputError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle
from worker.ports import ArticleSource

_PAGE: Final = HtmlPageSource()
_GZIP: Final = b"\x1f\x8b\x08"

FEEDS: Final[Sequence[ArticleSource]] = (FeedSource(), JsonFeedSource(), SitemapSource(), NewsmlSource(), NinjsSource())
SOURCES: Final[Sequence[ArticleSource]] = (
    *FEEDS,
    ApiJsonSource(),
    HtmlPageSource(),
    PlainTextSource(),
)


def read_feed(data: bytes, *, url: str, content_type: str, file_name: str = "") -> ParsedFeed:
    """Read what is watched: an RSS, Atom or JSON feed, a sitemap, NewsML-G2 or ninjs; gzip archives of them too.

    Raises `FeedError` that says what the bytes look like instead, and begins with `file_name`.
    """
    try:
        data = _unpacked(data, "feed")
        source = _source_for(data, content_type, FEEDS)
        if source is None:
            raise not_a_feed(data, url=url, content_type=content_type)
        return _without_own_address(source.parse(data, url=url, content_type=content_type), url)
    except InputError as error:
        raise _placed(error, file_name) from error


def read_page(data: bytes, *, url: str, content_type: str) -> ReadPage:
    """Read an article's own page. Raises `FeedError` for what is no page, or shows neither a title nor a text."""
    if not _PAGE.recognises(data, content_type):
        raise FeedError("it is no HTML page")
    return html_page.read_page(data, url=url, content_type=content_type)


def read_document(data: bytes, *, url: str, content_type: str, file_name: str = "") -> tuple[ParsedArticle, ...]:
    r"""Read the articles of anything that a person may hand in: text, HTML, JSON, ninjs, NewsML, or a feed.

    An empty `content_type` is guessed from `file_name`. Raises `InputError` (`FeedError` for bytes of no known format)
    that begins with `file_name` and names the line, item, field or offset.

    >>> read_document(b"Quake\n\nIt shook.", url="", content_type="")[0].title
    'Quake'
    """
    content_type = content_type or mimetypes.guess_type(file_name)[0] or ""
    try:
        data = _unpacked(data, "article")
        source = _source_for(data, content_type, SOURCES)
        if source is None:
            raise not_an_article(data)
        return _publishable(source.parse(data, url=url, content_type=content_type))
    except InputError as error:
        raise _placed(error, file_name) from error


def _source_for(data: bytes, content_type: str, sources: Sequence[ArticleSource]) -> ArticleSource | None:
    return next((source for source in sources if source.recognises(data, content_type)), None)


def _without_own_address(feed: ParsedFeed, url: str) -> ParsedFeed:
    """Take the document's own address off its articles: a wire's one item has none, and no reader wants the feed."""

    def mended(article: ParsedArticle) -> ParsedArticle:
        if not url or article.url != url:
            return article
        return replace(article, url=article.guid if article.guid.startswith(("http://", "https://")) else "")

    return replace(feed, articles=tuple(map(mended, feed.articles)))


def _publishable(document: ParsedFeed) -> tuple[ParsedArticle, ...]:
    """Refuse the whole file for an item that is withheld: whoever hands it in is there to be told, and takes it out."""
    for item in document.withheld:
        hint = "hand it in again, without `embargoed`, when the time has come" if item.until else ""
        raise InputError(item.why, where=item.where, hint=hint)
    return document.articles


def _unpacked(data: bytes, wanted: str) -> bytes:
    """Unpack what is a gzip archive by itself (news.xml.gz), and refuse what is too large, packed or not."""
    limit = f"{MAX_DOCUMENT_BYTES // 1_000_000} MB"
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InputError(f"larger than the limit of {limit}", hint="split it into several documents")
    if not data.startswith(_GZIP):
        return data
    inflater = Inflater("gzip", max_bytes=MAX_DOCUMENT_BYTES)
    try:
        inflater.feed(data)
        return inflater.finish()
    except FetchError as error:
        raise FeedError(
            f"no {wanted}: this is a gzip archive that is damaged, or unpacks to more than {limit}"
        ) from error


def _placed(error: InputError, file_name: str) -> InputError:
    """Say the same of the same, with the file's name in front."""
    kind = FeedError if isinstance(error, FeedError) else InputError
    where = ", ".join(part for part in (file_name, error.where) if part)
    return kind(error.message, where=where, hint=error.hint)
