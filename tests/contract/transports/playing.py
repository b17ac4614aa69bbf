"""Plays a provider on a socket, and builds its transport as an operator does: from a DSN."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Final

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Act, Fault, Posted, ProviderServer, Reply
from tests.contract.transports.providers.provider import Provider
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.adapters.transports.http import HttpTransport
from worker.model import OutgoingMessage
from worker.ports import Answer, Request, Transport

PROVIDERS: Final[dict[str, Provider]] = {
    path.stem: importlib.import_module(f"tests.contract.transports.providers.{path.stem}").PROVIDER
    for path in sorted((Path(__file__).parent / "providers").glob("*.py"))
    if path.stem != "provider"
}


class Play:
    """A provider that remembers whom it has accepted mail for, and repeats nothing under a key that it knows.

    `acts` are what it does with the first requests, None being what it always does; `deaf` means that it does carry
    out a request before it fails to answer it.
    """

    def __init__(
        self,
        provider: Provider,
        *acts: Act | None,
        refused: Collection[str] = (),
        deaf: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.provider, self._refused, self._deaf = provider, refused, deaf
        self._acts = list(acts)
        self._known: dict[str, tuple[bytes, Reply]] = {}
        self.accepted: list[Sent] = []
        self.server = ProviderServer(self._answer, tls)

    def _answer(self, posted: Posted) -> Act:
        assert self.provider.is_authorised(posted)
        act = self._acts.pop(0) if self._acts else None
        if act is None or (self._deaf and isinstance(act, Fault)):
            answer = self._carry_out(posted)
            return act or answer
        return act

    def _carry_out(self, posted: Posted) -> Reply:
        key = self.provider.key_of(posted) if self.provider.key_of else ""
        if key in self._known:
            before, answer = self._known[key]
            if posted.body != before:
                assert self.provider.conflict, "the same key with another body"
                return self.provider.conflict
            return self.provider.duplicate or answer
        answer = self.provider.answer(posted, self._refused)
        if answer.status // 100 == 2:
            self.accepted += [sent for sent in self.provider.read(posted) if sent.recipient not in self._refused]
            if key:
                self._known[key] = (posted.body, answer)
        return answer


def transport_of(provider: Provider, url: str, options: str = "") -> HttpTransport:
    """Build the transport that posts to `url`."""
    scheme, _, place = url.partition("://")
    dsn = provider.dsn.format(scheme=scheme, place=place)
    stand_in = "" if "{place}" in provider.dsn else f"&base_url={url}"
    joint = "&" if "?" in dsn else "?"
    made = build(parse_transports(f"{dsn}{joint}name=way{stand_in}&{options}")[0])
    assert isinstance(made, HttpTransport)
    as_the_port_has_it: Transport = made  # mypy compares them here
    assert as_the_port_has_it.connections == made.connections
    return made


def request(*messages: OutgoingMessage, key: str = "k-1") -> Request:
    """Ask for messages to be sent."""
    return Request(key=key, messages=messages)


class WholeErrand:
    """An errand over a list of messages, which keeps what it is told."""

    def __init__(self, messages: Collection[OutgoingMessage]) -> None:
        self._left = list(messages)
        self._asked = 0
        self.settled: dict[str, Answer] = {}
        self.returned: list[str] = []

    async def next(self, most: int) -> Request:
        self._asked += 1
        taken, self._left = self._left[:most], self._left[most:]
        return Request(key=f"errand-{self._asked}", messages=tuple(taken))

    def settle(self, message: OutgoingMessage, answer: Answer) -> None:
        assert message.recipient not in self.settled
        self.settled[message.recipient] = answer

    def give_back(self, messages: Collection[OutgoingMessage]) -> None:
        self.returned += [message.recipient for message in messages]
