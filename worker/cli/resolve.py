"""`tocsin deliveries resolve`: a person settles what nobody could find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows
from worker.delivery.steering import Fate
from worker.errors import InputError
from worker.model import DeliveryId, EditionId

if TYPE_CHECKING:
    from worker.wiring import House

_COLUMNS = ("id", "edition", "kind", "recipient", "provider", "message_id", "committed_at", "reason")


def resolve(
    deliveries: Annotated[
        list[int] | None, typer.Argument(help="Their numbers; none of them: all unknown ones.")
    ] = None,
    edition: Annotated[int | None, typer.Option(help="Those of this edition.")] = None,
    fate: Annotated[
        Fate | None,
        typer.Option(
            "--as",
            help="accepted: the relay's log has it. refused: it has not, and it is not sent again. "
            "resend: it is sent again, with the same Message-ID. Left out: print them and change nothing.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Settle deliveries whose fate is unknown, once you have looked for their Message-IDs in the relay's log."""
    found = opened_house()
    ids = [DeliveryId(number) for number in deliveries or ()]
    rows = _doubtful(found, ids, edition)
    if fate is None:
        print_rows(rows, as_json=as_json, columns=_COLUMNS)
        messages.print(f"{len(rows)} unknown; say with --as what became of them" if rows else "nothing is unknown")
        return
    if len(rows) > 1 and not yes:
        typer.confirm(f"{len(rows)} deliveries are settled as {fate}. Go on?", abort=True, err=True)
    if fate is Fate.RESEND and (late := sum(row["edition_status"] == "cancelled" or row["is_late"] for row in rows)):
        messages.print(f"{late} of them are not sent any more: cancelled, or past their last moment")
    settled = _settle(found, [DeliveryId(row["id"]) for row in rows], fate)
    for row in rows if as_json else ():
        print_json({"id": row["id"], "edition": row["edition"], "resolved": row["id"] in settled, "as": fate})
    others = len(rows) - len(settled)
    messages.print(f"{len(settled)} settled as {fate}" + (f"; {others} settled themselves meanwhile" if others else ""))


def _doubtful(found: House, ids: list[DeliveryId], edition: int | None) -> list[dict[str, Any]]:
    """Return the unknown deliveries that are meant. Raises `InputError` for one that is named and is not unknown."""
    from worker.store import resolving

    with found.database.read() as conn:
        rows = resolving.doubtful(conn, ids=ids, edition_id=None if edition is None else EditionId(edition))
        states = resolving.states_of(conn, ids)
    known = {row["id"] for row in rows}
    for delivery_id in ids:
        if delivery_id not in known:
            stands = states.get(delivery_id)
            told = (
                f"delivery {delivery_id} is {stands}, not unknown" if stands else f"there is no delivery {delivery_id}"
            )
            if stands == "unknown":
                told = f"delivery {delivery_id} is not of edition {edition}"
            raise InputError(told, hint="see `tocsin deliveries list --state unknown`")
    return rows


def _settle(found: House, ids: list[DeliveryId], fate: Fate) -> set[DeliveryId]:
    from worker.delivery.run_resolving import resolve as settle

    settled = set(settle(found.database, ids, fate, actor=operator()))
    if fate is Fate.RESEND and settled:
        found.ring("sweep_deliveries")
    return settled
