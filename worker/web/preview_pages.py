"""`/preview`: mails as readers will get them, side by side, for editors: samples of every kind, and editions by number.

Answers this machine only, and whoever has a link that `tocsin editions preview ID --link` made: it opens one edition,
for an hour. Shows nothing that quotes a reader's own search. Changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.requests import Request

from worker.content import AnyContent
from worker.errors import ConfigurationError, TokenError
from worker.letters import Preview
from worker.model import EditionId
from worker.planning.run_choosing import look
from worker.rendering import samples
from worker.rendering.theme_trial import sample
from worker.store import contents, issues
from worker.tokens import Purpose
from worker.web.preview_making import Bench
from worker.web.preview_reading import illustrated, lit, read_html
from worker.web.security import is_local, preview_policy
from worker.web.site import AnySite, LocalSite, Site

router = APIRouter(prefix="/preview", include_in_schema=False)

VIEWS: Final = ("both", "phone", "desktop", "text")
_WIDTHS: Final = {"both": (375, 640), "phone": (375,), "desktop": (800,), "text": ()}
_GMAIL_BYTES: Final = 102 * 1024  # of HTML; what comes after them hides behind a link
_CONTENTS: Final = 50  # of one edition, to choose from


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an address says is to be shown, and how."""

    kind: str = samples.KINDS[0]
    locale: str = ""
    view: str = VIEWS[0]
    dark: bool = False
    images: bool = True
    number: int = 1  # of an edition's contents
    key: str = ""

    def query(self, **more: str) -> str:
        """Return the address's query: what differs from the plain one."""
        said = {
            "kind": self.kind if self.kind != samples.KINDS[0] else "",
            "locale": self.locale,
            "view": self.view if self.view != VIEWS[0] else "",
            "dark": "on" if self.dark else "",
            "images": "" if self.images else "off",
            "number": str(self.number) if self.number > 1 else "",
            "key": self.key,
            **more,
        }
        return urlencode({name: value for name, value in said.items() if value})


def _read(request: Request) -> Asked:
    """Read an address; what is none of what there is, is left out."""
    said = request.query_params
    number = said.get("number", "")
    return Asked(
        kind=said["kind"] if said.get("kind") in samples.KINDS else samples.KINDS[0],
        locale=said.get("locale", ""),
        view=said["view"] if said.get("view") in VIEWS else VIEWS[0],
        dark=said.get("dark") == "on",
        images=said.get("images") != "off",
        number=int(number) if re.fullmatch("[1-9][0-9]{0,3}", number) else 1,
        key=said.get("key", ""),
    )


