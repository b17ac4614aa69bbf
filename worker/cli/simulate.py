"""`tocsin simulate`: what would be sent to whom over a span of time, and why not, sending nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from worker.cli.house import Json, opened_house, print_json, print_rows, reader_of
from worker.errors import InputError

if TYPE_CHECKING:
    from worker.planning.world import Simulated

COLUMNS: Final = ("email", "kind", "cadence", "scheduled_at", "local", "timezone", "stories", "send", "reason")
_FATIGUE: Final = 5


def simulate(
    start: Annotated[str, typer.Option("--from", help="The first day or instant: 2026-10-20, 2026-10-20T07:00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="Where the span ends; not part of it.")],
    reader: Annotated[str, typer.Option(help="The address of one reader; all when not given.")] = "",
    fatigue: Annotated[
        int | None, typer.Option(help="Count who would get so many mails or more within 24 hours.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print each run of a span: what would be sent to whom, or why nothing. Sends nothing, changes nothing.

    A span that has begun is played with today's subscriptions from a clean slate; one to come goes on from today.
    Times without a zone are UTC.
    """
    from worker.planning import run_simulate

    first, last = read_time(start, "--from"), read_time(end, "--to")
    if last <= first:
        raise InputError("--to is not after --from", hint="the span's end is not part of it: name the day after")
    house = opened_house()
    only = reader_of(house, reader).id if reader else None
    simulated = run_simulate.run_simulate(house.database, house.planning_policy, start=first, end=last, only=only)
    if fatigue is not None:
        _print_fatigue(simulated, fatigue, as_json=as_json)
        return
    print_rows(rows(simulated), as_json=as_json, columns=COLUMNS)


def rows(simulated: Iterable[Iterable[Simulated]]) -> Iterator[dict[str, Any]]:
    """Yield the lines of the contract, reader by reader."""
    for runs in simulated:
        for one in runs:
            yield {
                "email": one.email,
                "kind": str(one.kind),
                "cadence": str(one.cadence),
                "scheduled_at": one.scheduled_at,
                "local": one.local.isoformat(timespec="seconds"),
                "timezone": one.timezone,
                "stories": list(one.stories),
                "send": one.send,
                "reason": one.reason,
            }


def read_time(text: str, option: str) -> datetime:
    """Read a day (its midnight) or an instant; UTC where no zone is told. Raises `InputError`.

    >>> read_time("2026-10-20", "--from").isoformat(), read_time("2026-10-20T07:00:00+09:00", "--to").isoformat()
    ('2026-10-20T00:00:00+00:00', '2026-10-19T22:00:00+00:00')
    """
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{option} {text!r} is no time", hint="write a day or an instant such as 2026-10-20 or 2026-10-20T07:00:00Z"
        ) from error


def _print_fatigue(simulated: Iterable[list[Simulated]], threshold: int, *, as_json: bool) -> None:
    from worker.planning.fatigue import fatigue

    found = fatigue(simulated)
    counted = [{"mails_in_24h": mails, "readers": readers} for mails, readers in found.readers]
    if as_json:
        for row in counted:
            print_json(row)
        print_json({"threshold": threshold, "readers": found.at_least(threshold), "of": found.total})
        return
    print_rows(counted, as_json=False, columns=("mails_in_24h", "readers"))
    typer.echo(f"{found.at_least(threshold)} of {found.total} readers would get {threshold} or more mails in 24 hours")
