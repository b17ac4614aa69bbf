"""An operator looks at the ways out of the house, shuts one by hand, and opens it again."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation
from tests.databases import opened
from worker.circuits import Trouble, Way
from worker.store import breakers, throttles
from worker.store.database import now
from worker.store.throttles import Halved, Place

TRANSPORTS = (
    "smtp://127.0.0.1:9?name=relay&rate=50&weight=3&warmup=2026-11-28:50x1.5 smtp://127.0.0.1:9?name=other&hours=07-22"
)


@pytest.fixture
def house(make_installation: MakeInstallation) -> Installation:
    """An installation with two relays, its database ready."""
    house = make_installation(TOCSIN_TRANSPORTS=TRANSPORTS)
    house.migrated()
    return house


def test_each_provider_is_listed_with_what_it_is_allowed(house):
    relay, other = house.ask("providers", "list")
    assert (relay["provider"], relay["state"], relay["rate_per_s"], relay["weight"]) == ("relay", "well", 50, 3)
    assert (relay["warm_up"], other["hours"]) == ("2026-11-28:50x1.5", "07:00-22:00")
    assert "relay" in house.tocsin("providers", "list").out


def test_what_is_shut_or_slowed_is_listed_and_the_doctor_tells_of_it(house):
    with opened(f"sqlite:///{house.home / 'tocsin.db'}") as database, database.write() as conn:
        breakers.trip(conn, Way("other"), Trouble.LOGIN, reason="535 5.7.8 bad password")
        breakers.trip(conn, Way("relay", "digest", "gmail.com"), Trouble.POLICY, reason="550 5.7.1 no")
        at = now(conn)
        throttles.change(conn, Place("", "yahoo.com"), lambda *_: Halved(full_per_s=20, share=0.5, since=at))
    rows = house.ask("providers", "list")
    assert [(row["provider"], row["stream"], row["domain"], row["state"]) for row in rows] == [
        ("relay", "", "", "well"),
        ("other", "", "", "shut"),
        ("relay", "digest", "gmail.com", "shut"),
        ("", "", "yahoo.com", "slowed"),
    ]
    assert (rows[1]["trouble"], rows[1]["reason"]) == ("login", "535 5.7.8 bad password")
    ways = [row for row in house.tocsin("doctor", "--no-dns", "--json").lines if row["part"] == "ways"]
    assert [row["health"] for row in ways] == ["ill", "note"]
    assert [row["says"] for row in ways] == [
        "other is shut (login: 535 5.7.8 bad password)",
        "relay: digest to gmail.com is shut (policy: 550 5.7.1 no)",
    ]
    assert "`tocsin providers resume other`" in ways[0]["advice"]
    assert "`tocsin providers resume relay --stream digest --domain gmail.com`" in ways[1]["advice"]


def test_a_provider_is_paused_and_resumed_with_all_that_is_narrower(house):
    with opened(f"sqlite:///{house.home / 'tocsin.db'}") as database, database.write() as conn:
        breakers.trip(conn, Way("relay", "digest", "gmail.com"), Trouble.POLICY, reason="550 5.7.1 no")
    house.told("providers", "pause", "relay", "--reason", "moving house")
    house.told("providers", "pause", "other", "--stream", "digest", "--domain", "Hotmail.com", "--reason", "asked to")
    states = {(row["provider"], row["stream"], row["domain"]): row["state"] for row in house.ask("providers", "list")}
    assert states["relay", "", ""] == "paused"
    assert states["other", "digest", "outlook.com"] == "paused"
    done = house.tocsin("providers", "resume", "relay")
    assert (done.status, "relay: digest to gmail.com" in done.err) == (0, True)
    assert {row["state"] for row in house.ask("providers", "list") if row["provider"] == "relay"} == {"well"}


def test_what_is_not_there_is_neither_paused_nor_resumed(house):
    done = house.tocsin("providers", "pause", "rely", "--reason", "x")
    assert (done.status, "write one of relay, other" in done.err) == (2, True)
    done = house.tocsin("providers", "pause", "relay", "--reason", " ")
    assert (done.status, "no reason is given" in done.err) == (2, True)
    done = house.tocsin("providers", "resume", "relay")
    assert (done.status, "nothing of relay is shut" in done.err) == (2, True)
