"""Lists in pages: an opaque cursor says where the next one begins.

A cursor is signed, and good for the list and the filters that it was given for. Each page is asked of the database
anew, by id: what is added or taken away meanwhile neither repeats nor hides anything else.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Query, Response
from starlette.requests import Request

from worker.errors import InputError, TokenError
from worker.tokens import Purpose
from worker.web.site import AnySite, Site

MOST: Final = 1000
_NOT_FILTERS: Final = frozenset({"cursor", "limit"})

LINKED: Final[dict[str, Any]] = {"Link": {"description": 'The next page, `rel="next"`.', "schema": {"type": "string"}}}
PAGED: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "A page.", "headers": LINKED}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Paging:
    """Which page is asked for: what comes after an id (None: the first), and how much of it."""

    after: int | None
    limit: int
    site: Site
    request: Request
    response: Response

    def page(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows of the page, of one more than `limit`, and the next page's cursor; None: there is none."""
        if len(rows) <= self.limit:
            return rows, None
        cursor = self.site.house.tokens.sign(Purpose.CURSOR, rows[self.limit - 1]["id"], _list_of(self.request))
        asked = [*_filters(self.request), ("limit", str(self.limit)), ("cursor", cursor)]
        self.response.headers["Link"] = f'<{self.request.url.path}?{urlencode(asked)}>; rel="next"'
        return rows[: self.limit], cursor


def _paging(
    request: Request,
    response: Response,
    site: AnySite,
    cursor: Annotated[str, Query(max_length=200, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Paging:
    after = _read(request, site, cursor) if cursor else None
    return Paging(after=after, limit=limit, site=site, request=request, response=response)


AnyPaging = Annotated[Paging, Depends(_paging)]


def _read(request: Request, site: Site, cursor: str) -> int:
    try:
        after, of = site.house.tokens.read(Purpose.CURSOR, cursor, now=site.now())
    except (TokenError, ValueError) as error:
        raise InputError("this is no cursor of ours", where="cursor", hint="begin without one") from error
    if of != _list_of(request):
        raise InputError("this cursor is of another list, or other filters", where="cursor", hint="begin without one")
    return after


def _list_of(request: Request) -> int:
    """Return a number that tells a list with its filters from any other."""
    return zlib.crc32(f"{request.url.path}?{urlencode(sorted(_filters(request)))}".encode())


def _filters(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name not in _NOT_FILTERS]
