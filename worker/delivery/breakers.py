"""Decides from what providers answer which ways out are in trouble: what each answer says, and how much is too much.

Pure: answers and times in, ways to shut out. `worker.circuits` says what then becomes of a way; `run_flow` calls both.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from worker.circuits import Trouble, Way
from worker.delivery.decide import is_greylisting
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt

WINDOW_S: Final = 600.0
_REMEMBERED: Final = 100  # failures a way; more only make it surer

# HTTP's 401, 402, 403; RFC 4954's replies to a login. 5.7.8 and 5.7.9 are the login's too, not policy.
_LOGIN_CODES: Final = frozenset({401, 402, 403, 432, 454, 530, 534, 535, 538})
_LOGIN_STATUSES: Final = frozenset({"4.7.0", "5.7.0", "5.7.3", "5.7.8", "5.7.9", "5.7.11", "4.7.12"})
_OVERLOAD_CODES: Final = frozenset({421, 429})
_OVERLOAD_STATUSES: Final = ("4.7.", "4.3.2", "4.4.5", "4.5.3")  # policy for now, no system, congestion, too many


class Bound(NamedTuple):
    """How much is too much: so many failures, and this share of all answers since the first of them.

    Of what was taken before it, `before` at most counts as well.
    """

    least: int
    share: float
    before: int = 0


# One reader's own policy, or a single dropped line, shuts nothing that works for others; a refused login is enough.
_PROVIDER: Final[Mapping[Trouble, Bound]] = MappingProxyType(
    {
        Trouble.UNREACHABLE: Bound(3, 0.5),
        Trouble.LOGIN: Bound(1, 0.5),
        Trouble.OVERLOAD: Bound(10, 0.5),
        Trouble.REFUSAL: Bound(20, 0.8),
        Trouble.POLICY: Bound(20, 0.8),
        Trouble.REPLY_LOST: Bound(3, 0.5),
    }
)
_STREAM: Final = MappingProxyType({Trouble.POLICY: Bound(5, 0.5)})
_DOMAIN: Final = MappingProxyType({Trouble.OVERLOAD: Bound(5, 0.5), Trouble.REFUSAL: Bound(10, 0.8)})
_STREAM_AND_DOMAIN: Final = MappingProxyType({Trouble.POLICY: Bound(1, 0.2, before=20)})


def trouble_of(answer: Receipt | SendError | OutcomeUnknown) -> Trouble | None:
    """Return what an answer says about the way that the message took; None when it is about the reader, or all is well.

    >>> trouble_of(SendError("550 5.7.1 blocked", permanent=True, code=550, enhanced="5.7.1"))
    <Trouble.POLICY: 'policy'>
    >>> trouble_of(SendError("550 5.1.1", permanent=True, blame=Blame.RECIPIENT, code=550)) is None
    True
    """
    if isinstance(answer, OutcomeUnknown):
        return Trouble.REPLY_LOST
    if isinstance(answer, Receipt) or answer.blame is Blame.RECIPIENT or is_greylisting(answer):
        return None
    if answer.code is None:
        return Trouble.UNREACHABLE
    if answer.code in _LOGIN_CODES and (not answer.enhanced or answer.enhanced in _LOGIN_STATUSES):
        return Trouble.LOGIN
    if answer.code in _OVERLOAD_CODES or answer.enhanced.startswith(_OVERLOAD_STATUSES):
        return Trouble.OVERLOAD
    return Trouble.POLICY if answer.enhanced.startswith("5.7.") else Trouble.REFUSAL


class Evidence:
    """What one provider has answered this process lately. Times are seconds of any clock that never goes back."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._began_s = 0.0
        self._taken = 0
        self._taken_of: dict[tuple[str, str], int] = defaultdict(int)  # by stream and domain
        self._failures: dict[tuple[Way, Trouble], deque[tuple[float, int]]] = {}
        self._against: set[tuple[str, str]] = set()  # streams that a domain has refused for policy

    def accept(self, stream: str, domain: str) -> None:
        """Note that a message was taken."""
        self._taken += 1
        self._taken_of[stream, domain] += 1

    def fail(self, trouble: Trouble, *, stream: str = "", domain: str = "", now_s: float) -> list[Way]:
        """Note a failure, and return the ways that it shuts. Without stream and domain it says nothing of either."""
        return [
            way for way, bound in self._judged(trouble, stream, domain) if self._is_too_much(way, trouble, bound, now_s)
        ]

    def share_of(self, domain: str) -> float:
        """Return which share of what was taken went to a domain."""
        return self._taken_by(Way(self._provider, "", domain)) / self._taken if self._taken else 0.0

    def age(self, now_s: float) -> None:
        """Forget what is older than the window; keeps memory small however many domains there are."""
        if now_s - self._began_s > WINDOW_S:
            self._began_s, self._taken = now_s, 0
            self._taken_of.clear()
            self._failures.clear()
            self._against.clear()

    def _judged(self, trouble: Trouble, stream: str, domain: str) -> Iterator[tuple[Way, Bound]]:
        """Walk over the ways that a failure speaks of, with what each bears."""
        name = self._provider
        yield Way(name), _PROVIDER[trouble]
        if stream and trouble in _STREAM and (stream, domain) not in self._against:
            self._against.add((stream, domain))  # one domain, however large, is but one voice about a stream
            yield Way(name, stream), _STREAM[trouble]
        if domain and trouble in _DOMAIN:
            yield Way(name, "", domain), _DOMAIN[trouble]
        if stream and domain and trouble in _STREAM_AND_DOMAIN:
            yield Way(name, stream, domain), _STREAM_AND_DOMAIN[trouble]

    def _is_too_much(self, way: Way, trouble: Trouble, bound: Bound, now_s: float) -> bool:
        taken = self._taken_by(way)
        failures = self._failures.setdefault((way, trouble), deque(maxlen=_REMEMBERED))
        failures.append((now_s, taken))
        while now_s - failures[0][0] > WINDOW_S:
            failures.popleft()
        count, before = len(failures), failures[0][1]
        answers = count + taken - before + min(before, bound.before)
        if count < bound.least or count < bound.share * answers:
            return False
        del self._failures[way, trouble]  # what shut it once must happen anew
        return True

    def _taken_by(self, way: Way) -> int:
        if not way.stream and not way.domain:
            return self._taken
        if way.stream and way.domain:
            return self._taken_of.get((way.stream, way.domain), 0)
        place, wanted = (0, way.stream) if way.stream else (1, way.domain)
        return sum(taken for key, taken in self._taken_of.items() if key[place] == wanted)
