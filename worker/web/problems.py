"""What goes wrong, told to whom it concerns: pages for people, problem details for programs (RFC 9457).

A handler raises; here it becomes an answer. Nothing about the inside of the house gets out, and nothing of a request
gets into the log but its route.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from worker.errors import ConfigurationError, InputError, TokenError

log = logging.getLogger("worker.web")

PROBLEM: Final = "application/problem+json"
_PLAIN: Final = ("/healthz", "/readyz", "/metrics", "/static/", "/demo/")


class Fault(BaseModel):
    """One thing that is wrong with a request; `pointer` is a JSON pointer into its body (RFC 6901)."""

    detail: str
    pointer: str = "#"


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
    app.add_exception_handler(Exception, _on_defect)


def problem(
    status: int, detail: str = "", *, errors: list[Fault] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Answer with problem details."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])
    return JSONResponse(told.model_dump(), status_code=status, headers=headers, media_type=PROBLEM)


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
    where = f"#/{error.where.replace('.', '/')}" if error.where else "#"
    said = f"{error.message} ({error.hint})" if error.hint else error.message
    return _answer(request, 422, str(error), errors=[Fault(detail=said, pointer=where)])


async def _on_trouble(request: Request, error: Exception) -> Response:
    log.error("%s: the house is not in order: %s", _route(request), type(error).__name__)
    return _answer(request, 503, "try again in a minute", headers={"Retry-After": "60"})


async def _on_defect(request: Request, error: Exception) -> Response:
    log.error("%s: a defect: %s", _route(request), type(error).__name__)
    return _answer(request, 500)


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
    if path.startswith("/api/"):
        return problem(status, detail, errors=errors, headers=headers)
    if path.startswith(_PLAIN):
        return PlainTextResponse(f"{status} {HTTPStatus(status).phrase}\n", status_code=status, headers=headers)
    site = request.app.state.site
    answer: Response = site.pages.page(request, page, status=status, code=status, headers=headers)
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
