"""`tocsin sources`: what is watched: add, change, pause, resume and remove a source, poll it, let it alert again.

`source_tables` shows sources, `source_lists` imports and exports them, `parse` reads a feed's bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import source_lists, source_tables
from worker.cli.house import Json, messages, opened_house, operator, print_json
from worker.cli.parse import parse
from worker.errors import FetchError, InputError
from worker.model import SourceId

if TYPE_CHECKING:
    from worker.intake.run_discovery import FoundFeed
    from worker.wiring import House

app = typer.Typer(help="Watched feeds and sitemaps.", no_args_is_help=True)
app.command("parse")(parse)

Number = Annotated[int, typer.Argument(metavar="SOURCE", help="The source's number.")]
Every = Annotated[
    str, typer.Option(help="How often to poll it, such as 15m or 2h; by default as often as it publishes.")
]
Language = Annotated[str, typer.Option(help="Its language, such as en-GB, where its articles tell none.")]
_AUTO = "auto"


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The feed's address, or that of a page which names its feed.")],
    *,
    name: Annotated[str, typer.Option(help="What to call it, also in mails; by default as the feed does.")] = "",
    house: Annotated[
        bool, typer.Option("--house", help="It is our own paper: its copy of a story is preferred.")
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages", help="Fetch its articles' own pages, for their whole text.")
    ] = False,
    every: Every = "",
    lang: Language = "",
    outlet: Annotated[str, typer.Option(help="Who publishes it, as mails say; by default --name.")] = "",
    folder: Annotated[str, typer.Option(help="Where lists keep it, such as World/Asia.")] = "",
    check: Annotated[bool, typer.Option(help="Look first whether there is a feed.")] = True,
    guess: Annotated[
        bool, typer.Option("--guess", help="Also look where feeds commonly are: /feed, /rss.xml ...")
    ] = False,
    sitemaps: Annotated[
        bool, typer.Option("--sitemaps", help="Also look at the news sitemaps that robots.txt names.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Watch a feed. It is fetched at once, and then as often as it publishes, or as you say.

    Of a page, the feed that it links to is watched. What is no feed is refused. An address that is watched already, in
    whatever spelling, is told and not doubled.
    """
    from worker.intake.listing.addresses import read_address
    from worker.intake.listing.entries import Entry, read_folder, read_name
    from worker.intake.listing.spans import read_span
    from worker.intake.run_sources import add as watch
    from worker.intake.run_sources import find

    address = read_address(url)
    every_s = read_span(every, where="--every") if every else None
    language = _language(lang)
    found = opened_house()
    known = find(found.database, address)  # nobody needs to be asked
    feed = _look(found, address, guess=guess, sitemaps=sitemaps) if check and known is None else None
    entry = Entry(
        url=feed.url if feed else address,
        name=read_name(name or (feed.title if feed else "")) or None,
        outlet=read_name(outlet or name) or None,
        lang=language or None,
        house=house or None,
        pages=pages or None,
        every_s=every_s,
        folder=read_folder(folder) or None,
    )
    added = watch(found.database, entry, actor=operator())
    found.ring("sweep_sources")
    if as_json:
        shown = source_tables.shown(added.row.url)
        print_json({"id": added.row.id, "url": shown, "name": added.row.name, "status": added.came, **_facts(feed)})
        return
    if feed:
        messages.print(_says(feed), markup=False)
    messages.print(source_tables.added_says(added), markup=False)


def _look(found: House, address: str, *, guess: bool, sitemaps: bool) -> FoundFeed:
    from worker.intake.run_discovery import Search, discover

    ways = {"paths": guess, "sitemaps": sitemaps}
    search = Search(user_agent=found.user_agent, allow_private=found.settings.allow_private, **ways)
    try:
        return discover(address, search)
    except FetchError as error:
        raise FetchError(f"{error}; nothing is watched (--no-check watches it all the same)") from error
    except InputError as error:
        further = "" if guess or sitemaps else "; --guess and --sitemaps look further"
        raise InputError(error.message, where=error.where or address, hint=error.hint + further) from error


def _facts(feed: FoundFeed | None) -> dict[str, Any]:
    if feed is None:
        return {"format": None, "title": None, "items": None, "newest_at": None, "hub": None, "also": []}
    return {
        "format": feed.format,
        "title": feed.title,
        "items": feed.items,
        "newest_at": feed.newest_at,
        "hub": feed.hub or None,
        "also": list(feed.also),
    }


