"""Speaks with WebSub hubs: subscribes, renews leases before they end, repeats with patience, and says goodbye.

No transaction is open during a request. Many workers may sweep at once: whoever changes a row's `next_try_at` first
asks its hub, and that change is also when it is asked again, so that a process that dies has lost nothing. A hub's
answer is only that it has heard; its question at our callback (`run_callbacks`) is what makes a subscription. Called by
`tasks`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from worker.adapters.sources.fetch import make_client
from worker.adapters.sources.hub_request import TIMEOUT_S, HubAnswer, ask_hub
from worker.errors import FetchError
from worker.hubs import LIVE, HubState
from worker.intake.websub import GOODBYES, LEASE, ask_again_in, refused_for
from worker.model import SourceId
from worker.store import websub
from worker.store.database import Database, now
from worker.tokens import Purpose, Tokens

log = logging.getLogger(__name__)

_A_SWEEP: Final = 64
_AT_ONCE: Final = 16
_AT_ONE_HUB: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class HubTerms:
    """How hubs are asked. `base_url` is where they reach us, None where they are not to: then all is ended.

    `why_not` says why they are not to, in words for operators.
    """

    base_url: str | None
    why_not: str = ""
    user_agent: str
    allow_private: bool
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True)
class _Asked:
    row: Row[Any]
    asked_at: datetime
    form: dict[str, str]


class HubSubscriber:
    """This process's part in speaking with the hubs."""

    KEEPS: ClassVar = timedelta(days=90)
    """Longer than any lease: till then it is known what a late push is about."""

    def __init__(
        self, database: Database, tokens: Tokens, terms: HubTerms, *, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._database, self._tokens, self._terms, self._stopping = database, tokens, terms, stopping
        self._thread: threading.Thread | None = None

    def begin_sweep(self) -> None:
        """Begin to ask the hubs that are due, in a thread: a slow hub keeps nobody else from their work."""
        if (self._thread is not None and self._thread.is_alive()) or self._stopping() or not self._is_needed():
            return
        self._thread = threading.Thread(target=self._sweep_or_tell, name="hubs", daemon=True)
        self._thread.start()

    def sweep(self) -> int:
        """Ask the hubs that are due, several at once; return how many were asked."""
        with self._database.write() as conn:
            websub.leave_strays(conn, base_url=self._terms.base_url)
            websub.forget(conn, before=now(conn) - self.KEEPS)
        asked = self._claim()
        if asked:
            asyncio.run(self._ask_all(asked))
        return len(asked)

    def _sweep_or_tell(self) -> None:
        try:
            self.sweep()
        except Exception:
            log.exception("the hubs cannot be asked; the next sweep tries again")

    def _is_needed(self) -> bool:
        with self._database.read() as conn:
            return bool(websub.due(conn, limit=1)) or websub.has_strays(conn, base_url=self._terms.base_url)

    def _claim(self) -> Sequence[_Asked]:
        with self._database.read() as conn:
            rows = websub.due(conn, limit=_A_SWEEP)
        asked = []
        for row in rows:
            try:
                with self._database.write() as conn:
                    asked_at = self._claim_one(conn, row)
            except IntegrityError:  # another hub is asked for this source by now
                continue
            if asked_at is not None:
                asked.append(_Asked(row, asked_at, self._form(row)))
        return asked

    def _claim_one(self, conn: Connection, row: Row[Any]) -> datetime | None:
        """Take one on; None when there is nothing to ask, or somebody else asks."""
        at = now(conn)
        state = HubState(row.state)
        knows_key = self._tokens.signing_with(row.signing_key) is not None
        if state is HubState.LEAVING and (row.failures >= GOODBYES or not knows_key):
            websub.claim(conn, row, state=HubState.ENDED, next_try_at=None)
            return None
        if not knows_key or (state is HubState.REFUSED and _has_other(conn, row)):
            websub.claim(conn, row, state=HubState.ENDED, next_try_at=None)
            return None
        values: dict[str, Any] = {"asked_at": at, "failures": row.failures + 1}
        values["next_try_at"] = at + ask_again_in(row.failures if state is not HubState.REFUSED else 0)
        if state in {HubState.WANTED, HubState.REFUSED}:
            values["state"] = HubState.ASKED
        if state is HubState.ACTIVE and row.lease_until is not None:
            if row.lease_until <= at:
                values["state"] = HubState.ASKED  # the hub has let it end: nothing is pushed until it says otherwise
                websub.poll_soon(conn, SourceId(row.source_id), at=at)
            else:
                values["next_try_at"] = min(values["next_try_at"], row.lease_until)
        return at if websub.claim(conn, row, **values) else None

    def _form(self, row: Row[Any]) -> dict[str, str]:
        """Return what a hub is told (section 5.1). PubSubHubbub 0.3 insists on `hub.verify`; later ones ignore it."""
        told = {
            "hub.callback": callback_of(row, self._tokens),
            "hub.mode": "unsubscribe" if row.state is HubState.LEAVING else "subscribe",
            "hub.topic": row.topic,
            "hub.verify": "async",
        }
        if row.state is HubState.LEAVING:
            return told
        secret = {"hub.secret": secret_of(row, self._tokens) or ""}
        return told | secret | {"hub.lease_seconds": str(int(LEASE.total_seconds()))}

    async def _ask_all(self, asked: Sequence[_Asked]) -> None:
        turns, turns_of = asyncio.Semaphore(_AT_ONCE), defaultdict[str, asyncio.Semaphore](_turns_of_a_hub)
        async with make_client(self._terms.user_agent, allow_private=self._terms.allow_private, accept="*/*") as client:
            client.headers["Accept-Encoding"] = "identity"

            async def ask(one: _Asked) -> None:
                async with turns_of[urlsplit(one.row.hub).netloc], turns:
                    if not self._stopping():
                        answer = await self._ask(client, one)
                        await asyncio.to_thread(self._note, one, answer)

            for outcome in await asyncio.gather(*map(ask, asked), return_exceptions=True):
                if isinstance(outcome, Exception):
                    log.error("a hub's answer cannot be noted", exc_info=outcome)

    async def _ask(self, client: Any, one: _Asked) -> HubAnswer | FetchError:  # noqa: ANN401  httpx's client
        https_only = not self._terms.allow_private
        try:
            return await ask_hub(client, one.row.hub, one.form, https_only=https_only, timeout_s=self._terms.timeout_s)
        except FetchError as error:
            return error

    def _note(self, one: _Asked, answer: HubAnswer | FetchError) -> None:
        """Note an answer. Where the hub has put its question before, that has settled it, and this changes nothing."""
        error = _error_of(answer)
        if isinstance(answer, HubAnswer) and answer.accepts:
            return
        log.warning("the hub %s is asked for source %s in vain: %s", one.row.hub, one.row.source_id, error)
        with self._database.write() as conn:
            if isinstance(answer, HubAnswer) and answer.refuses and one.row.state is not HubState.LEAVING:
                again_at = now(conn) + refused_for(one.row.failures + 1)
                values: dict[str, Any] = {"state": HubState.REFUSED, "next_try_at": again_at, "lease_until": None}
                states: tuple[HubState, ...] = LIVE
            else:
                values, states = {}, (*LIVE, HubState.LEAVING)
            websub.change_asked(conn, one.row.id, asked_at=one.asked_at, states=states, last_error=error, **values)


def callback_of(row: Row[Any], tokens: Tokens) -> str:
    """Return the address that a subscription's hub pushes to: 256 bits that nobody can guess, made of its number."""
    signer = tokens.signing_with(row.signing_key) or tokens
    return f"{row.base_url}/websub/{signer.sign(Purpose.WEBSUB, row.id)}"


def secret_of(row: Row[Any], tokens: Tokens) -> str | None:
    """Return what a subscription's hub signs with; None when the key that it was made with is gone."""
    signer = tokens.signing_with(row.signing_key)
    return signer.sign(Purpose.WEBSUB_SECRET, row.id) if signer else None


def _has_other(conn: Connection, row: Row[Any]) -> bool:
    found = websub.of_source(conn, SourceId(row.source_id))
    return any(other.id != row.id and other.state in LIVE for other in found)


def _turns_of_a_hub() -> asyncio.Semaphore:
    return asyncio.Semaphore(_AT_ONE_HUB)


def _error_of(answer: HubAnswer | FetchError) -> str:
    if isinstance(answer, FetchError):
        return str(answer)
    return f"it answers {answer.status}" + (f": {answer.said}" if answer.said else "")
