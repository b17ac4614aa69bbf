"""`/api/v1/sources`: programs look at what is watched, and how well it does; add, change, pause, remove, release it.

Parses and answers; `intake.run_sources` decides. Who only looks sees no password in an address. An address is fetched
under the guards of polling, so that a stolen key makes nobody on a private network answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Row
from starlette.requests import Request

from worker.adapters.sources.plain import language
from worker.errors import FetchError, InputError
from worker.feeds import SourceCondition, SourceState
from worker.intake import run_sources
from worker.intake.listing.addresses import read_address, without_password
from worker.intake.listing.entries import Entry, read_folder, read_name
from worker.intake.polling import LEAST_S, MOST_S
from worker.intake.run_holding import release
from worker.intake.run_sources import Adding
from worker.intake.run_watching import SourceHealth, healths
from worker.model import SourceId
from worker.store import sources, watching
from worker.web.api import MISSING, PROBLEMS, Body
from worker.web.api_editions import Number
from worker.web.api_etags import CHANGED, NOT_NEW, TAGGED, IfMatch, IfNoneMatch, answer, check_match
from worker.web.api_keys import Scope, needs
from worker.web.api_paging import PAGED, AnyPaging
from worker.web.site import AnySite, Site

if TYPE_CHECKING:
    from worker.intake.run_discovery import FoundFeed

router = APIRouter(prefix="/api/v1", tags=["v1"])

_MAY_LOOK: Final = Depends(needs(Scope.ARTICLES, Scope.EDITIONS))
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The source.", "headers": TAGGED}}
Actor = Annotated[str, Depends(needs(Scope.ADMIN))]
Name = Annotated[str, Field(max_length=200)]
Address = Annotated[str, Field(max_length=2_000)]
Every = Annotated[float | None, Field(ge=LEAST_S, le=MOST_S, description="In seconds; null: as often as it publishes.")]


class Source(BaseModel):
    """A source. `health` says how it does, and `health_reason` why; spans are in seconds, null where not known.

    `url` is null for what is handed in. `lag_p50_s` is how late its articles come after their publication, half of them
    sooner; `gap_s` its usual pause between two.
    """

    id: int
    kind: str
    name: str
    url: str | None
    outlet: str
    homepage: str
    lang: str
    folder: str
    house: bool
    pages: bool
    every_s: float | None
    poll_every_s: float | None
    created_at: datetime
    state: SourceState
    state_since: datetime | None
    state_reason: str
    format: str
    next_poll_at: datetime | None
    last_polled_at: datetime | None
    last_ok_at: datetime | None
    last_news_at: datetime | None
    last_status: int | None
    failures: int
    last_error: str
    held_since: datetime | None
    held_reason: str
    health: SourceCondition
    health_reason: str
    lag_p50_s: float | None
    lag_p95_s: float | None
    gap_s: float | None
    longest_gap_s: float | None


class Page(BaseModel):
    """Some sources in the order in which they were added; `next` is the cursor of the rest, null: there is no rest."""

    sources: list[Source]
    next: str | None


class _Told(Body):
    """What may be said of a source."""

    outlet: Annotated[Name | None, Field(description="Who publishes it, as mails say; empty: as it names itself.")] = (
        None
    )
    homepage: Annotated[Address | None, Field(description="The page that people read it at; empty: none.")] = None
    lang: Annotated[
        str | None, Field(max_length=40, description="A tag such as en-GB, where its articles tell none.")
    ] = None
    folder: Annotated[Name | None, Field(description="Where lists keep it, such as World/Asia.")] = None
    house: Annotated[bool | None, Field(description="Our own paper, whose copy of a story is preferred.")] = None
    pages: Annotated[bool | None, Field(description="Fetch its articles' own pages, for their whole text.")] = None
    every_s: Every = None


class NewSource(_Told):
    """A source to be watched. `look`: fetch the address first; of a page, the feed that it names is watched."""

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    name: Annotated[Name, Field(description="By default as the feed calls itself, or its host.")] = ""
    look: Annotated[bool, Field(description="Refuse what is no feed now. May take a minute.")] = False


class ChangedSource(_Told):
    """What is to be otherwise; what is left out stays as it is.

    `active` polls a source again that is paused, gone or failing, at once. At another `url` it begins anew.
    """

    url: Annotated[str | None, Field(min_length=1, max_length=2_000)] = None
    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    state: Literal["active", "paused"] | None = None


class Releasing(Body):
    """`alert`: readers are alerted of what came meanwhile, unless it has become too old."""

    alert: bool = False


class Released(BaseModel):
    """Whether the source was held, and of how many of its articles readers are alerted after all."""

    source: int
    changed: bool
    alerted: int
    says: str


@router.get("/sources", dependencies=[_MAY_LOOK], response_model=Page, responses=PROBLEMS | PAGED)
def list_sources(
    *,
    site: AnySite,
    paging: AnyPaging,
    state: Literal["active", "paused", "gone"] | None = None,
    failing: Annotated[bool | None, Field(description="Whether its last poll failed.")] = None,
    held: Annotated[bool | None, Field(description="Whether it may alert only after a release.")] = None,
) -> dict[str, Any]:
    """List what is watched, and where articles are handed in."""
    database = site.house.database
    kept = SourceState(state) if state else None
    with database.read() as conn:
        after, limit = paging.after or 0, paging.limit + 1
        rows = watching.listed(conn, after=after, limit=limit, state=kept, failing=failing, held=held)
    shown = [SourceId(row.id) for row in rows]
    judged = {one.source_id: one for one in (healths(database, *shown) if shown else ())}
    found = [{"id": row.id, "source": _shown(row, judged[row.id])} for row in rows if row.id in judged]
    page, following = paging.page(found)
    return {"sources": [one["source"] for one in page], "next": following}


@router.post(
    "/sources",
    status_code=201,
    response_model=Source,
    responses=PROBLEMS
    | {
        200: {"model": Source, "description": "Its address is watched already; nothing is changed.", "headers": TAGGED},
        201: {"description": "It is watched, and fetched at once.", "headers": TAGGED},
    },
)
def add_source(request: Request, site: AnySite, wanted: NewSource, actor: Actor) -> Response:
    """Watch a feed or a sitemap, unless some spelling of its address is watched already."""
    address = read_address(wanted.url, where="url")
    columns = _columns(wanted)
    found = None
    if wanted.look and run_sources.find(site.house.database, address) is None:
        found = _looked(site, address)
    name = read_name(wanted.name or (found.title if found else ""))
    entry = Entry(url=found.url if found else address, name=name or None, **columns)
    added = run_sources.add(site.house.database, entry, actor=actor)
    site.house.ring("sweep_sources")
    status = 200 if added.came is Adding.KNOWN else 201
    return answer(request, _look_up(site, added.row.id), status=status, location=f"/api/v1/sources/{added.row.id}")


@router.get(
    "/sources/{source_id}",
    dependencies=[_MAY_LOOK],
    response_model=Source,
    responses=PROBLEMS | MISSING | _SHOWN | NOT_NEW,
)
def show_source(
    request: Request,
    site: AnySite,
    source_id: Number,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  for the description: `answer` reads it
) -> Response:
    """Show a source, and how it does."""
    return answer(request, _look_up(site, source_id))


@router.patch("/sources/{source_id}", response_model=Source, responses=PROBLEMS | MISSING | _SHOWN | CHANGED)
def change_source(
    *, request: Request, site: AnySite, source_id: Number, wanted: ChangedSource, actor: Actor, if_match: IfMatch = None
) -> Response:
    """Change a source, pause it, or have it polled again."""
    check_match(if_match, _look_up(site, source_id))
    database, number = site.house.database, SourceId(source_id)
    columns = _columns(wanted)
    if "every_s" in wanted.model_fields_set:
        columns["every_s"] = wanted.every_s
    if wanted.name is not None:
        columns["name"] = _named(wanted.name)
    address = read_address(wanted.url, where="url") if wanted.url is not None else None
    if columns or address is not None:
        run_sources.change(database, number, url=address, actor=actor, **columns)
    if wanted.state is not None:
        steer = run_sources.pause if wanted.state == "paused" else run_sources.resume
        steer(database, number, actor=actor)
    site.house.ring("sweep_sources")
    return answer(request, _look_up(site, source_id))


@router.delete("/sources/{source_id}", status_code=204, responses=PROBLEMS | MISSING | CHANGED)
def remove_source(site: AnySite, source_id: Number, actor: Actor, if_match: IfMatch = None) -> None:
    """Watch a source no more. Its articles stay; added again, it is the same source."""
    check_match(if_match, _look_up(site, source_id))
    run_sources.remove(site.house.database, SourceId(source_id), actor=actor)


@router.post(
    "/sources/{source_id}/release",
    dependencies=[Depends(needs(Scope.ADMIN))],
    response_model=Released,
    responses=PROBLEMS | MISSING,
)
def release_source(site: AnySite, source_id: Number, wanted: Releasing | None = None) -> dict[str, Any]:
    """Let a source alert again that is held because all its items were new at once."""
    _look_up(site, source_id)
    limit = timedelta(seconds=site.house.settings.alert_age_limit_s)
    alert = wanted.alert if wanted else False
    released = release(site.house.database, SourceId(source_id), alert=alert, age_limit=limit)
    if released is None:
        raise _missing(source_id)
    if released.alerted:
        site.house.ring("plan_alerts")
    return released.told()


def _columns(wanted: _Told) -> dict[str, Any]:
    """Return what is said of a source, tidied. Raises `InputError`."""
    columns: dict[str, Any] = {"house": wanted.house, "pages": wanted.pages, "every_s": wanted.every_s}
    columns |= {"outlet": read_name(wanted.outlet) if wanted.outlet is not None else None}
    columns |= {"folder": read_folder(wanted.folder) if wanted.folder is not None else None}
    columns |= {"homepage": read_address(wanted.homepage, where="homepage") if wanted.homepage else wanted.homepage}
    if wanted.lang and not language(wanted.lang):
        raise InputError("this is no language tag", where="lang", hint="write for example en-GB or ko")
    columns |= {"lang": language(wanted.lang) if wanted.lang is not None else None}
    return {name: value for name, value in columns.items() if value is not None}


def _named(written: str) -> str:
    name = read_name(written)
    if not name:
        raise InputError("a source needs a name", where="name", hint="write what people call it")
    return name


def _looked(site: Site, address: str) -> FoundFeed:
    from worker.intake.run_discovery import Search, discover  # noqa: PLC0415  no other page reads feeds

    search = Search(user_agent=site.house.user_agent, allow_private=site.house.settings.allow_private)
    try:
        return discover(address, search)
    except FetchError as error:
        raise InputError(str(error), where="url", hint='"look": false watches it all the same') from error
    except InputError as error:
        raise InputError(error.message, where="url", hint=error.hint) from error


def _look_up(site: Site, source_id: int) -> Source:
    with site.house.database.read() as conn:
        row = sources.by_id(conn, SourceId(source_id))
    judged = _health(site, [row]) if row is not None else []
    if row is None or not judged:  # there is none, or it was removed
        raise _missing(source_id)
    return _shown(row, judged[0])


def _health(site: Site, rows: Sequence[Row[Any]]) -> list[SourceHealth]:
    return [one for row in rows for one in healths(site.house.database, SourceId(row.id))]


def _shown(row: Row[Any], health: SourceHealth) -> Source:
    told = {**row._mapping, **health.told()}  # noqa: SLF001  Row's documented view
    told["url"] = without_password(told["url"]) if told["url"] is not None else None
    return Source(**{name: told[name] for name in Source.model_fields})


def _missing(source_id: int) -> HTTPException:
    return HTTPException(404, f"there is no source {source_id}")
