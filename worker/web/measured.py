"""`/c/{token}` and `/o/{token}.gif`: links of an edition that are counted, and the image by which opens are.

Their addresses are the same for all readers of an edition, so that nothing here can tell who asks; neither cookies nor
referrers are used, and addresses and programs are kept by nobody: see docs/measuring.md. What a mail of ours has in it
works for ever, whether or not anything is still counted. `measuring` counts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from worker.measures import TRAP
from worker.measuring.classify import Asked
from worker.rendering.prose import web_address
from worker.tokens import Purpose
from worker.web.security import client_address, was_head
from worker.web.site import AnySite, Site

router = APIRouter(include_in_schema=False)

# One transparent pixel: a header, a palette of two, transparency, and the picture (GIF89a).
_PIXEL: Final = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@router.get("/c/{token}")
def follow(request: Request, site: AnySite, token: str) -> Response:
    """Go on to the story that the link is for, or from the one that nobody sees to the topics; never elsewhere."""
    edition_id, article_id = _numbers(site, Purpose.CLICK, token)
    meter, asked, address = site.house.meter, _asked(request), client_address(request)
    if article_id == TRAP:
        meter.trap(edition_id, asked, address=address)
        where = f"{site.house.base_url}/topics"  # an honest answer: whoever looks behind all links looks for lies
    else:
        where = web_address(meter.click(edition_id, article_id, asked, address=address))
    if not where:
        raise HTTPException(404)
    return RedirectResponse(where, status_code=302, headers=_HEADERS)


@router.get("/o/{token}.gif")
def show_pixel(request: Request, site: AnySite, token: str) -> Response:
    """Show nothing."""
    [edition_id] = _numbers(site, Purpose.OPEN, token)
    site.house.meter.open(edition_id, _asked(request), address=client_address(request))
    return Response(_PIXEL, media_type="image/gif", headers=_HEADERS)


def _numbers(site: Site, purpose: Purpose, token: str) -> tuple[int, ...]:
    """Return what a token says. These never expire, so that the database is not asked for its time.

    Raises `TokenError` for what we have not made.
    """
    return site.house.tokens.read(purpose, token, now=datetime.now(UTC))


def _asked(request: Request) -> Asked:
    said = request.headers
    return Asked(
        agent=said.get("user-agent", ""),
        purpose=" ".join(said.get(name, "") for name in ("sec-purpose", "purpose", "x-moz")),
        is_head=was_head(request),
        opts_out=said.get("dnt") == "1" or said.get("sec-gpc") == "1",
    )