AnyAsked = Annotated[Asked, Depends(_read)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What there is to show: a content, or why there is none; `count` contents to choose from."""

    content: AnyContent | None
    at: datetime
    count: int = 1
    reason: str = ""


def _for_edition(request: Request, site: AnySite, edition_id: Number, asked: AnyAsked) -> Site:
    """Let this machine in, and a link's holder to the edition that it was made for; nobody else learns of the page."""
    if is_local(request, base_url=site.house.base_url):
        return site
    try:
        [number] = site.house.tokens.read(Purpose.PREVIEW, asked.key, now=site.now())
    except (TokenError, ValueError) as error:
        raise HTTPException(404) from error
    if number != edition_id:
        raise HTTPException(404)
    return site


EditionSite = Annotated[Site, Depends(_for_edition)]


@router.get("")
def show_sample(request: Request, site: LocalSite, asked: AnyAsked) -> Response:
    """Show a made-up mail of a kind."""
    return _page(request, site, asked, _sample(asked), base="/preview", edition=0)


@router.get("/frame")
def frame_sample(site: LocalSite, asked: AnyAsked) -> Response:
    """Give a made-up mail's HTML to its frame."""
    return _frame(site, asked, _sample(asked))


@router.get("/message.eml")
def give_sample(site: LocalSite, asked: AnyAsked) -> Response:
    """Give a made-up mail's bytes, for a mail program."""
    return _message(site, asked, _sample(asked))


@router.get("/since")
def tell_samples(site: LocalSite) -> Response:
    """Tell whether a template has changed."""
    return JSONResponse({"stamp": site.previews.bench(site.house).stamp})


@router.get("/editions/{edition_id}")
def show_edition(request: Request, site: EditionSite, edition_id: Number, asked: AnyAsked) -> Response:
    """Show an edition's mails; of a newsletter's draft, the issue as it would go now."""
    found = _edition(site, edition_id, asked)
    return _page(request, site, asked, lambda _tag: found, base=f"/preview/editions/{edition_id}", edition=edition_id)


@router.get("/editions/{edition_id}/frame")
def frame_edition(site: EditionSite, edition_id: Number, asked: AnyAsked) -> Response:
    """Give one of an edition's mails to its frame."""
    found = _edition(site, edition_id, asked)
    return _frame(site, asked, lambda _tag: found)


@router.get("/editions/{edition_id}/message.eml")
def give_edition(site: EditionSite, edition_id: Number, asked: AnyAsked) -> Response:
    """Give one of an edition's mails, for a mail program."""
    found = _edition(site, edition_id, asked)
    return _message(site, asked, lambda _tag: found)


@router.get("/editions/{edition_id}/since")
def tell_edition(site: EditionSite) -> Response:
    """Tell whether a template has changed."""
    return JSONResponse({"stamp": site.previews.bench(site.house).stamp})


_Find = Callable[[str], _Found]


def _sample(asked: Asked) -> _Find:
    at = datetime.combine(samples.DAY, time(7), UTC)
    return lambda tag: _Found(content=sample(asked.kind, tag), at=at)


def _edition(site: Site, edition_id: int, asked: Asked) -> _Found:
    with site.house.database.read() as conn:
        found = contents.of_edition(conn, EditionId(edition_id), limit=_CONTENTS)
        told = list(contents.thawed(conn, found).values()) if found else []
        issue = issues.issue(conn, EditionId(edition_id))
    shared = [content for content in told if content.personal_to is None]
    if shared:
        chosen = shared[min(asked.number, len(shared)) - 1]
        return _Found(content=chosen, at=site.now(), count=len(shared))
    if issue is not None and not found:
        looked = look(site.house.database, EditionId(edition_id))
        return _Found(content=looked.content, at=looked.issue.due_at, reason=looked.reason)
    if not found:
        raise HTTPException(404)
    return _Found(content=None, at=site.now(), count=0)


def _made(site: Site, asked: Asked, find: _Find) -> tuple[Bench, _Found, Preview | None, str]:
    """Make the mail: with the language that is asked for, else the content's, else the first."""
    bench = site.previews.bench(site.house)
    wished = asked.locale if asked.locale in bench.tags else ""
    found = find(wished or "en")
    if found.content is None:
        return bench, found, None, wished
    content = found.content.model_copy(update={"locale": wished}) if wished else found.content
    try:
        return bench, found, bench.letters.preview(content, at=found.at), content.locale
    except ConfigurationError as error:
        return bench, replace(found, content=None, reason=str(error)), None, wished


def _frame(site: Site, asked: Asked, find: _Find) -> Response:
    _, _, shown, _ = _made(site, asked, find)
    if shown is None:
        raise HTTPException(404)
    headers = {"Content-Security-Policy": preview_policy(images=asked.images), "X-Robots-Tag": "noindex, nofollow"}
    return HTMLResponse(lit(illustrated(shown.html), dark=asked.dark), headers=headers)


def _message(site: Site, asked: Asked, find: _Find) -> Response:
    _, _, shown, _ = _made(site, asked, find)
    if shown is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": 'attachment; filename="preview.eml"'}
    return Response(shown.message, media_type="message/rfc822", headers=headers)


def _page(request: Request, site: Site, asked: Asked, find: _Find, *, base: str, edition: int) -> Response:
    bench, found, shown, tag = _made(site, asked, find)
    values: dict[str, Any] = {"shown": shown, "reason": found.reason, "count": found.count}
    if shown is not None:
        read, size = read_html(shown.html), len(shown.html.encode())
        values |= {
            "preheader": read.preheader.removeprefix(shown.subject).lstrip(),
            "links": read.links,
            "kilobytes": f"{size / 1024:.1f}",
            "left": f"{(_GMAIL_BYTES - size) / 1024:.1f}",
            "share": min(100, round(100 * size / _GMAIL_BYTES)),
            "message": f"{base}/message.eml?{asked.query()}",
        }
    return site.pages.page(
        request,
        "preview",
        asked=asked,
        base=base,
        edition=edition,
        kinds=samples.KINDS,
        tags=bench.tags,
        tag=tag,
        sender=site.house.newsroom.from_name,
        frames=[(width, f"{base}/frame?{asked.query(locale=tag)}") for width in _WIDTHS[asked.view]],
        views=[(view, _link(base, replace(asked, view=view))) for view in VIEWS],
        dark_link=_link(base, replace(asked, dark=not asked.dark)),
        images_link=_link(base, replace(asked, images=not asked.images)),
        faults=bench.faults,
        is_faulty=bench.is_faulty,
        stamp=bench.stamp,
        since=f"{base}/since?{asked.query()}",
        **values,
    )


def _link(base: str, asked: Asked) -> str:
    query = asked.query()
    return f"{base}?{query}" if query else base
