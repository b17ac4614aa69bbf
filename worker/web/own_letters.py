"""`/preferences/{token}/letter` and `/my/{token}`: a reader's own data, being forgotten, a change of address.

The preferences link may be forwarded, so that it only has a letter sent; the letter's link, good for an hour, does the
rest, and by POST alone. The answers do not tell whether an address is known. Parses and shows; `signup` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from starlette.background import BackgroundTask
from starlette.requests import Request

from worker.errors import InputError, TokenError
from worker.letter_links import LINK_OF
from worker.model import LetterKind, SubscriberId, SubscriberStatus
from worker.rendering.language import Language
from worker.runtime.forgetting import flush, remove_files
from worker.signup.address import normalise
from worker.signup.budgets import Sought
from worker.signup.decide_moving import Move, Paper
from worker.signup.own_data import as_file, portrait
from worker.signup.run import look_up
from worker.signup.run_moving import agree, name_address, take_back
from worker.signup.run_own_letters import ASKED_FOR, Opened, ask_letter, forget_by_letter, open_letter, tell_all
from worker.tokens import Purpose
from worker.web.gate import budgeted, charge_sender
from worker.web.own_data_page import shown
from worker.web.site import AnyForm, AnySite, Site
from worker.web.subscribe import letters_offered
from worker.web.wording import masked

router = APIRouter(include_in_schema=False)

_KIND_OF: Final = {purpose: kind for kind, purpose in LINK_OF.items()}
_FLUSH_WITHIN_S: Final = 5.0
_USED_ONCE: Final = frozenset({LetterKind.NEW_ADDRESS, LetterKind.MOVED})
_SUBSCRIBED: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Link:
    """A letter's link, and what it leads to."""

    kind: LetterKind
    subscriber_id: SubscriberId
    letter_id: int
    found: Opened
    language: Language

    @property
    def address(self) -> str:
        reader = self.found.reader
        return masked(reader.email or "") if reader else ""


@router.post("/preferences/{token}/letter", dependencies=[Depends(budgeted(Sought.LETTER))])
def send_letter(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """Have a link sent to the reader's address, and say so in the same words whether or not one goes."""
    [number] = site.house.tokens.read(Purpose.PREFERENCES, token, now=site.now())
    about = form.get("about")
    if about not in {str(kind) for kind in ASKED_FOR}:
        raise HTTPException(422)
    with site.house.database.read() as conn:
        known = look_up(conn, SubscriberId(number))
    if known is None:
        return site.pages.page(request, "gone", status=410)
    ask_letter(site.house.database, known.reader.id, LetterKind(str(about)))
    site.house.ring("sweep_planning")  # also where none goes: the time that an answer takes tells nothing
    language = site.pages.language(request, known.reader.locale)
    address = masked(known.reader.email or "")
    return site.pages.page(request, "letter-sent", language=language, address=address, preferences=_preferences(token))


@router.get("/my/{token}")
def show_own(request: Request, site: AnySite, token: str) -> Response:
    """Show what the link is for, and a button."""
    link = _read(request, site, token)
    return link if isinstance(link, Response) else _first_page(request, site, link)


@router.post("/my/{token}")
def do_own(request: Request, site: AnySite, token: str, form: AnyForm) -> Response:
    """Do what the link is for."""
    link = _read(request, site, token)
    if isinstance(link, Response):
        return link
    match link.kind:
        case LetterKind.DATA:
            return _data(request, site, link, as_a_file=form.get("as") == "file")
        case LetterKind.FORGET:
            return _forget(request, site, link, step=str(form.get("step")), suppress=form.get("suppress") == "yes")
        case LetterKind.MOVE:
            return _name(request, site, link, str(form.get("email") or ""))
        case _:
            return _settle(request, site, link)


def _read(request: Request, site: Site, token: str) -> _Link | Response:
    """Read a link, or answer for one that works no longer. Raises `TokenError` for one that is not ours."""
    try:
        purpose, numbers = site.house.tokens.read_any(tuple(_KIND_OF), token, now=site.now())
    except TokenError as error:
        if not error.expired:
            raise
        return site.pages.page(request, "letter-over", status=410, why="old")
    kind, (subscriber_id, letter_id) = _KIND_OF[purpose], numbers
    with site.house.database.read() as conn:
        found = open_letter(conn, SubscriberId(subscriber_id), letter_id, kind)
        is_done = kind in _USED_ONCE and found.paper is Paper.USED
    if found.reader is None:
        return site.pages.page(request, "gone", status=410)
    language = site.pages.language(request, found.reader.locale)
    if found.paper is not Paper.OPEN:
        why = "used" if is_done else "overtaken"
        return site.pages.page(request, "letter-over", language=language, status=410, why=why)
    if kind in {LetterKind.MOVE, LetterKind.NEW_ADDRESS} and found.reader.status not in _SUBSCRIBED:
        return site.pages.page(request, "not-subscribed", language=language, standing=found.reader.status, letters="")
    return _Link(kind=kind, subscriber_id=found.reader.id, letter_id=letter_id, found=found, language=language)


def _first_page(request: Request, site: Site, link: _Link, *, error: str = "", typed: str = "") -> Response:
    status = 422 if error else 200
    match link.kind:
        case LetterKind.DATA:
            return site.pages.page(request, "my-data", language=link.language, address=link.address)
        case LetterKind.FORGET:
            return _forget_page(request, site, link, is_sure=False)
        case LetterKind.MOVE:
            return site.pages.page(
                request,
                "my-move",
                language=link.language,
                status=status,
                address=link.address,
                error=error,
                typed=typed,
            )
        case _:
            letter = link.found.letter
            named = masked(letter.recipient or "") if letter else ""
            return site.pages.page(
                request, "my-address", language=link.language, kind=link.kind, address=named, does=""
            )


def _data(request: Request, site: Site, link: _Link, *, as_a_file: bool) -> Response:
    told = tell_all(site.house.database, link.subscriber_id, link.letter_id)
    if told is None:  # pragma: no cover  overtaken since the link was read
        return site.pages.page(request, "letter-over", language=link.language, status=410, why="overtaken")
    if as_a_file:
        body = as_file(portrait(told, newsroom=site.house.newsroom.name, at=site.now()))
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "X-Robots-Tag": "noindex, nofollow"}
        return Response(body, media_type="application/json", headers=headers)
    with site.house.database.read() as conn:
        known = look_up(conn, link.subscriber_id)
    values = shown(told, known, link.language, letters=letters_offered(site))
    return site.pages.page(request, "my-data-shown", language=link.language, data=values)


