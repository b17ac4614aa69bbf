"""Whether a source's new address may be written down in place of its old one, and whether a feed still is one.

Pure. A permanent redirect is believed after it has been seen for a while, and only if what lies there is what we know:
a hijacked or expired domain, a login page and a misset server all answer 301 too. `polling` asks it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

SEEN_OFTEN: Final = 3
SEEN_FOR: Final = timedelta(days=1)
MAX_URL_CHARS: Final = 2_000
_PAGES: Final = frozenset({"html", "text", ""})
_INNER_NAMES: Final = ("localhost", ".local", ".internal", ".home.arpa", ".localhost")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What was found at a new address.

    `items` are in the document, `known` of these are stored as this source's; `has_items` tells whether any item of it
    is stored. `watched_as` is the name of another source that has this address, "" where none has.
    """

    items: int
    known: int
    has_items: bool
    watched_as: str = ""


def is_ripe(*, seen: int, since: datetime | None, now: datetime) -> bool:
    """Tell whether a redirect that was `seen` in so many polls in a row, this one among them, is to be looked into.

    >>> monday = datetime(2026, 11, 23)
    >>> is_ripe(seen=3, since=monday, now=monday + timedelta(days=1)), is_ripe(seen=9, since=monday, now=monday)
    (True, False)
    """
    return seen >= SEEN_OFTEN and since is not None and now - since >= SEEN_FOR


def why_not(url: str, target: str, arrival: Arrival) -> str:
    """Return why a source stays at `url` though it says to have moved to `target`; "" when it may move.

    That `target` is on the public internet has been seen to by the fetch, which has just been there; a name or number
    that means another machine elsewhere is not written down all the same.

    >>> here = Arrival(items=20, known=18, has_items=True)
    >>> why_not("http://a.example/rss", "https://b.example/rss", here)
    ''
    >>> why_not("https://a.example/rss", "http://b.example/rss", here)
    'it would be fetched without encryption'
    >>> why_not("http://a.example/rss", "https://b.example/rss", Arrival(items=20, known=0, has_items=True))
    'of the 20 items there we know 0'
    """
    old, new = urlsplit(url), urlsplit(target)
    if arrival.watched_as:
        return f'that address is watched already, as "{arrival.watched_as}"'
    if len(target) > MAX_URL_CHARS:
        return "that address is too long"
    if new.username or new.password:
        return "that address has a password in it"
    if old.username or old.password:
        return "the present address has a password in it, which is nobody else's: change it yourself"
    if old.scheme == "https" and new.scheme != "https":
        return "it would be fetched without encryption"
    if _is_inner(new.hostname or "") and new.hostname != old.hostname:
        return "that address is of some network's own"
    if not arrival.items or (arrival.has_items and 2 * arrival.known < arrival.items):
        return f"of the {arrival.items} items there we know {arrival.known}"
    return ""


def became_a_page(*, was: str, is_: str) -> bool:
    """Tell whether a source of one format (`ParsedFeed.format`) now serves a web page: a login, a parked domain.

    >>> became_a_page(was="rss20", is_="html"), became_a_page(was="html", is_="html"), became_a_page(was="", is_="html")
    (True, False, False)
    """
    return was not in _PAGES and is_ in _PAGES


def leads_away(url: str, answered_from: str) -> bool:
    """Tell whether an answer came from another host than was asked, or without the encryption that was asked for.

    >>> leads_away("https://a.example/rss", "https://b.example/rss"), leads_away("https://a.example", "http://a.example")
    (True, True)
    >>> leads_away("http://a.example", "https://A.example/feed")
    False
    """
    asked, came = urlsplit(url), urlsplit(answered_from)
    return asked.hostname != came.hostname or (asked.scheme == "https" and came.scheme != "https")


def _is_inner(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_INNER_NAMES)
