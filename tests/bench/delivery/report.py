"""The figures as Markdown, for the terminal and for docs/benchmarks.md alike, each beside its goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.bench.delivery.growth import Growth
from tests.bench.delivery.house import Told
from tests.bench.delivery.turns import Rates
from tests.bench.page import conditions, table

C_TOOL: Final = "smtp-source"
_MB: Final = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """One table of those that took turns; `cpu_us` is our process's time a message, `goals` ratios to peers."""

    title: str
    says: str
    rates: Rates
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    goals: Sequence[tuple[str, str, float]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything of one run."""

    size: int
    command: str
    versions: Sequence[str]
    speeds: Sequence[Speed]
    growth: Mapping[str, Sequence[Growth]]
    houses: Sequence[Told]
    missing: Sequence[str] = ()


def markdown(run: Run) -> str:
    """Write the whole section."""
    parts = [conditions(*run.versions), f"Command: `{run.command}`. The message has {run.size:,} bytes."]
    parts += [_section(speed.title, speed.says, _rates(speed), _goals(speed)) for speed in run.speeds]
    if run.growth:
        parts.append(_section("Many recipients", _GROWTH, _growth(run.growth), _linear(run.growth)))
    if run.houses:
        parts.append(_section("A whole house", _HOUSE, _houses(run.houses)))
    if run.missing:
        parts.append(f"**Failed in this run, and so not measured: {'; '.join(run.missing)}.**")
    return "\n\n".join(parts)


_GROWTH: Final = """\
One process, unsigned, into smtp-sink. Memory is the process's resident set, in MB, at tenths of the send; the goal is
less than 150 MB, and at 1,000,000 recipients at least 0.75 of the speed at 10,000."""
_HOUSE: Final = """\
`tocsin up`: web, beat, broker, three Celery workers. Messages a second of 20,000 digests, from the first commit to the
last receipt; then breaking news, from the request that pushes it to the last reader's receipt, by turns in a quiet
house and during a bulk send. The goal is at most 1.5 times as long."""


def _section(title: str, *parts: str) -> str:
    return "\n\n".join([f"### {title}", *(part for part in parts if part)])


def _rates(speed: Speed) -> str:
    rows = []
    for name, found in speed.rates.by_name.items():
        ratios = speed.rates.ratios(name, C_TOOL)
        cpu = f"{speed.cpu_us[name]:,.0f}" if name in speed.cpu_us else ""
        spread = "" if name == C_TOOL else f"{min(ratios):.2f} to {max(ratios):.2f}"
        rows.append([name, f"{median(found):,.0f}", cpu, f"{median(ratios):.2f}", spread])
    headings = ["", "messages/s", "our processor time, µs", f"times {C_TOOL}", "lowest to highest"]
    return table(headings, rows)


def _goals(speed: Speed) -> str:
    if not speed.goals:
        return ""
    rows = []
    for name, peer, goal in speed.goals:
        found = speed.rates.ratio(name, peer)
        rows.append([f"{name} / {peer}", f"**{found:.2f}**", f"{goal:g}", "yes" if found >= goal else "no"])
    return table(["ratio", "measured", "goal", "reached"], rows)


def _growth(growth: Mapping[str, Sequence[Growth]]) -> str:
    rows = [
        [f"{one.recipients:,}, {kind}", f"{one.rate:,.0f}", *(f"{bytes_ / _MB:.0f}" for bytes_ in one.memory)]
        for kind, found in growth.items()
        for one in found
    ]
    tenths = [f"{10 * tenth} %" for tenth in range(len(rows[0]) - 2)]
    return table(["recipients", "messages/s", *tenths], rows)


def _linear(growth: Mapping[str, Sequence[Growth]]) -> str:
    told = []
    for kind, found in growth.items():
        sizes = sorted({one.recipients for one in found})
        small, large = (median(one.rate for one in found if one.recipients == size) for size in (sizes[0], sizes[-1]))
        told.append(f"{kind}: at {sizes[-1]:,} recipients **{large / small:.2f}** of the speed at {sizes[0]:,}")
    return "; ".join(told) + "."


def _houses(houses: Sequence[Told]) -> str:
    rows = []
    for one in houses:
        ratio = median(busy / idle for idle, busy in zip(one.idle_s, one.busy_s, strict=True))
        waits = [f"{median(found):.1f}" for found in (one.idle_s, one.busy_s)]
        rows.append([one.kind, f"{one.bulk_rate:,.0f}", *waits, f"{one.bulk:,}", f"**{ratio:.2f}**"])
    alerted = houses[0].alerted
    headings = ["", "messages/s", f"alert to {alerted:,}, s", "during a bulk send, s", "of", "ratio"]
    return table(headings, rows)
