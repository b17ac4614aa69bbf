"""The benchmark's figures as Markdown, for the terminal and for docs/benchmarks.md alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.matching.pairs import Agreement, Speed
from tests.bench.page import conditions, table

_GOALS: Final = {10_000: 10, 100_000: 40, 1_000_000: 100}
_MEGA: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """All that was measured with one number of standing queries."""

    queries: int
    index: dict[str, Any]
    peer_index: dict[str, Any] | None
    speed: Speed
    agreement: Agreement | None
    hot_queries: int
    hot_speed: Speed
    hot_agreement: Agreement | None
    steps: dict[str, float]
    updates: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything of one run."""

    peer: str | None
    core: str
    sizes: Sequence[Size]
    odd: dict[str, float]
    languages: dict[str, dict[str, float]]
    command: Sequence[dict[str, Any]]


def markdown(run: Run) -> str:
    """Write the whole section."""
    parts = [
        conditions(run.peer or "no peer in this run", run.core),
        _section(
            "Articles a second, by the number of standing queries",
            "Articles of 600 words on average; 40 % of the queries are one word, 25 % a phrase, the rest AND, OR, NOT, "
            "NEAR and prefixes. Our time is `analyse` and `Engine.numbers`, from the text to the numbers of the "
            "queries. Lucene Monitor runs in the best tuning that was found: its queries hang on their rarest word by "
            "document frequency, and prefixes are a field of their own. Both learned frequencies from 1,000 other "
            "articles. Time is the processor's, of the whole process.",
            _speeds(run.sizes, hot=False),
            _agreements(run.sizes),
        ),
        _section(
            "The worst case: 1 % more queries, all on words that stand in half of all articles",
            "One such word, or all or any of two to four of them: many of these queries match most articles, so that "
            "the cost is the answer itself.",
            _speeds(run.sizes, hot=True),
        ),
        _section(
            "The index",
            "What the index takes by the engine's own count, and what the whole process grew by; of the peer, its "
            "heap. The goal is 500 MB at 1,000,000 queries.",
            _indexes(run.sizes),
        ),
        _section(
            "Adding and removing a query while matching",
            "Microseconds: median / 99th percentile / longest, of 2,000 additions and removals, an article after each. "
            "Then a merge in another thread, with additions and articles going on, on the same core. The goal is under "
            "1,000 µs.",
            _updates(run.sizes),
        ),
        _section(
            "Where the time goes",
            "Microseconds an article, each from its text: reading alone (an engine with one query), matching, and "
            "matching with evidence, where each match also says where in the text its query was found true.",
            _steps(run.sizes),
        ),
        _section(
            f"Odd inputs, with {run.sizes[-1].queries:,} queries standing",
            "None of these may stop the others: the time of each is bounded by the limits of the query language.",
            table(["what", "ms"], [[what, f"{1_000 * seconds:,.3f}"] for what, seconds in run.odd.items()]),
        ),
        _section(
            "Reading alone, by language",
            "Texts of 3,600 characters, read for matching, and read for evidence. In Chinese and Japanese each "
            "character is a word.",
            _languages(run.languages),
        ),
        _section(
            "`tocsin match --stats`, from files to standard output",
            f"{run.command[0]['topics']:,} topics. Memory must not grow with the number of articles.",
            _command(run.command),
        ),
    ]
    return "\n\n".join(parts)


def _section(title: str, *parts: str) -> str:
    return "\n\n".join([f"### {title}", *parts])


def _speeds(sizes: Sequence[Size], *, hot: bool) -> str:
    headings = ["queries", "articles/s", "µs an article", "matches an article", "Lucene Monitor, articles/s", "ratio"]
    return table(
        [*headings, "lowest to highest", *([] if hot else ["goal"])], [_speed(size, hot=hot) for size in sizes]
    )


