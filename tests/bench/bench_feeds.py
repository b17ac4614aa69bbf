"""What reading feeds into articles costs, beside feedparser alone on the same bytes, in one process, in turns.

    python -m tests.bench.bench_feeds [--write] [--feeds N] [--rounds N]

Ours is `read_feed`: from the bytes to articles in plain text, with dates, pictures and what the feed asks for. The peer
is `feedparser.parse`, as its users call it, and once more without its sanitising and resolving of HTML, of which our
way has no need. Before anything is measured, every title that was put in has to come out, and the fast reader has to
agree with feedparser's parser on every article.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any, Final

import feedparser

from tests.bench.feed_world import MadeFeed, feeds
from tests.bench.page import conditions, table, write_section
from worker.adapters.sources.feed import parsed_feed
from worker.adapters.sources.feed_xml import read_xml
from worker.adapters.sources.files import read_feed

_ABOUT: Final = """\
{count} feeds, {megabytes:.0f} MB, {items:,} items: half as WordPress serves them, a fifth with the text in
`description` and pictures by Media RSS, the rest Atom, RDF, EUC-KR, and one in twenty that is no XML. Seconds are the
processor's; the lines by kind are of the first {kinds} feeds; a ratio is the median of the pairs in turns ({rounds}).
The goal is 1.0."""
_OF_KINDS: Final = 40
_KINDS: Final = {
    "wordpress": "WordPress, RSS 2.0",
    "media": "RSS 2.0 with Media RSS",
    "atom": "Atom 1.0",
    "rdf": "RSS 1.0",
    "euc-kr": "RSS 2.0 in EUC-KR",
    "not-xml": "RSS 2.0 that is no XML",
}


def ours(made: MadeFeed) -> object:
    return read_feed(made.data, url=f"https://feeds.example{made.path}", content_type=made.content_type)


def theirs(made: MadeFeed, **how: bool) -> Any:
    return feedparser.parse(made.data, response_headers={"content-type": made.content_type}, **how)


def bare(made: MadeFeed) -> object:
    return theirs(made, sanitize_html=False, resolve_relative_uris=False)


def check(every: Sequence[MadeFeed]) -> None:
    """Demand that titles come out as they went in, that feedparser finds as many, and that both our readers agree."""
    for made in every:
        url = f"https://feeds.example{made.path}"
        told = read_feed(made.data, url=url, content_type=made.content_type)
        slow = read_xml(made.data, url=url, content_type=made.content_type, fast=False)
        if tuple(article.title for article in told.articles) != made.titles:
            raise SystemExit(f"{made.path}: other titles than were put in")
        if told != parsed_feed(slow, made.data, url, made.content_type):
            raise SystemExit(f"{made.path}: the fast reader and feedparser's parser do not agree")
        if len(theirs(made).entries) != len(made.titles):
            raise SystemExit(f"{made.path}: feedparser finds another number of items")


def seconds(work: Callable[[MadeFeed], object], every: Sequence[MadeFeed]) -> float:
    began_s = time.process_time()
    for made in every:
        work(made)
    return time.process_time() - began_s


def compared(every: Sequence[MadeFeed], peer: Callable[[MadeFeed], object], rounds: int) -> tuple[float, float, float]:
    """Return our and the peer's seconds, and the median of the pairs' ratios."""
    pairs = [(seconds(ours, every), seconds(peer, every)) for _ in range(rounds)]
    our_s, their_s = (statistics.median(times) for times in zip(*pairs, strict=True))
    return our_s, their_s, statistics.median(theirs / own for own, theirs in pairs)


def lines(count: int, rounds: int) -> Iterator[str]:
    every = list(feeds(count))
    check(every[:20])
    size = sum(len(made.data) for made in every)
    items = sum(len(made.titles) for made in every)
    yield _ABOUT.format(count=count, megabytes=size / 1e6, items=items, rounds=rounds, kinds=_OF_KINDS)
    rows = [_row("**all**", every, theirs, rounds)]
    rows += [_row("all, feedparser neither sanitising nor resolving", every, bare, rounds)]
    for kind, name in _KINDS.items():
        rows.append(_row(name, [made for made in every[:_OF_KINDS] if made.kind == kind], theirs, rounds))
    yield table(["feeds", "MB", "items/s", "MB/s", "seconds", "feedparser, s", "ratio"], rows)
    yield conditions(f"feedparser {version('feedparser')}")


def _row(what: str, some: Sequence[MadeFeed], peer: Callable[[MadeFeed], object], rounds: int) -> list[str]:
    our_s, their_s, ratio = compared(some, peer, rounds)
    megabytes, items = sum(len(made.data) for made in some) / 1e6, sum(len(made.titles) for made in some)
    figures = [
        f"{megabytes:.1f}",
        f"{items / our_s:,.0f}",
        f"{megabytes / our_s:.1f}",
        f"{our_s:.2f}",
        f"{their_s:.2f}",
    ]
    return [what, *figures, f"**{ratio:.1f}**"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="pairs of turns for each line")
    chosen = parser.parse_args()
    text = "\n\n".join(lines(chosen.feeds, chosen.rounds))
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        write_section("feeds", text)


if __name__ == "__main__":
    main()
