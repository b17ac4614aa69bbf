"""Taking turns: everybody sends once in each round, into the same sink, and ratios are made within rounds.

Decides that figures are medians. Whoever sends is warmed up first: connections, compiled templates, caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.delivery.peers import Peer


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One who takes turns: who, and how many messages a turn."""

    peer: Peer
    count: int
    connections: int
    port: int

    def rate(self, part: float = 1.0) -> float:
        """Take a turn, or a part of one, and return messages a second."""
        count = max(self.connections, int(self.count * part))
        return count / self.peer.send(count, connections=self.connections, port=self.port)


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second of everybody, a figure a round."""

    by_name: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        """Return a median rate."""
        return median(self.by_name[name])

    def ratios(self, name: str, peer: str) -> list[float]:
        """Return how many times as fast `name` was as the peer, in each round."""
        return [ours / theirs for ours, theirs in zip(self.by_name[name], self.by_name[peer], strict=True)]

    def ratio(self, name: str, peer: str) -> float:
        """Return the median of the rounds' ratios.

        >>> Rates({"a": [2.0, 6.0, 3.0], "b": [1.0, 2.0, 3.0]}).ratio("a", "b")
        2.0
        """
        return median(self.ratios(name, peer))


def take_turns(entries: Mapping[str, Entry], *, rounds: int, say: Callable[[str], None]) -> Rates:
    """Let everybody warm up and then send once a round."""
    for entry in entries.values():
        entry.rate(0.1)
    rates: dict[str, list[float]] = {name: [] for name in entries}
    for number in range(1, rounds + 1):
        for name, entry in entries.items():
            rates[name].append(entry.rate())
        say(f"round {number}: " + ", ".join(f"{name} {found[-1]:,.0f}/s" for name, found in rates.items()))
    return Rates(rates)
