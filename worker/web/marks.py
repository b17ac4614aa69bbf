"""The marks in sign-up forms that tell people from machines: when a form was shown, a trap, and a puzzle if need be.

Reads and signs them; `signup.suspicion` decides. A form's mark is the same for all who see one cached page, and works
without JavaScript. `/captcha` gives a puzzle to the widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from worker.errors import TokenError
from worker.signup.budgets import Sought
from worker.signup.suspicion import Course, Demand, Guise, course, guise
from worker.store.house import use_once
from worker.tokens import Purpose
from worker.web.forms import Mark, Reading
from worker.web.gate import charge_more
from worker.web.site import AnySite, Site

router = APIRouter(include_in_schema=False)

TRAP: Final = "homepage"
_MARK: Final = "shown"
_DEAR: Final = 2  # sign-ups that one without a mark counts for


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Whether a form is taken, and whether that is only feigned. `reading.draft` says what is shown where it is not."""

    is_taken: bool
    is_feigned: bool = False


@router.get("/captcha")
def give_puzzle(site: AnySite) -> Response:
    """Give a new puzzle. It is signed, and nothing is kept of it before it is solved."""
    return Response(site.house.puzzle.pose(now=site.now()), media_type="application/json")


def fresh(site: Site) -> Mark:
    """Return the marks of a form that is shown now."""
    return Mark(shown=_sign(site, site.now()), has_puzzle=site.house.puzzle_demand is Demand.ALWAYS)


def kept(site: Site, reading: Reading) -> Mark:
    """Return the marks of a form that is shown again for its reader's own mistakes: it was begun when it was begun."""
    given = reading.hidden(_MARK)
    if _read(site, given) is None:
        return fresh(site)
    return Mark(shown=given, has_puzzle=site.house.puzzle_demand is Demand.ALWAYS)


def admit(request: Request, site: Site, reading: Reading) -> Admission:
    """Look at a form's marks. One that is not taken has, in its draft, what to do next."""
    house, at = site.house, site.now()
    given = reading.hidden(_MARK)
    shown_at = _read(site, given)
    looks = guise(
        trap=reading.hidden(TRAP),
        is_marked=bool(given),
        shown_at=shown_at,
        now=at,
        quickest=house.form_quickest,
        oldest=house.form_oldest,
    )
    due = course(looks, house.puzzle_demand, is_solved=False)
    if due is Course.PUZZLE and _is_solved(site, reading, at):
        due = course(looks, house.puzzle_demand, is_solved=True)
    if due is Course.TAKE_DEARLY:
        charge_more(request, site, Sought.SIGN_UP, cost=_DEAR - 1)
    if due in {Course.SHOW_AGAIN, Course.PUZZLE}:
        has_puzzle = due is Course.PUZZLE
        shown = given if looks in {Guise.SOUND, Guise.QUICK} else _sign(site, at)
        reading.ask_again(
            Mark(shown=shown, has_puzzle=has_puzzle, patience=_patience(site, reading, at) if has_puzzle else "")
        )
        return Admission(is_taken=False)
    if looks is Guise.UNMARKED:
        reading.draft.mark = None  # nor has the page that follows: a mark's time would make two answers two
    return Admission(is_taken=True, is_feigned=due is Course.FEIGN)


def _sign(site: Site, at: datetime) -> str:
    return site.house.tokens.sign(Purpose.FORM, int(at.timestamp()))


def _read(site: Site, mark: str) -> datetime | None:
    try:
        [shown] = site.house.tokens.read(Purpose.FORM, mark, now=datetime.fromtimestamp(0, UTC))
    except (TokenError, ValueError):
        return None
    return datetime.fromtimestamp(shown, UTC)


def _is_solved(site: Site, reading: Reading, at: datetime) -> bool:
    """Tell whether a form brings a solution that nobody has used before, and use it."""
    for captcha in site.house.captchas:
        given = reading.hidden(captcha.name)
        named = captcha.solved(given, now=at) if given else None
        if named is not None:
            with site.house.database.write() as conn:
                if use_once(conn, named):
                    return True
    return False


def _patience(site: Site, reading: Reading, at: datetime) -> str:
    """Return the moment since which a reader waits: the one that they brought too soon, or a new one."""
    patience = site.house.patience
    given = reading.hidden(patience.name)
    if given and patience.is_early(given, now=at):
        return given
    return patience.pose(now=at)
