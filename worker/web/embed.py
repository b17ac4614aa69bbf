"""`/embed` and `/embed.js`: the sign-up box that stands on the newspaper's own pages, in a frame or by a script.

It takes what `/subscribe` takes and answers within the frame. It uses no cookie and no storage, and shows nothing that
belongs to anybody, so that a page around it gains nothing by hiding it; all the same only the pages of
TOCSIN_EMBED_ORIGINS may frame it, and only they may read its answer in JSON. Parses and shows; `signup.run` decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData
from starlette.requests import Request

from worker import __version__
from worker.errors import InputError
from worker.rendering.language import Language
from worker.rendering.theme_files import Theme
from worker.signup.wishes import read_zone
from worker.web.forms import Draft, Reading
from worker.web.framing import BOX, allows, origins
from worker.web.marks import fresh
from worker.web.newsletter_words import NewsletterLine
from worker.web.problems import JSON, Fault, problem
from worker.web.site import AnyForm, AnySite, Site
from worker.web.subscribe import ask, newsletters_offered, offered
from worker.web.topic_pages import is_known
from worker.web.wording import TopicLine

router = APIRouter(include_in_schema=False)

_FEW: Final = 8  # so many things to follow are shown with a box each, more topics as a list to choose from


@dataclass(frozen=True, kw_only=True, slots=True)
class _Box:
    """What a box offers, as its address says. `is_chosen`: it names what it is for, rather than offering all."""

    topics: list[TopicLine]
    newsletters: list[NewsletterLine]
    is_chosen: bool
    parent: str  # the origin of the page around it, where that may frame it
    scheme: str
    query: str  # "?topic=oman", or ""


@router.get("/embed.js")
def give_script(site: AnySite, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Give the script that puts the box in its place."""
    script, tag = _script(site.house.theme)
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
    if is_known(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(script, media_type="text/javascript", headers=headers)


@router.get(BOX)
def show_box(request: Request, site: AnySite) -> Response:
    """Show the box; `?topic=`, `?newsletter=` say what it is for, `?lang=` in which language."""
    language = site.pages.language(request)
    box = _box(request, site, language)
    draft = Draft(locale=language.tag, timezone=site.house.settings.timezone, mark=fresh(site))
    if box.is_chosen:
        draft.topics = [topic.slug for topic in box.topics]
        draft.newsletters = [newsletter.slug for newsletter in box.newsletters]
    return _page(request, site, language, box, "embed", draft=draft)


@router.post(BOX)
def take_form(request: Request, site: AnySite, form: AnyForm, accept: Annotated[str, Header()] = "") -> Response:
    """Ask the owner of the address, as `/subscribe` does. The answer is the same whether or not we knew it."""
    language = site.pages.language(request, str(form.get("locale") or "") or None)
    reading = Reading(_with_zone(form, site.house.settings.timezone), language, site.check_query)
    box = _box(request, site, language)
    how = f"sign-up box on {box.parent}" if box.parent else "sign-up box"
    is_program = JSON in accept  # it has no buttons to ask its reader with
    address = ask(request, site, reading, how=how, asks_again=not is_program)
    if is_program:
        return _told(reading.draft, is_taken=address is not None)
    if address is None:
        return _page(request, site, language, box, "embed", draft=reading.draft)
    return _page(request, site, language, box, "embed-sent", address=address)


def _box(request: Request, site: Site, language: Language) -> _Box:
    """Read a box's address: what it names and is not there is left out, and without any it offers everything."""
    asked = request.query_params
    wanted = {name: _slugs(asked.getlist(name)) for name in ("topic", "newsletter")}
    topics, letters = offered(site, language), newsletters_offered(site, language)
    chosen_topics = [topic for topic in topics if topic.slug in wanted["topic"]]
    chosen_letters = [letter for letter in letters if letter.slug in wanted["newsletter"]]
    is_chosen = bool(chosen_topics or chosen_letters)
    settings, origin = site.house.settings, asked.get("origin", "")
    allowed = origins(settings.embed_origins, home_url=settings.home_url)
    return _Box(
        topics=chosen_topics if is_chosen else topics,
        newsletters=chosen_letters if is_chosen else letters,
        is_chosen=is_chosen,
        parent=origin if allows(allowed, origin) else "",
        scheme=scheme if (scheme := asked.get("scheme", "")) in {"light", "dark"} else "",
        query=f"?{urlencode(list(asked.multi_items()))}" if asked else "",
    )


def _slugs(values: list[str]) -> set[str]:
    return {slug for value in values for slug in value.replace(",", " ").split()}


def _with_zone(form: FormData, house_zone: str) -> FormData:
    """Return a form whose zone can be read: nobody has typed it, a browser may have told one that we do not know."""
    try:
        zone = read_zone(str(form.get("timezone") or house_zone))
    except InputError:
        zone = house_zone
    return FormData([*((name, value) for name, value in form.multi_items() if name != "timezone"), ("timezone", zone)])


def _page(
    request: Request,
    site: Site,
    language: Language,
    box: _Box,
    template: str,
    *,
    draft: Draft | None = None,
    address: str = "",
) -> Response:
    has_faults = draft is not None and bool(draft.errors)
    return site.pages.page(
        request,
        template,
        language=language,
        status=422 if has_faults else 200,
        headers=_headers(request),
        draft=draft,
        few=_FEW,
        topics=box.topics,
        newsletters=box.newsletters,
        is_chosen=box.is_chosen,
        parent=box.parent,
        scheme=box.scheme,
        query=box.query,
        address=address,
    )


def _headers(request: Request) -> Mapping[str, str]:
    is_shared = request.method == "GET"
    return {"Cache-Control": "public, max-age=60" if is_shared else "no-store", "Vary": "Accept-Language"}


def _told(draft: Draft, *, is_taken: bool) -> Response:
    """Answer a form of the newspaper's own making, whose script reads this."""
    headers = {"Vary": "Accept"}
    if is_taken:
        return JSONResponse({"state": "check_your_mail"}, headers=headers)
    faults = [Fault(detail=sentence, pointer=f"#/{name}") for name, sentence in draft.errors.items()]
    return problem(422, errors=faults, headers=headers)


@lru_cache(maxsize=4)
def _script(theme: Theme) -> tuple[str, str]:
    """Return the script and its ETag: of the theme that the process began with."""
    script = f"// Tocsin {__version__}\n{theme.embed_script}"
    return script, f'"{hashlib.sha256(script.encode()).hexdigest()[:24]}"'
