"""`tocsin topics backtest` as an editor meets it: from articles added to what a query would have sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation

TOPIC = "- slug: north-korea\n  name: {en: North Korea}\n  query: '\"n korea\" OR dprk OR 북한'\n"


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Installation:
    """An installation with six stories of the last days, one of them told twice; nothing runs."""
    house = make_module_installation()
    house.migrated()
    (house.folder / "t.yaml").write_text(TOPIC, encoding="utf-8")
    house.told("topics", "import", "t.yaml")
    for number, (days, title) in enumerate(
        [
            (1, "N. Korea fires a missile"),
            (2, "북한이 미사일을 발사했다"),
            (2, "DPRK sings"),
            (3, "Rain over the sea"),
            (40, "DPRK long ago"),
            (0, "A woman in Oman"),
        ]
    ):
        at = datetime.now(UTC) - timedelta(days=days, minutes=5)
        told = {"title": title, "url": f"https://gazette.example/{number}", "published_at": at.isoformat()}
        (house.folder / f"{number}.json").write_text(json.dumps(told), encoding="utf-8")
        house.told("articles", "add", f"{number}.json")
    return house


def test_an_editor_sees_how_many_mails_a_query_would_have_made(house):
    done = house.tocsin("topics", "backtest", "@north-korea")
    assert done.status == 0
    first, *others = done.out.splitlines()
    assert first == "3 stories in the last 30 days, 60% of 5"
    table = {line.split()[0]: line for line in others if line.strip()}
    assert "about 3 mails a month" in table["immediate"]
    assert "of 30 runs" in table["daily"]
    assert "busiest day: " in done.out
    assert "N. Korea fires a missile" in done.out
    assert "because of: 북한" in done.out
    assert "age gate is not applied" in done.out
    assert done.err == "note: this query is broad: it would have matched 60% of all stories\n"


def test_a_program_gets_one_object(house):
    (told,) = house.tocsin("topics", "backtest", "dprk", "--days", "60", "--json").lines
    assert (told["stories"], told["estimated"], told["days"], told["all_stories"]) == (2, False, 60, 6)
    assert [sample["title"] for sample in told["samples"]] == ["DPRK sings", "DPRK long ago"]
    assert told["samples"][0]["excerpts"] == [{"field": "title", "text": "DPRK sings", "highlights": [[0, 4]]}]
    assert told["since"].endswith("Z")


def test_nothing_found_says_which_part_is_to_blame(house):
    done = house.tocsin("topics", "backtest", "dprk oman")
    assert done.status == 0
    parts = [line.split() for line in done.out.splitlines()]
    assert ["1", "dprk"] in parts
    assert ["1", "oman"] in parts
    assert "each part is found alone" in done.err


@pytest.mark.parametrize(
    ("query", "says", "caret"),
    [("korea (oman", "this bracket is never closed at offset 6", 8), ("x @nowhere", "there is no topic @nowhere", 4)],
)
def test_a_refused_query_points_at_the_place(house, query, says, caret):
    complaint = house.tocsin("topics", "backtest", query).complaint
    line, shown, pointer = complaint.splitlines()
    assert says in line
    assert (shown.strip(), pointer.index("^")) == (query, caret)


@pytest.mark.parametrize("days", ["0", "367", "soon"])
def test_days_out_of_range_are_refused(house, days):
    done = house.tocsin("topics", "backtest", "oman", "--days", days)
    assert (done.status, done.out) == (2, "")
    assert "--days" in done.err
