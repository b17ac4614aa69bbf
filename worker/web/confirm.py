"""`/confirm/{token}`: shows what somebody asked for, and takes the owner's yes.

A GET only shows, so that no mail scanner says yes for a reader. Parses and shows; `signup.run` decides.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from worker.errors import TokenError
from worker.model import SubscriberId, SubscriberStatus
from worker.rendering.language import Language
from worker.signup.consent import Evidence
from worker.signup.run import Answer, Known, come_back, confirm, look_up
from worker.store import people
from worker.tokens import Purpose
from worker.web.site import AnyForm, AnySite, Site
from worker.web.subscribe import letters_offered
from worker.web.wording import FollowLine, following_lines, masked, wish_lines

router = APIRouter(include_in_schema=False)

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@router.get("/confirm/{token}")
def show_question(request: Request, site: AnySite, token: str) -> Response:
    """Show what was asked for, and a button."""
    subscriber_id, number, is_expired = _read(site, token)
    known, lines, language = _look_up(request, site, subscriber_id)
    if known is None:
        return site.pages.page(request, "gone", status=410)
    if known.standing is SubscriberStatus.LEFT:
        return site.pages.page(request, "confirm-left", language=language)
    is_open = known.standing is SubscriberStatus.PENDING or (known.question and number >= known.question.number)
    if not is_open:
        return _done(request, site, subscriber_id, Answer.ALREADY)
    if is_expired:
        return site.pages.page(request, "confirm-expired", language=language, status=410, asked=False)
    address = masked(known.reader.email or "")
    return site.pages.page(request, "confirm", language=language, lines=lines, address=address)


@router.post("/confirm/{token}")
def take_answer(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """Take the yes, or the wish for another mail where this one's link is too old."""
    subscriber_id, number, is_expired = _read(site, token)
    evidence = site.evidence(request, "confirm page")
    if is_expired:
        is_asked = bool(form.get("again"))
        if is_asked:
            _ask_again(site, subscriber_id, evidence)
        _, _, language = _look_up(request, site, subscriber_id)
        status = 200 if is_asked else 410
        return site.pages.page(request, "confirm-expired", language=language, status=status, asked=is_asked)
    answer = confirm(
        site.house.database, subscriber_id, question=number, evidence=evidence, courtesies=site.house.courtesies
    )
    if answer is Answer.CONFIRMED:
        site.house.ring("sweep_planning")
    if answer is Answer.GONE:
        return site.pages.page(request, "gone", status=410)
    return _done(request, site, subscriber_id, answer)


def _ask_again(site: Site, subscriber_id: SubscriberId, evidence: Evidence) -> None:
    signed = come_back(
        site.house.database,
        subscriber_id,
        evidence=evidence,
        hash_address=site.house.address_hash,
        limits=site.house.question_limits,
    )
    if signed.asked:
        site.house.ring("sweep_planning")


def _read(site: Site, token: str) -> tuple[SubscriberId, int, bool]:
    """Read a token, an expired one too: it still says whom to ask again. Raises `TokenError` for any other fault."""
    try:
        numbers, is_expired = site.house.tokens.read(Purpose.CONFIRM, token, now=site.now()), False
    except TokenError as error:
        if not error.expired:
            raise
        numbers, is_expired = site.house.tokens.read(Purpose.CONFIRM, token, now=_LONG_AGO), True
    subscriber_id, number = numbers
    return SubscriberId(subscriber_id), number, is_expired


def _look_up(
    request: Request, site: Site, subscriber_id: SubscriberId
) -> tuple[Known | None, list[FollowLine], Language]:
    with site.house.database.read() as conn:
        known = look_up(conn, subscriber_id)
        follows = known.question.wish.follows if known and known.question else ()
        names = people.topic_names(conn, [follow.topic for follow in follows if follow.topic])
    language = site.pages.language(request, known.reader.locale if known else None)
    return known, wish_lines(follows, names, letters_offered(site), language), language


def _done(request: Request, site: Site, subscriber_id: SubscriberId, answer: Answer) -> Response:
    known, _, language = _look_up(request, site, subscriber_id)
    if answer is Answer.LEFT or known is None:
        return site.pages.page(request, "confirm-left", language=language)
    lines = following_lines(known.followings, language, letters=letters_offered(site))
    link = f"/preferences/{site.house.tokens.sign(Purpose.PREFERENCES, subscriber_id)}"
    return site.pages.page(request, "confirmed", language=language, answer=answer, lines=lines, preferences=link)
