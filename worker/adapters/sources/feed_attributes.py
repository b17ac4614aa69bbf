"""What feedparser makes of an element's attributes and texts: the fast reader's copies of its habits.

Pure. `feed_fast` calls it, and leaves a feed to feedparser where this raises `UnusualError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from feedparser.html import _cp1252
from feedparser.urls import _urljoin, make_safe_absolute_uri

from worker.adapters.sources.feed_names import prefix_of
from worker.adapters.sources.feed_parsers import Strict

_READ_NAMES: Final = """
    url uri href rel type term label scheme domain medium width height mode src version ispermalink lang base lastmod
    about name caption credit
"""
_READ: Final = frozenset(_READ_NAMES.split())
"""Attributes that mean something: one of an unknown namespace counts to feedparser as one without any."""

_PART: Final = r"[\w.~%+,@!$'()*:=&/|-]"
_PLAIN_ADDRESS: Final = re.compile(
    rf"https?://[a-z0-9.-]+(?::[0-9]+)?(?:/{_PART}*)?(?:\?{_PART}+)?(?:#{_PART}+)?", re.ASCII
)
"""Addresses that come out of `urljoin` as they went in."""

_C1: Final = re.compile("[\x80-\x9f]")
_LINK_ENTITY: Final = re.compile("&([A-Za-z0-9_]+);")
_CONTENT_TYPES: Final = {
    "text": "text/plain",
    "plain": "text/plain",
    "text/plain": "text/plain",
    "html": "text/html",
    "text/html": "text/html",
}


class UnusualError(Exception):
    """A feed that is for feedparser to read."""


def plain_names(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return attributes by feedparser's names: in small letters, with a prefix where it knows the namespace.

    >>> plain_names({"isPermaLink": "True", "http://www.w3.org/XML/1998/namespace lang": "ko", "REL": "Self"})
    {'ispermalink': 'True', 'xml:lang': 'ko', 'rel': 'self'}
    """
    found: dict[str, str] = {}
    for name, value in attributes.items():
        namespace, _, local = name.rpartition(" ")
        key = local.lower()
        if namespace:
            prefix = prefix_of(namespace)
            if prefix:
                key = f"{prefix}:{key}"
            elif key in _READ:
                raise UnusualError
            else:
                continue
        found[key] = value.lower() if key in {"rel", "type"} else value
    return found


def href_of(attributes: Mapping[str, str]) -> str | None:
    """Return the address that a link or an enclosure names, None where it names none."""
    href = attributes.get("url", attributes.get("uri", attributes.get("href")))
    if href == "" or ("href" in attributes and not href):
        raise UnusualError
    return href


def content_type(attributes: Mapping[str, str], default: str) -> str:
    """Return the type of a text: plain or HTML."""
    kind = _CONTENT_TYPES.get(attributes.get("type", default))
    if not kind or "mode" in attributes or "src" in attributes:
        raise UnusualError
    return kind


def is_html(kind: str, text: str, *, is_atom: bool) -> bool:
    """Tell whether a text is HTML; RSS, which does not say, is guessed at.

    >>> is_html("text/plain", "AT&amp;T", is_atom=False), is_html("text/plain", "AT&amp;T", is_atom=True)
    (True, False)
    """
    if kind != "text/plain" or is_atom or not ("&" in text or "</" in text):
        return kind == "text/html"
    return bool(Strict.looks_like_html(text))


def mended(text: str) -> str:
    r"""Mend UTF-8 that was taken for Latin-1, and the characters of Windows.

    >>> mended("Ã©tÃ©"), mended("It\x92s")
    ('été', 'It’s')
    """
    if text.isascii():
        return text
    with suppress(UnicodeError):  # most are what they seem
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _C1.search(text) else text


def start_of(url: str) -> str:
    """Return what addresses are relative to, given a feed's own."""
    base = _step(url, url)
    if _step(base, base) != base:  # feedparser takes this step at every element
        raise UnusualError
    return base


def based(base: str, attributes: Mapping[str, str]) -> str:
    """Return what addresses within an element are relative to."""
    own = attributes.get("xml:base", attributes.get("base"))
    return start_of(_step(base, own)) if own else base


def resolved(base: str, address: str) -> str:
    """Return an address that may be relative.

    >>> resolved("https://news.example/rss/", "../story"), resolved("https://a.example/", "https://b.example/x?y#z")
    ('https://news.example/story', 'https://b.example/x?y#z')
    """
    return address if _PLAIN_ADDRESS.fullmatch(address) else str(_urljoin(base, address))


def link_text(base: str, text: str) -> str:
    """Return the address in a `<link>` of RSS."""
    address = mended(resolved(base, text)) if text else ""
    return _LINK_ENTITY.sub(r"&\g<1>", address.replace("&amp;", "&")) if "&" in address else address


def _step(base: str, address: str) -> str:
    if not base:
        return str(_urljoin(base, address))
    return make_safe_absolute_uri(base, address) or base
