"""ETags of what the API shows (RFC 9110, 8.8.3): nothing new for whoever has it, no change to what was not seen.

An ETag is a hash of what is shown, so that whatever changes it changes the tag.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import Header, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.requests import Request

from worker.web.api import problem_answers

TAGGED: Final[dict[str, Any]] = {"ETag": {"description": "What is shown, by its hash.", "schema": {"type": "string"}}}
NOT_NEW: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It is what `If-None-Match` names."}}
CHANGED: Final = problem_answers(_412="It is no longer what `If-Match` names; look again.")
_OWN: Final = "private, no-cache"  # whoever keeps an answer asks whether it still holds

IfMatch = Annotated[str | None, Header(description="Do it only if this is still its ETag.", max_length=1000)]
IfNoneMatch = Annotated[str | None, Header(description="Show it only if this is no longer its ETag.", max_length=1000)]


def etag_of(shown: BaseModel) -> str:
    """Return the ETag of what is shown."""
    return f'"{hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:24]}"'


def answer(request: Request, shown: BaseModel, *, status: int = 200, location: str = "") -> Response:
    """Return what is shown, with its ETag; or that it is not new, where somebody has it already."""
    etag = etag_of(shown)
    headers = {"ETag": etag, "Cache-Control": _OWN} | ({"Location": location} if location else {})
    if request.method == "GET" and _names(request.headers.get("if-none-match"), etag, weakly=True):
        return Response(status_code=304, headers=headers)
    return Response(shown.model_dump_json(), status_code=status, headers=headers, media_type="application/json")


def check_match(if_match: str | None, shown: BaseModel) -> None:
    """Raise 412 unless a caller who says what they have seen has seen just this."""
    if if_match is not None and not _names(if_match, etag_of(shown), weakly=False):
        raise HTTPException(412, "it has been changed since: look at it again, and then say what is to be changed")


def _names(header: str | None, etag: str, *, weakly: bool) -> bool:
    """Tell whether a header names an ETag.

    >>> _names('"a", W/"b"', '"b"', weakly=True), _names('W/"b"', '"b"', weakly=False), _names("*", '"b"', weakly=False)
    (True, False, True)
    """
    if header is None:
        return False
    named = [one.strip() for one in header.split(",")]
    return "*" in named or etag in [one.removeprefix("W/") if weakly else one for one in named]
