"""What an operator sees of mails to come: over a change of clocks, of one reader, as lines, and what a slip is told."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation

SEEDS = Path(__file__).parents[2] / "seeds"
FIELDS = ["email", "kind", "cadence", "scheduled_at", "local", "timezone", "stories", "send", "reason"]
FIRST, LAST = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
SCHEDULED = {"daily", "weekdays", "weekly", "monthly"}


def seeded() -> list[dict[str, str]]:
    rows = []
    for name in ("subscribers.csv", "zones.csv"):
        with (SEEDS / name).open(encoding="utf-8", newline="") as lines:
            rows += list(csv.DictReader(lines))
    return rows


def changes(zone: str) -> bool:
    hours = range(int((LAST - FIRST) / timedelta(hours=1)) + 1)
    return len({(FIRST + timedelta(hours=hour)).astimezone(ZoneInfo(zone)).utcoffset() for hour in hours}) > 1


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Installation:
    """All seeded readers, and one in each zone whose clocks change."""
    made = make_module_installation()
    made.migrated()
    made.told("topics", "import", str(SEEDS / "topics"))
    for name in ("subscribers.csv", "zones.csv"):
        made.told("subscribers", "import", str(SEEDS / name), "--confirmed")
    return made


@pytest.fixture(scope="module")
def lines(house: Installation) -> list[dict[str, Any]]:
    done = house.tocsin("simulate", "--from", "2026-10-20", "--to", "2026-11-10", "--json")
    assert (done.status, done.err) == (0, "")
    return done.lines


def by_reader(lines: list[dict[str, Any]]) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    found = defaultdict(list)
    for line in lines:
        found[line["email"]].append(line)
    for row in seeded():
        if row["cadence"] in SCHEDULED:
            yield row, found[row["email"]]


def test_the_seeds_have_a_reader_in_each_zone_that_changes_its_clocks():
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    zones = [line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")]
    changing = {zone for zone in zones if changes(zone)}
    assert len(changing) > 100
    assert changing <= {row["timezone"] for row in seeded() if row["cadence"] in SCHEDULED}


def test_a_line_is_one_due_run_in_the_shape_of_the_contract(lines):
    for line in lines:
        assert list(line) == FIELDS
        due = datetime.fromisoformat(line["scheduled_at"])
        assert line["scheduled_at"].endswith("Z")
        assert FIRST <= due < LAST
        assert line["local"] == due.astimezone(ZoneInfo(line["timezone"])).replace(tzinfo=None).isoformat()
        assert (line["stories"], line["send"], line["reason"]) == ([], False, "nothing new")


def test_mails_come_at_the_same_local_time_on_both_sides_of_a_change(lines):
    changed = 0
    for row, runs in by_reader(lines):
        zone = ZoneInfo(row["timezone"])
        wished = row["at"].split(";")
        offsets = {datetime.fromisoformat(run["scheduled_at"]).astimezone(zone).utcoffset() for run in runs}
        assert {run["local"][11:] for run in runs} == {f"{wall}:00" for wall in wished}, row
        assert len({run["local"] for run in runs}) == len(runs), row  # a time that comes twice, happens once
        if row["cadence"] == "daily":
            days = sorted({run["local"][:10] for run in runs})
            assert len(days) >= 20, row
            assert all((datetime.fromisoformat(b) - datetime.fromisoformat(a)).days == 1 for a, b in pairwise(days))
        changed += len(offsets) > 1
    assert changed > 100


def test_one_reader_and_the_worst_day_of_all_are_shown(house):
    span = ("--from", "2026-10-24", "--to", "2026-10-27")
    one = house.tocsin("simulate", *span, "--reader", "LIAM.osullivan@post.example", "--json")
    assert [line["local"] for line in one.lines] == [
        f"2026-10-{day}T{wall}:00" for day in (24, 25, 26) for wall in ("07:00", "18:30")
    ]
    told = house.tocsin("simulate", *span, "--fatigue", "3", "--json").lines
    readers = len(seeded())
    assert told == [{"mails_in_24h": 0, "readers": readers}, {"threshold": 3, "readers": 0, "of": readers}]
    assert f"0 of {readers} readers would get 3 or more" in house.tocsin("simulate", *span, "--fatigue", "3").out


def test_a_dry_run_says_what_is_due_and_plans_nothing(house):
    shown = house.tocsin("plan", "--dry-run", "--at", "2040-01-01", "--json").lines
    assert all(list(line) == FIELDS for line in shown)
    assert {line["email"] for line in shown} == {row["email"] for row in seeded() if row["cadence"] != "immediate"}
    assert house.tocsin("editions", "list", "--json").lines == []
    assert house.tocsin("plan", "--dry-run", "--at", "2026-01-01", "--json").lines == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("simulate", "--from", "yesterday", "--to", "2026-11-10"), "--from 'yesterday' is no time"),
        (("simulate", "--from", "2026-11-10", "--to", "2026-11-10"), "--to is not after --from"),
        (("simulate", "--from", "2026-11-09", "--to", "2026-11-10", "--reader", "no@body.example"), "no reader"),
        (("plan", "--dry-run", "--at", "noon"), "--at 'noon' is no time"),
    ],
)
def test_a_slip_is_told_in_one_line(house, words, told):
    assert told in house.tocsin(*words).refusal
