"""`tocsin webhooks`: the newspaper's own endpoints, which are told what happens to readers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows
from worker.errors import InputError

if TYPE_CHECKING:
    from worker.store.endpoints import Endpoint

app = typer.Typer(help="Your own endpoints, told what happens to readers.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ENDPOINT", help="Its number: see `tocsin webhooks list`.", min=1)]
_COLUMNS = ("id", "url", "events", "state", "pending", "failed", "last_ok_at", "last_error")
_KEEP_SECRET = "its secret, shown once; your program checks signatures with it"  # noqa: S105  a sentence


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The address of your program, https://...")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="What to tell it: confirmed, source.silent, ...; by default all. May come several times."),
    ] = None,
    no_addresses: Annotated[
        bool, typer.Option("--no-addresses", help="Tell it readers' numbers, never addresses and names.")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="It is on our own network: private addresses and http:// are allowed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell an endpoint of readers from now on. Prints the secret that signs its messages."""
    from worker.notifying import run_endpoints

    wish = run_endpoints.Wish(url=url, types=tuple(event or ()), with_addresses=not no_addresses, allow_private=private)
    found, secret = run_endpoints.add(opened_house().database, wish, actor=operator())
    _print_secret({"id": found.id, "url": found.url, "events": found.types}, secret, as_json=as_json)
    messages.print(f"endpoint {found.id} is told of {', '.join(found.types)}; {_KEEP_SECRET}")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all endpoints, how they are, and how much waits for them."""
    from worker.store import endpoints

    with opened_house().database.read() as conn:
        known, counts = endpoints.all_of_them(conn), endpoints.figures(conn)
    rows = [_row(one, {str(state): count for state, count in counts.get(one.id, {}).items()}) for one in known]
    print_rows(rows, as_json=as_json, columns=_COLUMNS)


@app.command()
def log(
    endpoint: Number,
    state: Annotated[str | None, typer.Option(help="Only pending, delivered or failed ones.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """Print what became of an endpoint's messages, the newest first; what they say is not shown."""
    from worker.store import endpoints
    from worker.tidings import MessageState

    if state is not None and state not in set(MessageState):
        raise InputError(f"there is no state {state!r}", where="--state", hint=f"write {', '.join(MessageState)}")
    with opened_house().database.read() as conn:
        wanted = MessageState(state) if state else None
        rows = endpoints.messages(conn, endpoint, state=wanted, limit=limit)
    columns = ("message_id", "type", "subscriber_id", "occurred_at", "state", "attempts", "next_attempt_at", "code")
    print_rows(rows, as_json=as_json, columns=(*columns, "error"))


@app.command("test")
def try_out(endpoint: Number, as_json: Json = False) -> None:
    """Send an endpoint a message of type webhook.test, here and now. Exit status 1 when it does not take it."""
    from worker.notifying import run_endpoints
    from worker.notifying.decide import is_success

    found = opened_house()
    reply = run_endpoints.try_out(found.database, endpoint, user_agent=found.user_agent)
    if as_json:
        print_json({"id": endpoint, "taken": is_success(reply), "code": reply.code, "error": reply.error})
    messages.print(f"endpoint {endpoint} answers {reply.code}" if reply.code else f"endpoint {endpoint}: {reply.error}")
    if not is_success(reply):
        raise typer.Exit(1)


@app.command()
def rotate(
    endpoint: Number,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="The old secret is known to others: it signs nothing any more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new secret, and print it. For a day messages are signed with both, so that nothing is refused."""
    from worker.notifying import run_endpoints

    secret = run_endpoints.rotate(opened_house().database, endpoint, at_once=at_once, actor=operator())
    _print_secret({"id": endpoint}, secret, as_json=as_json)
    messages.print(_KEEP_SECRET)


@app.command()
def retry(
    endpoint: Number,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what happened since, as 2026-11-29T05:00:00Z.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Switch an endpoint on again, and send it at once what it has not taken."""
    from worker.notifying import run_endpoints

    found = opened_house()
    count = run_endpoints.try_again(found.database, endpoint, since=_moment(since), actor=operator())
    found.ring("sweep_webhooks")
    if as_json:
        print_json({"id": endpoint, "messages": count})
    messages.print(f"endpoint {endpoint} is on; {count:,} messages are sent to it")


@app.command()
def disable(endpoint: Number) -> None:
    """Tell an endpoint nothing any more, until `retry`. What happens meanwhile is not kept for it."""
    from worker.notifying import run_endpoints

    run_endpoints.switch_off(opened_house().database, endpoint, actor=operator())
    messages.print(f"endpoint {endpoint} is off")


@app.command()
def remove(endpoint: Number) -> None:
    """Forget an endpoint and what it was still to be told."""
    from worker.notifying import run_endpoints

    run_endpoints.remove(opened_house().database, endpoint, actor=operator())
    messages.print(f"endpoint {endpoint} is removed")


def _row(one: Endpoint, counts: dict[str, int]) -> dict[str, Any]:
    state = "off" if one.disabled_at else "failing" if one.failing_since else "on"
    told = {"delivered": 0, "pending": 0, "failed": 0} | counts
    return {
        "id": one.id,
        "url": one.url,
        "events": one.types,
        "addresses": one.with_addresses,
        "private": one.allow_private,
        "state": state,
        "reason": one.disabled_reason,
        **told,
        "created_at": one.created_at,
        "disabled_at": one.disabled_at,
        "failing_since": one.failing_since,
        "last_ok_at": one.last_ok_at,
        "last_error": one.last_error,
        "old_secret_until": one.old_secret_until,
    }


def _print_secret(about: dict[str, Any], secret: str, *, as_json: bool) -> None:
    if as_json:
        print_json(about | {"secret": secret})
    else:
        typer.echo(secret)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no time", where="--since", hint="write 2026-11-29T05:00:00Z") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
