"""`/inbox`: what the local inbox has received, as a reader would see it, and as it is. For this machine only.

Reads the Maildir, changes nothing in it. There is no such page where mail goes to a relay.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, Response
from starlette.requests import Request

from worker.errors import InputError
from worker.runtime.inbox import InboxMessage, count_messages, list_messages, read_message
from worker.web.mail_reading import ReadableMail, framed, read_mail
from worker.web.security import framed_mail_policy
from worker.web.site import LocalSite

_PAGE: Final = 40
_SEARCHED: Final = 2_000
VIEWS: Final = ("html", "text", "headers", "source")


def _inbox_site(site: LocalSite) -> None:
    if not site.house.inbox_is_used:
        raise HTTPException(404)


router = APIRouter(prefix="/inbox", include_in_schema=False, dependencies=[Depends(_inbox_site)])


@router.get("")
def show_list(request: Request, site: LocalSite, to: str = "", page: int = 1) -> Response:
    """List the mails, newest first; `to` is a part of the recipient's address."""
    page = min(max(page, 1), 100_000)
    messages, has_more = _listed(site, to.strip(), page)
    language = site.pages.language(request)
    zone = ZoneInfo(site.house.settings.timezone)
    return site.pages.page(
        request,
        "inbox",
        language=language,
        messages=[(message, language.moment(message.received_at, zone)) for message in messages],
        total=count_messages(site.house.inbox),
        to=to,
        number=page,
        has_more=has_more,
    )


@router.get("/{identifier}")
def show_message(request: Request, site: LocalSite, identifier: str, view: str = "html") -> Response:
    """Show one mail: as HTML in a frame, as text, its headers, or its source."""
    mail = _mail(site, identifier)
    shown = view if view in VIEWS else VIEWS[0]
    if shown == "html" and not mail.html:
        shown = "text"
    language = site.pages.language(request)
    when = language.moment(mail.sent_at, ZoneInfo(site.house.settings.timezone)) if mail.sent_at else ""
    return site.pages.page(
        request, "inbox-message", language=language, identifier=identifier, mail=mail, view=shown, when=when
    )


@router.get("/{identifier}/html")
def show_frame(site: LocalSite, identifier: str) -> Response:
    """Give the mail's HTML to the frame, which may neither run nor send anything, and load our own pictures only."""
    mail = _mail(site, identifier)
    policy = framed_mail_policy(images=site.house.base_url)
    return HTMLResponse(framed(mail.html), headers={"Content-Security-Policy": policy})


@router.get("/{identifier}/message.eml")
def download(site: LocalSite, identifier: str) -> Response:
    """Give the mail's bytes, for a mail program."""
    headers = {"Content-Disposition": 'attachment; filename="message.eml"'}
    return Response(_bytes(site, identifier), media_type="message/rfc822", headers=headers)


def _listed(site: LocalSite, to: str, page: int) -> tuple[list[InboxMessage], bool]:
    folder, start = site.house.inbox, (page - 1) * _PAGE
    if not to:
        found = list_messages(folder, _PAGE + 1, start)
        return list(found[:_PAGE]), len(found) > _PAGE
    searched = list_messages(folder, _SEARCHED)
    matching = [message for message in searched if to.casefold() in message.recipient.casefold()]
    return matching[start : start + _PAGE], len(matching) > start + _PAGE


def _mail(site: LocalSite, identifier: str) -> ReadableMail:
    return read_mail(_bytes(site, identifier))


def _bytes(site: LocalSite, identifier: str) -> bytes:
    try:
        return read_message(site.house.inbox, identifier)
    except InputError as error:
        raise HTTPException(404) from error
