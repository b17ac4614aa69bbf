"""The one question that this room has for the world, as a type: its modules judge answers and never go to the network.

`run_lookups` is the real one; every function that takes an `Ask` is otherwise pure.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """The record types that are asked for."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    TXT = "TXT"


Ask: TypeAlias = Callable[[str, Kind], tuple[str, ...]]
"""The records that a name has, aliases (CNAME) followed; empty where there are none, or no such name.

Addresses as text, texts with their strings joined, mail servers without their preference, the best first and "" for the
null MX of RFC 7505. Raises `DnsError` when there is no answer: a later try may have one.
"""


def addresses(name: str, ask: Ask) -> tuple[str, ...]:
    """Return all addresses of a host, IPv4 first."""
    return ask(name, Kind.A) + ask(name, Kind.AAAA)
