"""`tocsin doctor` and `tocsin config`: is everything there, and what is in force.

Asks each part how it is; `worker.deliverability` judges what DNS says of us. Prints, and mends nothing.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from worker.cli.asking_state import questions
from worker.cli.endpoint_state import endpoints
from worker.cli.feed_state import alerts, feeds
from worker.cli.house import Json, messages, print_json, print_rows, stamp
from worker.cli.hub_state import hubs
from worker.cli.refusals import printable
from worker.cli.theme_state import templates
from worker.errors import TocsinError
from worker.health import Finding, Health
from worker.model import EditionStatus, Lane

if TYPE_CHECKING:
    from worker.wiring import House

_FREE_BYTES = 500_000_000
_SILENT_S = 60.0
_CONNECT_S = 5
_WORDS: Final = {
    Health.WELL: ("well", "green"),
    Health.NOTE: ("note", "yellow"),
    Health.ILL: ("NOT WELL", "red"),
    Health.UNCHECKED: ("not checked", "yellow"),
}


def config(as_json: Json = False) -> None:
    """Print the settings in force, secrets redacted, and point out variables that are none."""
    from worker.wiring import house, unknown_variables

    values = house().settings.shown()
    if as_json:
        print_json(values)
    else:
        rows = [{"variable": name, "value": value} for name, value in values.items()]
        print_rows(rows, as_json=False, columns=("variable", "value"))
    for line in unknown_variables():
        messages.print(f"[yellow]note[/]: {line}")


def doctor(
    as_json: Json = False,
    dns: Annotated[bool, typer.Option(help="Ask DNS for SPF, DKIM, DMARC and MX too, for 15 s at most.")] = True,
) -> None:
    """Look at database, broker, mail relays, workers, clock, disk, and at what DNS says of our mail.

    Exit status 1 when something is not well. What could be better, or could not be asked, is only told.
    """
    from worker.wiring import house

    found = house()
    checks = [_database, _sends, feeds, hubs, _broker, _relays, _ways, _returns, alerts, _webhooks, endpoints]
    checks += [questions, templates, _workers, _clock, _disk]
    checks += [_dns] if dns else []
    told: dict[str, str] = {}
    findings = [finding for check in checks for finding in _examine(check, found, told)]
    for one in findings:
        if as_json:
            ill = one.health is Health.ILL
            print_json(
                {"part": one.part, "well": not ill, "health": one.health, "says": one.says, "advice": one.advice}
            )
        else:
            _tell(one)
    if any(one.health is Health.ILL for one in findings):
        raise typer.Exit(1)


def _tell(one: Finding) -> None:
    """Print a finding, its advice on a line of its own, unwrapped: it may be a record to copy.

    What DNS says may be anybody's words, so nothing of it moves the cursor.
    """
    word, colour = _WORDS[one.health]
    typer.echo(f"{typer.style(f'{word:<12}', fg=colour)}{one.part:<10}{printable(one.says)}")
    if one.advice:
        typer.echo(f"{'':<22}{printable(one.advice)}")


def _examine(check: Callable[[House], Iterable[Finding]], found: House, told: dict[str, str]) -> Iterator[Finding]:
    """Yield a part's findings; what several parts fail by is told at length once."""
    part = check.__name__.strip("_")
    try:
        yield from check(found)
    except TocsinError as error:
        first = told.setdefault(str(error), part)
        says, advice = (
            (str(error), "mend this first") if first == part else (f"unknown without {first}", f"see {first}")
        )
        yield Finding(part=part, health=Health.ILL, says=says, advice=advice)


def _database(found: House) -> Iterator[Finding]:
    from worker.store import editions

    with found.database.read() as conn:
        terms = editions.conservation(conn)
        whole = editions.audience_holds(conn)
    says = ", ".join(f"{count} {term}" for term, count in terms.items() if count) or "empty"
    yield Finding(
        part="database",
        health=_health(whole),
        says=says,
        advice="" if whole else "an audience has changed its size: report this",
    )


def _sends(found: House) -> Iterator[Finding]:
    from worker.lifecycle import State
    from worker.store import editions, preflights, steering

    with found.database.read() as conn:
        stopped = steering.stopped(conn)
        doubtful = preflights.doubtful(conn)
        unknown = editions.states(conn).get(State.UNKNOWN, 0)
    if not stopped:
        yield Finding(part="sends", health=Health.WELL, says="no edition is held or paused")
    for edition_id, status, reason in stopped:
        is_held = status is EditionStatus.HELD
        yield Finding(
            part="sends",
            health=Health.ILL if is_held else Health.NOTE,
            says=f"edition {edition_id} is {reason or status}",
            advice=f"{'find the cause, then ' * is_held}`tocsin editions resume {edition_id}` or `cancel`",
        )
    for edition_id, held_by in doubtful:
        advice = (
            f"mend it, or `tocsin editions send {edition_id} --anyway`; `editions preflight {edition_id}` has it all"
        )
        says = f"edition {edition_id} will be held when it is due: {held_by}"
        yield Finding(part="sends", health=Health.NOTE, says=says, advice=advice)
    if unknown:
        yield Finding(
            part="sends",
            health=Health.NOTE,
            says=f"of {unknown} {'delivery' if unknown == 1 else 'deliveries'} nobody knows whether they arrived",
            advice="`tocsin deliveries resolve` names them; see docs/runbook.md",
        )


