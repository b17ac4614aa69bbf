"""`/preferences/{token}`: what a reader follows, when it comes, in which language and zone; pause, add, end.

Parses and shows; `signup.run_preferences` decides. The link comes with every mail and may be forwarded with it, so that
the page shows an address only in part.
"""

from __future__ import annotations

from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from worker.errors import InputError
from worker.model import SubscriberId, SubscriberStatus
from worker.rendering.language import Language
from worker.signup.budgets import Sought
from worker.signup.run import Known, look_up
from worker.signup.run_preferences import change_preferences
from worker.tokens import Purpose
from worker.web.forms import Draft, Reading, draft_of
from worker.web.gate import budgeted, charge_sender
from worker.web.site import AnyForm, AnySite, Site
from worker.web.subscribe import is_for_script, letters_offered, newsletters_offered, options, shelf_of, try_query
from worker.web.wording import following_lines, masked

router = APIRouter(include_in_schema=False)


@router.get("/preferences/{token}")
def show_preferences(request: Request, site: AnySite, token: str) -> Response:
    """Show what the reader follows."""
    known = _known(site, token)
    if known is None:
        return site.pages.page(request, "gone", status=410)
    language = site.pages.language(request, known.reader.locale)
    return _form_page(request, site, language, known, draft_of(known))


@router.post("/preferences/{token}")
def take_preferences(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """Change what the form changes, and show what has come of it."""
    known = _known(site, token)
    if known is None:
        return site.pages.page(request, "gone", status=410)
    language = site.pages.language(request, known.reader.locale)
    if known.standing not in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}:
        return _form_page(request, site, language, known, draft_of(known))
    reading = Reading(form, language, site.check_query)
    if reading.is_only_a_look():
        charge_sender(request, site, Sought.TRY)
        return _look(request, site, language, known, reading)
    preferences = reading.preferences(known)
    if preferences is None:
        return _form_page(request, site, language, known, reading.draft)
    try:
        parted = change_preferences(
            site.house.database,
            known.reader.id,
            preferences,
            check_query=site.check_query,
            courtesies=site.house.courtesies,
        )
    except InputError as error:
        reading.refuse(error)
        return _form_page(request, site, language, known, reading.draft)
    if parted.has_left:
        site.house.ring("sweep_planning")
    changed = _known(site, token) or known
    language = site.pages.language(request, changed.reader.locale)
    return _form_page(request, site, language, changed, draft_of(changed), is_saved=True)


@router.get("/preferences/{token}/try")
def lead_back(token: str) -> Response:
    """Lead whoever comes back to a look at the form to the form."""
    return RedirectResponse(f"/preferences/{quote(token)}", status_code=303)


@router.post("/preferences/{token}/try", dependencies=[Depends(budgeted(Sought.TRY))])
def look_at_form(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """Search the topics and try the query of a form that is not sent yet."""
    known = _known(site, token)
    if known is None:
        return site.pages.page(request, "gone", status=410)
    language = site.pages.language(request, known.reader.locale)
    return _look(request, site, language, known, Reading(form, language, site.check_query))


def _look(request: Request, site: Site, language: Language, known: Known, reading: Reading) -> Response:
    question = reading.look(known)
    reading.draft.look_at = _look_at(site, known)
    try_query(site, language, reading.draft, question)
    if is_for_script(request):
        return site.pages.page(request, "trial", language=language, draft=reading.draft)
    return _form_page(request, site, language, known, reading.draft)


def _look_at(site: Site, known: Known) -> str:
    return f"/preferences/{site.house.tokens.sign(Purpose.PREFERENCES, known.reader.id)}/try"


def _known(site: Site, token: str) -> Known | None:
    [number] = site.house.tokens.read(Purpose.PREFERENCES, token, now=site.now())
    with site.house.database.read() as conn:
        return look_up(conn, SubscriberId(number))


def _form_page(
    request: Request, site: Site, language: Language, known: Known, draft: Draft, *, is_saved: bool = False
) -> Response:
    reader = known.reader
    if known.standing not in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}:
        return site.pages.page(
            request, "not-subscribed", language=language, standing=known.standing, letters=_letters(site, known)
        )
    followed = {one.slug for one in known.followings}
    letters = {one.slug for one in known.followings if one.newsletter_id is not None}
    draft.look_at = _look_at(site, known)
    zone = ZoneInfo(reader.timezone)
    muted = {number: language.moment(until, zone) for number, until in known.muted.items()}
    return site.pages.page(
        request,
        "preferences",
        language=language,
        status=422 if draft.errors else 200,
        draft=draft,
        is_saved=is_saved,
        is_paused=known.standing is SubscriberStatus.PAUSED,
        address=masked(reader.email or ""),
        lines=following_lines(known.followings, language, letters=letters_offered(site), muted=muted),
        muted_stories=[(one, language.moment(one.muted_until, zone)) for one in known.muted_stories],
        house_budget=site.house.settings.alert_budget,
        newsletters=[line for line in newsletters_offered(site, language) if line.slug not in letters],
        topics=shelf_of(site, language, draft, without=tuple(followed)),
        letters=_letters(site, known),
        leave=f"/unsubscribe/{site.house.tokens.sign(Purpose.UNSUBSCRIBE, reader.id, 0)}",
        **options(site, language, draft),
    )


def _letters(site: Site, known: Known) -> str:
    return f"/preferences/{site.house.tokens.sign(Purpose.PREFERENCES, known.reader.id)}/letter"
