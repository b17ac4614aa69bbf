"""The life of a delivery: every state, everything that can happen to it, and what then.

Decides only; `store.deliveries` makes each step by compare-and-set. The table is total: each of its states answers each
of its events with the next state or with an explained `IGNORE`. Delivery, feedback and the control commands call it.

    planned ─▶ leased ─▶ committing ─▶ accepted ─▶ delivered ─▶ bounced ─▶ complained
       │          │           ├─▶ deferred ─▶ leased ...        (accepted ─▶ bounced, both ─▶ complained too)
       │          │           ├─▶ refused
       │          │           └─▶ unknown ─▶ accepted | delivered | bounced | refused | deferred (known unsent)
       └──────────┴─▶ suppressed | cancelled | expired            (deferred too; leased ─▶ planned on release)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    LEASED = "leased"
    COMMITTING = "committing"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Happening(StrEnum):
    """What can happen to a delivery."""

    # our own steps
    LEASED = "leased"
    RELEASED = "released"
    COMMITTED = "committed"
    # the reply to an attempt
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    REPLY_LOST = "reply_lost"
    # a provider's later word
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    # somebody's decision
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Ignored(StrEnum):
    """Why an event changes nothing."""

    STALE = "a worker whose lease was taken over speaks late: compare-and-set on the fence lets it fall"
    OVER = "the delivery has ended; the event row keeps what was said"
    IN_FLIGHT = "the message is on the wire: only its reply, or the loss of it, may decide"
    REPEATED = "said before"


PRE_COMMIT: Final = frozenset({State.PLANNED, State.LEASED, State.DEFERRED})
OPEN: Final = PRE_COMMIT | {State.COMMITTING}
TAKEN: Final = frozenset({State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED})
"""States that the conservation law counts under "accepted"."""

_S, _H, _I = State, Happening, Ignored

# Somebody else's word that the message did arrive ends an open delivery wherever it stands: after a resolved `unknown`
# the first attempt's receipt may still come in, and nothing may then be sent again.
_ARRIVED: Final = {
    _H.ACCEPTED: _S.ACCEPTED,
    _H.DELIVERED: _S.DELIVERED,
    _H.BOUNCED: _S.BOUNCED,
    _H.COMPLAINED: _S.COMPLAINED,
}
_WITHDRAWN: Final = {
    _H.SUPPRESSED: _S.SUPPRESSED,
    _H.CANCELLED: _S.CANCELLED,
    _H.EXPIRED: _S.EXPIRED,
}
_REPLIED_LATE: Final = {_H.DEFERRED: _I.STALE, _H.REFUSED: _I.STALE, _H.REPLY_LOST: _I.STALE}
_ENDED: Final[dict[Happening, State | Ignored]] = dict.fromkeys(Happening, _I.OVER)

TABLE: Final[Mapping[State, Mapping[Happening, State | Ignored]]] = MappingProxyType(
    {
        # before the point of no return
        _S.PLANNED: {
            _H.LEASED: _S.LEASED,
            _H.RELEASED: _I.REPEATED,
            _H.COMMITTED: _I.STALE,
            **_REPLIED_LATE,
            **_ARRIVED,
            **_WITHDRAWN,
        },
        _S.LEASED: {
            _H.LEASED: _S.LEASED,  # the next holder of an expired lease takes the row over
            _H.RELEASED: _S.PLANNED,
            _H.COMMITTED: _S.COMMITTING,
            **_REPLIED_LATE,
            **_ARRIVED,
            **_WITHDRAWN,
        },
        _S.DEFERRED: {
            _H.LEASED: _S.LEASED,
            _H.RELEASED: _I.REPEATED,
            _H.COMMITTED: _I.STALE,
            **_REPLIED_LATE,
            **_ARRIVED,
            **_WITHDRAWN,
        },
        # on the wire
        _S.COMMITTING: {
            _H.LEASED: _I.IN_FLIGHT,
            _H.RELEASED: _I.IN_FLIGHT,
            _H.COMMITTED: _I.REPEATED,
            **_ARRIVED,
            _H.DEFERRED: _S.DEFERRED,
            _H.REFUSED: _S.REFUSED,
            _H.REPLY_LOST: _S.UNKNOWN,
            **dict.fromkeys(_WITHDRAWN, _I.IN_FLIGHT),
        },
        _S.UNKNOWN: {
            _H.LEASED: _I.IN_FLIGHT,
            _H.RELEASED: _I.IN_FLIGHT,
            _H.COMMITTED: _I.STALE,
            **_ARRIVED,
            _H.DEFERRED: _S.DEFERRED,  # known unsent, or sent again on purpose
            _H.REFUSED: _S.REFUSED,
            _H.REPLY_LOST: _I.REPEATED,
            **dict.fromkeys(_WITHDRAWN, _I.IN_FLIGHT),
        },
        # taken on by a provider
        _S.ACCEPTED: {
            **_ENDED,
            _H.ACCEPTED: _I.REPEATED,
            _H.DELIVERED: _S.DELIVERED,
            _H.BOUNCED: _S.BOUNCED,
            _H.COMPLAINED: _S.COMPLAINED,
        },
        _S.DELIVERED: {
            **_ENDED,
            _H.DELIVERED: _I.REPEATED,
            _H.BOUNCED: _S.BOUNCED,  # a relay further on may bounce what an earlier one delivered to it
            _H.COMPLAINED: _S.COMPLAINED,
        },
        # over
        _S.BOUNCED: {
            **_ENDED,
            _H.BOUNCED: _I.REPEATED,
            _H.COMPLAINED: _S.COMPLAINED,  # whichever of the two comes first, the complaint stays
        },
        _S.COMPLAINED: {**_ENDED, _H.COMPLAINED: _I.REPEATED},
        _S.REFUSED: {**_ENDED, _H.REFUSED: _I.REPEATED},
        _S.SUPPRESSED: {**_ENDED, _H.SUPPRESSED: _I.REPEATED},
        _S.CANCELLED: {**_ENDED, _H.CANCELLED: _I.REPEATED},
        _S.EXPIRED: {**_ENDED, _H.EXPIRED: _I.REPEATED},
    }
)


def step(state: State, happening: Happening) -> State | None:
    """Return the state after `happening`, or None when it changes nothing.

    >>> step(State.COMMITTING, Happening.REPLY_LOST)
    <State.UNKNOWN: 'unknown'>
    >>> step(State.REFUSED, Happening.DELIVERED) is None
    True
    """
    following = TABLE[state][happening]
    return following if isinstance(following, State) else None


def sources_of(happening: Happening) -> frozenset[State]:
    """Return the states that `happening` moves: the `WHERE state IN (...)` of its compare-and-set.

    >>> sorted(sources_of(Happening.COMMITTED))
    [<State.LEASED: 'leased'>]
    """
    return frozenset(state for state in State if step(state, happening) is not None)


def conserve(by_state: Mapping[State, int]) -> dict[str, int]:
    """Sum states into the terms of the conservation law; `audience` is their total.

    >>> conserve({State.ACCEPTED: 2, State.BOUNCED: 1, State.PLANNED: 1})["accepted"]
    3
    """
    terms = {
        "accepted": TAKEN,
        "refused": {State.REFUSED},
        "suppressed": {State.SUPPRESSED},
        "expired": {State.EXPIRED},
        "cancelled": {State.CANCELLED},
        "unknown": {State.UNKNOWN},
        "open": OPEN,
    }
    sums = {term: sum(by_state.get(state, 0) for state in states) for term, states in terms.items()}
    return {"audience": sum(by_state.values()), **sums}
