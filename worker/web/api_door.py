"""What every request of `/api/v1` passes: whose key it is, how often it may ask, what it may send, and whether again.

An ASGI middleware. It lets everybody in: who may do what is for each handler to say (`api_keys.needs`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.errors import ConfigurationError
from worker.store import house as house_table
from worker.store.house import KeyHolder
from worker.web.api_rates import Allowance, Rates
from worker.web.api_repeats import HEADER, Repeatable, read_key, repeatable
from worker.web.problems import problem
from worker.wiring import House

log = logging.getLogger("worker.web")

HOLDER: Final = "tocsin.holder"
_PREFIX: Final = "/api/v1/"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_JSON: Final = ("application/json", "application/merge-patch+json")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, and what is left of what they may ask."""

    holder: KeyHolder | None
    allowance: Allowance | None = None


class ApiDoor:
    """Knows the holder of a key, holds them to their rate, and answers a repeated POST as it was answered before."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app, self._house = app, house
        self._rates = Rates(house.redis_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        try:
            asked = await run_in_threadpool(self._look, Headers(scope=scope).get("authorization", ""))
            scope[HOLDER] = asked.holder
            told = _telling(send, asked.allowance)
            if asked.allowance is not None and not asked.allowance.goes:
                detail = f"this key may ask {asked.allowance.per_minute} times a minute"
                await problem(429, detail)(scope, receive, told)
                return
            await self._pass_on(scope, receive, told, asked.holder)
        except (OperationalError, ConfigurationError) as error:
            log.error("the house is not in order: %s", type(error).__name__)  # noqa: TRY400  its words would quote a row
            await problem(503, "try again in a minute", headers={"Retry-After": "60"})(scope, receive, send)

    def _look(self, authorization: str) -> _Asked:
        """Find out who asks, and count it. Blocks."""
        scheme, _, key = authorization.partition(" ")
        holder = self._house.api_holder(key.strip()) if scheme.lower() == "bearer" else None
        if holder is None:
            return _Asked(None)
        if not holder.use_is_noted:
            with self._house.database.write() as conn:
                house_table.note_use(conn, holder.name)
        if holder.rate_per_minute is None:
            return _Asked(holder)
        return _Asked(holder, self._rates.take(holder.name, per_minute=holder.rate_per_minute))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, holder: KeyHolder | None) -> None:
        if holder is None or scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        message = await receive()  # the whole body: it has been taken in already
        body: bytes = message.get("body", b"")
        again = _once(message, receive)
        headers = Headers(scope=scope)
        if body and headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
            await problem(415, "send JSON, with Content-Type: application/json")(scope, receive, send)
            return
        written = headers.get(HEADER)
        if written is None or scope["method"] != "POST":
            await self._app(scope, again, send)
            return
        key = read_key(written)
        if key is None:
            await problem(400, f"{HEADER} must be 1 to 255 printable characters")(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        request = repeatable(
            self._house.database,
            self._house.suppression_key,
            holder=holder.name,
            key=key,
            asked=("POST", f"{scope['path']}?{query}"),
            body=body,
        )
        await self._once_only(request, scope, again, send)

    async def _once_only(self, request: Repeatable, scope: Scope, receive: Receive, send: Send) -> None:
        told = await run_in_threadpool(request.begin)
        if told is None:
            await _answer_and_keep(self._app, request, scope, receive, send)
        elif told.fingerprint != request.fingerprint:
            await problem(422, f"this {HEADER} has been used for another request")(scope, receive, send)
        elif told.status is None:
            detail = "the first request with this key is still being answered"
            await problem(409, detail, headers={"Retry-After": "1"})(scope, receive, send)
        else:
            headers = told.headers | {"Idempotency-Replayed": "true"}
            await Response(request.opened(told), status_code=told.status, headers=headers)(scope, receive, send)


async def _answer_and_keep(app: ASGIApp, request: Repeatable, scope: Scope, receive: Receive, send: Send) -> None:
    """Have a request answered, and keep the answer before anybody gets it."""
    start: Message = {}
    body = bytearray()

    async def hold(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    try:
        await app(scope, receive, hold)
    except BaseException:
        await run_in_threadpool(request.end, 500, [], b"")
        raise
    await run_in_threadpool(request.end, start["status"], list(start.get("headers", ())), bytes(body))
    await send(start)
    await send({"type": "http.response.body", "body": bytes(body)})


def _once(message: Message, receive: Receive) -> Receive:
    """Return what gives a message that was taken in once more, and then what comes after it."""
    waiting = [message]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _telling(send: Send, allowance: Allowance | None) -> Send:
    """Return a `send` that tells in the answer's headers what is left."""
    if allowance is None:
        return send
    told = [(name.lower().encode(), value.encode()) for name, value in allowance.headers().items()]

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return tell
