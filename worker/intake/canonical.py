"""One address for one article, however a reader came to it.

Pure. Takes away what only tells where a click came from, and the spellings that RFC 3986 calls the same. Never
guesses: a query parameter stays unless it is known to be tracking, a mobile host unless it is known to be a twin.
`identity` and the store's look-up by address call it.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import re
from typing import Final
from urllib.parse import parse_qs, quote, unquote_to_bytes, urlsplit, urlunsplit

import idna

from worker.intake.tracking import AMP_VALUES, FROM_FEED, NAMES, PREFIXES, REDIRECTORS, SAME_HOST

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")
_SESSION: Final = re.compile(r";(?:jsessionid|phpsessid)=[^/;?#]*", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~"
_LEADS_ON: Final = re.compile("ampproject|google|bing|facebook|reddit|umblr|youtube|redirectingat|exit", re.IGNORECASE)
_LONGEST: Final = 2_000  # a b-tree of PostgreSQL's holds 2,700 bytes, and each letter of most scripts is nine here
_REMEMBERED: Final = 2_000
_AMP_CACHE: Final = re.compile(r"/(?:[cvi]|amp)/(s/)?([^/]+\.[^/]+)(/.*)?")


def canonical_url(url: str) -> str:
    """Return the address under which an article is known, "" for what is no http(s) address. Idempotent.

    The scheme stays as it is; `identity.item_key` leaves it out. For comparing, not for linking to: what would be very
    long is told apart by a hash.

    >>> canonical_url("HTTPS://News.Example:443/a/./b/?utm_source=x&id=7&fbclid=y#top")
    'https://news.example/a/b?id=7'
    >>> canonical_url("https://www.google.com/amp/s/news.example/story/amp/")
    'https://news.example/story'
    >>> canonical_url("https://www.google.com/url?rct=j&sa=t&url=https%3A%2F%2Fnews.example%2F7%3Futm_source%3Dx")
    'https://news.example/7'
    >>> canonical_url("javascript:alert(1)")
    ''
    """
    return _known(url) if len(url) <= _LONGEST else _canonical(url)


def _canonical(url: str) -> str:
    while target := _leads_on_to(url):  # each is shorter than the one before
        url = target
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), _host(parts.hostname or ""), parts.port
    except ValueError:  # no host or a bad one, a port that is no number
        return ""
    if scheme not in _DEFAULT_PORTS:
        return ""
    path = _path(parts.path)
    netloc = host if port is None or port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    fragment = _escaped(parts.fragment) if parts.fragment.startswith("!") else ""  # "#!/story" is the address itself
    return _bounded(urlunsplit((scheme, netloc, path, _query(parts.query), fragment)), scheme, netloc)


_known: Final = functools.lru_cache(_REMEMBERED)(_canonical)  # of an item it is asked for at six places


def _bounded(address: str, scheme: str, netloc: str) -> str:
    """Return an address as it is, or one that stands for it where an index could not hold it."""
    if len(address) <= _LONGEST:
        return address
    place = address.removeprefix(f"{scheme}://{netloc}")
    return f"{scheme}://{netloc}/long-{hashlib.blake2b(place.encode(), digest_size=16).hexdigest()}"


def _host(host: str) -> str:
    """Return the host in small letters and ASCII. Raises ValueError for what is no host."""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    host = host.rstrip(".")
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    host = host.lower()
    if not _HOST.fullmatch(host):
        raise ValueError(host)
    return SAME_HOST.get(host, host)


def _is_amp_cache(host: str) -> bool:
    return host.endswith(".cdn.ampproject.org") or host in {"www.google.com", "google.com"}


def _leads_on_to(url: str) -> str:
    """Return the address that an AMP cache or a redirector holds, "" where it holds none, or is neither."""
    if not _LEADS_ON.search(url):
        return ""
    try:
        parts = urlsplit(url.strip())
        host, path = _host(parts.hostname or ""), _path(parts.path)
    except ValueError:
        return ""
    cached = _AMP_CACHE.fullmatch(path) if _is_amp_cache(host) else None
    if cached:
        found = urlunsplit(("https" if cached[1] else "http", cached[2], cached[3] or "/", parts.query, ""))
    else:
        names = REDIRECTORS.get(host + path, ())
        told = parse_qs(parts.query) if names else {}
        found = next((told[name][0].strip() for name in names if name in told), "")
    return found if cached or (_is_whole(found) and len(found) < len(url)) else ""


def _is_whole(url: str) -> bool:
    """Tell whether a redirector's target is an address by itself."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in _DEFAULT_PORTS and bool(_host(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False


def _path(path: str) -> str:
    segments = _without_dots(_escaped(_SESSION.sub("", path))).rstrip("/").split("/")
    if len(segments) > 2 and segments[-1] == "amp":
        segments.pop()
    segments[-1] = segments[-1].removesuffix(".amp")
    return "/".join(segments).rstrip("/") or "/"


def _without_dots(path: str) -> str:
    """Resolve "." and ".." (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[max(1, len(kept) - 1) :]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def _query(query: str) -> str:
    return "&".join(_escaped(pair) for pair in query.split("&") if pair and not _is_tracking(pair))


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.lower().partition("=")
    return (
        name in NAMES
        or name.startswith(PREFIXES)
        or (name in FROM_FEED and value in {"rss", "feed"})
        or value in AMP_VALUES.get(name, ())
    )


def _escaped(text: str) -> str:
    """Write percent-encoding in one way: unreserved characters bare, everything else in capitals."""
    safe = _ESCAPE.sub(_unescape_unreserved, text)
    stray = re.sub(r"%(?![0-9A-F]{2})", "%25", safe)
    return quote(stray, safe=_PATH_SAFE + "?")


def _unescape_unreserved(match: re.Match[str]) -> str:
    character = unquote_to_bytes(match.group(0)).decode("latin-1")
    return character if character in _UNRESERVED else match.group(0).upper()
