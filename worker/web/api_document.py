"""What `/api/openapi.json` says of every operation alike: problem details, rates, and requests that may be repeated.

Says what `api_door` does, in one place. Called once, when the app is put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI

from worker.web.api import problem_answers
from worker.web.api_repeats import HEADER
from worker.web.problems import Fault, Problem

_PREFIX: Final = "/api/v1/"
_TOO_OFTEN: Final = problem_answers(_429="The key has asked too often; `Retry-After` says when to ask again.")
_NO_JSON: Final = problem_answers(_415="The body is sent as something else than JSON.")
_ANSWERED: Final = problem_answers(_409="The first request with this `Idempotency-Key` is still being answered.")
_REPEATS: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "Makes it safe to send this request again for a day: it happens once, its answer comes again.",
}
_SCHEMAS: Final[dict[str, type[Any]]] = {"Problem": Problem, "Fault": Fault}


def describe(app: FastAPI) -> None:
    """Let an app's description say what all its operations share."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    for method, operation in _operations(document):
        answers = operation["responses"]
        for status, answer in _shared(method, has_body="requestBody" in operation):
            answers.setdefault(str(status), answer)
        if method == "post":
            operation.setdefault("parameters", []).append(_REPEATS)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in _SCHEMAS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[name] = schema
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        if path.startswith(_PREFIX):
            yield from operations.items()


def _shared(method: str, *, has_body: bool) -> Iterator[tuple[int | str, dict[str, Any]]]:
    yield from _TOO_OFTEN.items()
    if has_body:
        yield from _NO_JSON.items()
    if method == "post":
        yield from _ANSWERED.items()
