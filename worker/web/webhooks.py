"""`/webhooks/{provider}/{secret}`: what providers tell us of messages they have taken on.

Checks, translates, stores, and answers 200 once all of it is durable; what follows is drawn afterwards. Only what a
repetition can mend is answered with a 5xx, since providers repeat until they give up, and then switch a webhook off.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import PlainTextResponse, Response
from starlette.requests import Request

from worker.errors import FetchError, InputError, UnprovenError
from worker.hearsay import FeedbackEvent, Opened, Post
from worker.ports import EventParser
from worker.web.site import AnySite, Site

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


async def _body(request: Request) -> bytes:
    return await request.body()


AnyBody = Annotated[bytes, Depends(_body)]
"""The body as it came, byte for byte: that is what is signed."""


@router.post("/webhooks/{provider}/{secret}")
def hear(request: Request, site: AnySite, provider: str, secret: str, body: AnyBody) -> Response:
    """Take events in. A wrong secret, an unknown provider and one without its key look all the same: 404."""
    house = site.house
    if not house.is_webhook_secret(secret):
        raise HTTPException(404)
    parser = house.event_parsers.get(provider)
    if parser is None:
        log.warning("a webhook of %.20r came, but TOCSIN_WEBHOOK_KEYS has no key for it", provider)
        raise HTTPException(404)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        new = _take_in(site, parser, Post(body=body, headers=headers, received_at=site.now()))
    except UnprovenError as error:
        log.warning("a webhook of %s is refused: %s", parser.name, error)
        challenge = {"WWW-Authenticate": 'Basic realm="tocsin"'} if error.asks_password else None
        raise HTTPException(401 if error.asks_password else 403, headers=challenge) from error
    except InputError as error:
        log.warning("a webhook of %s cannot be read: %s", parser.name, error)
        raise HTTPException(400) from error
    except FetchError as error:
        log.warning("a webhook of %s cannot be checked now: %s", parser.name, error)
        raise HTTPException(503, headers={"Retry-After": "60"}) from error
    if new:
        house.ring("settle_feedback")
    return PlainTextResponse("ok\n")


def _take_in(site: Site, parser: EventParser, post: Post) -> int:
    opened = parser.open(post)
    once = f"{parser.name} {opened.once}" if opened.once else ""
    told = list(_translated(parser, opened, post))
    return site.house.feedback.store(told, received_at=post.received_at, once=once)


def _translated(parser: EventParser, opened: Opened, post: Post) -> Iterator[tuple[FeedbackEvent, str]]:
    for raw in opened.items:
        told: Sequence[FeedbackEvent] = parser.read(raw, received_at=post.received_at)
        yield from ((event, raw) for event in told)
