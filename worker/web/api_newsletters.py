"""`/api/v1/newsletters` and the drafts of their issues: programs look at what is to come, choose, and let it go.

Parses and answers; `planning.run_choosing` decides.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, Field

from worker.model import Approval, EditionId, EditionStatus, SubscriberId, Timing
from worker.planning import run_choosing
from worker.planning.run_choosing import Choosing, Edited, Looked
from worker.signup.address import normalise
from worker.store import issues, newsletters, people
from worker.web.api import MISSING, PROBLEMS, Body
from worker.web.api_editions import REFUSED, Number, Why
from worker.web.api_etags import CHANGED, TAGGED, IfMatch, check_match, etag_of
from worker.web.api_keys import Scope, needs
from worker.web.site import AnySite, Site

_DRAFT: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The draft.", "headers": TAGGED}}

router = APIRouter(prefix="/api/v1", tags=["v1"])


class Newsletter(BaseModel):
    """An editorial newsletter; `readers` counts who follows it."""

    slug: str
    name: str
    description: str
    sender_name: str
    sender_address: str
    locale: str
    timezone: str
    schedule: str
    selection: dict[str, Any]
    timing: Timing
    approval: Approval
    lead_s: int
    starts_on: date | None
    next_due_at: datetime | None
    disabled_reason: str
    updated_at: datetime
    readers: int


class Item(BaseModel):
    """A story of an issue."""

    story: int
    title: str
    source: str
    outlets: int
    section: str
    published_at: datetime
    pinned: bool


class Draft(BaseModel):
    """An issue as it would go now. `reason` says why it waits or does not go.

    `spare` has the stories that come in where a reader has seen some of the others.
    """

    id: int
    status: EditionStatus
    due_at: datetime
    subject: str
    reason: str
    approved_by: str
    choices: Choosing
    stories: list[Item]
    spare: list[Item]


class Preview(BaseModel):
    """An issue's mail, as it would go now."""

    subject: str
    html: str
    text: str


class Answer(BaseModel):
    """What was done."""

    id: int
    status: EditionStatus
    changed: bool
    says: str


class Letting(Body):
    """`now`: do not wait until it is due. `anyway`: let it go whatever its preflight finds."""

    now: bool = False
    anyway: bool = False


class Addressed(Body):
    """A confirmed reader's address."""

    address: Annotated[str, Field(json_schema_extra={"format": "email"})]


@router.get(
    "/newsletters",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=list[Newsletter],
    responses=PROBLEMS,
)
def list_newsletters(site: AnySite) -> list[dict[str, Any]]:
    """List all newsletters, by slug."""
    with site.house.database.read() as conn:
        return newsletters.listed(conn)


@router.get(
    "/editions/{edition_id}/draft",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=Draft,
    responses=PROBLEMS | MISSING | _DRAFT,
)
def show_draft(site: AnySite, edition_id: Number, response: Response) -> dict[str, Any]:
    """Show an issue of a newsletter as it would go now, with what was chosen for it. The ETag is the choices'."""
    return _draft(site, _look(site, edition_id), response)


@router.patch(
    "/editions/{edition_id}/draft", response_model=Draft, responses=PROBLEMS | MISSING | REFUSED | CHANGED | _DRAFT
)
def change_draft(
    *,
    site: AnySite,
    edition_id: Number,
    choosing: Choosing,
    actor: Annotated[str, Depends(needs(Scope.EDITIONS))],
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Change what an issue shows: the fields that are sent take the place of those that were."""
    _look(site, edition_id)

    def edit(before: Choosing) -> Choosing:
        check_match(if_match, before)
        return before.model_copy(update={name: getattr(choosing, name) for name in choosing.model_fields_set})

    _done(site, run_choosing.choose_anew(site.house.database, EditionId(edition_id), edit, actor=actor))
    return _draft(site, _look(site, edition_id), response)


@router.get(
    "/editions/{edition_id}/preview",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=Preview,
    responses=PROBLEMS | MISSING | REFUSED,
)
def preview(site: AnySite, edition_id: Number) -> dict[str, Any]:
    """Show an issue's mail as it would go now."""
    looked = _look(site, edition_id)
    if looked.content is None:
        raise HTTPException(409, f"edition {edition_id} has nothing to show: {looked.reason}")
    shown = site.house.shown_letters.preview(looked.content, at=looked.issue.due_at)
    return {"subject": shown.subject, "html": shown.html, "text": shown.text}


@router.post("/editions/{edition_id}/approve", response_model=Answer, responses=PROBLEMS | MISSING | REFUSED)
def approve(
    site: AnySite,
    edition_id: Number,
    actor: Annotated[str, Depends(needs(Scope.EDITIONS))],
    letting: Letting | None = None,
) -> dict[str, object]:
    """Let an issue go: one that needs approval when it is due, any other now. From then on it is fixed."""
    _look(site, edition_id)
    wanted = letting or Letting()
    edited = run_choosing.approve(
        site.house.database, EditionId(edition_id), actor=actor, at_once=wanted.now, anyway=wanted.anyway
    )
    return _done(site, edited)


@router.post("/editions/{edition_id}/skip", response_model=Answer, responses=PROBLEMS | MISSING | REFUSED)
def skip(
    site: AnySite,
    edition_id: Number,
    actor: Annotated[str, Depends(needs(Scope.EDITIONS))],
    why: Why | None = None,
) -> dict[str, object]:
    """Let an issue not go. Its stories may come in the next one."""
    _look(site, edition_id)
    reason = why.reason if why else ""
    return _done(site, run_choosing.skip(site.house.database, EditionId(edition_id), actor=actor, reason=reason))


@router.post("/editions/{edition_id}/test-send", response_model=Answer, responses=PROBLEMS | MISSING | REFUSED)
def try_out(
    site: AnySite, edition_id: Number, to: Addressed, actor: Annotated[str, Depends(needs(Scope.EDITIONS))]
) -> dict[str, object]:
    """Send an issue as it would go now to one confirmed reader, marked as a test. It counts as seen by nobody."""
    _look(site, edition_id)
    key = site.house.address_hash(normalise(to.address).key)
    with site.house.database.read() as conn:
        known = people.by_address(conn, key)
        reader = people.by_id(conn, SubscriberId(known.id)) if known else None
    policy = site.house.planning_policy
    return _done(site, run_choosing.send_test(site.house.database, policy, EditionId(edition_id), reader, actor=actor))


def _look(site: Site, edition_id: int) -> Looked:
    with site.house.database.read() as conn:
        if issues.issue(conn, EditionId(edition_id)) is None:
            raise HTTPException(404, f"edition {edition_id} is no newsletter's issue")
    return run_choosing.look(site.house.database, EditionId(edition_id))


def _draft(site: Site, looked: Looked, response: Response) -> dict[str, Any]:
    subject, choices = "", Choosing.model_validate(looked.issue.choices)
    response.headers["ETag"] = etag_of(choices)
    if looked.content is not None:
        subject = site.house.shown_letters.preview(looked.content, at=looked.issue.due_at).subject
    return {
        "id": looked.issue.id,
        "status": looked.issue.status,
        "due_at": looked.issue.due_at,
        "subject": subject,
        "reason": looked.reason or looked.issue.reason,
        "approved_by": looked.issue.approved_by,
        "choices": choices,
        "stories": looked.stories,
        "spare": looked.spare,
    }


def _done(site: Site, edited: Edited) -> dict[str, object]:
    if edited.refused:
        raise HTTPException(409, edited.says)
    site.house.ring("sweep_deliveries" if edited.made else "sweep_planning")
    return edited.told()
