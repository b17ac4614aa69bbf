"""What clients did within the hour: who follows links faster than anybody reads is a program, whatever it calls itself.

A client is known by a hash of its address and User-Agent under a salt of this hour, which is never written anywhere and
forgotten with all that was known by it when the hour is over. Pure: values in, figures out, no clock; whoever uses it
sees that one thread does at a time. `run` keeps one a process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from worker.measures import Measure, Visitor

HOUR_S: Final = 3600.0
JUDGED_AFTER_S: Final = 10.0
"""How long a request waits for what its client does next, before it is counted."""

TOO_MANY: Final = ((3, 2.0), (6, JUDGED_AFTER_S))
"""So many different links of one edition in so many seconds are a program's."""

MOST_AN_HOUR: Final = 30
"""Of one link, from one client; what comes beyond that is not counted. Many people may share an office's address."""

_CLIENTS: Final = 20_000  # some 20 MB; the longest silent one is forgotten first


class What(NamedTuple):
    """What was asked for: a link to an article in an edition, or the image of a mail, which is of no article: 0.

    `is_told` is False for a link that so few readers had that its figure would be about them.
    """

    measure: Measure
    edition_id: int
    article_id: int = 0
    is_told: bool = True


@dataclass(slots=True)
class _Request:
    """One that waits to be counted."""

    at_s: float
    what: What
    visitor: Visitor


@dataclass(slots=True)
class _Client:
    """What one client did in one edition."""

    is_robot: bool = False
    lately: deque[_Request] = field(default_factory=deque)
    counts: Counter[What] = field(default_factory=Counter)


class Window:
    """The requests of one hour. Times are seconds of one clock that never steps."""

    def __init__(self, *, salt: Callable[[], bytes] = lambda: secrets.token_bytes(16)) -> None:
        self._make_salt, self._salt = salt, salt()
        self._ends_s: float | None = None
        self._clients: OrderedDict[tuple[bytes, int], _Client] = OrderedDict()
        self._waiting: deque[_Request] = deque()

    def note(self, what: What, visitor: Visitor, *, address: str, agent: str, at_s: float) -> None:
        """Take a request in; `settled` tells of it when it has been judged."""
        self._forget(at_s)
        client = self._client(address, agent, what.edition_id)
        client.counts[what] += 1
        if client.counts[what] > MOST_AN_HOUR:
            return
        request = _Request(at_s, what, Visitor.ROBOT if client.is_robot and visitor is Visitor.PERSON else visitor)
        self._waiting.append(request)
        if what.measure is Measure.CLICKS and not client.is_robot:
            client.lately.append(request)
            self._judge(client, at_s)

    def trap(self, edition_id: int, *, address: str, agent: str, at_s: float) -> None:
        """Know a client for a program: it has followed a link that no person sees."""
        self._forget(at_s)
        client = self._client(address, agent, edition_id)
        client.is_robot = True
        self._take_back(client, at_s)

    def settled(self, *, at_s: float, everything: bool = False) -> Counter[tuple[What, Visitor]]:
        """Take out, and count, what has waited long enough, or `everything`."""
        counts: Counter[tuple[What, Visitor]] = Counter()
        while self._waiting and (everything or self._waiting[0].at_s <= at_s - JUDGED_AFTER_S):
            request = self._waiting.popleft()
            counts[request.what, request.visitor] += 1
        return counts

    def _judge(self, client: _Client, at_s: float) -> None:
        """See whether a client has followed too many links, and then take back what was thought of the latest."""
        self._keep_lately(client, at_s)
        for most, within_s in TOO_MANY:
            if len({one.what for one in client.lately if one.at_s >= at_s - within_s}) >= most:
                client.is_robot = True
        if client.is_robot:
            self._take_back(client, at_s)

    def _take_back(self, client: _Client, at_s: float) -> None:
        self._keep_lately(client, at_s)
        for request in client.lately:
            request.visitor = Visitor.ROBOT
        client.lately.clear()

    @staticmethod
    def _keep_lately(client: _Client, at_s: float) -> None:
        while client.lately and client.lately[0].at_s < at_s - JUDGED_AFTER_S:
            client.lately.popleft()

    def _client(self, address: str, agent: str, edition_id: int) -> _Client:
        name = hashlib.blake2b(f"{address}\n{agent}".encode(errors="replace"), key=self._salt, digest_size=12).digest()
        client = self._clients.setdefault((name, edition_id), _Client())
        self._clients.move_to_end((name, edition_id))
        if len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        return client

    def _forget(self, at_s: float) -> None:
        """Begin an hour: with the salt goes everything by which a client could be known again."""
        if self._ends_s is None or at_s >= self._ends_s:
            self._ends_s, self._salt = at_s + HOUR_S, self._make_salt()
            self._clients.clear()
