"""`/api/v1`: what the newsroom's own systems push in, with an API key.

Parses and answers; intake judges, a worker matches. Errors are problem documents (problems.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from worker.adapters.sources.files import read_document
from worker.errors import InputError
from worker.model import ArticleId, Novelty
from worker.store import articles, topics
from worker.web.problems import Problem, of_input
from worker.web.site import AnySite, Site

router = APIRouter(prefix="/api/v1", tags=["articles"])

MAX_BODY_BYTES: Final = 4_000_000
_MATCHED_WITHIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05


class ArticleAnswer(BaseModel):
    """An article as the API tells it. `topics` is null until it has been matched."""

    id: int
    status: Novelty
    reason: str
    url: str
    title: str
    published_at: str
    topics: list[str] | None


def needs(scope: str) -> Callable[..., None]:
    """Return a dependency that lets only keys with `scope` pass."""

    def check(request: Request, site: AnySite) -> None:
        word, _, key = request.headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": 'Bearer realm="tocsin"'}
        if word.lower() != "bearer" or not key.strip():
            raise Problem(401, "send an API key: Authorization: Bearer KEY", headers=challenge)
        scopes = site.house.api_scopes(key.strip())
        if scopes is None:
            raise Problem(401, "this is no API key of ours", headers=challenge)
        if scope not in scopes and "admin" not in scopes:
            raise Problem(403, f"this key lacks the scope {scope}")

    return check


async def _body(request: Request) -> bytes:
    """Read the body, no further than the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, f"the body is larger than {MAX_BODY_BYTES // 1_000_000} MB")
    return bytes(body)


@router.post(
    "/articles",
    dependencies=[Depends(needs("articles"))],
    response_model=ArticleAnswer,
    status_code=201,
    responses={
        200: {"description": "Known: an update, or unchanged.", "model": ArticleAnswer},
        202: {"description": "Taken in, not matched yet.", "model": ArticleAnswer},
        401: {"description": "No API key."},
        403: {"description": "The key lacks the scope `articles`."},
        413: {"description": "Too large."},
        422: {"description": "A field is filled in wrongly; `field` names it."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            **{
                                name: {"type": "string"}
                                for name in ("url", "title", "summary", "body", "author", "section", "source", "lang")
                            },
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "published_at": {"type": "string", "format": "date-time"},
                            "severity": {"type": "string", "enum": ["normal", "important", "breaking"]},
                        },
                    }
                }
            },
        }
    },
)
async def push_article(site: AnySite, body: Annotated[bytes, Depends(_body)]) -> JSONResponse:
    """Take an article in, and answer with the topics that it matched as soon as a worker has matched it.

    201: new, or a copy of another outlet's; 200: known; 202: taken in, but not matched within two seconds.
    """
    return await run_in_threadpool(_push, site, body)


def _push(site: Site, body: bytes) -> JSONResponse:
    try:
        found = read_document(body, url="", content_type="application/json")
        if len(found) != 1:
            raise Problem(422, "send one article at a time, as a JSON object")
        added = site.house.add_article(found[0])
    except InputError as error:
        raise of_input(error) from error
    if added.stored:
        site.house.ring("match_article", added.id)
    answer = _told(site, added.id)
    document = {**answer, "status": added.status, "reason": added.reason}
    known = not added.stored or added.status is Novelty.UPDATE
    if answer["topics"] is None:
        return JSONResponse(document, 202)
    return JSONResponse(document, 200 if known else 201)


def _told(site: Site, article_id: ArticleId) -> dict[str, Any]:
    """Return the stored article, waiting a little for its topics."""
    deadline = time.monotonic() + _MATCHED_WITHIN_S
    while True:
        with site.house.database.read() as conn:
            stored = articles.by_id(conn, article_id)
            slugs = topics.slugs_of(conn, article_id)
        if stored is None:
            raise Problem(404, "the article has been removed meanwhile")
        if stored.matched_at is not None or time.monotonic() >= deadline:
            return {
                "id": stored.id,
                "url": stored.url,
                "title": stored.title,
                "published_at": stored.published_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "topics": slugs if stored.matched_at is not None else None,
            }
        time.sleep(_LOOK_EVERY_S)
