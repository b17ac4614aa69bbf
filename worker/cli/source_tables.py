"""`tocsin sources list`, `show` and `poll`: how each source is, for people and for programs. Decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.cli.refusals import printable
from worker.errors import InputError
from worker.feeds import SourceCondition, SourceState
from worker.model import SourceId

if TYPE_CHECKING:
    from sqlalchemy import Row

    from worker.intake.run_sources import AddedSource
    from worker.intake.run_turns import Report
    from worker.intake.run_watching import SourceHealth
    from worker.wiring import House

_NARROW_COLUMNS: Final = 100
_WIDE: Final = ("ID", "Name", "State", "Format", "Last news", "Lag", "Failures", "Next poll", "What is wrong")
_NARROW: Final = ("ID", "Name", "State", "Last news", "Next poll", "What is wrong")
_COLOURS: Final = {
    **dict.fromkeys(("failing", "gone"), "red"),
    **dict.fromkeys(("never", "silent", "slow", "moved", "held"), "yellow"),
    "paused": "dim",
}


def register(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("list")(list_)
    app.command()(show)
    app.command()(poll)


def list_(
    *,
    failing: Annotated[bool, typer.Option("--failing", help="Only those that do not answer as they should.")] = False,
    silent: Annotated[
        bool, typer.Option("--silent", help="Only those that answer, and have told nothing for long.")
    ] = False,
    held: Annotated[
        bool, typer.Option("--held", help="Only those that may not alert until they are released.")
    ] = False,
    gone: Annotated[bool, typer.Option("--gone", help="Only those that say that they are no more.")] = False,
    folder: Annotated[str, typer.Option(help="Only those in this folder, and in the folders in it.")] = "",
    as_json: Json = False,
) -> None:
    """Print all sources with their health: state, format, last news, lag, failures, next poll, and what is wrong.

    The lag is how late its articles come after their publication, half of them sooner. docs/intake.md has the states.
    Several of --failing, --silent, --held and --gone add up.
    """
    from worker.intake.run_hub_signs import told_by_source
    from worker.intake.run_watching import healths
    from worker.store import sources
    from worker.store.database import now

    found = opened_house()
    judged, hubs = {one.source_id: one for one in healths(found.database)}, told_by_source(found.database)
    with found.database.read() as conn:
        at = now(conn)
        rows = [_told(row, judged.get(row.id), hubs.get(row.id)) for row in sources.every(conn)]
    kinds = [
        name for name, wanted in (("failing", failing), ("silent", silent), ("held", held), ("gone", gone)) if wanted
    ]
    rows = [row for row in rows if not kinds or any(row[kind] for kind in kinds)]
    inside = folder.strip("/")
    rows = [row for row in rows if not inside or row["folder"] == inside or row["folder"].startswith(f"{inside}/")]
    if as_json:
        print_rows(rows, as_json=True, columns=())
    else:
        _show_table(rows, at)


def show(
    source: Annotated[int, typer.Argument(metavar="SOURCE", help="The source's number.")], as_json: Json = False
) -> None:
    """Print all that is known of one source, and what was done to it by hand."""
    from worker.intake.run_sources import look_up
    from worker.store import house, watching

    found = opened_house()
    row = look_up(found.database, SourceId(source))
    told = told_of(found, row)
    with found.database.read() as conn:
        told |= {"articles": watching.article_count(conn, SourceId(source))}
        notes = house.notes(conn, f"source {source}")
    history = [
        {"at": at, "by": actor, "did": action.removeprefix("source "), **detail} for at, actor, action, detail in notes
    ]
    if as_json:
        print_json(told | {"history": history})
        return
    hub = {f"websub_{name}": value for name, value in (told.pop("websub") or {}).items()}
    rows = [{"field": name, "value": value} for name, value in (told | hub).items() if value not in (None, "")]
    print_rows(rows, as_json=False, columns=("field", "value"))
    if history:
        print_rows(history, as_json=False, columns=("at", "by", "did"))


def poll(
    source: Annotated[list[int] | None, typer.Argument(metavar="[SOURCE]...", help="Only these, due or not.")] = None,
    now: Annotated[bool, typer.Option("--now", help="All feeds, also those that are not due.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch the feeds that are due, here and now, and match what is new in them.

    Exit status 1 when one that is named by its number fails.
    """
    found = opened_house()
    due = _due(found, source or [], everything=now)
    rows = []
    with _progress(len(due)) as step:

        def tell(polled: Report) -> None:
            for article_id in polled.changed:
                found.matcher.match(article_id)
            told = {"id": polled.source_id, "source": polled.name}
            rows.append({**told, "changed": len(polled.changed), "error": polled.error})
            step()

        left = found.poller.poll_now(due, tell)
    if left:
        messages.print(f"{len(left)} sources are polled by somebody else all the while, or are no more: left out")
    found.ring("sweep_planning")
    print_rows(rows, as_json=as_json, columns=("source", "changed", "error"))
    if source and any(row["error"] for row in rows):
        raise typer.Exit(1)


