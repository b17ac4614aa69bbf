"""An operator sets a sender up: makes keys, publishes what is printed, and asks the doctor, before and after."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rrset
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation
from tests.dns_server import NameServer

DOMAIN = "harbourcourier.org"
RELAY = "relay.harbourcourier.invalid"  # the machine's own resolver knows no such name, and says so at once
Findings = dict[str, list[dict[str, Any]]]
WELL = {f"mail.{DOMAIN}": ["A 192.0.2.1"], RELAY: ["A 192.0.2.25"]}


@pytest.fixture
def dns_server() -> Iterator[NameServer]:
    with NameServer(dict(WELL), failing={"_dmarc.broken.org"}, silent={"mute.org", "_dmarc.mute.org"}) as server:
        yield server


@pytest.fixture
def house(make_installation: MakeInstallation, dns_server: NameServer) -> Installation:
    """An installation that asks the test's own name server, and has a relay of its own."""
    address, port = dns_server.address
    house = make_installation(
        TOCSIN_FROM=f"The Courier <news@{DOMAIN}>",
        TOCSIN_DNS_RESOLVERS=f"{address}:{port}",
        TOCSIN_TRANSPORTS=f"smtp://{RELAY}:1",
    )
    house.migrated()
    return house


def of_dns(house: Installation, **settings: str) -> Findings:
    """Return what the doctor finds, by part, without what is no business of DNS."""
    found: Findings = {}
    for row in house.tocsin("doctor", "--json", given=b"", within_s=60, **settings).lines:
        assert set(row) == {"part", "well", "health", "says", "advice"}
        assert row["well"] == (row["health"] != "ill")
        found.setdefault(row["part"], []).append(row)
    return {part: rows for part, rows in found.items() if part in {"dns", "spf", "dkim", "dmarc", "bounces"}}


def healths(found: Findings) -> dict[str, list[str]]:
    return {part: [row["health"] for row in rows] for part, rows in found.items()}


def publish(server: NameServer, lines: str) -> None:
    """Do what an administrator does with lines for a zone file."""
    for line in lines.splitlines():
        if " IN " in line and not line.startswith(";"):
            name, _, kind, rest = line.split(" ", 3)
            dns.rrset.from_text(name, 60, "IN", kind, rest)
            server.zone.setdefault(name.rstrip("."), []).append(f"{kind} {rest}")


def keys(house: Installation) -> dict[str, str]:
    """Make both keys, and return the settings that were printed with them."""
    printed = house.tocsin("dkim", "new", "--selector", "s1").out + house.tocsin("dkim", "new", "--ed25519").out
    return dict(line.split("=", 1) for line in printed.splitlines() if line.startswith("TOCSIN_"))


def test_from_nothing_to_well(house, dns_server):
    before = of_dns(house)
    assert healths(before) == {"spf": ["ill"], "dkim": ["note"], "dmarc": ["ill"], "bounces": ["ill"]}
    settings = keys(house)
    assert [row["health"] for row in of_dns(house, **settings)["dkim"]] == ["ill", "ill"]
    publish(dns_server, house.tocsin("dkim", "records", given=b"", within_s=60, **settings).out)
    after = of_dns(house, **settings)
    assert healths(after) == {"spf": ["well"], "dkim": ["well", "well"], "dmarc": ["note"], "bounces": ["well"]}


def test_what_the_doctor_advises_is_what_has_to_be_published(house, dns_server):
    settings = keys(house)
    advice = [row["advice"] for rows in of_dns(house, **settings).values() for row in rows]
    publish(dns_server, "\n".join(line.removeprefix("publish: ") for line in advice))
    assert {row["well"] for rows in of_dns(house, **settings).values() for row in rows} == {True}


def test_another_key_than_the_published_one_is_not_well(house, dns_server):
    settings = keys(house)
    publish(dns_server, house.tocsin("dkim", "records", given=b"", within_s=60, **settings).out)
    house.told("dkim", "new", "--selector", "s2")
    stray = settings["TOCSIN_DKIM_KEY_FILE"].replace("dkim-s1", "dkim-s2")
    rsa, ed25519 = of_dns(house, **settings | {"TOCSIN_DKIM_KEY_FILE": stray})["dkim"]
    assert "has another key than the one that mail is signed with" in rsa["says"]
    assert ed25519["well"]


