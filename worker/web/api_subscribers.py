"""`/api/v1/subscribers`: the newspaper's own programs look after its readers. All of it needs the scope `personal`.

Parses and answers; `signup.run_subscribers` and `signup.run_erasure` decide. No address stands in a URL, where proxies
would log it: a reader is looked up by a POST.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.requests import Request

from worker.errors import InputError
from worker.model import BelowFloor, Cadence, SubscriberId, SubscriberStatus
from worker.runtime.forgetting import flush, remove_files
from worker.signup.address import normalise
from worker.signup.consent import Consent, Evidence
from worker.signup.decide import standing
from worker.signup.run import Known, look_up
from worker.signup.run_erasure import erase_reader
from worker.signup.run_subscribers import Changes, change
from worker.signup.terms import MOST_ALERTS, read_quiet
from worker.signup.wishes import MOST_FOLLOWS, Follow, Rhythm, Slug, Weekday, read_locale, read_name, read_zone
from worker.store import people, subscribers, suppressions
from worker.store.database import now
from worker.web.api import MISSING, PROBLEMS, Body, about, problem_answers
from worker.web.api_editions import Number
from worker.web.api_etags import CHANGED, NOT_NEW, TAGGED, IfMatch, IfNoneMatch, answer, check_match
from worker.web.api_keys import Scope, needs
from worker.web.api_paging import PAGED, AnyPaging
from worker.web.site import AnySite

_FLUSH_WITHIN_S: Final = 2.0
_PERSONAL: Final = Depends(needs(Scope.PERSONAL))
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The reader.", "headers": TAGGED}}
_REFUSED: Final = problem_answers(_409="This reader gets no mail: there is nothing to change.")

router = APIRouter(prefix="/api/v1", tags=["v1"])
Actor = Annotated[str, _PERSONAL]
Status = Literal["pending", "active", "paused", "left"]


class Followed(BaseModel):
    """What a reader follows: a topic, a newsletter, or an own query. A newsletter comes when its editors say."""

    id: int
    topic: str | None
    newsletter: str | None
    query: str | None
    cadence: Cadence | None
    at: list[str]
    weekday: int | None


class Line(BaseModel):
    """A reader in a list."""

    id: int
    email: str
    name: str
    locale: str
    timezone: str
    status: Status
    paused_until: datetime | None
    created_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None


class Subscriber(Line):
    """A reader, with their own terms, what they follow, and every yes that they gave."""

    quiet_from: str | None
    quiet_to: str | None
    alert_budget: int | None
    digest_floor: int
    below_floor: BelowFloor
    suppressed: str | None
    consent: list[Evidence]
    subscriptions: list[Followed]


class Page(BaseModel):
    """Some readers in order of id; `next` is the cursor of the rest, null: there is no rest."""

    subscribers: list[Line]
    next: str | None


class Wanted(Body):
    """One thing to follow: a topic, a newsletter, or a query."""

    topic: Slug | None = None
    newsletter: Slug | None = None
    query: Annotated[str, Field(max_length=2_000)] | None = None
    cadence: Cadence = Cadence.DAILY
    at: Annotated[tuple[str, ...], Field(max_length=12, description="Local times, such as 07:00.")] = ()
    weekday: Weekday | None = None


class ChangedSubscriber(Body):
    """What is to be otherwise; what is left out stays as it is."""

    name: Annotated[str, Field(max_length=200)] | None = None
    locale: Annotated[str, Field(max_length=40)] | None = None
    timezone: Annotated[str, Field(max_length=80, description="An IANA name.")] | None = None
    paused_until: date | None = Field(None, description="The local day on whose beginning mail comes again; null: now.")
    quiet: str | None = Field(None, max_length=20, description="Hours without mail, such as 22:00-07:00; null: none.")
    alert_budget: int | None = Field(None, ge=0, le=MOST_ALERTS, description="Alerts a day; 0: no limit, null: yours.")
    digest_floor: Annotated[int, Field(ge=1, le=100)] | None = None
    below_floor: BelowFloor | None = None
    subscriptions: Annotated[tuple[Wanted, ...], Field(max_length=MOST_FOLLOWS)] | None = Field(
        None, description="All that the reader is to follow: what is not in it ends. An empty list is a farewell."
    )
    status: Literal["left"] | None = Field(None, description="`left`: the reader leaves. Nothing else beside it.")


class Addressed(Body):
    """A reader's address."""

    email: Annotated[str, Field(max_length=400, json_schema_extra={"format": "email"})]


