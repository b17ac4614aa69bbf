"""What bytes look like that no source could read: the sentence that tells a person what they handed in instead.

Pure. Never decides what is parsed; it only words the refusal. The feed sources and the choosers call it.
"""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import urljoin

from worker.adapters.sources.decoding import decode, is_text
from worker.errors import FeedError

_HEAD_BYTES: Final = 200_000
_SIGNATURES: Final = (
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
)
_PAGE: Final = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_ROOT: Final = re.compile(r"<([A-Za-z_][\w:.-]*)")
_LINK: Final = re.compile(r"<link\s[^<>]*>", re.IGNORECASE)
_FEED_TYPE: Final = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json)", re.IGNORECASE)
_HREF: Final = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_HINTS: Final = {
    **dict.fromkeys(("rss", "feed", "rdf", "rdf:rdf"), "it is cut off or damaged"),
    "newsml": "it is NewsML 1; ask the agency for NewsML-G2 or ninjs",
    "nitf": "it is one story without its message; ask the agency for NewsML-G2 or ninjs",
    "opml": "a list of feeds is read by `tocsin sources import`",
}


def not_a_feed(data: bytes, *, url: str, content_type: str) -> FeedError:
    """Word the refusal of something that is no feed.

    >>> str(not_a_feed(b"<opml version='2.0'/>", url="", content_type=""))
    'no feed: XML whose root element is <opml> (a list of feeds is read by `tocsin sources import`)'
    """
    what = binary_kind(data)
    if what:
        return FeedError(f"no feed: this is {what}")
    text = decode(data[:_HEAD_BYTES], content_type).lstrip()
    if _PAGE.search(text):
        return FeedError("no feed: this looks like an HTML page", hint=_page_hint(text, url))
    root = _ROOT.search(text)
    if text.startswith("<") and root:
        name = root.group(1)
        return FeedError(f"no feed: XML whose root element is <{name[:40]}>", hint=_HINTS.get(name.lower(), ""))
    if text.startswith(("{", "[")):
        hint = 'a JSON Feed says "version": "https://jsonfeed.org/version/1.1"'
        return FeedError("no feed: this looks like JSON of another kind", hint=hint)
    return FeedError("no feed: this looks like plain text" if text else "no feed: the document is empty")


def not_an_article(data: bytes) -> FeedError:
    """Word the refusal of something in which no source finds an article.

    >>> str(not_an_article(b"%PDF-1.7"))
    'no article: this is a PDF file (hand in plain text, HTML, JSON, RSS or Atom)'
    """
    what = binary_kind(data) or ("markup of an unknown kind" if data.strip() else "empty")
    return FeedError(f"no article: this is {what}", hint="hand in plain text, HTML, JSON, RSS or Atom")


def binary_kind(data: bytes) -> str:
    """Name the kind of file that is no text, "" for text.

    >>> binary_kind(b"GIF89a"), binary_kind(b"words")
    ('an image', '')
    """
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            return what
    return "" if is_text(data) else "binary data"


def _page_hint(text: str, url: str) -> str:
    for link in _LINK.findall(text):
        href = _HREF.search(link)
        if href and _FEED_TYPE.search(link):
            address = _joined(url, html.unescape(next(group for group in href.groups() if group is not None)).strip())
            return f"did you mean the page's feed? It links to {address}"
    return "give the address of the feed itself"


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # "http://[": no address, but the page's own words
        return address
