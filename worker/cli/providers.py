"""`tocsin providers`: the ways out of the house, which of them are shut, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from worker.circuits import SHOWN, Circuit, Condition, Way
from worker.cli.house import Json, messages, opened_house, operator, print_rows
from worker.errors import InputError
from worker.model import EditionKind, Lane
from worker.receivers import receiver

if TYPE_CHECKING:
    from worker.wiring import House

app = typer.Typer(help="Relays and mail providers: which are shut, slowed or paused.", no_args_is_help=True)

_COLUMNS = ("provider", "stream", "domain", "state", "until", "rate_per_s", "taken_today", "window", "reason")
Name = Annotated[str, typer.Argument(help="The provider's name, as `tocsin providers list` has it.")]
Stream = Annotated[EditionKind | None, typer.Option(help="Only this kind of mail.")]
Domain = Annotated[str, typer.Option(help="Only mail to this domain, and to its receiver's others.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print each provider, and each narrower way that is shut or slowed: one kind of mail, one recipient domain.

    A state is well, shut, on trial (a few messages find out), paused (by a person) or slowed. `window` is how many
    messages are in doubt at most when a worker dies.
    """
    from worker.delivery.pacing import Slowdown
    from worker.store import breakers, throttles
    from worker.store.database import now

    found = opened_house()
    with found.database.read() as conn:
        at, shut, slowed = now(conn), breakers.load(conn), throttles.load(conn)
        taken = throttles.taken(conn, at.astimezone(ZoneInfo(found.newsroom.timezone)).date())
    rows = [*_providers(found, shut, taken), *(_row(way, circuit) for way, circuit in shut.items() if any(way[1:]))]
    for place, halved in slowed.items():
        rate = round(Slowdown(**halved._asdict()).rate_per_s(at), 2)
        row = {"state": "slowed", "rate_per_s": rate, "reason": f"of {halved.full_per_s:g} a second, growing back"}
        rows.append(_row(Way(place.provider, "", place.domain), None) | row)
    print_rows(rows, as_json=as_json, columns=_COLUMNS)


@app.command()
def pause(
    provider: Name,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks next.")],
    stream: Stream = None,
    domain: Domain = "",
) -> None:
    """Send nothing by a provider until it is resumed. Its mail goes by the others, or waits."""
    from worker.store import breakers

    found = opened_house()
    names = [spec.name for spec in found.transport_specs]
    if provider not in names:
        raise InputError(f"there is no provider {provider!r}", hint=f"write one of {', '.join(names)}")
    if not reason.strip():
        raise InputError("no reason is given", hint="write --reason and why, for whoever looks next")
    way = _way(provider, stream, domain)
    with found.database.write() as conn:
        breakers.pause(conn, way, actor=operator(), reason=reason.strip())
    messages.print(f"{way} is paused; `tocsin providers resume {way.options}` ends that")


@app.command()
def resume(provider: Name, stream: Stream = None, domain: Domain = "") -> None:
    """Open a provider again, with all of its narrower ways, whoever or whatever has shut them."""
    from worker.store import breakers

    way = _way(provider, stream, domain)
    with opened_house().database.write() as conn:
        opened = breakers.resume(conn, way, actor=operator())
    if not opened:
        raise InputError(f"nothing of {way} is shut", hint="see `tocsin providers list`")
    messages.print(f"open again: {', '.join(map(str, opened))}")


def _way(provider: str, stream: EditionKind | None, domain: str) -> Way:
    return Way(provider, stream or "", receiver(domain))


def _providers(found: House, shut: dict[Way, Circuit], taken: dict[str, int]) -> Iterator[dict[str, Any]]:
    for spec in found.transport_specs:
        way = Way(spec.name)
        facts = {
            "lanes": [lane for lane in Lane if lane in spec.lanes],
            "weight": spec.weight,
            "rate_per_s": spec.rate_per_s,
            "hours": None if spec.hours is None else str(spec.hours),
            "warm_up": None if spec.warm_up is None else str(spec.warm_up),
            "taken_today": taken.get(spec.name),
            "window": found.transports[spec.name].window,
        }
        yield _row(way, shut.get(way)) | facts


def _row(way: Way, circuit: Circuit | None) -> dict[str, Any]:
    return {
        **way._asdict(),
        "state": SHOWN[circuit.condition if circuit else Condition.CLOSED],
        "until": circuit.until if circuit else None,
        "trouble": circuit.trouble if circuit else None,
        "reason": circuit.reason if circuit else "",
        "rate_per_s": None,
        "taken_today": None,
        "window": None,
    }