def test_a_selector_may_be_an_alias_and_a_policy_stand_at_the_organisation(house, dns_server):
    settings = keys(house) | {"TOCSIN_FROM": f"news@alerts.{DOMAIN}"}
    publish(dns_server, house.tocsin("dkim", "records", given=b"", within_s=60, **settings).out)
    key = dns_server.zone.pop(f"s1._domainkey.{DOMAIN}")
    dns_server.zone |= {f"s1._domainkey.{DOMAIN}": ["CNAME s1.keys.net."], "s1.keys.net": key}
    dns_server.zone[f"_dmarc.{DOMAIN}"] = [f'TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}"']
    del dns_server.zone[f"_dmarc.alerts.{DOMAIN}"]
    found = of_dns(house, **settings)
    assert healths(found)["dkim"] == ["well", "well"]
    assert [row["says"] for row in found["dmarc"]] == [
        f"alerts.{DOMAIN}: p=reject, from {DOMAIN}, and our mail is aligned"
    ]


@pytest.mark.slow  # it waits for servers that say nothing
def test_name_servers_that_fail_are_not_well_and_silent_ones_are_not_checked(house):
    assert healths(of_dns(house, TOCSIN_FROM="news@broken.org"))["dmarc"] == ["ill"]
    mute = of_dns(house, TOCSIN_FROM="news@mute.org")
    assert healths(mute) == {"spf": ["unchecked"], "dkim": ["note"], "dmarc": ["unchecked"], "bounces": ["unchecked"]}
    assert "TOCSIN_DNS_RESOLVERS" in mute["spf"][0]["advice"]


def test_the_doctor_may_be_asked_to_leave_dns_alone(house, dns_server):
    parts = {row["part"] for row in house.tocsin("doctor", "--no-dns", "--json").lines}
    assert parts >= {"database", "broker", "relays", "ways", "workers", "clock", "disk"}
    assert parts.isdisjoint({"spf", "dkim", "dmarc", "bounces"})
    assert dns_server.asked == []


def test_people_get_a_line_to_copy(house):
    out = house.tocsin("doctor").out
    assert f'\n{"":22}publish: _dmarc.{DOMAIN}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"\n' in out


# Keys -----------------------------------------------------------------------------------------------------------------


def test_a_key_is_its_owner_s_alone_and_never_written_over(house):
    file = Path(keys(house)["TOCSIN_DKIM_KEY_FILE"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    key = file.read_bytes()
    refusal = house.tocsin("dkim", "new", "--selector", "s1").refusal
    assert str(file) in refusal
    assert "choose another --selector" in refusal
    assert file.read_bytes() == key
    assert sorted(path.name for path in file.parent.iterdir() if "dkim" in path.name)[1:] == ["dkim-s1.pem"]


def test_a_key_may_lie_elsewhere_and_is_told_to_programs_too(house, tmp_path):
    (row,) = house.ask("dkim", "new", "--ed25519", "--selector", "autumn", "--out", tmp_path / "made" / "here")
    assert row["file"] == str(tmp_path / "made" / "here" / "dkim-autumn.pem")
    assert (row["name"], row["type"]) == (f"autumn._domainkey.{DOMAIN}", "TXT")
    assert row["value"].startswith("v=DKIM1; k=ed25519; p=")
    assert row["TOCSIN_DKIM_ED25519_KEY_FILE"] == row["file"]


@pytest.mark.parametrize("selector", ["a b", "../s1", "-s1", "s1.", "ünder", "x" * 64])
def test_a_selector_is_a_name_in_dns(house, selector):
    assert "--selector" in house.tocsin("dkim", "new", "--selector", selector).refusal
    assert not (house.home / "keys").exists() or not list((house.home / "keys").glob("dkim*"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"TOCSIN_DKIM_SELECTOR": "s1"}, "set TOCSIN_DKIM_SELECTOR and TOCSIN_DKIM_KEY_FILE together"),
        ({"TOCSIN_DKIM_SELECTOR": "s1", "TOCSIN_DKIM_KEY_FILE": "/nowhere.pem"}, "cannot be read"),
        ({"TOCSIN_DKIM_SELECTOR": "s1", "TOCSIN_DKIM_KEY_FILE": "empty.pem"}, "is no private key in PEM"),
        ({"TOCSIN_DKIM_SELECTOR": "s1", "TOCSIN_DKIM_KEY_FILE": "open.pem"}, "everybody may read the private key"),
    ],
)
def test_half_a_key_is_not_well(house, settings, says):
    (house.folder / "empty.pem").touch(mode=0o600)
    (house.folder / "open.pem").touch(mode=0o644)
    assert says in house.tocsin("dkim", "records", given=b"", within_s=60, **settings).refusal.replace("\n", " ")
    (finding,) = of_dns(house, **settings)["dns"]
    assert not finding["well"]
    assert says in finding["says"]


def test_name_servers_are_addresses(house):
    refusal = house.tocsin("doctor", TOCSIN_DNS_RESOLVERS="one.one.one.one").complaint
    assert "TOCSIN_DNS_RESOLVERS: must be addresses" in refusal
