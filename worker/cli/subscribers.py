"""`tocsin subscribers`: bring readers in, write them out, look at one, stop mail to an address."""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.errors import InputError
from worker.model import BelowFloor, Origin

if TYPE_CHECKING:
    from worker.signup.run import Known
    from worker.signup.run_import import Imported
    from worker.store.suppressions import Suppressed

app = typer.Typer(help="Readers: bring them in, write them out, look at one.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: email,name,locale,timezone,topics,cadence,at")],
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="They have consented, and you answer for it: nobody is asked.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only.")] = False,
    origin: Annotated[
        Origin | None, typer.Option("--from", help="The file is what listmonk or Mailchimp exports.")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="LIST=topic:SLUG or LIST=newsletter:SLUG, once for each of their lists; * is all."),
    ] = None,
) -> None:
    """Store a list of readers, all or none. Known addresses are brought up to date; who left or is suppressed stays so.

    Without --confirmed, new readers are pending, and each is asked by mail. `--from mailchimp --dry-run` shows what its
    lists and tags are, and what to write. See docs/importing-readers.md.
    """
    from worker.signup.run_import import Listing, import_readers
    from worker.tokens import keyed_hash

    found = opened_house()
    listing = Listing(
        hash_address=functools.partial(keyed_hash, found.suppression_key),
        origin=origin,
        maps=tuple(maps or ()),
        confirmed=confirmed,
        dry_run=dry_run,
        timezone=found.settings.timezone,
    )
    with _progress(file) as progress:
        imported = import_readers(found.database, file, listing, progress=progress)
    if imported.has_questions and not dry_run:
        found.ring("sweep_planning")
    if imported.lists:
        print_rows(imported.lists, as_json=False, columns=("list", "readers", "becomes"))
    if dry_run and imported.lists:
        rows = [{"what would happen": fate, "lines": count} for fate, count in imported.fates.most_common()]
        print_rows(rows, as_json=False, columns=("what would happen", "lines"))
    messages.print(_summary(imported, dry_run=dry_run), markup=False)


@app.command()
def export(
    address: Annotated[
        str | None, typer.Option(help="Print all that is held about this address instead, as one JSON object.")
    ] = None,
) -> None:
    """Print all readers as CSV: the import's columns, and where each stands."""
    from worker.signup.address import normalise
    from worker.signup.run_erasure import export as tell
    from worker.signup.run_export import HEADER, export_readers

    if address is not None:
        found, wanted = opened_house(), normalise(address)
        print_json({"address": wanted.text, **tell(found.database, wanted, found.address_hash(wanted.key))})
        return
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(export_readers(opened_house().database))


@app.command()
def show(
    address: Annotated[str, typer.Argument(help="The reader's address.")],
    as_json: Json = False,
) -> None:
    """Print one reader: where they stand, their own terms, what they follow, what they have consented to.

    A pause is told since when and until when, a floor with what becomes of fewer stories: merge or skip.
    """
    from worker.signup.address import normalise
    from worker.signup.run import look_up
    from worker.store import events, people, suppressions

    found = opened_house()
    address_hash = found.address_hash(normalise(address).key)
    with found.database.read() as conn:
        reader = people.by_address(conn, address_hash)
        known = look_up(conn, reader.id) if reader else None
        suppressed = suppressions.of_address(conn, address_hash)
        event = events.told(conn, suppressed.event_id) if suppressed and suppressed.event_id else None
    if known is None:
        hint = f"the address is suppressed: {suppressed.reason}" if suppressed else "see `tocsin subscribers export`"
        raise InputError(f"there is no reader {address}", hint=hint)
    facts = {**_facts(known), **_suppression(suppressed, event)}
    if as_json:
        print_json({**facts, "consent": known.reader.consent, "follows": list(_follows(known)), **_muted(known)})
        return
    unset = {name for name, value in _terms(known).items() if value is None}
    if known.reader.digest_floor == 1:  # every digest has a story, so that nothing is ever below
        unset |= {"digest_floor", "below_floor"}
    rows = [{"field": name, "value": value} for name, value in facts.items() if name not in unset]
    print_rows(rows, as_json=False, columns=("field", "value"))
    print_rows(
        _follows(known), as_json=False, columns=("follows", "cadence", "at", "weekday", "next_due_at", "muted_until")
    )
    if known.muted_stories:
        print_rows(_muted(known)["muted_stories"], as_json=False, columns=("story", "title", "muted_until"))


