"""`tocsin sources parse`: what intake makes of a feed's bytes, storing nothing.

Reads one file and prints its articles: a table for people, one JSON object a line with `--json`. What the feed says of
itself goes to standard error, for people only. Decides nothing. `sources` attaches it to its group; errors become one
line and exit status 2 in `cli.main`.
"""

from __future__ import annotations

import calendar
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.adapters.sources.limits import MAX_DOCUMENT_BYTES
from worker.cli.given import read_given
from worker.cli.refusals import printable
from worker.feeds import ParsedFeed
from worker.intake.listing.spans import write_span
from worker.model import ParsedArticle


def parse(
    file: Annotated[Path, typer.Argument(help="A feed's or sitemap's bytes; - for standard input.")],
    url: Annotated[str, typer.Option(help="Where the feed came from; relative links count from there.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object an article.")] = False,
) -> None:
    """Show what intake makes of a feed, storing nothing: its articles, and what it says of itself."""
    from worker.adapters.sources.files import read_feed

    name = "standard input" if str(file) == "-" else str(file)
    data = read_given(file, most_bytes=MAX_DOCUMENT_BYTES + 1, name=name)
    feed = read_feed(data, url=url, content_type="", file_name=name)
    if as_json:
        for article in feed.articles:
            sys.stdout.write(json.dumps(as_object(article), ensure_ascii=False) + "\n")
    else:
        _show(feed.articles, name)
        typer.echo(printable("; ".join(feed_says(feed))), err=True)


def feed_says(feed: ParsedFeed) -> Iterator[str]:
    """Yield what a feed says of itself, and of how it wants to be polled.

    >>> from worker.feeds import Manners
    >>> list(feed_says(ParsedFeed(articles=(), format="rss20", manners=Manners(every_s=3600.0), hubs=("https://h/",))))
    ['rss20', 'wants to be polled every 1h', 'pushes by the hub https://h/']
    """
    yield feed.format or "of no known format"
    if feed.title:
        yield f'"{feed.title}"'
    if feed.manners.every_s is not None:
        yield f"wants to be polled every {write_span(feed.manners.every_s)}"
    if feed.manners.skip_hours:
        yield f"not at {', '.join(f'{hour}:00' for hour in sorted(feed.manners.skip_hours))} UTC"
    if feed.manners.skip_days:
        yield f"not on {', '.join(calendar.day_name[day] for day in sorted(feed.manners.skip_days))}"
    if feed.hubs:
        topic = f" as {feed.topic}" if feed.topic else ""
        yield f"pushes by the hub {feed.hubs[0]}{topic}"
    if feed.further:
        yield f"names {len(feed.further)} further documents"


def as_object(article: ParsedArticle) -> dict[str, Any]:
    """Return the object that `--json` prints for an article: times in UTC with `Z`, null where unknown.

    >>> list(as_object(ParsedArticle(title="Quake")))[:4], as_object(ParsedArticle())["published_at"]
    (['guid', 'url', 'title', 'summary'], None)
    """
    return {
        "guid": article.guid,
        "url": article.url,
        "title": article.title,
        "summary": article.summary,
        "body": article.body,
        "author": article.author,
        "published_at": _iso(article.published_at),
        "updated_at": _iso(article.updated_at),
        "lang": article.lang,
        "tags": list(article.tags),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _show(articles: tuple[ParsedArticle, ...], name: str) -> None:
    console = Console()
    table = Table("Published (UTC)", "Lang", "Title", "Words", "Address", box=None, header_style="bold")
    for article in articles:
        published = f"{article.published_at:%Y-%m-%d %H:%M}" if article.published_at else "–"
        length = str(len(f"{article.summary} {article.body}".split()))
        table.add_row(published, article.lang, Text(article.title or "–"), length, Text(article.url or article.guid))
    if articles:
        console.print(table)
    console.print(Text(f"{len(articles)} article{'' if len(articles) == 1 else 's'} in {name}"))