def _says(feed: FoundFeed) -> str:
    from worker.cli.house import stamp

    told = [f"{source_tables.shown(feed.url)}: {feed.format or 'a feed'}"]
    told += [f'"{feed.title}"'] if feed.title else []
    told += [f"{feed.items} item{'' if feed.items == 1 else 's'}"]
    told += [f"the newest of {stamp(feed.newest_at)}"] if feed.newest_at else []
    told += [f"hub {feed.hub}"] if feed.hub else []
    also = [f"also there: {source_tables.shown(one)}" for one in feed.also]
    return "\n".join([", ".join(told), *also])


def _language(written: str) -> str:
    from worker.adapters.sources.plain import language

    if written and not language(written):
        raise InputError(f"{written!r} is no language tag", where="--lang", hint="write for example en-GB or ko")
    return language(written)


@app.command()
def change(
    source: Number,
    *,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Its new address, which is not looked at before it is polled.")
    ] = None,
    outlet: Annotated[str | None, typer.Option(help="Who publishes it; empty: as it names itself.")] = None,
    every: Annotated[str | None, typer.Option(help="Such as 15m; auto: as often as it publishes.")] = None,
    lang: Annotated[str | None, typer.Option(help="Its language.")] = None,
    homepage: Annotated[str | None, typer.Option(help="The page that people read it at.")] = None,
    folder: Annotated[str | None, typer.Option(help="Where lists keep it, such as World/Asia.")] = None,
    house: Annotated[bool | None, typer.Option("--house/--no-house", help="Whether it is our own paper.")] = None,
    pages: Annotated[bool | None, typer.Option("--pages/--no-pages", help="Whether to fetch articles' pages.")] = None,
    as_json: Json = False,
) -> None:
    """Change what is kept of a source. At another address it begins anew; its articles stay."""
    from worker.intake import run_sources
    from worker.intake.listing.addresses import read_address
    from worker.intake.listing.entries import read_folder, read_name
    from worker.intake.listing.spans import read_span

    wanted: dict[str, Any] = {"house": house, "pages": pages}
    wanted |= {"name": _named(name), "outlet": read_name(outlet) if outlet is not None else None}
    wanted |= {"lang": _language(lang) if lang is not None else None}
    wanted |= {"homepage": read_address(homepage, where="--homepage") if homepage else homepage}
    wanted |= {"folder": read_folder(folder) if folder is not None else None}
    columns = {key: value for key, value in wanted.items() if value is not None}
    if every is not None:
        columns["every_s"] = None if every == _AUTO else read_span(every, where="--every")
    address = read_address(url, where="--url") if url is not None else None
    if not columns and address is None:
        raise InputError("nothing to change", hint="see `tocsin sources change --help`")
    found = opened_house()
    row = run_sources.change(found.database, SourceId(source), url=address, actor=operator(), **columns)
    found.ring("sweep_sources")
    _tell(found, row, f"source {row.id}, {row.name}, is changed", as_json=as_json)


def _named(name: str | None) -> str | None:
    from worker.intake.listing.entries import read_name

    if name is not None and not read_name(name):
        raise InputError("a source needs a name", where="--name")
    return read_name(name) if name is not None else None


@app.command()
def pause(
    source: Number,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    as_json: Json = False,
) -> None:
    """Poll a source no more until it is resumed. What has come of it stays, and is told."""
    from worker.intake import run_sources

    found = opened_house()
    row = run_sources.pause(found.database, SourceId(source), actor=operator(), reason=reason)
    _tell(found, row, f"source {row.id}, {row.name}, is paused", as_json=as_json)


@app.command()
def resume(source: Number, as_json: Json = False) -> None:
    """Poll a source again, at once: one that is paused, one that said that it is gone, or one that fails."""
    from worker.intake import run_sources

    found = opened_house()
    row = run_sources.resume(found.database, SourceId(source), actor=operator())
    found.ring("sweep_sources")
    _tell(found, row, f"source {row.id}, {row.name}, is polled again", as_json=as_json)


@app.command()
def remove(source: Number, as_json: Json = False) -> None:
    """Watch a source no more. Its articles stay: they are in stories, mails and the archive.

    Added again, it is the same source, so that nothing it told before is news.
    """
    from worker.intake import run_sources

    found = opened_house()
    kept = run_sources.remove(found.database, SourceId(source), actor=operator())
    if as_json:
        print_json({"source": source, "articles_kept": kept})
    articles = (
        f"its {kept} article{'' if kept == 1 else 's'} stay{'s' if kept == 1 else ''}" if kept else "it had no articles"
    )
    messages.print(f"source {source} is watched no more; {articles}")


@app.command()
def release(
    source: Number,
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


def _tell(found: House, row: Any, says: str, *, as_json: bool) -> None:  # noqa: ANN401  a row with all columns
    if as_json:
        print_json(source_tables.told_of(found, row))
    messages.print(says, markup=False)


source_tables.register(app)
source_lists.register(app)