@app.command("set")
def set_(
    address: Annotated[str, typer.Argument(help="The reader's address.")],
    quiet: Annotated[
        str | None, typer.Option(help="Hours without mail by the reader's clock, such as 22:00-07:00; or none.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Alerts a day, 0 without limit; none: as the settings say.")
    ] = None,
    floor: Annotated[int | None, typer.Option(help="The least number of stories for a digest.", min=1, max=100)] = None,
    below: Annotated[
        BelowFloor | None, typer.Option(help="What becomes of fewer: the next digest has them, or none.")
    ] = None,
) -> None:
    """Change a reader's own terms. Only what an editor broke is sent in quiet hours, and beyond the budget."""
    from worker.cli.house import reader_of
    from worker.signup.terms import read_budget, read_quiet
    from worker.store import outbox, people

    values: dict[str, Any] = {}
    if quiet is not None:
        values["quiet_from"], values["quiet_to"] = read_quiet(quiet) or (None, None)
    if budget is not None:
        values["alert_budget"] = read_budget(budget)
    if floor is not None:
        values["digest_floor"] = floor
    if below is not None:
        values["below_floor"] = below
    if not values:
        raise InputError("nothing to change", hint="see `tocsin subscribers set --help`")
    found = opened_house()
    reader = reader_of(found, address)
    with found.database.write() as conn:
        before = outbox.before_change(conn, reader.id)
        people.change_reader(conn, reader.id, **values)
        outbox.tell_change(conn, reader.id, before)
    messages.print(f"{address}: {', '.join(f'{name} {value}' for name, value in values.items())}", markup=False)


@app.command()
def suppress(
    address: Annotated[str, typer.Argument(help="The address that must get nothing any more.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "by the operator",
) -> None:
    """Make sure that an address gets nothing any more, whether or not a reader has it."""
    from worker.signup.address import normalise
    from worker.store import people

    found = opened_house()
    with found.database.write() as conn:
        people.suppress(conn, found.address_hash(normalise(address).key), reason=reason)
    messages.print(f"{address} gets nothing any more: {reason}", markup=False)


@app.command()
def unsuppress(
    address: Annotated[str, typer.Argument(help="The address that may get mail again.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good.")],
) -> None:
    """Let an address get mail again. What was said of it until now counts no longer; what is said next does."""
    from worker.signup.address import normalise
    from worker.store import suppressions

    found = opened_house()
    address_hash = found.address_hash(normalise(address).key)
    with found.database.write() as conn:
        was_suppressed = suppressions.lift(conn, address_hash, reason=reason, actor="command line")
    if not was_suppressed:
        raise InputError(f"{address} is not suppressed")
    messages.print(f"{address} may get mail again: {reason}", markup=False)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal's standard error; it counts bytes, twice the file's, since it is read twice."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(file.name, total=2 * file.stat().st_size if file.is_file() else None)
        yield lambda done_bytes: bar.update(task, completed=done_bytes)


def _summary(imported: Imported, *, dry_run: bool) -> str:
    told = ", ".join(f"{count:,} {fate}" for fate, count in imported.fates.items() if count)
    head = "nothing stored; would be" if dry_run else "stored"
    return f"{imported.lines:,} lines, {head}: {told}" if told else "no readers in this list"


def _facts(known: Known) -> dict[str, Any]:
    reader = known.reader
    return {
        "id": reader.id,
        "email": reader.email,
        "name": reader.name,
        "status": known.standing,
        "locale": reader.locale,
        "timezone": reader.timezone,
        **_terms(known),
        "created_at": reader.created_at,
        "confirmed_at": reader.confirmed_at,
        "left_at": reader.left_at,
    }


def _terms(known: Known) -> dict[str, Any]:
    """Tell what a reader has set for themselves; None for what they have not."""
    reader = known.reader
    return {
        "paused_at": reader.paused_at,
        "paused_until": reader.paused_until,
        "quiet": f"{reader.quiet_from}-{reader.quiet_to}" if reader.quiet_from and reader.quiet_to else None,
        "alert_budget": reader.alert_budget,
        "digest_floor": reader.digest_floor,
        "below_floor": reader.below_floor,
    }


def _muted(known: Known) -> dict[str, list[dict[str, Any]]]:
    stories = [
        {"story": one.story_id, "title": one.title, "muted_at": one.muted_at, "muted_until": one.muted_until}
        for one in known.muted_stories
    ]
    return {"muted_stories": stories}


def _suppression(suppressed: Suppressed | None, event: dict[str, Any] | None) -> dict[str, Any]:
    """Tell why an address gets nothing: what was said, by whom, since when."""
    told = f"{event['id']}: {event['provider']} says {event['kind']}" if event else None
    return {
        "suppressed": suppressed.reason if suppressed else None,
        "suppressed_for": suppressed.cause if suppressed else None,
        "suppressed_at": suppressed.created_at if suppressed else None,
        "suppressed_by_event": told,
    }


def _follows(known: Known) -> Iterator[dict[str, Any]]:
    for one in known.followings:
        yield {
            "id": one.id,
            "follows": one.query if one.query is not None else one.slug,
            "cadence": one.cadence,
            "at": list(one.times),
            "weekday": one.weekday,
            "next_due_at": one.next_due_at,
            "muted_until": known.muted.get(one.id),
        }
