"""Asks DNS, with dnspython: an `Ask` that remembers its answers and never takes longer, all together, than it may.

Decides nothing about what an answer means.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from worker.deliverability.asking import Ask, Kind
from worker.errors import ConfigurationError, DnsError

ALTOGETHER_S: Final = 15.0
_ONE_NAME_S: Final = 4.0
_ONE_SERVER_S: Final = 2.0


def asker(
    servers: Sequence[tuple[str, int]] = (), *, altogether_s: float = ALTOGETHER_S, one_name_s: float = _ONE_NAME_S
) -> Ask:
    """Return what asks these name servers (address and port), or the system's where none are given.

    Raises `ConfigurationError` when the system has none.
    """
    resolver = _resolver(servers)
    give_up_s = time.monotonic() + altogether_s

    @functools.cache
    def ask(name: str, kind: Kind) -> tuple[str, ...]:
        left_s = min(one_name_s, give_up_s - time.monotonic())
        if left_s <= 0:
            raise DnsError(f"DNS takes too long: no time was left to ask for {name} {kind}", silent=True)
        try:
            wanted = dns.name.from_text(name)
        except dns.exception.DNSException:  # what a record names may be no name at all
            return ()
        try:
            answer = resolver.resolve(wanted, kind, lifetime=left_s, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return ()
        except dns.resolver.NoNameservers as error:
            raise DnsError(_refusal(name, kind, error), silent=_is_silent(error)) from error
        except dns.exception.DNSException as error:  # nearly always a timeout
            raise DnsError(f"DNS gives no answer to {name} {kind}", silent=True) from error
        return _texts(answer)

    return ask


def _resolver(servers: Sequence[tuple[str, int]]) -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration as error:
        raise ConfigurationError("this machine names no DNS resolver: set TOCSIN_DNS_RESOLVERS") from error
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    resolver.timeout = _ONE_SERVER_S
    return resolver


def _texts(answer: dns.resolver.Answer) -> tuple[str, ...]:
    records = list(answer)
    if answer.rdtype == dns.rdatatype.MX:
        exchanges: list[MX] = sorted(records, key=lambda record: record.preference)
        return tuple(str(record.exchange).rstrip(".").lower() for record in exchanges)
    return tuple(
        b"".join(record.strings).decode("utf-8", "replace") if isinstance(record, TXT) else str(record)
        for record in records
    )


def _is_silent(error: dns.resolver.NoNameservers) -> bool:
    """Tell whether nothing was said about the name; a REFUSED, say, is about us. Entries end in reason and answer."""
    return not any(
        isinstance(reason, dns.message.ChainTooLong) or (answer and answer.rcode() == dns.rcode.SERVFAIL)
        for *_, reason, answer in error.kwargs["errors"]
    )


def _refusal(name: str, kind: Kind, error: dns.resolver.NoNameservers) -> str:
    reasons = dict.fromkeys(str(reason) for *_, reason, _ in error.kwargs["errors"])
    return f"DNS cannot answer {name} {kind}: {', '.join(reasons)}"
