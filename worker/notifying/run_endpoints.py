"""What people and programs do to endpoints: add, change, try, rotate, try again, remove. Each is written in the audit.

Called by the command line and the API.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from worker.adapters.endpoints.posting import Poster
from worker.adapters.sources.address_guard import is_public
from worker.errors import InputError
from worker.notifying.decide import (
    BY_HAND,
    MOST_ENDPOINTS,
    OLD_SECRET_SIGNS,
    body_of,
    checked_types,
    checked_url,
    new_secret,
)
from worker.store import endpoints, house
from worker.store.database import Database, now
from worker.store.endpoints import Endpoint
from worker.tidings import TEST, Message, Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What an endpoint is to be. No types: all of them."""

    url: str
    types: tuple[str, ...] = ()
    with_addresses: bool = True
    allow_private: bool = False


def add(database: Database, wish: Wish, *, actor: str) -> tuple[Endpoint, str]:
    """Store an endpoint, and return it with its secret, which nobody is shown again. Raises `InputError`."""
    url, types, secret = (
        _checked_url(wish.url, allow_private=wish.allow_private),
        checked_types(wish.types),
        new_secret(),
    )
    with database.write() as conn:
        if len(endpoints.all_of_them(conn)) >= MOST_ENDPOINTS:
            raise InputError(f"there are {MOST_ENDPOINTS} endpoints already", hint="remove one")
        flags = {"with_addresses": wish.with_addresses, "allow_private": wish.allow_private}
        endpoint_id = endpoints.add(conn, url=url, types=types, secret=secret, **flags)
        _note(conn, actor, "add", endpoint_id)
        return _found(conn, endpoint_id), secret


def change(
    database: Database,
    endpoint_id: int,
    *,
    url: str | None = None,
    types: Sequence[str] | None = None,
    with_addresses: bool | None = None,
    actor: str,
) -> Endpoint:
    """Change what is given. What waits already goes as it was written. Raises `InputError`.

    A new address is a public one, also where the old one was not: the word of a stolen key must lead nowhere else.
    """
    with database.write() as conn:
        _found(conn, endpoint_id)
        values = {
            "url": _checked_url(url, allow_private=False) if url is not None else None,
            "allow_private": False if url is not None else None,
            "types": checked_types(types) if types is not None else None,
            "with_addresses": with_addresses,
        }
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            endpoints.change(conn, endpoint_id, **given)
            _note(conn, actor, "change", endpoint_id)
        return _found(conn, endpoint_id)


def rotate(database: Database, endpoint_id: int, *, at_once: bool = False, actor: str) -> str:
    """Give an endpoint a new secret, and return it; the old one signs beside it for a day, unless `at_once`."""
    secret = new_secret()
    with database.write() as conn:
        _found(conn, endpoint_id)
        endpoints.rotate(conn, endpoint_id, secret=secret, keeps=OLD_SECRET_SIGNS)
        if at_once:
            endpoints.change(conn, endpoint_id, old_secret=None, old_secret_until=None)
        _note(conn, actor, "rotate", endpoint_id)
    return secret


def remove(database: Database, endpoint_id: int, *, actor: str) -> None:
    """Forget an endpoint and whatever it was still to be told. Raises `InputError` when there is none."""
    with database.write() as conn:
        _found(conn, endpoint_id)
        endpoints.remove(conn, endpoint_id)
        _note(conn, actor, "remove", endpoint_id)


def switch_off(database: Database, endpoint_id: int, *, actor: str) -> Endpoint:
    """Tell an endpoint nothing more; what happens meanwhile is not kept for it. Safe to repeat."""
    with database.write() as conn:
        if _found(conn, endpoint_id).disabled_at is None:
            endpoints.change(conn, endpoint_id, disabled_at=now(conn), disabled_reason=f"{BY_HAND} {actor}")
            _note(conn, actor, "disable", endpoint_id)
        return _found(conn, endpoint_id)


def try_again(database: Database, endpoint_id: int, *, since: datetime | None = None, actor: str) -> int:
    """Switch an endpoint on, and send all that it has not taken, or what happened since; return how many messages."""
    if since is not None and not 1970 <= since.year < 3000:  # beyond, not every time has a name in UTC
        raise InputError(f"nothing happened in the year {since.year}", where="since", hint="choose a time of late")
    with database.write() as conn:
        _found(conn, endpoint_id)
        # Messages before their endpoint, as whoever tells them records: then nobody waits in a circle.
        count = endpoints.try_again(conn, endpoint_id, since=since)
        endpoints.change(conn, endpoint_id, disabled_at=None, disabled_reason="", failing_since=None)
        _note(conn, actor, "retry", endpoint_id)
        return count


def try_out(database: Database, endpoint_id: int, *, user_agent: str) -> Reply:
    """Send an endpoint a message that says nothing, here and now, and return its answer."""
    with database.read() as conn:
        endpoint, secrets, at = _found(conn, endpoint_id), endpoints.secrets_of(conn, endpoint_id), now(conn)
    message = Message(
        id=0,
        message_id=f"msg_{randomness.token_hex(16)}",
        type=TEST,
        subscriber_id=0,
        occurred_at=at,
        data={"endpoint": endpoint_id},
        attempts=0,
    )

    async def post() -> Reply:
        async with Poster(user_agent, allow_private=endpoint.allow_private) as poster:
            signing = {"message_id": message.message_id, "body": body_of(message)}
            return await poster.post(endpoint.url, secrets=secrets, **signing)

    return asyncio.run(post())


def _checked_url(url: str, *, allow_private: bool) -> str:
    """Check an address, and refuse at once what every try would refuse: a number that is on no public network."""
    url = checked_url(url, allow_private=allow_private)
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:  # a name: it is looked up, and checked, when it is connected to
        return url
    if not allow_private and not is_public(host):
        raise InputError(f"{host} is not on the public internet", where="url", hint="--private allows it, by command")
    return url


def _found(conn: Connection, endpoint_id: int) -> Endpoint:
    found = endpoints.by_id(conn, endpoint_id)
    if found is None:
        raise InputError(f"there is no endpoint {endpoint_id}", hint="see `tocsin webhooks list`")
    return found


def _note(conn: Connection, actor: str, what: str, endpoint_id: int) -> None:
    house.note(conn, actor=actor, action=f"webhook {what}", subject=f"endpoint {endpoint_id}")