@router.get("/subscribers", dependencies=[_PERSONAL], response_model=Page, responses=PROBLEMS | PAGED)
def list_subscribers(
    site: AnySite,
    paging: AnyPaging,
    status: Status | None = None,
    topic: Annotated[Slug | None, Query(description="Who follows this topic.")] = None,
    newsletter: Annotated[Slug | None, Query(description="Who follows this newsletter.")] = None,
) -> dict[str, Any]:
    """List readers in order of id, but those that are forgotten."""
    with site.house.database.read() as conn:
        at = now(conn)
        rows = subscribers.listed(
            conn,
            at=at,
            after=paging.after or 0,
            limit=paging.limit + 1,
            standing=SubscriberStatus(status) if status else None,
            topic=topic,
            newsletter=newsletter,
        )
    for row in rows:
        row["status"] = standing(row["status"], paused_until=row["paused_until"], now=at)
    page, following = paging.page(rows)
    return {"subscribers": page, "next": following}


@router.post(
    "/subscribers/lookup", dependencies=[_PERSONAL], response_model=Subscriber, responses=PROBLEMS | MISSING | _SHOWN
)
def look_up_subscriber(request: Request, site: AnySite, wanted: Addressed) -> Response:
    """Find the reader of an address, however it is spelt."""
    with about("email"):
        key = site.house.address_hash(normalise(wanted.email).key)
    with site.house.database.read() as conn:
        reader = people.by_address(conn, key)
        known = look_up(conn, reader.id) if reader else None
        if known is None:
            raise HTTPException(404, "there is no such reader")
        return answer(request, _shown(conn, known))


@router.get(
    "/subscribers/{subscriber_id}",
    dependencies=[_PERSONAL],
    response_model=Subscriber,
    responses=PROBLEMS | MISSING | _SHOWN | NOT_NEW,
)
def show_subscriber(
    request: Request,
    site: AnySite,
    subscriber_id: Number,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  for the description: `answer` reads it
) -> Response:
    """Show a reader."""
    with site.house.database.read() as conn:
        known = look_up(conn, SubscriberId(subscriber_id))
        if known is None:
            raise _missing(subscriber_id)
        return answer(request, _shown(conn, known))


@router.patch(
    "/subscribers/{subscriber_id}",
    response_model=Subscriber,
    responses=PROBLEMS | MISSING | _SHOWN | _REFUSED | CHANGED,
)
def change_subscriber(
    *,
    request: Request,
    site: AnySite,
    subscriber_id: Number,
    wanted: ChangedSubscriber,
    actor: Actor,
    if_match: IfMatch = None,
) -> Response:
    """Change a reader's preferences, or let them leave."""
    changes = _changes(wanted)

    def expects(conn: Connection, known: Known) -> None:
        check_match(if_match, _shown(conn, known))

    changed = change(
        site.house.database,
        SubscriberId(subscriber_id),
        changes,
        actor=actor,
        expects=expects,
        check_query=site.check_query,
    )
    if changed.known is None:
        raise _missing(subscriber_id)
    if changed.refused:
        raise HTTPException(409, changed.refused)
    with site.house.database.read() as conn:
        return answer(request, _shown(conn, changed.known))


