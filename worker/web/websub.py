"""`/websub/{token}`: what hubs ask us, and what they push (W3C WebSub, sections 5.2, 5.3 and 7).

Answers fast: a push is checked while it comes in, kept, and read by a worker later. A token that we have not made is
404 before anything is read or looked up, and so is a question about anything that we have not asked for. Each
subscription has a budget of its own: a hub that floods us is told to wait, and costs no other anything.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from worker.errors import TokenError, printable
from worker.intake.websub import Reply
from worker.intake.websub_signature import SignatureCheck
from worker.tokens import Purpose
from worker.web.site import AnySite, Site

router = APIRouter(include_in_schema=False)

MAX_PUSH_BYTES: Final = 2_000_000
"""What is kept of a push. A larger one is checked all the same, and its source polled in its place."""
MAX_READ_BYTES: Final = 20_000_000
_READ_S: Final = 30.0
_WAIT_S: Final = 60
_LONGEST_CHALLENGE: Final = 4_096
_LONGEST_TYPE: Final = 200
_NO_EXPIRY: Final = datetime.min.replace(tzinfo=UTC)  # these tokens have none, so that no clock is asked


def _number(token: str, site: AnySite) -> int:
    """Return the subscription whose callback this is; 404 for a token that is not ours."""
    try:
        (number,) = site.house.tokens.read(Purpose.WEBSUB, token, now=_NO_EXPIRY)
    except (TokenError, ValueError):
        raise HTTPException(404) from None
    return number


AnyNumber = Annotated[int, Depends(_number)]


@router.get("/websub/{token}")
def ask(request: Request, site: AnySite, number: AnyNumber) -> Response:
    """Confirm to a hub what we have asked it for, and nothing else."""
    told = request.query_params
    mode, challenge = told.get("hub.mode", ""), told.get("hub.challenge", "")
    if mode != "denied" and not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        raise HTTPException(404)
    reply = site.house.hubs.callbacks.answer(
        number,
        mode=mode,
        topic=told.get("hub.topic", ""),
        lease=told.get("hub.lease_seconds", ""),
        reason=told.get("hub.reason", ""),
    )
    if reply is Reply.REFUSE:
        raise HTTPException(404)
    # A safe media type, and `nosniff` by SecurityHeaders: nobody's browser runs what a hub has us echo (section 5.3.1).
    return PlainTextResponse("" if mode == "denied" else challenge)


@router.post("/websub/{token}")
async def hear(request: Request, site: AnySite, number: AnyNumber) -> Response:
    """Keep what a hub pushes. Whatever is wrong with its signature, the answer is the same."""
    house = site.house
    if not site.push_budgets.take(number):
        await run_in_threadpool(house.hubs.callbacks.poll_instead, number)
        raise HTTPException(429, headers={"Retry-After": str(_WAIT_S)})
    awaited = await run_in_threadpool(house.hubs.callbacks.awaited, number)
    if awaited is None:
        raise HTTPException(410)  # section 7: the hub may end it
    check = SignatureCheck(request.headers.get("X-Hub-Signature", ""), secret=awaited.secret)
    body = await _read(request, check)
    if not check.holds():
        await run_in_threadpool(house.hubs.callbacks.count_forged, number)
    else:
        content_type = printable(request.headers.get("Content-Type", ""))[:_LONGEST_TYPE]
        encoded = request.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}
        await run_in_threadpool(_keep, site, number, b"" if encoded else body, content_type)
    return PlainTextResponse("", status_code=202)


def _keep(site: Site, number: int, body: bytes, content_type: str) -> None:
    """Keep a push, and wake a worker once it is kept. Blocks."""
    is_kept = site.house.hubs.callbacks.keep(number, body, content_type=content_type)
    site.house.ring("sweep_hubs" if is_kept else "sweep_sources")


async def _read(request: Request, check: SignatureCheck) -> bytes:
    """Read a body as it comes in, keeping no more than is kept of one; nothing of one that is larger."""
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(_READ_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_READ_BYTES:
                    raise HTTPException(413, headers={"Connection": "close"})
                check.feed(chunk)
                if size <= MAX_PUSH_BYTES:
                    body += chunk
    except TimeoutError:
        raise HTTPException(408, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body) if size <= MAX_PUSH_BYTES else b""
