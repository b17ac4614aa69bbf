"""Decides how much one sender may ask of the sign-up pages in an hour, and how long they wait beyond it.

Pure. `spend` is the reference of the script that Redis runs for all web processes together (`run_budgets`), and what a
process uses by itself while Redis is away.

A budget of N an hour is kept as one moment: when all of it would be there again (the generic cell rate algorithm). Each
act moves it on by an N-th of an hour, and none may move it further than an hour ahead. So N go at once after a rest,
and one more every N-th of an hour.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

HOUR_S: Final = 3600.0
_ROUNDING_S: Final = 1e-6  # floating-point numbers are off by less; Redis reckons in whole microseconds


class Sought(StrEnum):
    """What a sender asks of us that costs somebody something."""

    SIGN_UP = "sign-up"
    LETTER = "letter"
    TRY = "try"


class Charge(NamedTuple):
    """What one act takes from one budget of `an_hour` acts; `name` tells the budget from every other."""

    name: str
    an_hour: int
    cost: int = 1

    @property
    def takes_s(self) -> float:
        """How far it moves the budget on. Nothing costs more than all of it, or it could never be had."""
        return HOUR_S / self.an_hour * min(self.cost, self.an_hour)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budgets:
    """Acts an hour, by what is sought: from one sender, from one network of senders. 0 is no limit."""

    per_ip: Mapping[Sought, int]
    per_subnet: Mapping[Sought, int]
    per_key: int

    def of_sender(self, sought: Sought, address: str, *, cost: int = 1) -> list[Charge]:
        """Return what an act of a sender takes from which budgets; nothing for one whose address is not known."""
        limits = (self.per_ip[sought], self.per_subnet[sought])
        named = zip(networks(address), limits, strict=False)
        return [Charge(f"{sought} {network}", limit, cost) for network, limit in named if limit]

    def of_key(self, holder: str) -> list[Charge]:
        """Return what a sign-up by API takes."""
        return [Charge(f"{Sought.SIGN_UP} by {holder}", self.per_key)] if self.per_key else []


def networks(address: str) -> tuple[str, ...]:
    """Return the sender's own network and the one around it: who has an IPv6 address has a /64 of them.

    >>> networks("203.0.113.77"), networks("2001:db8:1:2::3")
    (('203.0.113.77/32', '203.0.113.0/24'), ('2001:db8:1:2::/64', '2001:db8:1::/48'))
    >>> networks("::ffff:203.0.113.77")[0], networks("a socket")
    ('203.0.113.77/32', ())
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ()
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    widths = (32, 24) if parsed.version == 4 else (64, 48)
    return tuple(str(ipaddress.ip_network(f"{parsed}/{width}", strict=False)) for width in widths)


def is_within(address: str) -> bool:
    """Tell whether a sender is on a network of the house's own, as a proxy is.

    >>> [is_within(address) for address in ("172.18.0.5", "::1", "8.8.8.8", "a socket")]
    [True, True, False, False]
    """
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False


def spend(state: dict[str, float], charges: Sequence[Charge], *, now_s: float) -> float:
    """Take an act from all its budgets, and return 0; or take nothing, and return the seconds until it may be had.

    >>> state = {}
    >>> [spend(state, [Charge("a", 2)], now_s=100.0) for _ in range(3)]
    [0.0, 0.0, 1800.0]
    """
    after = {one.name: _due(state, one, now_s) + one.takes_s for one in charges}
    wait_s = max((due_s - now_s - HOUR_S for due_s in after.values()), default=0.0)
    if wait_s > _ROUNDING_S:
        return wait_s
    state.update(after)
    return 0.0


def forget_full(state: dict[str, float], *, now_s: float, most: int) -> None:
    """Drop budgets that are all there again; all of them, if more than `most` are left: nobody is shut out for room."""
    for name in [name for name, due_s in state.items() if due_s <= now_s]:
        del state[name]
    if len(state) > most:
        state.clear()


def _due(state: Mapping[str, float], one: Charge, now_s: float) -> float:
    """Return when a budget is all there again. A clock that was set back must keep nobody waiting for longer."""
    return min(max(state.get(one.name, now_s), now_s), now_s + HOUR_S)


def retry_after_s(wait_s: float) -> int:
    """Return whole seconds, at least one, for a Retry-After (RFC 9110, 10.2.3).

    >>> [retry_after_s(wait_s) for wait_s in (0.2, 59.1)]
    [1, 60]
    """
    return max(1, -int(-wait_s // 1))
