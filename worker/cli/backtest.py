"""`tocsin topics backtest`: what a query would have found in the last days, and how often it would have mailed.

Shows only; `matching.run_backtest` answers. A table for people, one object with `--json`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from worker.cli.house import messages, opened_house, print_json
from worker.cli.refusals import printable, refuse_query
from worker.errors import QueryError

if TYPE_CHECKING:
    from worker.matching.backtest import Backtest, Excerpt, Part, Sample
    from worker.matching.mails import Day

_HIGHLIGHT: Final = "bold reverse"
_BAR_CELLS: Final = 40
_MOST_ROWS: Final = 62
_MAX_DAYS: Final = 366  # of `matching.backtest`, which is not loaded before it is needed


def register(app: typer.Typer) -> None:
    """Add `backtest` to a command group."""

    @app.command("backtest")
    def command(
        query: Annotated[str, typer.Argument(help="The query, as a topic would have it.")],
        days: Annotated[int, typer.Option(min=1, max=_MAX_DAYS, help="How many days to look back.")] = 30,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Tell how many stories a query would have found in the last days, and how many mails it would have made."""
        backtest(query, days=days, as_json=as_json)


def backtest(query: str, *, days: int, as_json: bool) -> None:
    """Print what a query would have found. Leaves with status 2 if it is refused."""
    from worker.matching.run_backtest import backtest as answer

    query = query.encode("utf-8", "replace").decode()  # an argument of other bytes cannot be printed again
    house = opened_house()
    try:
        found = answer(house.database, query, days=days, timezone=house.newsroom.timezone)
    except QueryError as error:
        refuse_query(error, query)
    if as_json:
        print_json(dataclasses.asdict(found))
        return
    Console(highlight=False).print(_shown(found), soft_wrap=True)
    for warning in found.warnings:
        messages.print(f"note: {warning}", markup=False)


def _shown(found: Backtest) -> Group:
    return Group(*_sections(found))


def _sections(found: Backtest) -> Iterator[RenderableType]:
    yield Text(_headline(found), style="bold")
    if found.stories:
        yield Text("")
        yield _cadences(found)
        yield Text("")
        yield _histogram(found)
        if busiest := found.busiest_day:
            yield Text(f"\n busiest day: {busiest.date}, {_stories(busiest.stories)}")
    if found.parts:
        yield Text("\nEach part alone:")
        yield _parts(found.parts)
    for sample in found.samples:
        yield Text("")
        yield _sample(sample, ZoneInfo(found.timezone))
    yield Text(f"\n{'; '.join(found.notes)}.", style="dim")


def _headline(found: Backtest) -> str:
    stories = _stories(found.stories)
    about = f"about {stories} (give or take {found.margin:,})" if found.estimated else stories
    days = "day" if found.days == 1 else f"{found.days} days"
    return f"{about} in the last {days}, {_share(found.share)} of {found.all_stories:,}"


def _stories(count: int) -> str:
    return f"{count:,} {'story' if count == 1 else 'stories'}"


def _share(share: float) -> str:
    """Say a share so that a small one does not look like none.

    >>> [_share(share) for share in (0.0, 0.0004, 0.0421, 0.41)]
    ['0%', '0.04%', '4.2%', '41%']
    """
    return f"{share:.0%}" if share >= 0.1 or not share else f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"


def _cadences(found: Backtest) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("cadence", "mails", "a day", "that is"):
        table.add_column(name, justify="right" if name in {"mails", "a day"} else "left")
    for pace in found.cadences:
        mails = f"{pace.mails:,}" if pace.runs is None else f"{pace.mails:,} of {pace.runs:,} runs"
        table.add_row(str(pace.cadence), mails, f"{pace.mails_a_day:.2f}", pace.says)
    return table


def _histogram(found: Backtest) -> Table:
    rows = list(_rows(found.per_day))
    most = max(stories for _, stories in rows) or 1
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for date, stories in rows:
        bar = "█" * round(_BAR_CELLS * stories / most) or "▏" * bool(stories)
        table.add_row(date, f"{stories:,}", bar)
    return table


def _rows(days: Sequence[Day]) -> Iterator[tuple[str, int]]:
    """Go through the days, or through their weeks where there are very many."""
    step = 1 if len(days) <= _MOST_ROWS else 7
    for start in range(0, len(days), step):
        yield days[start].date, sum(day.stories for day in days[start : start + step])


def _parts(parts: tuple[Part, ...]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("stories", justify="right")
    table.add_column("part")
    for part in parts:
        about = "about " if part.estimated else ""
        behind = "  (behind NOT)" if part.excluded else ""
        table.add_row(f"{about}{part.stories:,}", Text(f"{printable(part.part)}{behind}"))
    return table


def _sample(sample: Sample, zone: ZoneInfo) -> Group:
    outlet = f"  {printable(sample.outlet)}" if sample.outlet else ""
    lines = [Text(f"{_local(sample.published_at, zone)}{outlet}  (story {sample.story}, article {sample.article})")]
    lines += [Text.assemble("  ", _excerpt(excerpt)) for excerpt in sample.excerpts]
    lines.append(Text(f"  because of: {printable(', '.join(sample.words))}", style="dim"))
    return Group(*lines)


def _excerpt(excerpt: Excerpt) -> Text:
    text = Text(printable(excerpt.text).replace("\n", " "), style="bold" if excerpt.field == "title" else "")
    for start, end in excerpt.highlights:
        text.stylize(_HIGHLIGHT, start, end)
    return text


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
