"""`/m/{token}`: a mail in the browser, by the link that only its reader got. Gone after the reader's erasure."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.requests import Request

from worker.model import DeliveryId
from worker.tokens import Purpose
from worker.web.security import MAIL_POLICY
from worker.web.site import AnySite

router = APIRouter(include_in_schema=False)


@router.get("/m/{token}")
def show_mail(request: Request, site: AnySite, token: str) -> Response:
    """Show the mail with all its stories; scripts, forms and search engines get nothing of it."""
    [number] = site.house.tokens.read(Purpose.VIEW, token, now=site.now())
    markup = site.house.mail_html(DeliveryId(number))
    if not markup:
        return site.pages.page(request, "gone" if markup is None else "withdrawn", status=410)
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Robots-Tag": "noindex, nofollow"}
    return HTMLResponse(markup, headers=headers)
