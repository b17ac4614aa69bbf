"""`tocsin deliveries`: every reader's copy of every edition, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.house import Json, opened_house, print_json, print_rows, reader_of
from worker.errors import InputError
from worker.lifecycle import State
from worker.model import DeliveryId, EditionId

app = typer.Typer(help="Every copy for every reader.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    edition: Annotated[int | None, typer.Option(help="Only those of this edition.")] = None,
    address: Annotated[str | None, typer.Option(help="Only those to this reader, whatever the spelling.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only those to this domain.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only those last tried through this relay or provider.")] = None,
    as_json: Json = False,
) -> None:
    """Print deliveries, oldest first, all of them."""
    from worker.store import editions, ledger

    found = opened_house()
    subscriber = None if address is None else reader_of(found, address).id
    with found.database.read() as conn:
        if edition is not None and not editions.listed(conn, edition_id=EditionId(edition), limit=1):
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
        rows = ledger.deliveries(
            conn, state=state, edition=edition, subscriber=subscriber, domain=domain, provider=provider
        )
        columns = ("id", "edition", "recipient", "state", "attempts", "provider", "code", "reason")
        print_rows(rows, as_json=as_json, columns=columns)


@app.command()
def show(
    delivery: Annotated[int, typer.Argument(help="The delivery's number.")],
    as_json: Json = False,
) -> None:
    """Print one delivery with each of its attempts."""
    from worker.store import ledger

    with opened_house().database.read() as conn:
        found = next(iter(ledger.deliveries(conn, delivery=DeliveryId(delivery))), None)
        if found is None:
            raise InputError(f"there is no delivery {delivery}", hint="see `tocsin deliveries list`")
        attempts = ledger.attempts(conn, DeliveryId(delivery))
    if as_json:
        print_json({**found, "tries": attempts})
        return
    print_rows([{"field": k, "value": v} for k, v in found.items()], as_json=False, columns=("field", "value"))
    print_rows(attempts, as_json=False, columns=("number", "outcome", "provider", "code", "text", "ended_at"))