def _forget(request: Request, site: Site, link: _Link, *, step: str, suppress: bool) -> Response:
    if step != "forget":
        return _forget_page(request, site, link, is_sure=True)
    done = forget_by_letter(site.house.database, link.subscriber_id, link.letter_id, suppress=suppress)
    if done is None:  # pragma: no cover  overtaken since the link was read
        return site.pages.page(request, "gone", language=link.language, status=410)
    remove_files(home=site.house.home, inbox=site.house.inbox, spellings=done.spellings)
    answer = site.pages.page(request, "my-forgotten", language=link.language, suppress=suppress)
    answer.background = BackgroundTask(flush, site.house.database, within_s=_FLUSH_WITHIN_S)
    return answer


def _forget_page(request: Request, site: Site, link: _Link, *, is_sure: bool) -> Response:
    return site.pages.page(request, "my-forget", language=link.language, address=link.address, is_sure=is_sure)


def _name(request: Request, site: Site, link: _Link, typed: str) -> Response:
    try:
        address = normalise(typed)
    except InputError:
        wrong = link.language.gettext("Write your address as name@example.org.")
        return _first_page(request, site, link, error=wrong, typed=typed)
    reader = link.found.reader
    if reader is not None and site.house.address_hash(address.key) == reader.address_hash:
        wrong = link.language.gettext("Mail goes to this address already.")
        return _first_page(request, site, link, error=wrong, typed=typed)
    charge_sender(request, site, Sought.LETTER)
    name_address(
        site.house.database,
        link.subscriber_id,
        link.letter_id,
        address=address,
        hash_address=site.house.address_hash,
        limits=site.house.question_limits,
    )
    site.house.ring("sweep_planning")  # also where nobody is written to: the time that an answer takes tells nothing
    return site.pages.page(request, "my-move-asked", language=link.language, address=address.text)


def _settle(request: Request, site: Site, link: _Link) -> Response:
    """Take a new address's yes, or the old one's no."""
    settle = agree if link.kind is LetterKind.NEW_ADDRESS else take_back
    evidence = site.evidence(request, "change of address")
    due = settle(site.house.database, link.subscriber_id, link.letter_id, evidence=evidence)
    if due.does is not Move.NOTHING:
        site.house.ring("sweep_planning")
    letter = link.found.letter
    named = masked(letter.recipient or "") if letter else ""
    reader = link.found.reader
    return site.pages.page(
        request,
        "my-address",
        language=link.language,
        status=200 if due.does is not Move.NOTHING else 409,
        kind=link.kind,
        address=named,
        does=str(due.does),
        has_left=reader is not None and reader.status not in _SUBSCRIBED,
    )


def _preferences(token: str) -> str:
    return f"/preferences/{token}"