@router.delete("/subscribers/{subscriber_id}", status_code=204, responses=PROBLEMS | MISSING | CHANGED)
def erase_subscriber(
    site: AnySite,
    subscriber_id: Number,
    actor: Actor,
    suppress: Annotated[bool, Query(description="And let no list or sign-up bring the address back.")] = False,
    if_match: IfMatch = None,
) -> None:
    """Forget a reader for good: address, name, queries, consent, what relays said. Numbers stay, for the books."""
    house = site.house
    erased = erase_reader(
        house.database,
        SubscriberId(subscriber_id),
        actor=actor,
        suppress=suppress,
        expects=lambda conn, known: check_match(if_match, _shown(conn, known)),
    )
    if not erased.was_known:
        raise _missing(subscriber_id)
    remove_files(home=house.home, inbox=house.inbox, spellings=erased.spellings)
    flush(house.database, within_s=_FLUSH_WITHIN_S)


def _shown(conn: Connection, known: Known) -> Subscriber:
    """Return a reader as the API shows them. When planning runs next is not in it: that is no change of the reader."""
    reader = known.reader
    suppressed = suppressions.of_address(conn, reader.address_hash) if reader.address_hash else None
    return Subscriber(
        **{name: getattr(reader, name) for name in Subscriber.model_fields if hasattr(reader, name) and name in _PLAIN},
        status=known.standing,  # type: ignore[arg-type]  # pydantic takes the word
        consent=list(Consent.read(reader.consent).given),
        suppressed=suppressed.reason if suppressed else None,
        subscriptions=[
            Followed(
                id=one.id,
                topic=one.slug if one.newsletter_id is None and one.query is None else None,
                newsletter=one.slug if one.newsletter_id is not None else None,
                query=one.query,
                cadence=one.cadence if one.newsletter_id is None else None,
                at=list(one.times) if one.newsletter_id is None else [],
                weekday=one.weekday if one.newsletter_id is None else None,
            )
            for one in known.followings
        ],
    )


_PLAIN: Final = frozenset(Subscriber.model_fields) - {"status", "consent", "suppressed", "subscriptions"}


def _changes(wanted: ChangedSubscriber) -> Changes:
    """Read a change. Raises `InputError` for the field that is at fault."""
    given = wanted.model_fields_set
    if wanted.status is not None and given != {"status"}:
        raise InputError("a farewell goes alone", where="status", hint="send the other changes before")
    values: dict[str, Any] = {"alert_budget": wanted.alert_budget} if "alert_budget" in given else {}
    if wanted.digest_floor is not None:
        values["digest_floor"] = wanted.digest_floor
    if wanted.below_floor is not None:
        values["below_floor"] = wanted.below_floor
    if "quiet" in given:
        values["quiet_from"], values["quiet_to"] = (read_quiet(wanted.quiet) if wanted.quiet else None) or (None, None)
    with about("name"):
        name = None if wanted.name is None else read_name(wanted.name)
    with about("locale"):
        locale = None if wanted.locale is None else read_locale(wanted.locale)
    with about("timezone"):
        timezone = None if wanted.timezone is None else read_zone(wanted.timezone)
    return Changes(
        values=values,
        name=name,
        locale=locale,
        timezone=timezone,
        pause=(wanted.paused_until,) if "paused_until" in given else None,
        follows=None if wanted.subscriptions is None else tuple(map(_follow, wanted.subscriptions)),
        leaves=wanted.status is not None,
    )


def _follow(wanted: Wanted) -> Follow:
    try:
        rhythm = Rhythm(cadence=wanted.cadence, times=wanted.at, weekday=wanted.weekday)
        return Follow(topic=wanted.topic, newsletter=wanted.newsletter, query=wanted.query, rhythm=rhythm)
    except ValueError as error:
        found = error.errors()[0]["msg"] if hasattr(error, "errors") else str(error)
        raise InputError(str(found).removeprefix("Value error, "), where="subscriptions") from error


def _missing(subscriber_id: int) -> HTTPException:
    return HTTPException(404, f"there is no subscriber {subscriber_id}")
