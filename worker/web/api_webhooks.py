"""`/api/v1/webhooks`: programs look after the newspaper's own endpoints, which are told what happens to readers.

Parses and answers; `notifying.run_endpoints` decides. No endpoint on a private network comes by this door: a stolen key
must not make the house's own network answer. What an endpoint says is never shown, but its status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel, Field

from worker.notifying import run_endpoints
from worker.notifying.decide import is_success
from worker.store import endpoints
from worker.store.endpoints import Endpoint
from worker.tidings import MessageState
from worker.web.api import MISSING, PROBLEMS, Body, Moment
from worker.web.api_editions import Number
from worker.web.api_keys import Scope, needs
from worker.web.api_paging import PAGED, AnyPaging
from worker.web.site import AnySite, Site

router = APIRouter(prefix="/api/v1", tags=["v1"])

Actor = Annotated[str, Depends(needs(Scope.ADMIN))]
_EVENTS: Final = "What it is told: `confirmed` or `subscriber.confirmed`, and so on; empty: everything."


class Webhook(BaseModel):
    """An endpoint. `disabled_reason` says why it is off; `last_error` what it last failed by."""

    id: int
    url: str
    events: list[str]
    addresses: bool
    private: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str
    failing_since: datetime | None
    last_ok_at: datetime | None
    last_error: str
    old_secret_until: datetime | None


class MadeWebhook(Webhook):
    """A new endpoint with its secret, which is shown this once."""

    secret: str


class NewWebhook(Body):
    """An endpoint on the public internet, by HTTPS."""

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    events: Annotated[tuple[str, ...], Field(max_length=50, description=_EVENTS)] = ()
    addresses: Annotated[bool, Field(description="Whether it is told readers' addresses and names.")] = True


class ChangedWebhook(Body):
    """What is to be other than it is; what is left out stays."""

    url: Annotated[str | None, Field(min_length=1, max_length=2_000)] = None
    events: Annotated[tuple[str, ...] | None, Field(max_length=50, description=_EVENTS)] = None
    addresses: bool | None = None
    disabled: Annotated[bool | None, Field(description="True: tell it nothing. `retry` ends that.")] = None


class Rotation(Body):
    """`at_once`: the old secret signs nothing any more, instead of for another day."""

    at_once: bool = False


class Secret(BaseModel):
    """A new secret, shown this once."""

    secret: str


class Tried(BaseModel):
    """What an endpoint answered: `code` is null where nothing came, and `error` says why."""

    taken: bool
    code: int | None
    error: str


class Retrial(Body):
    """`since`: only what happened since then."""

    since: Moment | None = None


class Retried(BaseModel):
    """How many messages are sent once more."""

    messages: int


class Sent(BaseModel):
    """What became of a message, not what it says."""

    id: int
    message_id: str
    type: str
    subscriber_id: int
    occurred_at: datetime
    state: MessageState
    attempts: int
    next_attempt_at: datetime | None
    ended_at: datetime | None
    code: int | None
    error: str


class Page(BaseModel):
    """Some messages, the newest first; `next` is the cursor of the rest, null: there is no rest."""

    messages: list[Sent]
    next: str | None


@router.get("/webhooks", dependencies=[Depends(needs(Scope.ADMIN))], response_model=list[Webhook], responses=PROBLEMS)
def list_webhooks(site: AnySite) -> list[dict[str, Any]]:
    """List all endpoints."""
    with site.house.database.read() as conn:
        return [_told(one) for one in endpoints.all_of_them(conn)]


@router.post("/webhooks", status_code=201, response_model=MadeWebhook, responses=PROBLEMS)
def add_webhook(site: AnySite, wanted: NewWebhook, actor: Actor, response: Response) -> dict[str, Any]:
    """Tell an endpoint of readers from now on. The answer has the secret that signs its messages."""
    wish = run_endpoints.Wish(url=wanted.url, types=wanted.events, with_addresses=wanted.addresses)
    made, secret = run_endpoints.add(site.house.database, wish, actor=actor)
    response.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    response.headers["Cache-Control"] = "no-store"
    return _told(made) | {"secret": secret}


@router.get(
    "/webhooks/{endpoint_id}",
    dependencies=[Depends(needs(Scope.ADMIN))],
    response_model=Webhook,
    responses=PROBLEMS | MISSING,
)
def show_webhook(site: AnySite, endpoint_id: Number) -> dict[str, Any]:
    """Show an endpoint."""
    return _told(_found(site, endpoint_id))


@router.patch("/webhooks/{endpoint_id}", response_model=Webhook, responses=PROBLEMS | MISSING)
def change_webhook(site: AnySite, endpoint_id: Number, wanted: ChangedWebhook, actor: Actor) -> dict[str, Any]:
    """Change an endpoint. What waits for it already goes as it was written."""
    _found(site, endpoint_id)
    database = site.house.database
    changed = run_endpoints.change(
        database,
        endpoint_id,
        url=wanted.url,
        types=wanted.events,
        with_addresses=wanted.addresses,
        actor=actor,
    )
    if wanted.disabled:
        changed = run_endpoints.switch_off(database, endpoint_id, actor=actor)
    elif wanted.disabled is False and changed.disabled_at is not None:
        run_endpoints.try_again(database, endpoint_id, actor=actor)
        site.house.ring("sweep_webhooks")
        changed = _found(site, endpoint_id)
    return _told(changed)


@router.delete("/webhooks/{endpoint_id}", status_code=204, responses=PROBLEMS | MISSING)
def remove_webhook(site: AnySite, endpoint_id: Number, actor: Actor) -> None:
    """Forget an endpoint and what it was still to be told."""
    _found(site, endpoint_id)
    run_endpoints.remove(site.house.database, endpoint_id, actor=actor)


@router.post("/webhooks/{endpoint_id}/rotate", response_model=Secret, responses=PROBLEMS | MISSING)
def rotate_secret(
    site: AnySite, endpoint_id: Number, actor: Actor, response: Response, wanted: Rotation | None = None
) -> dict[str, str]:
    """Make a new secret; for a day messages are signed with the old one too."""
    _found(site, endpoint_id)
    at_once = wanted.at_once if wanted else False
    response.headers["Cache-Control"] = "no-store"
    return {"secret": run_endpoints.rotate(site.house.database, endpoint_id, at_once=at_once, actor=actor)}


@router.post(
    "/webhooks/{endpoint_id}/test",
    dependencies=[Depends(needs(Scope.ADMIN))],
    response_model=Tried,
    responses=PROBLEMS | MISSING,
)
def try_webhook(site: AnySite, endpoint_id: Number) -> dict[str, Any]:
    """Send an endpoint a message of type `webhook.test` now, and tell what it answered, within 15 seconds."""
    _found(site, endpoint_id)
    reply = run_endpoints.try_out(site.house.database, endpoint_id, user_agent=site.house.user_agent)
    return {"taken": is_success(reply), "code": reply.code, "error": reply.error}


@router.post("/webhooks/{endpoint_id}/retry", response_model=Retried, responses=PROBLEMS | MISSING)
def send_again(site: AnySite, endpoint_id: Number, actor: Actor, wanted: Retrial | None = None) -> dict[str, int]:
    """Switch an endpoint on again, and send it at once what it has not taken."""
    _found(site, endpoint_id)
    since = wanted.since if wanted else None
    count = run_endpoints.try_again(site.house.database, endpoint_id, since=since, actor=actor)
    site.house.ring("sweep_webhooks")
    return {"messages": count}


@router.get(
    "/webhooks/{endpoint_id}/messages",
    dependencies=[Depends(needs(Scope.ADMIN))],
    response_model=Page,
    responses=PROBLEMS | MISSING | PAGED,
)
def list_messages(
    site: AnySite, endpoint_id: Number, paging: AnyPaging, state: MessageState | None = None
) -> dict[str, Any]:
    """List what became of an endpoint's messages."""
    _found(site, endpoint_id)
    with site.house.database.read() as conn:
        rows = endpoints.messages(conn, endpoint_id, state=state, before=paging.after, limit=paging.limit + 1)
    page, following = paging.page(rows)
    return {"messages": page, "next": following}


def _found(site: Site, endpoint_id: int) -> Endpoint:
    with site.house.database.read() as conn:
        found = endpoints.by_id(conn, endpoint_id)
    if found is None:
        raise HTTPException(404, f"there is no endpoint {endpoint_id}")
    return found


def _told(one: Endpoint) -> dict[str, Any]:
    """Return an endpoint as the API names its parts."""
    names = {"types": "events", "with_addresses": "addresses", "allow_private": "private"}
    return {names.get(name, name): getattr(one, name) for name in one.__slots__}
