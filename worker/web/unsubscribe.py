"""`/unsubscribe/{token}`: the page for people, and the one-click POST for their mail providers (RFC 8058).

The POST takes urlencoded and multipart bodies, or none; it needs no cookie, redirects nowhere, may come twice and works
for ever. The GET changes nothing. Parses and shows; `signup.run_preferences` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from worker.model import DeliveryId, SubscriberId, SubscriberStatus
from worker.rendering.language import Language
from worker.signup.courtesies import NO_COURTESIES
from worker.signup.run import Known, come_back, look_up
from worker.signup.run_preferences import ending_with, unsubscribe
from worker.store.people import Following
from worker.tokens import Purpose
from worker.web.site import AnyForm, AnySite, Site
from worker.web.subscribe import letters_offered
from worker.web.wording import FollowLine, following_lines

router = APIRouter(include_in_schema=False)

_BUTTONS: Final = frozenset({"these", "everything"})
"""What the page's own buttons send, and no mail program does."""


@router.get("/unsubscribe/{token}")
def show_farewell(request: Request, site: AnySite, token: str) -> Response:
    """Show what would end, and a button for it."""
    subscriber_id, delivery_id = _read(site, token)
    with site.house.database.read() as conn:
        known = look_up(conn, subscriber_id)
        ending = ending_with(conn, subscriber_id, delivery_id) if known else []
    language = site.pages.language(request, known.reader.locale if known else None)
    if known is None:
        return _ended(request, site, language, None, ())
    if not ending and known.standing is not SubscriberStatus.PENDING:
        return _ended(request, site, language, known, ())
    return site.pages.page(
        request,
        "unsubscribe",
        language=language,
        lines=_lines(site, ending, language),
        is_all=len(ending) == len(known.followings),
        preferences=_preferences(site, subscriber_id),
    )


@router.post("/unsubscribe/{token}")
def take_farewell(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """End what the mail serves; everything, or nothing after all, where the page's own buttons say so."""
    subscriber_id, delivery_id = _read(site, token)
    scope = form.get("scope")
    if scope == "back":
        return _come_back(request, site, subscriber_id, delivery_id)
    is_a_person = scope in _BUTTONS
    parted = unsubscribe(
        site.house.database,
        subscriber_id,
        delivery_id=None if scope == "everything" else delivery_id,
        courtesies=site.house.courtesies if is_a_person else NO_COURTESIES,
    )
    if is_a_person and parted.has_left:
        site.house.ring("sweep_planning")
    with site.house.database.read() as conn:
        known = look_up(conn, subscriber_id)
    language = site.pages.language(request, known.reader.locale if known else None)
    return _ended(request, site, language, known, parted.ended)


def _come_back(request: Request, site: Site, subscriber_id: SubscriberId, delivery_id: DeliveryId | None) -> Response:
    evidence = site.evidence(request, "unsubscribe page")
    signed = come_back(
        site.house.database,
        subscriber_id,
        delivery_id=delivery_id,
        evidence=evidence,
        hash_address=site.house.address_hash,
        limits=site.house.question_limits,
        courtesies=site.house.courtesies,
    )
    if signed.asked:
        site.house.ring("sweep_planning")
    with site.house.database.read() as conn:
        known = look_up(conn, subscriber_id)
    language = site.pages.language(request, known.reader.locale if known else None)
    return site.pages.page(
        request,
        "come-back",
        language=language,
        is_asked=known is None or known.standing is SubscriberStatus.PENDING,
        lines=_lines(site, known.followings, language) if known else [],
        preferences=_preferences(site, subscriber_id),
    )


def _ended(
    request: Request, site: Site, language: Language, known: Known | None, ended: tuple[Following, ...]
) -> Response:
    """Say that it is done, in the same words to whoever asks again."""
    remaining = _lines(site, known.followings, language) if known else []
    return site.pages.page(
        request,
        "unsubscribed",
        language=language,
        ended=_lines(site, ended, language),
        lines=remaining,
        is_known=known is not None,
        preferences=_preferences(site, known.reader.id) if known and remaining else "",
    )


def _lines(site: Site, followings: Sequence[Following], language: Language) -> list[FollowLine]:
    return following_lines(followings, language, letters=letters_offered(site))


def _read(site: Site, token: str) -> tuple[SubscriberId, DeliveryId | None]:
    subscriber_id, delivery_id = site.house.tokens.read(Purpose.UNSUBSCRIBE, token, now=site.now())
    return SubscriberId(subscriber_id), DeliveryId(delivery_id) if delivery_id else None


def _preferences(site: Site, subscriber_id: SubscriberId) -> str:
    return f"/preferences/{site.house.tokens.sign(Purpose.PREFERENCES, subscriber_id)}"
