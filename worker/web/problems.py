"""What goes wrong, told to whom it concerns: pages for people, problem details for programs (RFC 9457).

A handler raises; here it becomes an answer. Nothing about the inside of the house gets out, and nothing of a request
gets into the log but its route.
"""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.errors import ConfigurationError, InputError, ManyFaultsError, QueryError, TokenError
from worker.web.framing import BOX

log = logging.getLogger("worker.web")

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
MAX_ARTICLE_BYTES: Final = 4_000_000
MAX_WEBHOOK_BYTES: Final = 2_000_000  # the largest batch of a provider's is SendGrid's, of 768 KB
MAX_FORM_BYTES: Final = 256_000
_LIMITS: Final = {"/api/v1/articles": MAX_ARTICLE_BYTES, "/webhooks/": MAX_WEBHOOK_BYTES}
_DRAINED_BYTES: Final = 16_000_000
_PLAIN: Final = ("/healthz", "/readyz", "/metrics", "/static/", "/demo/", "/webhooks/", "/websub/")
_STREAMED: Final = "/websub/"  # reads its body by itself, as it is checked


class Fault(BaseModel):
    """One thing that is wrong with a request; `pointer` is a JSON pointer into its body (RFC 6901).

    A query that is refused has its `offset` there, in code points from 0; `hint` says what to write instead.
    """

    detail: str
    pointer: str = "#"
    offset: int | None = None
    hint: str | None = None


class Problem(BaseModel):
    """Problem details, as every error of the API is told."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Fault] = []


def install(app: FastAPI) -> None:
    """Make answers of what handlers raise."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(TokenError, _on_token)
    app.add_exception_handler(InputError, _on_input)
    app.add_exception_handler(ConfigurationError, _on_trouble)
    app.add_exception_handler(OperationalError, _on_trouble)
    app.add_exception_handler(PoolTimeoutError, _on_trouble)


class CatchDefects:
    """Answers for handlers that failed on nobody's purpose, and notes where, but not with what.

    An exception that got as far as the server would be logged there with its message, and a database's message quotes
    the row: somebody's address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer if nobody else can."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  this is the door: see above
            request = Request(scope)
            places = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s: a defect: %s\n%s", _route(request), type(error).__name__, places)  # noqa: TRY400  see above
            if has_begun:
                raise RuntimeError("the answer broke off") from None
            await _answer(request, 500)(scope, receive, send)


class LimitBody:
    """Takes in a request's body before its handler runs, and refuses one that is too large.

    What is too much is read and thrown away, up to a point: a server that hangs up in mid-request resets the
    connection, and the answer that says why is lost with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or answer 413."""
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or path.startswith(_STREAMED):
            await self._app(scope, receive, send)
            return
        limit = next((most for start, most in _LIMITS.items() if path.startswith(start)), MAX_FORM_BYTES)
        body = await _take_in(receive, limit)
        if body is None:
            detail = f"at most {limit:,} bytes are taken"
            await _answer(Request(scope), 413, detail, headers={"Connection": "close"})(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)


async def _take_in(receive: Receive, limit: int) -> bytes | None:
    body, size, has_more = bytearray(), 0, True
    while has_more and size <= limit + _DRAINED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body += chunk
        has_more = message.get("more_body", False)
    return bytes(body) if size <= limit else None


def problem(
    status: int, detail: str = "", *, errors: list[Fault] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Answer with problem details."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])
    return JSONResponse(told.model_dump(exclude_none=True), status_code=status, headers=headers, media_type=PROBLEM)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  Starlette calls us for nothing else
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    return _answer(request, error.status_code, detail, headers=dict(error.headers or {}))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  as above
    faults = [_fault(dict(found)) for found in error.errors()]
    status = 400 if any(found["type"] == "json_invalid" for found in error.errors()) else 422
    return _answer(request, status, "; ".join(fault.detail for fault in faults[:3]), errors=faults)


async def _on_token(request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenError)  # noqa: S101  as above
    return _answer(request, 410 if error.expired else 404, str(error), page="bad-link")


async def _on_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)  # noqa: S101  as above
    errors = error.errors if isinstance(error, ManyFaultsError) else (error,)
    return _answer(request, 422, "; ".join(map(str, errors[:3])), errors=[_told(one) for one in errors])


def _told(error: InputError) -> Fault:
    where = f"#/{error.where.replace('.', '/')}" if error.where else "#"
    said = f"{error.message} ({error.hint})" if error.hint else error.message
    offset = error.offset if isinstance(error, QueryError) else None
    return Fault(detail=said, pointer=where, offset=offset, hint=error.hint or None)


async def _on_trouble(request: Request, error: Exception) -> Response:
    log.error("%s: the house is not in order: %s", _route(request), type(error).__name__)
    return _answer(request, 503, "try again in a minute", headers={"Retry-After": "60"})


def _answer(
    request: Request,
    status: int,
    detail: str = "",
    *,
    errors: list[Fault] | None = None,
    headers: dict[str, str] | None = None,
    page: str = "error",
) -> Response:
    path = request.url.path
    if path.startswith("/api/") or (path == BOX and JSON in request.headers.get("accept", "")):
        return problem(status, detail, errors=errors, headers=headers)
    if path.startswith(_PLAIN):
        return PlainTextResponse(f"{status} {HTTPStatus(status).phrase}\n", status_code=status, headers=headers)
    site = request.app.state.site
    wait_min = -(-int((headers or {}).get("Retry-After", "60")) // 60)
    answer: Response = site.pages.page(request, page, status=status, code=status, headers=headers, wait_min=wait_min)
    return answer


def _fault(found: dict[str, Any]) -> Fault:
    loc = [str(part) for part in found["loc"]]
    if found["type"] == "json_invalid":
        return Fault(detail=f"not JSON: {found.get('ctx', {}).get('error', 'unreadable')} at offset {loc[-1]}")
    pointer = "#" + "".join(f"/{part}" for part in loc[1:])
    message = str(found["msg"]).removeprefix("Value error, ")
    return Fault(detail=f"{'.'.join(loc[1:]) or 'the body'}: {message[:1].lower()}{message[1:]}", pointer=pointer)


def _route(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "(no route)"))
