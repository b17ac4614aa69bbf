"""The API's errors as problem details (RFC 9457): always `application/problem+json`, never HTML, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

from worker.errors import InputError


class Problem(Exception):  # noqa: N818  it is sent, not raised any further
    """Ends a request with a problem document. `field` names the part of the request that is at fault."""

    def __init__(self, status: int, detail: str, *, field: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, headers


def response(problem: Problem) -> JSONResponse:
    """Return the document of a problem."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field:
        document["field"] = problem.field
    return JSONResponse(document, problem.status, headers=problem.headers, media_type="application/problem+json")


def of_input(error: InputError) -> Problem:
    """Return the problem of a field that was filled in wrongly."""
    return Problem(422, str(error), field=error.where)