def _due(found: House, numbers: Sequence[int], *, everything: bool) -> list[SourceId]:
    """Return what is to be polled: what somebody names, all that is active, or what is due."""
    from worker.intake.run_sources import look_up
    from worker.store import sources

    for number in numbers:
        row = look_up(found.database, SourceId(number))
        if row.url is None or row.state != SourceState.ACTIVE:
            what = "is not polled: articles are handed in under its name" if row.url is None else f"is {row.state}"
            raise InputError(
                f"source {number}, {row.name}, {what}", hint=f"`tocsin sources resume {number}`" if row.url else ""
            )
    if numbers:
        return [SourceId(number) for number in dict.fromkeys(numbers)]
    with found.database.read() as conn:
        if not everything:
            return sources.due(conn)
        rows = sources.every(conn)
    return [SourceId(row.id) for row in rows if row.url is not None and row.state == SourceState.ACTIVE]


def told_of(found: House, row: Row[Any]) -> dict[str, Any]:
    """Return a source as `--json` tells it."""
    from worker.intake.run_hub_signs import told_by_source
    from worker.intake.run_watching import healths

    health = next(iter(healths(found.database, SourceId(row.id))), None)
    return _told(row, health, told_by_source(found.database).get(SourceId(row.id)))


def added_says(added: AddedSource) -> str:
    """Return what came of adding a source, in a line."""
    row = added.row
    match added.came:
        case "new":
            return f"source {row.id} is watched: {row.name}"
        case "again":
            return f"source {row.id}, {row.name}, is watched again, with the articles that it had"
        case _:
            state = "" if row.state == SourceState.ACTIVE else f"; it is {row.state}: `tocsin sources resume {row.id}`"
            return f"source {row.id}, {row.name}, is this address already: {shown(row.url)}; nothing is changed{state}"


def _told(row: Row[Any], health: SourceHealth | None, hub: dict[str, Any] | None) -> dict[str, Any]:
    """Return a source's columns, how it is, which of the list's filters it passes, and its subscription at a hub."""
    told = dict(row._mapping) | (health.told() if health else {})  # noqa: SLF001  Row's documented view
    active = row.state == SourceState.ACTIVE and row.url is not None
    lately = row.published_lately
    return told | {
        "url": shown(row.url),
        "published_lately": [datetime.fromtimestamp(s, UTC) for s in lately] if lately is not None else None,
        "failing": active and row.failures > 0,
        "silent": health is not None and health.condition is SourceCondition.SILENT,
        "held": row.held_since is not None,
        "gone": row.state == SourceState.GONE,
        "wrong": "; ".join(part for part in (_wrong(row, health), hub["wrong"] if hub else "") if part),
        "websub": {name: value for name, value in hub.items() if name != "wrong"} if hub else None,
    }


def shown(url: str | None) -> str | None:
    """Return a source's address as it is shown: who looks over a shoulder, or into a log, learns no password."""
    from worker.intake.listing.addresses import without_password

    return without_password(url) if url is not None else None


