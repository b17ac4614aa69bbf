"""Circuit breakers as values: when a way out of the house is shut, for how long, and who may try it again.

Pure, as `lifecycle` is, and as total: each function takes a circuit in any condition. Delivery trips circuits by what
replies say and feedback by what bounces say; `store.breakers` keeps them in SQL, so that all workers see the same ones.

    closed ─trip─▶ open ─(its pause is over) take_turn─▶ half open ─recover─▶ closed
                    ▲                                        ├─trip─▶ open, for longer
                    │                                        └─(the turn ran out) take_turn─▶ half open
    any ─pause─▶ paused ─resume─▶ closed        a person's own doing: nothing else ends or changes it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

TURN_S: Final = 30.0
"""How long whoever has taken a turn may take to find out; then somebody else may."""
FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""A circuit that has been closed for so long starts with its shortest pause again."""
_GROWTH: Final = 2.0
_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")
_REASON_CHARS: Final = 300


class Way(NamedTuple):
    """What a circuit shuts: a provider, one kind of mail by it, a recipient domain by it, or both. "" means any."""

    provider: str
    stream: str = ""
    domain: str = ""

    @property
    def options(self) -> str:
        """What `tocsin providers pause` and `resume` call it.

        >>> Way("relay", "digest", "example.org").options
        'relay --stream digest --domain example.org'
        """
        narrower = (f" --{name} {value}" for name, value in zip(self._fields[1:], self[1:], strict=True) if value)
        return f"{self.provider}{''.join(narrower)}"

    def __str__(self) -> str:
        """Say it to a person.

        >>> str(Way("relay", "digest", "example.org")), str(Way("relay"))
        ('relay: digest to example.org', 'relay')
        """
        what = " ".join(filter(None, (self.stream, self.domain and f"to {self.domain}")))
        return f"{self.provider}: {what}" if what else self.provider


class Condition(StrEnum):
    """Whether mail passes: all of it, none, a few probes, or none until a person says so."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    PAUSED = "paused"


SHOWN: Final[Mapping[Condition, str]] = MappingProxyType(
    {Condition.CLOSED: "well", Condition.OPEN: "shut", Condition.HALF_OPEN: "on trial", Condition.PAUSED: "paused"}
)
"""Conditions in the words of those who never built a circuit, to whom an open way is one that mail goes by."""


class Trouble(StrEnum):
    """What trips a circuit."""

    UNREACHABLE = "unreachable"  # no connection, or none that comes as far as a greeting
    LOGIN = "login"  # our name or password is refused: trying often locks accounts
    OVERLOAD = "overload"  # 421, 4.7.x, HTTP 429: less of it, please
    REFUSAL = "refusal"  # about us, and nothing more is known
    POLICY = "policy"  # 5.7.x: not this mail, not from us; trying often makes it worse
    REPLY_LOST = "reply_lost"  # each costs a reader's mail in doubt


_PAUSES_S: Final[Mapping[Trouble, tuple[float, float]]] = MappingProxyType(
    {  # the first pause, within which a restart or a passing cloud is over, and the longest
        Trouble.UNREACHABLE: (5.0, 300.0),
        Trouble.LOGIN: (60.0, 1800.0),
        Trouble.OVERLOAD: (15.0, 900.0),
        Trouble.REFUSAL: (15.0, 1800.0),
        Trouble.POLICY: (300.0, 4 * 3600.0),
        Trouble.REPLY_LOST: (15.0, 900.0),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """One circuit. `until` is the end of a pause or of a turn; `pause_s` the last pause's length, 0 before the first.

    `turn` counts the turns taken: only who has the last one speaks of what its probes found.
    """

    condition: Condition = Condition.CLOSED
    since: datetime
    until: datetime | None = None
    pause_s: float = 0.0
    trouble: Trouble | None = None
    reason: str = ""
    turn: int = 0


def trip(circuit: Circuit, trouble: Trouble, *, reason: str, now: datetime, wait_s: float | None = None) -> Circuit:
    """Open a circuit. `wait_s` is the provider's own wish, which may make the pause longer, never shorter.

    What is open already stays as it is: ten workers that see the same trouble at once trip it once.

    >>> at = datetime.fromisoformat("2026-11-28T12:00:00Z")
    >>> first = trip(Circuit(since=at), Trouble.UNREACHABLE, reason="refused", now=at)
    >>> first.pause_s, trip(take_turn(first, first.until), Trouble.UNREACHABLE, reason="", now=first.until).pause_s
    (5.0, 10.0)
    """
    if circuit.condition is Condition.PAUSED:
        return circuit
    if circuit.condition is Condition.OPEN and circuit.until is not None and circuit.until > now:
        asked = now + timedelta(seconds=wait_s or 0)
        return replace(circuit, until=asked) if asked > circuit.until else circuit
    shortest_s, longest_s = _PAUSES_S[trouble]
    grows = circuit.condition is not Condition.CLOSED or now - circuit.since < FORGOTTEN_AFTER
    pause_s = max(shortest_s, min(circuit.pause_s * _GROWTH, longest_s)) if grows else shortest_s
    return Circuit(
        condition=Condition.OPEN,
        since=now,
        until=now + timedelta(seconds=max(pause_s, wait_s or 0)),
        pause_s=pause_s,
        trouble=trouble,
        reason=scrubbed(reason),
        turn=circuit.turn,
    )


def take_turn(circuit: Circuit, now: datetime) -> Circuit:
    """Let one worker try, once the pause or an earlier worker's turn is over; otherwise nothing changes."""
    waits = circuit.condition in {Condition.OPEN, Condition.HALF_OPEN}
    if not waits or (circuit.until is not None and circuit.until > now):
        return circuit
    until = now + timedelta(seconds=TURN_S)
    return replace(circuit, condition=Condition.HALF_OPEN, since=now, until=until, turn=circuit.turn + 1)


def recover(circuit: Circuit, *, turn: int, now: datetime) -> Circuit:
    """Close a circuit whose probes got through; a turn that is over has nothing to say."""
    if circuit.condition is not Condition.HALF_OPEN or circuit.turn != turn:
        return circuit
    return replace(circuit, condition=Condition.CLOSED, since=now, until=None)


def pause(circuit: Circuit, *, reason: str, now: datetime) -> Circuit:
    """Shut it for a person, until they resume."""
    return replace(circuit, condition=Condition.PAUSED, since=now, until=None, trouble=None, reason=scrubbed(reason))


def resume(circuit: Circuit, *, now: datetime) -> Circuit:
    """Let everything pass again, and forget what was: a person has mended it."""
    return Circuit(since=now, turn=circuit.turn)


def scrubbed(text: str) -> str:
    """Return a provider's words without addresses, which belong to the attempt alone: it goes with its reader.

    >>> scrubbed("<ann@example.org>: blocked, see http://list.example/?ip=192.0.2.1")
    '<...>: blocked, see http://list.example/?ip=192.0.2.1'
    """
    return _ADDRESS.sub("...", text)[:_REASON_CHARS]
