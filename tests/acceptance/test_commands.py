"""Every command as an operator finds it: its help, its version, and what doctor says of a house where nothing runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer.main

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation
from worker import __version__
from worker.cli import app


def commands() -> Iterator[tuple[str, ...]]:
    """Yield all commands and groups, as one types them."""

    def below(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, sub in getattr(command, "commands", {}).items():
            yield from below(sub, (*words, name))

    yield from below(typer.main.get_command(app), ())


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Installation:
    """A home that has not even been made."""
    return make_module_installation()


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help(house, words):
    done = house.tocsin(*words, "--help")
    assert (done.status, done.err) == (0, "")
    assert " ".join(("Usage: tocsin", *words)) in " ".join(done.out.split())
    assert not house.home.exists()


def test_the_contract_names_every_command_that_this_version_has():
    found = {" ".join(words) for words in commands()}
    promised = """demo, up, web, worker, beat, db upgrade, doctor, config, sources add, sources list, sources poll,
        sources parse, sources import, sources export, sources show, sources pause, sources resume, sources remove,
        sources change, sources release, articles add, articles list, articles show, articles kill, topics import,
        topics list,
        topics check, topics explain, topics translate, topics backtest, topics backfill, match, subscribers import,
        subscribers export, subscribers show, subscribers suppress, subscribers erase, newsletters import, newsletters
        list, editions list, editions show, editions pause, editions resume, editions cancel, deliveries list,
        deliveries show, deliveries trace, deliveries resolve, plan, simulate, render, dkim new, dkim records"""
    assert found >= {" ".join(words.split()) for words in promised.split(",")}


def test_the_version_is_printed(house):
    assert house.tocsin("--version").out == f"tocsin {__version__}\n"


@pytest.mark.parametrize("words", [("demmo",), ("sources", "ad"), ("demo", "--onse"), ("articles", "show", "x")])
def test_a_slip_of_the_finger_is_told(house, words):
    done = house.tocsin(*words)
    assert done.status == 2
    assert not done.out
    assert "Usage: tocsin" in done.err
    assert "Traceback" not in done.err


def test_help_loads_neither_celery_nor_the_database():
    look = (
        "import sys; from worker.cli import app; print(sorted({'celery', 'sqlalchemy', 'fastapi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_doctor_tells_what_is_missing_and_what_to_do(house):
    house.told("db", "upgrade")
    done = house.tocsin("doctor", "--json")
    assert (done.status, done.err) == (1, "")
    findings = {row["part"]: row for row in done.lines}
    well = {part for part, row in findings.items() if row["well"]}
    others = {"dns", "feeds", "hubs", "endpoints", "questions", "templates"}
    assert well == {"database", "sends", "ways", "clock", "disk"} | others
    for part, row in findings.items():
        assert row["says"]
        assert bool(row["advice"]) == (part not in well)
    assert str(house.port("INBOX")) in findings["relays"]["says"]
    assert "alerts" in findings["workers"]["says"]
    assert findings["dns"]["health"] == "unchecked"  # the demo's domain is nobody's


def test_doctor_speaks_to_people_too(house):
    house.told("db", "upgrade")
    done = house.tocsin("doctor")
    assert done.status == 1
    assert "NOT WELL" in done.out


def test_a_feed_is_parsed_from_standard_input_without_an_installation(house):
    done = house.tocsin("sources", "parse", "-", "--json", given=FEED.encode())
    assert [line["title"] for line in done.lines] == ["One", "Two"]
    assert not done.err


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://t.example/</link>
<description>D</description><item><title>One</title><guid>1</guid></item><item><title>Two</title><guid>2</guid></item>
</channel></rss>"""
