"""`tocsin sources`: the feeds that are watched."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.cli.parse import parse
from worker.errors import InputError
from worker.model import SourceId

app = typer.Typer(help="Watched feeds.", no_args_is_help=True)
app.command("parse")(parse)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The feed's address.")],
    name: Annotated[str, typer.Option(help="What to call it, also in mails; by default as the feed does.")] = "",
    house: Annotated[
        bool, typer.Option("--house", help="It is our own paper: its copy of a story is preferred.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Watch a feed. It is fetched at once, and then as often as it publishes suggests."""
    from worker.store import sources

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"{url!r} is no feed address", where="URL", hint="write https://news.example/feed.xml")
    found = opened_house()
    with found.database.write() as conn:
        source_id = sources.put(conn, kind="feed", name=name or parts.hostname, url=url, outlet=name, house=house)
    found.ring("sweep_sources")
    if as_json:
        print_json({"id": source_id, "url": url})
    else:
        messages.print(f"source {source_id} is watched")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all sources with their health: when they last answered, and what went wrong."""
    from worker.store import sources

    with opened_house().database.read() as conn:
        rows = [dict(row._mapping) for row in sources.every(conn)]  # noqa: SLF001  Row's documented view
    columns = ("id", "name", "url", "last_ok_at", "next_poll_at", "failures", "last_error", "held_reason")
    print_rows(rows, as_json=as_json, columns=columns)


@app.command()
def poll(
    now: Annotated[bool, typer.Option("--now", help="All feeds, also those that are not due.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch the feeds that are due, here and now, and match what is new in them."""
    from worker.store import sources

    found = opened_house()
    with found.database.write() as conn:
        due = sources.claim_due(conn, limit=10_000, claim_s=120)
        if now:
            due = [SourceId(row.id) for row in sources.every(conn) if row.url is not None]
    rows = []
    for source_id in due:
        changed = found.poller.poll(source_id)
        for article_id in changed:
            found.matcher.match(article_id)
        with found.database.read() as conn:
            source = sources.by_id(conn, source_id)
        if source is not None:
            rows.append({"source": source.name, "changed": len(changed), "error": source.last_error})
    found.ring("sweep_planning")
    print_rows(rows, as_json=as_json, columns=("source", "changed", "error"))


@app.command()
def release(
    source: Annotated[int, typer.Argument(help="The source's number.")],
    alert: Annotated[
        bool, typer.Option("--alert", help="Alert readers of what came meanwhile, unless it is too old.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a feed alert again that is held because all its items were new at once."""
    from datetime import timedelta

    from worker.intake.run_holding import release as let_go

    found = opened_house()
    limit = timedelta(seconds=found.settings.alert_age_limit_s)
    released = let_go(found.database, SourceId(source), alert=alert, age_limit=limit)
    if released is None:
        raise InputError(f"there is no source {source}", hint="see `tocsin sources list`")
    if released.alerted:
        found.ring("plan_alerts")
    if as_json:
        print_json(released.told())
    messages.print(released.says)
