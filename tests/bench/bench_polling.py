"""How late articles are found, and for how many polls: our pace beside fixed ones, over made-up sources.

    python tests/bench/bench_polling.py [--write] [--days 28]

A simulation: no server, no clock. The decision is `worker.intake.polling.after` itself, fed with what a poll at that
moment would have found; the first week only teaches it and is not counted. An article's delay is from its publication
to the next poll. `--write` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import bisect
import math
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.page import table, write_section
from worker.intake.pace import Pace, gap_s, remember
from worker.intake.polled import Answered, Polled, Question
from worker.intake.polling import after
from worker.model import SourceId

_BEGINNING: Final = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
_DAY_S: Final = 86_400
_TAUGHT_S: Final = 7 * _DAY_S
_IN_A_FEED: Final = 50

_SLOWER: Final = Pace(usual_s=750)
_ABOUT: Final = """\
Simulated, {days} days after a week of learning, with the decision that polls ({pace.usual_s:g} s for an hourly source,
from {pace.floor_s:g} s to {pace.ceiling_s:g} s). Delays in minutes, from publication to the poll that finds it. Nothing
of this depends on the machine."""

Policy = Callable[[Sequence[float], int, float], float]
"""From a source's times, how many of these are past, and the present moment, to the seconds until the next poll."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """How sources of a kind publish: seconds since the beginning, rising. `of_1000` is their share of a list."""

    name: str
    of_1000: int
    sources: Sequence[Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a policy came to with a kind of source: polls and articles a day of one, and every article's delay."""

    polls_a_day: float
    articles_a_day: float
    delays_s: Sequence[float]


def patterns(days: int) -> list[Pattern]:
    """Return the kinds of sources, the same each time."""
    chance = random.Random(8)

    def by_the_hour(rates: Callable[[int, int], float]) -> list[float]:
        times = []
        for hour in range(days * 24):
            rate = rates(hour // 24, hour % 24)
            times += [hour * 3600 + chance.random() * 3600 for _ in range(_poisson(chance, rate))]
        return sorted(times)

    def weekly() -> Iterator[float]:
        for day in range(days):
            if day % 7 == 3:
                at = day * _DAY_S + 7 * 3600 + chance.random() * 600
                yield from (at + number for number in range(12))
            elif chance.random() < 0.4:
                yield day * _DAY_S + (9 + 8 * chance.random()) * 3600

    def some(count: int, rates: Callable[[int, int], float]) -> list[list[float]]:
        return [by_the_hour(rates) for _ in range(count)]

    def daily(hour: int) -> bool:
        return 6 <= hour < 23

    bursts = {9, 17, 24}
    return [
        Pattern(name="newswire, one a minute", of_1000=10, sources=some(1, lambda _, h: 75 if daily(h) else 25)),
        Pattern(name="busy paper, 120 a day", of_1000=90, sources=some(2, lambda _, h: 6.8 if daily(h) else 0.6)),
        Pattern(name="daily paper, 30 a day, none at night", of_1000=300, sources=some(4, lambda _, h: 1.8 * daily(h))),
        Pattern(
            name="local site, 2 a day, some days 40 in three hours",
            of_1000=200,
            sources=some(6, lambda day, h: 13 if day in bursts and 14 <= h < 17 else 0.12 * daily(h)),
        ),
        Pattern(name="weekly magazine, 12 at once", of_1000=150, sources=[list(weekly()) for _ in range(6)]),
        Pattern(name="blog, one a week", of_1000=250, sources=some(20, lambda _, h: 0.0084 * daily(h))),
    ]


def _poisson(chance: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def ours(pace: Pace) -> Callable[[], Policy]:
    """Return a maker of the policy in force: it keeps a source's state from poll to poll."""

    def make() -> Policy:
        source = Polled(id=SourceId(1), url="https://a.example/", created_at=_BEGINNING)
        seen = 0

        def next_s(times: Sequence[float], found: int, now_s: float) -> float:
            nonlocal source, seen
            now = _BEGINNING + timedelta(seconds=now_s)
            new, seen = found - seen, found
            told = times[max(found - _IN_A_FEED, 0) : found] if new else ()
            dates = tuple(_BEGINNING + timedelta(seconds=one) for one in told)
            answer = Answered(
                status=200 if new else 304,
                url=source.url,
                asked=Question(etag="x"),
                new_items=new,
                published=dates,
            )
            following = after(source, answer, now=now, pace=pace)
            source = following.source
            assert following.next_poll_at is not None
            return (following.next_poll_at - now).total_seconds()

        return next_s

    return make


def fixed(every_s: float) -> Callable[[], Policy]:
    """Return a maker of the policy of most readers: the same for all."""
    return lambda: lambda _times, _found, _now_s: every_s


def in_proportion(pace: Pace) -> Callable[[], Policy]:
    """Return a maker of a policy that some readers have: half the present gap, between the same bounds as ours."""

    def next_s(times: Sequence[float], found: int, now_s: float) -> float:
        now = _BEGINNING + timedelta(seconds=now_s)
        told = [_BEGINNING + timedelta(seconds=one) for one in times[max(found - 100, 0) : found]]
        latest = remember((), told, now=now) if told else ()
        return min(max(gap_s(latest, since=_BEGINNING, now=now) / 2, pace.least_s), pace.most_s)

    return lambda: next_s


def simulate(pattern: Pattern, make: Callable[[], Policy], *, days: int) -> Outcome:
    """Poll all sources of a kind through all their days."""
    delays: list[float] = []
    polls = 0
    for times in pattern.sources:
        policy, known, now_s = make(), 0, 137.0
        while now_s < days * _DAY_S:
            found = bisect.bisect_right(times, now_s)
            if now_s >= _TAUGHT_S:
                polls += 1
                delays += [now_s - at for at in times[known:found] if at >= _TAUGHT_S]
            known = found
            now_s += policy(times, found, now_s)
    counted = len(pattern.sources) * (days - _TAUGHT_S / _DAY_S)
    return Outcome(polls_a_day=polls / counted, delays_s=delays, articles_a_day=len(delays) / counted)


def minutes(seconds: float) -> str:
    """Write a time for a table.

    >>> minutes(90), minutes(1500)
    ('1.5', '25')
    """
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def row(outcome: Outcome) -> list[str]:
    """Return one policy's cells: polls a day, median and 95th percentile of the delay."""
    ordered = sorted(outcome.delays_s)
    tail = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    return [f"{outcome.polls_a_day:,.0f}", minutes(statistics.median(ordered)), minutes(tail)]


def together(kinds: Sequence[Pattern], outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Return the polls a second of 1,000 sources, and the mean delay of their articles in seconds."""
    polls = sum(kind.of_1000 * one.polls_a_day for kind, one in zip(kinds, outcomes, strict=True))
    weights = [kind.of_1000 * one.articles_a_day for kind, one in zip(kinds, outcomes, strict=True)]
    articles = sum(weights)
    late_s = sum(weight * statistics.fmean(one.delays_s) for weight, one in zip(weights, outcomes, strict=True))
    return polls / _DAY_S, late_s / articles


def main() -> None:
    """Simulate, print, and write the page when asked to."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--write", action="store_true")
    asked.add_argument("--days", type=int, default=28)
    given = asked.parse_args()
    kinds, pace = patterns(given.days), Pace()
    policies = {
        "Tocsin": ours(pace),
        "every 5 minutes": fixed(300),
        "every 15 minutes": fixed(900),
        "half the gap": in_proportion(pace),
    }
    found = {name: [simulate(kind, make, days=given.days) for kind in kinds] for name, make in policies.items()}
    budget, _ = together(kinds, found["Tocsin"])
    same_s = 1000 / budget
    found[f"every {same_s / 60:.1f} minutes: as many polls as Tocsin"] = [
        simulate(kind, fixed(same_s), days=given.days) for kind in kinds
    ]
    found[f"Tocsin, TOCSIN_POLL_S={_SLOWER.usual_s:g}"] = [
        simulate(kind, ours(_SLOWER), days=given.days) for kind in kinds
    ]
    by_kind = [
        [kind.name, *[cell for name in policies for cell in row(found[name][number])]]
        for number, kind in enumerate(kinds)
    ]
    heads = [f"{name}: polls a day | median | p95" for name in policies]
    of_all = []
    for name, outcomes in found.items():
        polls, late_s = together(kinds, outcomes)
        of_all.append([name, f"{polls:.2f}", minutes(late_s)])
    shares = ", ".join(f"{kind.of_1000} of {kind.name.partition(',')[0]}" for kind in kinds)
    text = f"""\
{_ABOUT.format(days=given.days - 7, pace=pace)}

{table(["source", *" | ".join(heads).split(" | ")], by_kind)}

### A list of 1,000 sources

{shares}; the mean delay is over all their articles.

{table(["policy", "polls a second", "mean delay, minutes"], of_all)}"""
    print(text)  # noqa: T201  this is its output
    if given.write:
        write_section("polling", text)


if __name__ == "__main__":
    main()
