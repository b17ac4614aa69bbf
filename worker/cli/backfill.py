"""`tocsin topics backfill`: let a topic meet the news of the last days, for its followers' next digests.

Asks `matching.run_backfill`. A sentence and some titles for people, one object with `--json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from worker.cli.house import messages, opened_house, operator, print_json
from worker.cli.refusals import printable, refuse_query
from worker.errors import InputError, QueryError

if TYPE_CHECKING:
    from worker.matching.run_backfill import Backfilled
    from worker.store.database import Database
    from worker.store.topics import TopicRow

_MAX_DAYS: Final = 28  # of `matching.run_backfill`, which is not loaded before it is needed


def register(app: typer.Typer) -> None:
    """Add `backfill` to a command group."""

    @app.command("backfill")
    def command(
        slug: Annotated[str, typer.Argument(help="The topic, as `tocsin topics list` names it.")],
        days: Annotated[int, typer.Option(min=1, max=_MAX_DAYS, help="How many days to look back.")] = 7,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what would be added, and change nothing.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Let a topic meet the articles of the last days that came before it asked for them.

        An edited topic counts from the next article on; this applies its present query to earlier ones. What it finds
        comes in the next digest of everybody who follows the topic by digest at this moment, also of those who began
        after the article came: that is what a backfill is for. Nobody gets a story twice, and nobody is alerted.

        An article belongs to the time of its publication or, if that lies ahead, of its first sight. Killed articles
        and stories are left out. Stop it whenever you like, and run it again: it adds what is missing, nothing twice.
        """
        backfill(slug, days=days, dry_run=dry_run, as_json=as_json)


def backfill(slug: str, *, days: int, dry_run: bool, as_json: bool) -> None:
    """Let a topic meet earlier articles, and print what came of it. Leaves with status 2 if there is no such topic."""
    from worker.matching.run_backfill import backfill as meet

    database = opened_house().database
    topic = _topic(database, slug)
    try:
        with _bar(slug) as step:
            found = meet(database, topic, days=days, actor=operator(), dry_run=dry_run, on_step=step)
    except QueryError as error:
        refuse_query(error, topic.query)
    if as_json:
        told = {"topic": slug, "days": days, "since": found.since, "dry_run": dry_run, "articles": found.articles}
        print_json({**told, "stories": found.stories, "waiting": found.waiting, "titles": list(found.titles)})
    else:
        typer.echo("\n".join(_lines(slug, found, days=days, dry_run=dry_run)))
    if found.waiting:
        messages.print(f"note: {_count(found.waiting, 'article')} not matched at all yet: workers will see to that")


def _topic(database: Database, slug: str) -> TopicRow:
    from worker.signup.wishes import no_such_topic
    from worker.store import topics

    with database.read() as conn:
        known = {row.slug: row for row in topics.topics(conn, shared_only=True) if row.slug}
    if slug not in known:
        raise no_such_topic(slug, known)
    if reason := known[slug].disabled_reason:
        raise InputError(f"{slug} is switched off: {reason}", hint="mend its query, import it, and run this again")
    return known[slug]


def _lines(slug: str, found: Backfilled, *, days: int, dry_run: bool) -> Iterator[str]:
    r"""Say what came of it.

    >>> from datetime import UTC, datetime
    >>> from worker.matching.run_backfill import Backfilled
    >>> since = datetime(2026, 11, 22, tzinfo=UTC)
    >>> found = Backfilled(since=since, articles=3, stories=1, waiting=0, titles=("Bears wake",))
    >>> print("\n".join(_lines("bears", found, days=7, dry_run=True)))
    3 articles of the last 7 days would be added to bears, and 1 story to its next digests
      Bears wake
    """
    period = "day" if days == 1 else f"{days} days"
    if not found.articles:
        yield f"nothing to add: {slug} has met all articles of the last {period} that it asks for"
        return
    verb = "would be" if dry_run else "is" if found.articles == 1 else "are"
    added = f"{_count(found.articles, 'article')} of the last {period} {verb} added to {slug}"
    yield f"{added}, and {_count(found.stories, 'story', 'stories')} to its next digests"
    for title in found.titles:
        yield f"  {printable(title)}"
    if len(found.titles) < found.stories:
        yield f"  and {found.stories - len(found.titles):,} more"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@contextmanager
def _bar(slug: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal's standard error while articles are read."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(slug, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
