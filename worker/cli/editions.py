"""`tocsin editions`: the runs, whether each one's books balance, and the brakes."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli import preflight
from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows
from worker.delivery.steering import Command
from worker.errors import InputError
from worker.measures import Visitor
from worker.model import EditionId, EditionStatus

app = typer.Typer(help="Alerts, digests and other runs.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 100_000,
    as_json: Json = False,
) -> None:
    """Print editions, the newest first."""
    from worker.store import editions

    with opened_house().database.read() as conn:
        rows = editions.listed(conn, limit=limit)
    print_rows(
        rows, as_json=as_json, columns=("id", "kind", "locale", "status", "audience", "slot", "due_at", "reason")
    )


_Edition = Annotated[int, typer.Argument(help="The edition's number.")]
_Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]


@app.command()
def show(
    edition: _Edition,
    as_json: Json = False,
) -> None:
    """Print one edition with its conservation figures: everybody in its audience is in exactly one of them."""
    from worker.store import editions, measurements, preflights

    with opened_house().database.read() as conn:
        found = editions.listed(conn, edition_id=EditionId(edition), limit=1)
        if not found:
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
        looked = preflights.told(conn, EditionId(edition))
        shown = {
            **found[0],
            "conservation": editions.conservation(conn, EditionId(edition)),
            "preflight": looked,
        }
        measured = measurements.totals(conn, EditionId(edition))
    if measured:
        shown["measured"] = measured
    if as_json:
        print_json(shown)
        return
    rows = [{"field": name, "value": value} for name, value in found[0].items() if name != "audience"]
    rows += [{"field": name, "value": str(count)} for name, count in shown["conservation"].items()]
    rows += [{"field": f"{what} by {who}", "value": str(n)} for what, by in measured.items() for who, n in by.items()]
    rows += preflight.shown(looked)
    print_rows(rows, as_json=False, columns=("field", "value"))


@app.command()
def clicks(
    edition: _Edition,
    by_hour: Annotated[bool, typer.Option("--by-hour", help="By hour, opens too, rather than by link.")] = False,
    as_json: Json = False,
) -> None:
    """Print how often each link of an edition was followed, where TOCSIN_MEASURE has it counted; of no reader."""
    from worker.store import editions, measurements

    number = EditionId(edition)
    with opened_house().database.read() as conn:
        if not editions.listed(conn, edition_id=number, limit=1):
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
        figures = measurements.by_hour(conn, number) if by_hour else measurements.by_link(conn, number)
    names = ("hour", "measure") if by_hour else ("article", "title", "url")
    rows = [{**{name: getattr(one, name) for name in names}, **one.counts} for one in figures]
    for row in rows if not as_json else ():
        row["title"] = row.get("title") or "(links that few readers had)"
    print_rows(rows, as_json=as_json, columns=(*names, *Visitor))


@app.command()
def pause(edition: _Edition, reason: _Reason = "", as_json: Json = False) -> None:
    """Stop an edition at once. What is on the wire still arrives; `resume` goes on with the rest."""
    _steer(edition, Command.PAUSE, reason, as_json=as_json)


@app.command()
def resume(edition: _Edition, reason: _Reason = "", as_json: Json = False) -> None:
    """Go on with an edition that was paused, or that its canary or its preflight holds."""
    _steer(edition, Command.RESUME, reason, as_json=as_json)


@app.command()
def cancel(edition: _Edition, reason: _Reason = "", as_json: Json = False) -> None:
    """Stop an edition for good, at once. Its stories go back to the next digests of those who did not get it."""
    _steer(edition, Command.CANCEL, reason, as_json=as_json)


def _steer(edition: int, command: Command, reason: str, *, as_json: bool) -> None:
    """Follow the command and say what was; exit status 1 when it cannot be followed."""
    from worker.delivery.run_steering import steer

    found = opened_house()
    steered = steer(found.database, EditionId(edition), command, actor=operator(), reason=reason)
    if steered is None:
        raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
    if steered.status in {EditionStatus.SENDING, EditionStatus.DRAFT} and not steered.refused:
        found.ring("sweep_deliveries" if steered.status is EditionStatus.SENDING else "sweep_planning")
    if as_json:
        print_json(steered.told())
    messages.print(steered.says)
    if steered.refused:
        raise typer.Exit(1)
