"""`/subscribe`: choose topics and newsletters or write a search, say when, leave an address.

The answer tells nothing about the address. Parses and shows; `signup.run` decides. `/subscribe/try` takes the same form
and only looks at it: searches the topics, tries the query, stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from worker.errors import InputError, QueryError
from worker.facts import OfferedNewsletter
from worker.rendering.language import Language
from worker.rendering.schedules import zone_label
from worker.signup.budgets import Sought
from worker.signup.doubts import Disposable
from worker.signup.run import sign_up
from worker.store import newsletters, topics
from worker.store.topics import TopicRow
from worker.web import choices
from worker.web.forms import Draft, Reading
from worker.web.gate import budgeted, charge_sender
from worker.web.marks import admit, fresh, kept
from worker.web.newsletter_words import NewsletterLine, newsletter_lines
from worker.web.site import AnyForm, AnySite, Site
from worker.web.topic_search import Shelf, shelf
from worker.web.trying import Question, find
from worker.web.wording import TopicLine, topic_lines

router = APIRouter(include_in_schema=False)

_TRY = "/subscribe/try"
_PART = "x-tocsin-part"
"""The header by which the page's script asks for the answer beside the query's box alone."""


@router.get("/")
def begin() -> Response:
    """Lead to where readers begin. A path alone, so that it does not matter under which name they know us."""
    return RedirectResponse("/subscribe", status_code=307)


@router.get("/subscribe")
def show_form(
    request: Request,
    site: AnySite,
    topic: Annotated[list[str] | None, Query()] = None,
    newsletter: Annotated[list[str] | None, Query()] = None,
    q: str = "",
) -> Response:
    """Show the form, with the newsroom's zone and the browser's language; a link may choose, or search, topics."""
    language = site.pages.language(request)
    draft = Draft(
        topics=tuple(topic or ()),
        newsletters=tuple(newsletter or ()),
        sought=" ".join(q.split())[:100],
        locale=language.tag,
        timezone=site.house.settings.timezone,
        mark=fresh(site),
    )
    return _form_page(request, site, language, draft)


@router.post("/subscribe")
def take_form(request: Request, site: AnySite, form: AnyForm) -> Response:
    """Ask the owner of the address. The same page follows whether or not we knew it."""
    language = site.pages.language(request, str(form.get("locale") or "") or None)
    reading = Reading(form, language, site.check_query)
    if reading.is_only_a_look():
        charge_sender(request, site, Sought.TRY)
        return _look(request, site, language, reading)
    address = ask(request, site, reading, how="sign-up page", asks_again=True)
    if address is None:
        return _form_page(request, site, language, reading.draft)
    return site.pages.page(request, "check-your-mail", language=language, address=address, draft=reading.draft)


def ask(request: Request, site: Site, reading: Reading, *, how: str, asks_again: bool = False) -> str | None:
    """Ask the owner of the address that a form names, and return it; None when something in the form is not right.

    What comes back is the same for every address, known or not, and for a form that a machine has filled in.
    `asks_again` lets a doubtful address count as not right until it is sent once more: the form must then show the
    draft's doubt, and send its `as_written` along. Raises an HTTP 429 for a sender who has asked for too much.
    """
    charge_sender(request, site, Sought.SIGN_UP)
    reading.draft.mark = kept(site, reading)
    address, wish = reading.address(), reading.wish()
    if address is None or wish is None:
        return None
    if reading.doubts(address, disposable=Disposable(site.house.settings.disposable), asks_again=asks_again):
        return None
    admission = admit(request, site, reading)
    if admission.is_feigned:
        return address.text
    if not admission.is_taken:
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


@router.get(_TRY)
def lead_back() -> Response:
    """Lead whoever comes back to a look at the form to the form."""
    return RedirectResponse("/subscribe", status_code=303)


@router.post(_TRY, dependencies=[Depends(budgeted(Sought.TRY))])
def look_at_form(request: Request, site: AnySite, form: AnyForm) -> Response:
    """Search the topics and try the query of a form that is not sent yet."""
    language = site.pages.language(request, str(form.get("locale") or "") or None)
    return _look(request, site, language, Reading(form, language, site.check_query))


def offered(site: Site, language: Language) -> list[TopicLine]:
    """Return the shared topics that can be followed, by name."""
    return topic_lines(topics_offered(site), language)


def topics_offered(site: Site) -> list[TopicRow]:
    """Return the shared topics that can be followed, as stored."""
    with site.house.database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    return [row for row in rows if not row.disabled_reason]


def newsletters_offered(site: Site, language: Language) -> list[NewsletterLine]:
    """Return the newsletters that can be followed."""
    return newsletter_lines(letters_offered(site).values(), language)


def letters_offered(site: Site) -> dict[str, OfferedNewsletter]:
    """Return the newsletters that can be followed, by slug."""
    with site.house.database.read() as conn:
        return {one.slug: one for one in newsletters.offered(conn)}


def shelf_of(site: Site, language: Language, draft: Draft, *, without: Sequence[str | None] = ()) -> Shelf:
    """Return the topics that a form shows: what its search finds and what is chosen, or all."""
    rows = [row for row in topics_offered(site) if row.slug not in without]
    directory = site.trials.directory(rows)
    aliases = {row.slug: directory.aliases(row.slug) for row in rows if row.slug}
    return shelf(topic_lines(rows, language), rows, aliases, sought=draft.sought, chosen=draft.topics)


def try_query(site: Site, language: Language, draft: Draft, question: Question | None) -> None:
    """Try a form's query, and put what came of it into the draft."""
    if question is None:
        return
    rows, zone = topics_offered(site), site.house.settings.timezone
    try:
        draft.finding = find(question, site.trials, rows, language, database=site.house.database, zone=zone)
    except QueryError as error:  # its topic has gone since it was judged
        draft.errors["query"] = str(error)


def is_for_script(request: Request) -> bool:
    """Tell whether the page's script asks, which wants the piece beside the query's box."""
    return request.headers.get(_PART) == "trial"


def options(site: Site, language: Language, draft: Draft) -> dict[str, Any]:
    """Return what both forms let a reader choose among."""
    house_zone = site.house.settings.timezone
    near = dict.fromkeys((draft.timezone, house_zone))
    return {
        "cadences": choices.cadences(language),
        "weekdays": choices.weekdays(language),
        "languages": choices.languages(site.pages.languages.tags, also=draft.locale),
        "zones": choices.zones(language),
        "near_zones": [choices.Choice(zone, zone_label(zone, language)) for zone in near],
    }


def _look(request: Request, site: Site, language: Language, reading: Reading) -> Response:
    question = reading.look()
    reading.draft.look_at = _TRY
    try_query(site, language, reading.draft, question)
    if is_for_script(request):
        return site.pages.page(request, "trial", language=language, draft=reading.draft)
    reading.draft.mark = kept(site, reading)
    return _form_page(request, site, language, reading.draft)


def _form_page(request: Request, site: Site, language: Language, draft: Draft) -> Response:
    draft.look_at = _TRY
    return site.pages.page(
        request,
        "subscribe",
        language=language,
        status=422 if draft.errors else 200,
        public=request.method == "GET",
        draft=draft,
        topics=shelf_of(site, language, draft),
        newsletters=newsletters_offered(site, language),
        **options(site, language, draft),
    )
