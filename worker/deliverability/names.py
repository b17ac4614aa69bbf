"""Domain names: whether the public DNS can know one, and who is whose. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

import idna

# RFC 2606, 6761, 6762, 7686, 8375, 9476, and ICANN's .internal; .lan belongs to nobody and is in use everywhere.
_PRIVATE: Final = frozenset(
    {"alt", "example", "home.arpa", "internal", "invalid", "lan", "local", "localhost", "onion", "test"}
)
_DOCUMENTS: Final = frozenset({"example.com", "example.net", "example.org"})
_MOST_LABELS: Final = 8  # RFC 9989, 4.10: a name of any length costs at most eight questions


def wire_name(domain: str) -> str:
    """Return a domain as DNS knows it; one that is none is returned as it is, and not found there.

    >>> wire_name("Bücher.de"), wire_name("Courier.org.")
    ('xn--bcher-kva.de', 'courier.org')
    """
    bare = domain.lower().rstrip(".")
    try:
        return bare if bare.isascii() else idna.encode(bare, uts46=True).decode()
    except idna.IDNAError:
        return bare


def wire_address(address: str) -> str:
    """Return an address with its domain as DNS knows it; "" for none.

    >>> wire_address("News@Bücher.de"), wire_address("")
    ('News@xn--bcher-kva.de', '')
    """
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{wire_name(domain)}"


def is_public(domain: str) -> bool:
    """Tell whether the public DNS can have anything to say about a domain.

    >>> [is_public(name) for name in ("courier.org", "courier.example", "mail.example.org", "localhost", "192.0.2.1")]
    [True, False, False, False, False]
    """
    try:
        ip_address(domain.strip("[]"))
    except ValueError:
        above = set(parents(domain))
        return "." in domain and not above & (_PRIVATE | _DOCUMENTS)
    return False


def parents(domain: str) -> Iterator[str]:
    """Yield a domain and all that it lies in, down to the top level.

    >>> list(parents("News.Courier.org."))
    ['news.courier.org', 'courier.org', 'org']
    """
    labels = domain.lower().strip(".").split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))


def tree(domain: str) -> Iterator[str]:
    """Yield the names at which a DMARC policy for a domain may stand, as RFC 9989 walks up the tree.

    >>> list(tree("a.b.c.d.e.f.g.courier.org"))[:3]
    ['a.b.c.d.e.f.g.courier.org', 'c.d.e.f.g.courier.org', 'd.e.f.g.courier.org']
    """
    first, *others = parents(domain)
    yield first
    yield from others[-(_MOST_LABELS - 1) :]
