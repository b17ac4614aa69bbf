"""The addresses of feeds as people write them: which are one, and which are none.

Pure. Decides nothing about what answers there. The lists, `run_sources` and the doors call it.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from worker.errors import InputError

MAX_ADDRESS_CHARS: Final = 2_000
_FEED: Final = re.compile(r"feed(s?):(//)?(?=(https?://)?)", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]+")
_LOGIN: Final = re.compile(r"(?<=//)[^/?#]*@")
_HIDDEN: Final = "***"
_PORTS: Final = {"http": 80, "https": 443}
_KEPT: Final = "/:@!$&'()*+,;=-._~%"
_EXAMPLE: Final = "https://news.example/feed.xml"


def read_address(written: str, *, where: str = "URL") -> str:
    """Return a feed's address as it can be fetched: `feed:` undone, spaces escaped, the rest as it stands.

    Raises `InputError` for what is no address on the web.

    >>> read_address("feed://news.example/rss"), read_address(" feed:https://news.example/a b ")
    ('http://news.example/rss', 'https://news.example/a%20b')
    >>> read_address("news.example/rss")
    Traceback (most recent call last):
        ...
    worker.errors.InputError: URL: 'news.example/rss' is no feed address (write https://news.example/rss)
    """
    address = without_feed_scheme(_UNSEEN.sub("", written).strip()).replace(" ", "%20")
    parts = _split(address)
    if len(address) > MAX_ADDRESS_CHARS:
        raise InputError(f"an address of more than {MAX_ADDRESS_CHARS:,} characters", where=where, hint="shorten it")
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        bare = re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?([/?].*)?", address)
        hint = f"write https://{address}" if bare else f"write {_EXAMPLE}"
        raise InputError(f"{_shown(written)} is no feed address", where=where, hint=hint)
    return address


def without_feed_scheme(address: str) -> str:
    """Undo what browsers once put before a feed's address, so that a feed reader would open it.

    >>> without_feed_scheme("feed:https://a.example/"), without_feed_scheme("feeds://a.example/")
    ('https://a.example/', 'https://a.example/')
    """
    found = _FEED.match(address)
    if found is None:
        return address
    rest = address[found.end() :].lstrip("/")
    return rest if _WEB.match(rest) else f"http{found[1].lower()}://{rest}"


def address_key(address: str) -> str:
    """Return what all spellings of one address have in common: scheme, port and a last slash say nothing.

    >>> address_key("HTTP://News.example:80/feed/#top") == address_key("https://news.example/feed")
    True
    >>> address_key("https://news.example/?feed=rss2") == address_key("https://news.example/?feed=atom")
    False
    """
    parts = _split(without_feed_scheme(address.strip()))
    if parts is None or not parts.hostname:
        return address
    host = _ascii(parts.hostname.rstrip("."))
    port = f":{parts.port}" if parts.port and parts.port != _PORTS.get(parts.scheme) else ""
    user = f"{parts.username}@" if parts.username else ""
    query = f"?{_spelt(parts.query)}" if parts.query else ""
    return f"{user}{host}{port}{_spelt(parts.path).rstrip('/')}{query}"


def without_password(address: str) -> str:
    """Return an address as it may be shown to whoever may look: a password in it is none of their business.

    >>> without_password("https://desk:hush@wire.example/feed")
    'https://desk:***@wire.example/feed'
    """
    parts = _split(address)
    if parts is None:
        return _LOGIN.sub("***@", address)
    if parts.password is None:
        return address
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{_HIDDEN}@{host}"))


def with_login_of(address: str, other: str) -> str:
    """Return an address with the name and password of another one at the same server, where it has none of its own.

    >>> with_login_of("https://wire.example/b", "https://desk:hush@wire.example/a")
    'https://desk:hush@wire.example/b'
    >>> with_login_of("https://else.example/b", "https://desk:hush@wire.example/a")
    'https://else.example/b'
    """
    parts, known = _split(address), _split(other)
    if parts is None or known is None or "@" not in known.netloc or "@" in parts.netloc:
        return address
    login, _, place = known.netloc.rpartition("@")
    if (parts.scheme, parts.netloc.lower()) != (known.scheme, place.lower()):
        return address
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def with_hidden_password(address: str, known: str, *, where: str = "url") -> str:
    """Return an address with the password of a known one, where it is given as `without_password` shows it.

    Raises `InputError` where that is of another server or user: nobody's password is `***`.

    >>> with_hidden_password("https://desk:***@wire.example/b", "https://desk:hush@wire.example/a")
    'https://desk:hush@wire.example/b'
    """
    parts, had = _split(address), _split(known)
    if parts is None or parts.password != _HIDDEN:
        return address
    _, _, place = parts.netloc.rpartition("@")
    login, _, theirs = had.netloc.rpartition("@") if had else ("", "", "")
    is_same = had is not None and (parts.scheme, place.lower(), parts.username) == (
        had.scheme,
        theirs.lower(),
        had.username,
    )
    if not is_same or had is None or had.password is None:
        raise InputError(f'"{_HIDDEN}" only stands for a password', where=where, hint="write the password itself")
    return urlunsplit(parts._replace(netloc=f"{login}@{place}"))


def _spelt(part: str) -> str:
    """Return a part of an address with the same escapes, however it was written."""
    return quote(unquote(part, errors="surrogateescape"), safe=_KEPT, errors="surrogateescape")


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:  # "http://[", or a port that is none
        return None
    return parts


def _shown(written: str) -> str:
    text = written.strip()
    return repr(text if len(text) <= 200 else f"{text[:200]}…") if text else "an empty text"
