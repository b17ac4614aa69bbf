"""`/subscribe`: choose topics or write a search, say when, leave an address.

The answer tells nothing about the address. Parses and shows; `signup.run` decides.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from worker.errors import InputError
from worker.rendering.language import Language
from worker.signup.budgets import Sought
from worker.signup.run import sign_up
from worker.store import topics
from worker.web import choices
from worker.web.forms import Draft, Reading
from worker.web.gate import budgeted
from worker.web.site import AnyForm, AnySite, Site
from worker.web.wording import TopicLine, topic_lines

router = APIRouter(include_in_schema=False)


@router.get("/")
def begin() -> Response:
    """Lead to where readers begin. A path alone, so that it does not matter under which name they know us."""
    return RedirectResponse("/subscribe", status_code=307)


@router.get("/subscribe")
def show_form(request: Request, site: AnySite, topic: str = "") -> Response:
    """Show the form, with the newsroom's zone, the browser's language, and perhaps one topic chosen already."""
    language = site.pages.language(request)
    draft = Draft(topics=(topic,), locale=language.tag, timezone=site.house.settings.timezone)
    return _form_page(request, site, language, draft)


@router.post("/subscribe", dependencies=[Depends(budgeted(Sought.SIGN_UP))])
def take_form(request: Request, site: AnySite, form: AnyForm) -> Response:
    """Ask the owner of the address. The same page follows whether or not we knew it."""
    language = site.pages.language(request, str(form.get("locale") or "") or None)
    reading = Reading(form, language, site.check_query)
    address = ask(request, site, reading, how="sign-up page")
    if address is None:
        return _form_page(request, site, language, reading.draft)
    return site.pages.page(request, "check-your-mail", language=language, address=address)


def ask(request: Request, site: Site, reading: Reading, *, how: str) -> str | None:
    """Ask the owner of the address that a form names, and return it; None when something in the form is not right.

    What comes back is the same for every address, known or not.
    """
    address, wish = reading.address(), reading.wish()
    if address is None or wish is None:
        return None
    try:
        sign_up(
            site.house.database,
            address=address,
            wish=wish,
            evidence=site.evidence(request, how),
            hash_address=site.house.address_hash,
            check_query=site.check_query,
            limits=site.house.question_limits,
        )
    except InputError as error:
        reading.refuse(error)
        return None
    site.house.ring("sweep_planning")  # also where nobody is asked: the time that an answer takes tells nothing
    return address.text


def offered(site: Site, language: Language) -> list[TopicLine]:
    """Return the shared topics that can be followed, by name."""
    with site.house.database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    return topic_lines((row for row in rows if not row.disabled_reason), language)


def options(site: Site, language: Language, draft: Draft) -> dict[str, Any]:
    """Return what both forms let a reader choose among."""
    house_zone = site.house.settings.timezone
    near = dict.fromkeys((draft.timezone, house_zone))
    return {
        "cadences": choices.cadences(language),
        "weekdays": choices.weekdays(language),
        "languages": choices.languages(site.pages.languages.tags, also=draft.locale),
        "zones": choices.zones(language),
        "near_zones": [choices.Choice(zone, choices.zone_label(zone, language)) for zone in near],
    }


def _form_page(request: Request, site: Site, language: Language, draft: Draft) -> Response:
    return site.pages.page(
        request,
        "subscribe",
        language=language,
        status=422 if draft.errors else 200,
        public=request.method == "GET",
        draft=draft,
        topics=offered(site, language),
        **options(site, language, draft),
    )
