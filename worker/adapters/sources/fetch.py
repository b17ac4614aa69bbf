"""One polite GET: conditional, bounded in bytes, time and redirects, and to public addresses only.

Decides nothing about when to fetch or what an answer means for a source: polling does. Stores nothing.

HTTP/1.1 only: one question at a time goes to a host, so that HTTP/2 has nothing to multiplex, and its framing would be
more to defend. No zstd, which Python 3.11 does not have. No A-IM (RFC 3229): a document of the news alone looks like a
feed that has lost its other items, and few servers know it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from worker.adapters.sources.address_guard import GuardedTransport
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.freshness import fresh_s
from worker.adapters.sources.inflate import Inflater
from worker.adapters.sources.limits import MAX_DOCUMENT_BYTES
from worker.adapters.sources.resolving import Resolver
from worker.errors import FetchError, printable

MAX_REDIRECTS: Final = 5
MAX_RETRY_AFTER_S: Final = 86_400.0
"""A server's wish counts for a day at most: some ask for years, and a newspaper would never hear of it."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PERMANENT: Final = frozenset({301, 308})
_DOCUMENTS: Final = frozenset({200, 203})
"""Other 2xx bring no document, a part that nobody asked for (206), or a robot check (202 at some)."""

_ACCEPT_ENCODING: Final = ("Accept-Encoding", "gzip, deflate, br")
_MAX_VALIDATOR_CHARS: Final = 1_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_REASON_CHARS: Final = 500
_LOGIN: Final = re.compile(r"(?<=//)[^/?#]*@")
_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """An answer that can be worked with: the document, or word that it has not changed.

    `url` is where the answer came from, after redirects: relative links count from there, and so it never has the name
    and password in it that the address was asked with, nor has `permanent_redirect_to`. `etag` and `last_modified`
    are verbatim, a character for each byte, to be sent back as they are. `permanent_redirect_to` is set when the server
    says that the source has moved for good. `retry_after_s` is the server's wish, where it named one; `fresh_s` is for
    how many seconds caches would repeat this answer, None where nobody says.
    """

    status: int
    url: str
    data: bytes = field(repr=False)
    content_type: str
    etag: str
    last_modified: str
    not_modified: bool
    permanent_redirect_to: str | None
    retry_after_s: float | None
    link: tuple[str, ...] = ()  # the Link headers, verbatim: they may name WebSub hubs
    fresh_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """What is asked at every hop; `login` is for the server of `url` alone."""

    url: str
    login: httpx.BasicAuth | None
    headers: list[tuple[bytes, bytes]]
    head_s: float


