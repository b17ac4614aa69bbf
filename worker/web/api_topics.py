"""`/api/v1/topics`: the newsroom's own programs look at the shared topics, make, change and take them away.

Parses and answers; `matching.run_topic_editing` decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request

from worker.store import topics
from worker.store.topics import TopicRow
from worker.web.api import MISSING, PROBLEMS, Body, problem_answers
from worker.web.api_etags import CHANGED, NOT_NEW, TAGGED, IfMatch, IfNoneMatch, answer, check_match
from worker.web.api_keys import Scope, needs
from worker.web.api_paging import PAGED, AnyPaging
from worker.web.site import AnySite

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=40)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Names = Annotated[dict[Locale, Words], Field(max_length=50, description='By language, such as {"en": "North Korea"}.')]
Examples = Annotated[tuple[Words, ...], Field(max_length=100, description="Headlines.")]
Query = Annotated[str, Field(max_length=20_000)]

_MAY_LOOK: Final = Depends(needs(Scope.EDITIONS, Scope.SUBSCRIPTIONS, Scope.ARTICLES))
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The topic.", "headers": TAGGED}}
_KNOWN: Final = problem_answers(_409="There is a topic of this slug already.")
_NEEDED: Final = problem_answers(_409="Readers follow it, or a query or a newsletter names it.")

router = APIRouter(prefix="/api/v1", tags=["v1"])
Editor = Annotated[str, Depends(needs(Scope.EDITIONS))]
ByItsSlug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$")]


class Topic(BaseModel):
    """A shared topic. `version` rises when it asks for something else; `disabled_reason` says why it is off."""

    slug: str
    name: dict[str, str]
    description: dict[str, str]
    query: str
    must_match: list[str]
    must_not_match: list[str]
    version: int
    disabled_reason: str


class Page(BaseModel):
    """Some topics in the order in which they were made; `next` is the cursor of the rest, null: there is no rest."""

    topics: list[Topic]
    next: str | None


class NewTopic(Body):
    """A topic to be made. Each example is checked: the query must find the first, and not the others."""

    slug: Slug
    name: Names
    query: Query
    description: Names = Field(default_factory=dict)
    must_match: Examples = ()
    must_not_match: Examples = ()


class ChangedTopic(Body):
    """What is to be otherwise; what is left out stays as it is."""

    name: Names | None = None
    query: Query | None = None
    description: Names | None = None
    must_match: Examples | None = None
    must_not_match: Examples | None = None


@router.get("/topics", dependencies=[_MAY_LOOK], response_model=Page, responses=PROBLEMS | PAGED)
def list_topics(site: AnySite, paging: AnyPaging) -> dict[str, Any]:
    """List the shared topics."""
    with site.house.database.read() as conn:
        rows = topics.listed(conn, after=paging.after or 0, limit=paging.limit + 1)
    page, following = paging.page([{"id": row.id, "topic": _shown(row)} for row in rows])
    return {"topics": [one["topic"] for one in page], "next": following}


@router.post(
    "/topics",
    status_code=201,
    response_model=Topic,
    responses=PROBLEMS | _KNOWN | {201: {"description": "It is made.", "headers": TAGGED}},
)
def make_topic(request: Request, site: AnySite, wanted: NewTopic, actor: Editor) -> Response:
    """Make a topic. Stories that come from now on are held against it; `tocsin topics backfill` looks back."""
    from worker.matching.library import TopicDraft  # noqa: PLC0415  pages need no library of topics
    from worker.matching.run_topic_editing import create  # noqa: PLC0415  as above

    edited = create(site.house.database, TopicDraft(where="", **wanted.model_dump()), actor=actor)
    if edited.refused or edited.topic is None:
        raise HTTPException(409, edited.refused)
    return answer(request, _shown(edited.topic), status=201, location=f"/api/v1/topics/{wanted.slug}")


@router.get(
    "/topics/{slug}",
    dependencies=[_MAY_LOOK],
    response_model=Topic,
    responses=PROBLEMS | MISSING | _SHOWN | NOT_NEW,
)
def show_topic(
    request: Request,
    site: AnySite,
    slug: ByItsSlug,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  for the description: `answer` reads it
) -> Response:
    """Show a topic."""
    with site.house.database.read() as conn:
        row = topics.topic_by_slug(conn, slug)
    if row is None:
        raise _missing(slug)
    return answer(request, _shown(row))


@router.patch("/topics/{slug}", response_model=Topic, responses=PROBLEMS | MISSING | _SHOWN | CHANGED)
def change_topic(
    *, request: Request, site: AnySite, slug: ByItsSlug, wanted: ChangedTopic, actor: Editor, if_match: IfMatch = None
) -> Response:
    """Change a topic. It applies forward: what it has matched stays matched."""
    from worker.matching.library import TopicDraft  # noqa: PLC0415  pages need no library of topics
    from worker.matching.run_topic_editing import change, draft_of  # noqa: PLC0415  as above

    given = {name: value for name, value in wanted.model_dump().items() if value is not None}

    def edit(row: TopicRow) -> TopicDraft:
        check_match(if_match, _shown(row))
        return replace(draft_of(row), **given)

    edited = change(site.house.database, slug, edit, actor=actor)
    if edited.topic is None:
        raise _missing(slug)
    return answer(request, _shown(edited.topic))


@router.delete("/topics/{slug}", status_code=204, responses=PROBLEMS | MISSING | _NEEDED | CHANGED)
def remove_topic(site: AnySite, slug: ByItsSlug, actor: Editor, if_match: IfMatch = None) -> None:
    """Take a topic away that no reader follows, and that no query and no newsletter names."""
    from worker.matching.run_topic_editing import remove  # noqa: PLC0415  pages need no library of topics

    edited = remove(site.house.database, slug, lambda row: check_match(if_match, _shown(row)), actor=actor)
    if edited.topic is None:
        raise _missing(slug)
    if edited.refused:
        raise HTTPException(409, f"the topic {slug} is needed: {edited.refused}")


def _shown(row: TopicRow) -> Topic:
    return Topic(**{name: getattr(row, name) for name in Topic.model_fields})


def _missing(slug: str) -> HTTPException:
    return HTTPException(404, f"there is no topic {slug[:100]!r}")
