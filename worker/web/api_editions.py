"""`/api/v1/editions` and `/api/v1/deliveries`: programs look at a send, and stop it.

Parses and answers; the delivery room decides.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from worker.delivery.run_steering import steer
from worker.delivery.steering import Command
from worker.lifecycle import State
from worker.measures import Measure, Visitor
from worker.model import Canary, EditionId, EditionKind, EditionStatus, Lane, Severity, SubscriberId
from worker.store import editions, ledger, measurements, preflights
from worker.web.api import MISSING, PROBLEMS, Body, problem_answers
from worker.web.api_etags import NOT_NEW, TAGGED, IfNoneMatch, answer
from worker.web.api_keys import Scope, needs
from worker.web.api_paging import PAGED, AnyPaging
from worker.web.site import AnySite

REFUSED: Final = problem_answers(_409="It has ended, or is not stopped.")

router = APIRouter(prefix="/api/v1", tags=["v1"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Line(BaseModel):
    """One run, in a list."""

    id: int
    kind: EditionKind
    slot: str
    locale: str
    lane: Lane
    severity: Severity
    status: EditionStatus
    reason: str
    canary: Canary | None
    audience: int | None
    due_at: datetime
    expires_at: datetime
    created_at: datetime
    planned_at: datetime | None
    finished_at: datetime | None


class Found(BaseModel):
    """One thing that a check has found about an edition's mail."""

    check: str
    result: Literal["ok", "warning", "problem", "not checked"]
    found: str
    advice: str
    holds: bool


class Preflight(BaseModel):
    """What the last look at an edition's mail has found; `held_by` is what holds it, unless somebody waived that."""

    result: Literal["ok", "warning", "problem", "not checked"]
    looked_at: datetime
    held_by: str
    waived_by: str
    findings: list[Found]


class Edition(Line):
    """One run. `conservation` has everybody of the audience in exactly one of its other terms.

    `preflight` is null where nobody has looked over its mail.
    """

    conservation: dict[str, int]
    preflight: Preflight | None


class MeasuredEdition(Edition):
    """One run of which something was counted: `measured` has by whom, how often; see measuring.md."""

    measured: dict[Measure, dict[Visitor, int]]


class Editions(BaseModel):
    """Some editions, the newest first; `next` is the cursor of the rest, null: there is no rest."""

    editions: list[Line]
    next: str | None


class Why(Body):
    """Why it is done, for whoever asks later."""

    reason: Annotated[str, Field(max_length=500)] = ""


class Answer(BaseModel):
    """What was, what is, and how many unsent copies were cancelled."""

    id: int
    was: EditionStatus
    status: EditionStatus
    changed: bool
    cancelled: int
    says: str


class Delivery(BaseModel):
    """One reader's copy; `recipient` is null after the reader's erasure."""

    id: int
    edition: int
    kind: EditionKind
    recipient: str | None
    state: State
    attempts: int
    provider: str
    code: int | None
    reason: str
    message_id: str
    provider_message_id: str
    planned_at: datetime
    committed_at: datetime | None
    accepted_at: datetime | None
    next_attempt_at: datetime | None


class Page(BaseModel):
    """Some deliveries in order of id; `next` is the cursor of the rest, null: there is no rest."""

    deliveries: list[Delivery]
    next: str | None


@router.get(
    "/editions",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=Editions,
    responses=PROBLEMS | PAGED,
)
def list_editions(
    site: AnySite, paging: AnyPaging, kind: EditionKind | None = None, status: EditionStatus | None = None
) -> dict[str, Any]:
    """List editions, the newest first."""
    with site.house.database.read() as conn:
        rows = editions.listed(conn, limit=paging.limit + 1, before=paging.after, kind=kind, status=status)
    page, following = paging.page(rows)
    return {"editions": page, "next": following}


@router.get(
    "/editions/{edition_id}",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=Edition | MeasuredEdition,
    responses=PROBLEMS | MISSING | NOT_NEW | {200: {"description": "The edition.", "headers": TAGGED}},
)
def show(
    request: Request,
    site: AnySite,
    edition_id: Number,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  for the description: `answer` reads it
) -> Response:
    """Show an edition with its conservation figures, and with what was counted of it, if anything was."""
    with site.house.database.read() as conn:
        found = editions.listed(conn, edition_id=EditionId(edition_id), limit=1)
        if not found:
            raise HTTPException(404, f"there is no edition {edition_id}")
        figures = editions.conservation(conn, EditionId(edition_id))
        measured = measurements.totals(conn, EditionId(edition_id))
        looked = preflights.told(conn, EditionId(edition_id))
    shown = {**found[0], "conservation": figures, "measured": measured, "preflight": looked}
    return answer(request, (MeasuredEdition if measured else Edition).model_validate(shown))


@router.post("/editions/{edition_id}/{command}", response_model=Answer, responses=PROBLEMS | MISSING | REFUSED)
def command_edition(
    site: AnySite,
    edition_id: Number,
    command: Command,
    actor: Annotated[str, Depends(needs(Scope.EDITIONS))],
    why: Why | None = None,
) -> dict[str, object]:
    """Pause an edition, go on with it, or cancel it, at once. Safe to repeat."""
    reason = why.reason if why else ""
    steered = steer(site.house.database, EditionId(edition_id), command, actor=actor, reason=reason)
    if steered is None:
        raise HTTPException(404, f"there is no edition {edition_id}")
    if steered.refused:
        raise HTTPException(409, steered.says)
    if steered.status in {EditionStatus.SENDING, EditionStatus.DRAFT}:
        site.house.ring("sweep_deliveries" if steered.status is EditionStatus.SENDING else "sweep_planning")
    return steered.told()


@router.get(
    "/deliveries", dependencies=[Depends(needs(Scope.PERSONAL))], response_model=Page, responses=PROBLEMS | PAGED
)
def deliveries(
    site: AnySite,
    paging: AnyPaging,
    edition: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    subscriber: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    state: State | None = None,
) -> dict[str, Any]:
    """List copies, oldest first."""
    reader = SubscriberId(subscriber) if subscriber is not None else None
    wanted: dict[str, Any] = {"edition": edition, "subscriber": reader, "state": state}
    with site.house.database.read() as conn:
        rows = list(ledger.deliveries(conn, **wanted, after=paging.after or 0, limit=paging.limit + 1))
    page, following = paging.page(rows)
    return {"deliveries": page, "next": following}
