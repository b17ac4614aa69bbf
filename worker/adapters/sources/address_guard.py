"""Which network addresses a fetch may connect to: the public ones, unless an operator says otherwise.

A feed's address and every redirect are other people's words; without this guard they could name the machine's own
services or a cloud's metadata (server-side request forgery). The guard sits below HTTP, where connections are made: it
resolves the host's name itself and connects to the very address that it has checked, so that a name which answers
differently the second time gains nothing. `fetch.make_client` builds it in.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import httpcore
import httpx

from worker.adapters.sources.resolving import Resolver
from worker.errors import PrivateAddressError

# A host's dead IPv6 route must not use up the whole fetch's time.
_MAX_TRIES: Final = 4
_CONNECT_S: Final = 10.0
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# Python calls these global: a network's own NAT64 (RFC 8215), site-local (RFC 3879), IPv4 in IPv6 (RFC 4291, 2765), the
# protocols' own (RFC 6890; a cloud's metadata is at 192.0.0.192), and where machines of Azure find their host.
_OF_A_SITE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b:1::/48", "fec0::/10", "::/96", "::ffff:0:0:0/96", "192.0.0.0/24", "168.63.129.16/32"),
    )
)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet, also where it wraps an IPv4 address (RFC 4291, 6052, 3056).

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    >>> is_public("64:ff9b:1::a00:1"), is_public("fec0::1"), is_public("2606:4700::1111")
    (False, False, True)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    every = (ip, *_wrapped(ip))
    if any(inner in network for inner in every for network in _OF_A_SITE):
        return False
    return all(inner.is_global and not inner.is_multicast for inner in every)


def _wrapped(ip: _Address) -> list[_Address]:
    if not isinstance(ip, ipaddress.IPv6Address):
        return []
    nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    teredo = ip.teredo[1] if ip.teredo else None
    return [inner for inner in (ip.ipv4_mapped, ip.sixtofour, teredo, nat64) if inner is not None]


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, unless it may go anywhere."""

    def __init__(self, resolver: Resolver, *, allow_private: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolver, self._allow_private = resolver, allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, connect: to the first of the host's addresses that answers."""
        addresses = await self._addresses(host, port)
        refused = [address for address in addresses if not (self._allow_private or is_public(address))]
        if refused:
            raise PrivateAddressError(f"{host} is at {refused[0]}, which is not on the public internet: refused")
        limit_s = _CONNECT_S if timeout is None else min(timeout, _CONNECT_S)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses[:_MAX_TRIES]:
            try:
                return await self._inner.connect_tcp(address, port, limit_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait between httpcore's own retries."""
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return await self._resolver.addresses(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label of more than 63 characters
            raise httpcore.ConnectError(f"cannot find {host}: {error}") from error


@cache  # to read all the world's authorities takes longer than most fetches
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over connections that the guard has made. One `ssl_context` serves all that bring none.

    `allow_private` lifts the guard, and leaves its resolver, which `resolver` replaces.
    """

    def __init__(
        self,
        *,
        limits: httpx.Limits,
        ssl_context: ssl.SSLContext | None = None,
        allow_private: bool = False,
        resolver: Resolver | None = None,
    ) -> None:
        ssl_context = ssl_context or _trust()
        super().__init__(verify=ssl_context)
        # httpx does not hand a network backend through; a pool of our own takes the place of the one it has made.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_GuardedBackend(resolver or Resolver(), allow_private=allow_private),
        )
