"""`tocsin keys`: who may call the HTTP API, what for, and how often."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows
from worker.errors import InputError

_BEGINS: Final = "tcs_"
_BYTES: Final = 32
_COLUMNS: Final = ("name", "prefix", "scopes", "rate_per_minute", "created_at", "expires_at", "last_used_at", "state")

app = typer.Typer(help="Keys of the HTTP API.", no_args_is_help=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will have it, such as cms; the audit names it.")],
    scope: Annotated[
        list[str], typer.Option(help="What it is for: articles, subscriptions, personal, editions or admin (all).")
    ],
    rate: Annotated[int, typer.Option(help="Requests a minute; 0: as many as it likes.", min=0, max=1_000_000)] = 600,
    expires: Annotated[str | None, typer.Option(help="The day (UTC) from which on it is void: 2027-06-30.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key, and print it, once: only its hash is kept.

    personal: readers, deliveries, consent. To change a key, make one under another name, then revoke the first.
    """
    from worker.store import house

    scopes = _read_scopes(scope)
    expires_at = _read_day(expires) if expires else None
    key = _BEGINS + secrets.token_urlsafe(_BYTES)
    with opened_house().database.write() as conn:
        known = {row["name"] for row in house.api_keys(conn) if row["revoked_at"] is None}
        if name in known or not name.strip():
            hint = f"choose another name, or `tocsin keys revoke {name}` first" if name in known else "name who has it"
            raise InputError(f"there is a key {name!r} already" if name in known else "the name is empty", hint=hint)
        house.put_api_key(conn, name=name, key=key, scopes=scopes, rate_per_minute=rate or None, expires_at=expires_at)
        house.note(conn, actor=operator(), action="key new", subject=f"API key {name}", scopes=scopes, rate=rate)
    if as_json:
        print_json({"name": name, "key": key, "scopes": scopes, "rate_per_minute": rate or None})
    else:
        typer.echo(key)
    messages.print(f"this is the only time that the key of {name} is shown", markup=False)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all keys: how each begins, what it may, and when it was last used, to the minute."""
    from worker.store import house
    from worker.store.database import now

    with opened_house().database.read() as conn:
        rows, at = house.api_keys(conn), now(conn)
    shown = [{**row, "state": _state(row["revoked_at"], row["expires_at"], at)} for row in rows]
    print_rows(shown, as_json=as_json, columns=_COLUMNS)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """End a key, at once and for good."""
    from worker.store import house

    with opened_house().database.write() as conn:
        if not house.revoke_api_key(conn, name):
            raise InputError(f"there is no key {name!r} in force", hint="see `tocsin keys list`")
        house.note(conn, actor=operator(), action="key revoke", subject=f"API key {name}")
    messages.print(f"the key of {name} is void", markup=False)


def _read_scopes(written: list[str]) -> list[str]:
    from worker.wiring import ALL_SCOPES

    if wrong := [scope for scope in written if scope not in ALL_SCOPES]:
        raise InputError(f"there is no scope {wrong[0]!r}", hint=f"scopes are {', '.join(sorted(ALL_SCOPES))}")
    return sorted(set(written))


def _read_day(written: str) -> datetime:
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{written!r} is no day", where="--expires", hint="write it as 2027-06-30") from error
    if day <= datetime.now(UTC):
        raise InputError(f"{written} has begun already", where="--expires", hint="choose a day to come")
    return day


def _state(revoked_at: datetime | None, expires_at: datetime | None, at: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= at else "in force"