def _wrong(row: Row[Any], health: SourceHealth | None) -> str:
    """Return what is wrong with a source, "" where nothing is."""
    reason = health.reason if health else row.state_reason
    held = f"held: {row.held_reason}" if row.held_reason and row.held_reason != reason else ""
    error = row.last_error if row.failures and row.last_error not in reason else ""
    return "; ".join(part for part in (reason, held, error) if part)


def _show_table(rows: Sequence[dict[str, Any]], at: datetime) -> None:
    width = _width()
    if width is None:
        _write_lines([_WIDE, *(list(_cells(row, at, narrow=False)) for row in rows)] if rows else [])
    elif rows:
        _draw(rows, at, width=width)
    messages.print(_count(rows), markup=False)


def _width() -> int | None:
    """Return how many columns a terminal has; None for a pipe, which has no edge to wrap at."""
    return Console().width if sys.stdout.isatty() else None


def _write_lines(table: Sequence[Sequence[str]]) -> None:
    """Write a table for a pipe: rich would take minutes for those who watch many thousand sources."""
    table = [[printable(cell) for cell in row] for row in table]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    for row in table:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _draw(rows: Sequence[dict[str, Any]], at: datetime, *, width: int) -> None:
    narrow = width < _NARROW_COLUMNS
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in _NARROW if narrow else _WIDE:
        told_at_length = name in {"Name", "What is wrong"}
        ratio = {"Name": 2, "What is wrong": 3}.get(name) if narrow else None
        justify: Literal["left", "right"] = "right" if name == "ID" else "left"
        fold: Literal["fold", "ellipsis"] = "fold" if told_at_length else "ellipsis"
        table.add_column(name, justify=justify, overflow=fold, no_wrap=not told_at_length, ratio=ratio)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in _cells(row, at, narrow=narrow)), style=_colour(row))
    Console(width=width, highlight=False).print(table)


def _cells(row: dict[str, Any], at: datetime, *, narrow: bool) -> Iterator[str]:
    yield str(row["id"])
    yield row["name"]
    yield _state(row)
    if not narrow:
        yield row["format"] or "–"
    yield f"{span(at - row['last_news_at'])} ago" if row["last_news_at"] else "–"
    if not narrow:
        lag_s = row.get("lag_p50_s")
        yield span(timedelta(seconds=lag_s)) if lag_s is not None else "–"
        yield str(row["failures"] or "–")
    yield _coming(row["next_poll_at"], at)
    yield row["wrong"] or "–"


def _state(row: dict[str, Any]) -> str:
    """Return the word that an operator needs most: how the source is; where nothing is polled, what it is for."""
    return str(row["kind"]) if row["url"] is None and not row["held"] else str(row.get("health") or row["state"])


def _colour(row: dict[str, Any]) -> str:
    return _COLOURS.get(_state(row), "")


def _coming(moment: datetime | None, at: datetime) -> str:
    if moment is None:
        return "–"
    return f"in {span(moment - at)}" if moment > at else "now"


def span(length: timedelta) -> str:
    """Return a length of time in its largest unit, as a table shows it.

    >>> span(timedelta(seconds=40)), span(timedelta(minutes=125)), span(timedelta(days=3, hours=5))
    ('40 s', '2 h', '3 d')
    """
    seconds = max(0, round(length.total_seconds()))
    for unit, worth in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= worth:
            return f"{seconds // worth} {unit}"
    return f"{seconds} s"


def _count(rows: Sequence[dict[str, Any]]) -> str:
    """Return how many sources there are, and how many of them want somebody's attention."""
    kinds = [(kind, sum(1 for row in rows if row[kind])) for kind in ("failing", "silent", "held", "gone")]
    ill = ", ".join(f"{count} {kind}" for kind, count in kinds if count)
    return f"{len(rows):,} source{'' if len(rows) == 1 else 's'}" + (f": {ill}" if ill else "")


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """Show a bar on a terminal's standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task("polling", total=total)
        yield lambda: bar.advance(task)