def _broker(found: House) -> Iterator[Finding]:
    from worker import celery_app

    found.point_celery()
    trouble = celery_app.unreachable(timeout_s=_CONNECT_S)
    yield Finding(
        part="broker",
        health=_health(trouble is None),
        says=trouble or "answers",
        advice="start it, or `tocsin up`; no mail is lost meanwhile" if trouble else "",
    )


def _relays(found: House) -> Iterator[Finding]:
    from worker.adapters.transports.reach import trouble

    specs = found.transport_specs
    troubles = [said for spec in specs if (said := trouble(spec, within_s=_CONNECT_S))]
    names = ", ".join(spec.name for spec in specs)
    yield Finding(
        part="relays",
        health=_health(not troubles),
        says="; ".join(troubles) or f"{names} {'answers' if len(specs) == 1 else 'answer'}",
        advice="check TOCSIN_TRANSPORTS and the relay; mail waits and is tried again" if troubles else "",
    )


def _ways(found: House) -> Iterator[Finding]:
    from worker.circuits import SHOWN, Condition
    from worker.store import breakers

    with found.database.read() as conn:
        shut = breakers.load(conn)
    if not shut:
        yield Finding(part="ways", health=Health.WELL, says="no provider, kind of mail or domain is shut")
    for way, circuit in shut.items():
        is_ill = not any(way[1:]) and circuit.condition is not Condition.PAUSED
        why = f"{circuit.trouble}: {circuit.reason}" if circuit.trouble else circuit.reason
        yield Finding(
            part="ways",
            health=Health.ILL if is_ill else Health.NOTE,
            says=f"{way} is {SHOWN[circuit.condition]} ({why})",
            advice=f"it is tried again by itself; mended already? `tocsin providers resume {way.options}`"
            if circuit.trouble
            else f"`tocsin providers resume {way.options}`",
        )


def _returns(found: House) -> Iterator[Finding]:
    given = found.settings.returned_mail
    if given is None:
        if not found.inbox_is_used:
            advice = "set TOCSIN_RETURNED_MAIL, unless all providers tell by webhooks; see docs/returned-mail.md"
            yield Finding(part="returns", health=Health.NOTE, says="no mailbox for bounces is named", advice=advice)
        return
    from worker.adapters.mailboxes.build import open_mailbox

    open_mailbox(given.get_secret_value(), left=found.home).close()
    yield Finding(part="returns", health=Health.WELL, says="the mailbox of returned mail can be read")


def _webhooks(found: House) -> Iterator[Finding]:
    """Tell of each provider that sends for us whether it tells us anything, and whether that is dealt with."""
    from worker.store import events

    with found.database.read() as conn:
        waiting_s = events.waiting_s(conn)
        names = dict.fromkeys(spec.scheme.partition("+")[0] for spec in found.transport_specs)
        heard = {name: events.heard_at(conn, name) for name in names if name in found.event_readers}
    for name, at in heard.items():
        if at is not None:
            yield Finding(part="webhooks", health=Health.WELL, says=f"{name} was last heard at {stamp(at)}")
            continue
        yield Finding(
            part="webhooks",
            health=Health.NOTE,
            says=f"{name} has told us nothing yet: neither bounces nor complaints are known",
            advice="`tocsin feedback webhooks` prints the address to give to it, and says whether its key is lacking",
        )
    if waiting_s > _SILENT_S * 5:
        yield Finding(
            part="webhooks",
            health=Health.ILL,
            says=f"what was told {waiting_s / 60:.0f} minutes ago still waits for its consequences",
            advice="is a worker for control running? Its log says what fails",
        )


def _workers(found: House) -> Iterator[Finding]:
    from worker.store import house as house_table
    from worker.store.database import now

    with found.database.read() as conn:
        beats, at = house_table.heartbeats(conn), now(conn)
    ages = {lane: (at - beats[lane]).total_seconds() if lane in beats else None for lane in Lane}
    silent = [lane for lane, age_s in ages.items() if age_s is None or age_s > _SILENT_S]
    yield Finding(
        part="workers",
        health=_health(not silent),
        says=f"no sign of life from {', '.join(silent)}" if silent else "all queues have a living worker",
        advice="start `tocsin worker` for them, and `tocsin beat`" if silent else "",
    )


def _clock(found: House) -> Iterator[Finding]:
    from worker.store.database import now

    with found.database.read() as conn:
        ahead_s = now(conn).timestamp() - time.time()
    yield Finding(
        part="clock",
        health=_health(abs(ahead_s) < 5),
        says=f"the database's clock is {round(ahead_s, 1) or 0.0:+.1f} s from this machine's",
        advice="" if abs(ahead_s) < 5 else "set the machines' clocks by NTP",
    )


def _disk(found: House) -> Iterator[Finding]:
    free = shutil.disk_usage(found.home).free
    yield Finding(
        part="disk",
        health=_health(free > _FREE_BYTES),
        says=f"{free / 1e9:.1f} GB free at {found.home}",
        advice="" if free > _FREE_BYTES else "make room: SQLite, the broker and the inbox write here",
    )


def _dns(found: House) -> Iterator[Finding]:
    from worker.deliverability.examine import examine

    return examine(found.sender, found.asker())


def _health(well: bool) -> Health:
    return Health.WELL if well else Health.ILL