def _speed(size: Size, *, hot: bool) -> list[str]:
    speed = size.hot_speed if hot else size.speed
    queries = f"{size.queries:,}" + (f" + {size.hot_queries:,}" if hot else "")
    peer = ["", "", ""]
    if speed.peer_s and speed.ratio:
        spread = f"{min(speed.ratios):.1f} to {max(speed.ratios):.1f}"
        peer = [f"{1 / speed.peer_s:,.0f}", f"**{speed.ratio:.1f}**", spread]
    ours = [f"{1 / speed.ours_s:,.0f}", f"{_MEGA * speed.ours_s:,.1f}", f"{speed.matches:,.1f}"]
    return [queries, *ours, *peer, *([] if hot else [str(_GOALS.get(size.queries, ""))])]


def _agreements(sizes: Sequence[Size]) -> str:
    known = [one for size in sizes for one in (size.agreement, size.hot_agreement) if one]
    if not known:
        return "Match sets were not compared."
    articles, matches = known[0].articles, sum(one.matches for one in known)
    differing = sum(len(one.only_ours) + len(one.only_theirs) for one in known)
    told = "identical" if not differing else f"**different in {differing:,} of them**"
    return f"The match sets of {articles} articles were compared at each size, {matches:,} matches in all: {told}."


def _indexes(sizes: Sequence[Size]) -> str:
    headings = [
        "queries",
        "MB",
        "bytes a query",
        "process, MB",
        "parsing, s",
        "building, s",
        "Lucene Monitor, MB",
        "building, s",
    ]
    return table(headings, [_index(size) for size in sizes])


def _index(size: Size) -> list[str]:
    used, peer = size.index["index_bytes"], size.peer_index
    theirs = [f"{peer['index_bytes'] / _MEGA:,.0f}", f"{peer['build_s']:.1f}"] if peer else ["", ""]
    ours = [f"{used / _MEGA:,.1f}", f"{used / size.queries:,.0f}", f"{size.index['grown_bytes'] / _MEGA:,.0f}"]
    return [f"{size.queries:,}", *ours, f"{size.index['parse_s']:.1f}", f"{size.index['build_s']:.1f}", *theirs]


def _updates(sizes: Sequence[Size]) -> str:
    names = ["add", "remove", "matching", "add_during_merge", "matching_during_merge"]
    headings = [
        "queries",
        "adding",
        "removing",
        "an article",
        "the merge, s",
        "adding meanwhile",
        "an article meanwhile",
    ]
    rows = []
    for size in sizes:
        spreads = [" / ".join(f"{_MEGA * seconds:,.0f}" for seconds in size.updates[name]) for name in names]
        rows.append([f"{size.queries:,}", *spreads[:3], f"{size.updates['merge_s']:.2f}", *spreads[3:]])
    return table(headings, rows)


def _steps(sizes: Sequence[Size]) -> str:
    names = ["reading_s", "matching_s", "evidence_s"]
    rows = [[f"{size.queries:,}", *(f"{_MEGA * size.steps[name]:,.1f}" for name in names)] for size in sizes]
    return table(["queries", "reading", "matching", "matching with evidence"], rows)


def _languages(languages: dict[str, dict[str, float]]) -> str:
    rows = [
        [
            name,
            f"{1 / one['seconds']:,.0f}",
            f"{_MEGA * one['seconds']:,.1f}",
            f"{one['words']:,.0f}",
            f"{one['characters'] / one['seconds'] / _MEGA:,.1f}",
            f"{_MEGA * one['evidence_s']:,.0f}",
        ]
        for name, one in languages.items()
    ]
    return table(["language", "articles/s", "µs", "words", "million characters/s", "µs for evidence"], rows)


def _command(runs: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            f"{one['articles']:,}",
            f"{one['build_s']:.1f}",
            f"{one['match_s']:.2f}",
            f"{one['articles_per_s']:,.0f}",
            f"{one['peak_memory_bytes'] / _MEGA:,.0f}",
        ]
        for one in runs
    ]
    return table(["articles", "reading topics, s", "matching, s", "articles/s", "peak memory, MB"], rows)