def make_client(
    user_agent: str,
    *,
    allow_private: bool = False,
    accept: str = _ACCEPT,
    ssl_context: ssl.SSLContext | None = None,
    resolver: Resolver | None = None,
    limits: httpx.Limits = _LIMITS,
) -> httpx.AsyncClient:
    """Return a client for `fetch`, to be shared by all fetches of an event loop and closed by whoever made it.

    It keeps no cookies and heeds no proxy or netrc of the environment. `allow_private` lifts the address guard, for a
    newsroom's own network and for tests. Without an `ssl_context`, all of a process share one that trusts the usual.
    `limits` are those of its connections, `resolver` what looks names up in place of the system.
    """
    transport = GuardedTransport(limits=limits, ssl_context=ssl_context, allow_private=allow_private, resolver=resolver)
    return httpx.AsyncClient(
        transport=transport,
        headers={"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    max_bytes: int = MAX_DOCUMENT_BYTES,
    timeout_s: float = 30.0,
    head_s: float = 15.0,
) -> Fetched:
    """Get a document, unless it still is what `etag` and `last_modified` say that we have.

    Raises `FetchError`, with the status and the server's Retry-After where there are any: for an address that is
    refused, too many redirects, too many bytes, too much time (`timeout_s` is for everything together, `head_s` for
    each answer's status and headers), and any status that is neither 200, 203 nor 304.
    """
    asked, login = _apart(url)
    try:
        async with asyncio.timeout(timeout_s):
            question = _Question(url=asked, login=login, headers=_headers(etag, last_modified), head_s=head_s)
            return await _follow(client, question, max_bytes)
    except TimeoutError:
        raise FetchError(_line(f"{asked} took longer than {timeout_s:g} s")) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a host that only looks like IDNA
        raise FetchError(_line(f"{asked}: {_reason(error)}")) from error


async def _follow(client: httpx.AsyncClient, asked: _Question, max_bytes: int) -> Fetched:
    moved_to: str | None = None
    only_permanent = True
    url = asked.url
    here = home = _web_address(url, url)
    been: set[httpx.URL] = set()
    for _ in range(MAX_REDIRECTS + 1):
        if here in been:  # without cookies, the same question has the same answer
            raise FetchError(_line(f"{url} redirects in a circle"))
        been.add(here)
        response = await _ask(client, here, asked, is_home=_is_at(home, here))
        try:
            if response.status_code not in _REDIRECTS:
                return await _received(response, max_bytes, moved_to)
            here = _web_address(url, _target(response))
            only_permanent = only_permanent and response.status_code in _PERMANENT
            moved_to = str(here) if only_permanent else moved_to
        finally:
            await response.aclose()
    raise FetchError(_line(f"{url} redirects more than {MAX_REDIRECTS} times"))


async def _ask(client: httpx.AsyncClient, url: httpx.URL, asked: _Question, *, is_home: bool) -> httpx.Response:
    """Send one question and return its answer as far as its headers, with the body unread."""
    # No timeouts of httpx's own: ours cover the whole, also a server that sends a byte now and then.
    question = client.build_request("GET", url, headers=asked.headers, timeout=None)
    try:
        async with asyncio.timeout(asked.head_s):
            login = asked.login if is_home else None
            return await client.send(question, stream=True, follow_redirects=False, auth=login)
    except TimeoutError:
        raise FetchError(_line(f"{url} gave no answer within {asked.head_s:g} s")) from None


async def _received(response: httpx.Response, max_bytes: int, moved_to: str | None) -> Fetched:
    headers, now = response.headers, datetime.now(UTC)
    retry_after_s = retry_after(headers.get("Retry-After", ""), now)
    status = response.status_code
    if status != 304 and status not in _DOCUMENTS:
        raise FetchError(_line(f"{response.url} answers {status}"), status=status, retry_after_s=retry_after_s)
    fresh = fresh_s(
        headers.get("Cache-Control", ""),
        expires=headers.get("Expires", ""),
        age=headers.get("Age", ""),
        date=headers.get("Date", ""),
        now=now,
    )
    return Fetched(
        status=status,
        url=str(response.url),
        data=b"" if status == 304 else await _body(response, max_bytes),
        content_type=headers.get("Content-Type", ""),
        etag=_verbatim(headers, b"etag"),
        last_modified=_verbatim(headers, b"last-modified"),
        not_modified=status == 304,
        permanent_redirect_to=moved_to,
        retry_after_s=retry_after_s,
        link=tuple(response.headers.get_list("Link")),
        fresh_s=fresh,
    )


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    """Read the body, unpacking it ourselves: httpx would unpack a bomb's whole chunk before anybody could count it."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > max_bytes:
        raise FetchError(f"the answer is larger than {max_bytes} bytes")
    inflater = Inflater(response.headers.get("Content-Encoding", ""), max_bytes=max_bytes)
    async for chunk in response.aiter_raw():
        inflater.feed(chunk)
    return inflater.finish()


def retry_after(value: str, now: datetime) -> float | None:
    """Read a Retry-After header in both of its forms (RFC 9110, section 10.2.3), as seconds from 0 to a day.

    >>> retry_after("120", datetime(2026, 11, 23, tzinfo=UTC))
    120.0
    >>> retry_after("Mon, 23 Nov 2026 00:01:00 GMT", datetime(2026, 11, 23, tzinfo=UTC))
    60.0
    >>> retry_after("soon", datetime(2026, 11, 23, tzinfo=UTC)) is None
    True
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        moment = parse_date(value)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _headers(etag: str, last_modified: str) -> list[tuple[bytes, bytes]]:
    """Return the question's headers; a validator that could not have come from a server is not sent."""
    headers = [_ACCEPT_ENCODING, ("If-None-Match", etag), ("If-Modified-Since", last_modified)]
    return [(name.encode(), value.encode("latin-1")) for name, value in headers if _is_sendable(value)]


def _verbatim(headers: httpx.Headers, name: bytes) -> str:
    """Return a validator, a character for each byte: httpx would guess its encoding, and could not send it back."""
    value = next((value for key, value in headers.raw if key.lower() == name), b"").decode("latin-1")
    return value if _is_sendable(value) else ""


def _is_sendable(value: str) -> bool:
    if not value or len(value) > _MAX_VALIDATOR_CHARS or _CONTROL.search(value):
        return False
    return value == value.strip() and all(ord(character) < 256 for character in value)


def _target(response: httpx.Response) -> str:
    location = response.headers.get("Location", "").strip()
    if not location:
        raise FetchError(_line(f"{response.url} answers {response.status_code} without saying where to"))
    return str(response.url.join(location))


def _web_address(asked: str, address: str) -> httpx.URL:
    url = httpx.URL(address)
    if url.scheme not in {"http", "https"} or not url.host:
        wrong = f'"{address[:80]}" is no address on the web'
        raise FetchError(_line(wrong if asked == address else f"{asked} redirects: {wrong}"))
    return url.copy_with(fragment=None, userinfo=b"")


def _apart(url: str) -> tuple[str, httpx.BasicAuth | None]:
    """Take name and password out of an address.

    They are for its server alone: what is told of a fetch is logged and shown, and an article whose link is relative
    would bring them into every reader's mail.
    """
    try:
        whole = httpx.URL(url)
        if not whole.userinfo:
            return url, None
        return str(whole.copy_with(userinfo=b"")), httpx.BasicAuth(whole.username, whole.password)
    except (httpx.InvalidURL, UnicodeError):  # it is refused as what it is, but without them
        return _LOGIN.sub("", url), None


def _is_at(home: httpx.URL, here: httpx.URL) -> bool:
    """Tell whether a redirect stays with the server that was asked, if need be by encrypted ways from now on."""
    is_same = (home.scheme, home.port) == (here.scheme, here.port)
    is_encrypted_now = (home.scheme, home.port, here.scheme, here.port) == ("http", None, "https", None)
    return home.host == here.host and (is_same or is_encrypted_now)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _line(text: str) -> str:
    return printable(text)[:_MAX_REASON_CHARS]
