"""What a mail's links and pictures are, which of them are asked for, and what a server's answer was. Values; pure.

`run_links` asks; `check_links` and `check_pictures` judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from worker.preflight.mail import Mail

_RESERVED: Final = re.compile(r"(?:.*\.)?example(?:\.(?:com|net|org))?|.*\.(?:test|invalid)")
MOST: Final = 400  # addresses that are asked of one mail
_AROUND: Final = ">]}\"'”’.,;:!?"  # what stands behind an address in a text


class Trouble(StrEnum):
    """Why there is no answer."""

    NONE = ""
    PRIVATE = "private address"
    SILENT = "no answer in time"
    UNREACHABLE = "cannot be reached"
    REDIRECTS = "redirects too often"
    NO_TIME = "no time was left"  # ours
    NO_ADDRESS = "no address on the web"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one address. `status` is None where no server answered; `size_bytes` None where nobody knows."""

    status: int | None = None
    trouble: Trouble = Trouble.NONE
    says: str = ""
    url: str = ""  # where the answer came from, after redirects
    content_type: str = ""
    size_bytes: int | None = None


def wanted(mail: Mail) -> tuple[str, ...]:
    """Return the addresses to ask, each once: links of both parts and pictures, of our own pages one for all.

    Without fragments, without the links that each reader has of their own, those that hold a password, and hosts that
    nobody has.
    """
    asked: dict[str, None] = {}
    ours = False
    for url in (*links_of(mail), *pictures_of(mail)):
        if not url.lower().startswith(("http://", "https://")) or mail.is_personal(url):
            continue
        if _names_somebody(url) or is_reserved(host_of(url)):
            continue
        if mail.is_ours(url) and not is_picture(mail, url):
            if ours:
                continue
            ours = True
        asked[without_fragment(url)] = None
    return tuple(asked)[:MOST]


def links_of(mail: Mail) -> tuple[str, ...]:
    """Return the addresses that the HTML and the text lead to, in their order, each once."""
    return tuple(dict.fromkeys([*(link.url for link in mail.page.links if link.url), *_in_text(mail.text)]))


def pictures_of(mail: Mail) -> tuple[str, ...]:
    """Return the addresses of pictures, each once."""
    return tuple(dict.fromkeys(url for one in mail.page.of("img") if (url := one.get("src").strip())))


def is_picture(mail: Mail, url: str) -> bool:
    """Tell whether an address is a picture's."""
    return url in pictures_of(mail)


def host_of(url: str) -> str:
    """Return an address's host; "" for what is none.

    >>> host_of("https://User@News.Example:443/a"), host_of("https://[broken")
    ('news.example', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def without_fragment(url: str) -> str:
    """Return an address as a server is asked for it: also one that is none, which a headline may have in it.

    >>> without_fragment("https://news.example/a#b"), without_fragment("http://[broken#b")
    ('https://news.example/a', 'http://[broken')
    """
    return url.partition("#")[0]


def _names_somebody(url: str) -> bool:
    """Tell whether a password stands in an address: it is not used."""
    try:
        return urlsplit(url).username is not None
    except ValueError:
        return False


def is_reserved(host: str) -> bool:
    """Tell whether a host's name is set apart for examples and tests (RFC 2606): there is no such server.

    >>> is_reserved("news.example"), is_reserved("www.example.com"), is_reserved("example.news")
    (True, True, False)
    """
    return _RESERVED.fullmatch(host) is not None


def _in_text(text: str) -> Iterator[str]:
    for word in text.split():
        start = max(word.find("https://"), word.find("http://"))
        if start >= 0:
            url = word[start:].rstrip(_AROUND)
            yield url if url.count("(") >= url.count(")") else url.rstrip(f"){_AROUND}")
