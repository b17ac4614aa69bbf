from __future__ import annotations

import pytest

from tests.unit.deliverability.publisher import DOMAIN, published, texts
from worker.deliverability.judge_spf import judge_spf
from worker.deliverability.publishing import Sender
from worker.deliverability.spf import Verdict, read_terms, verdict, walk
from worker.health import Health

HOSTS: dict[str, dict[str, tuple[str, ...]]] = {
    DOMAIN: {"A": ("192.0.2.1",), "AAAA": ("2001:db8::1",), "MX": ("mx1.harbourcourier.org", "mx2.harbourcourier.org")},
    "mx1.harbourcourier.org": {"A": ("198.51.100.1",)},
    "mx2.harbourcourier.org": {"A": ("198.51.100.2",)},
    "relay.harbourcourier.org": {"A": ("5.9.7.7",)},
}


def zone(record: str, **others: str) -> dict[str, dict[str, tuple[str, ...]]]:
    found = {**HOSTS, **texts(**others)}
    return {**found, DOMAIN: {**HOSTS[DOMAIN], "TXT": ("a=b", record)}}


def judged(record, *, relays=(), **others):
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, relays=relays)
    return list(judge_spf(sender, published(zone(record, **others))))


@pytest.mark.parametrize(
    ("record", "address", "says"),
    [
        ("v=spf1 -all", "192.0.2.1", Verdict.FAIL),
        ("v=spf1", "192.0.2.1", Verdict.NEUTRAL),
        ("v=spf1 a ~all", "192.0.2.1", Verdict.PASS),
        ("v=spf1 a ~all", "192.0.2.2", Verdict.SOFTFAIL),
        ("v=spf1 a/24 ~all", "192.0.2.2", Verdict.PASS),
        ("v=spf1 a//32 -all", "2001:db8:1::9", Verdict.PASS),
        ("v=spf1 A:relay.harbourcourier.org -ALL", "5.9.7.7", Verdict.PASS),
        ("v=spf1 mx -all", "198.51.100.2", Verdict.PASS),
        ("v=spf1 ip4:203.0.113.0/24 ?all", "203.0.113.9", Verdict.PASS),
        ("v=spf1 ip4:203.0.113.0/24 ?all", "203.0.114.9", Verdict.NEUTRAL),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8:9::1", Verdict.PASS),
        ("v=spf1 -ip4:203.0.113.9 ip4:203.0.113.0/24 -all", "203.0.113.9", Verdict.FAIL),
        ("v=spf1 include:_spf.harbourcourier.org -all", "203.0.113.9", Verdict.PASS),
        ("v=spf1 include:_spf.harbourcourier.org ~all", "203.0.114.9", Verdict.SOFTFAIL),
        ("v=spf1 redirect=_spf.harbourcourier.org", "203.0.114.9", Verdict.FAIL),
        ("v=spf1 redirect=_spf.harbourcourier.org ~all", "203.0.113.9", Verdict.SOFTFAIL),
        ("v=spf1 exists:relay.harbourcourier.org -all", "203.0.113.9", Verdict.PASS),
        ("v=spf1 exists:%{i}._spf.harbourcourier.org -all", "203.0.113.9", Verdict.FAIL),
        ("v=spf1 include:harbourcourier.org -all", "203.0.113.9", Verdict.FAIL),
        ("nothing of the sort", "203.0.113.9", Verdict.NONE),
    ],
)
def test_a_record_speaks_of_an_address_as_rfc_7208_has_it(record, address, says):
    ask = published(zone(record, _spf="v=spf1 ip4:203.0.113.0/24 -all"))
    assert verdict(DOMAIN, address, ask) is says


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("inlcude:_spf.x.org", "is no SPF term"),
        ("ip4:1.2.3.4/33", "has no address"),
        ("ip4=1.2.3.4", ""),
        ("ipv4:1.2.3.4", "is no SPF term"),
        ("a/", "has no readable prefix length"),
        ("a/33", "has no readable prefix length"),
        ("mx//129", "has no readable prefix length"),
        ("include", "names no domain"),
        ("exists", "names no domain"),
        ('"v=spf1', "is no SPF term"),
        ("x-more=anything", ""),
    ],
)
def test_a_slip_in_a_record_is_named(word, fault):
    _, faults = read_terms(f"v=spf1 {word} -all")
    assert faults == ([f'"{word}" {fault}'] if fault else [])


def test_lookups_are_counted_through_includes_and_redirects():
    record = "v=spf1 a mx ptr ip4:192.0.2.1 exists:%{i}.x include:_a.harbourcourier.org redirect=_b.harbourcourier.org"
    ask = published(
        zone(record, _a="v=spf1 include:_c.harbourcourier.org -all", _b="v=spf1 a -all mx", _c="v=spf1 mx -all")
    )
    # a mx ptr exists include redirect, then c, its mx, and b's a; nothing behind b's -all.
    assert walk(DOMAIN, record, ask).lookups == 9
    assert walk(DOMAIN, record, ask).faults == []


def test_a_good_record_is_well_and_says_what_it_costs():
    (finding,) = judged("v=spf1 mx a:relay.harbourcourier.org ~all", relays=("relay.harbourcourier.org",))
    assert finding.health is Health.WELL
    assert finding.says == "harbourcourier.org: 2 of 10 lookups, v=spf1 mx a:relay.harbourcourier.org ~all"


def test_a_missing_record_comes_with_the_one_to_publish():
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, relays=("relay.harbourcourier.org", "5.9.7.7"))
    (finding,) = judge_spf(sender, published({}))
    assert finding.health is Health.ILL
    assert finding.advice == (
        'publish: harbourcourier.org. IN TXT "v=spf1 a:relay.harbourcourier.org ip4:5.9.7.7 ~all"'
    )


def test_two_records_are_none():
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN)
    ask = published({DOMAIN: {"TXT": ("v=spf1 mx -all", "v=spf1 a -all")}})
    (finding,) = judge_spf(sender, ask)
    assert (finding.health, finding.says) == (Health.ILL, "harbourcourier.org has 2 SPF records: none counts")


def test_more_than_ten_lookups_are_too_many():
    many = {f"_{letter}": "v=spf1 a:relay.harbourcourier.org mx:harbourcourier.org ptr -all" for letter in "abc"}
    record = "v=spf1 " + " ".join(f"include:{name}.harbourcourier.org" for name in many) + " ~all"
    (finding,) = judged(record, **many)
    assert finding.health is Health.ILL
    assert "needs 12 lookups for its record and gives up after 10" in finding.says


def test_a_record_that_includes_itself_ends():
    ask = published(zone("v=spf1 include:_a.harbourcourier.org -all", _a="v=spf1 redirect=harbourcourier.org"))
    walked = walk(DOMAIN, "v=spf1 include:_a.harbourcourier.org -all", ask)
    assert walked.faults == ["redirect harbourcourier.org leads back to itself"]
    assert verdict(DOMAIN, "192.0.2.9", ask) is Verdict.FAIL


def test_an_ocean_of_includes_is_not_walked_to_its_end():
    names = [f"_{number}" for number in range(500)]
    wide = "v=spf1 " + " ".join(f"include:{name}.harbourcourier.org" for name in names) + " -all"
    assert judged(wide, **dict.fromkeys(names, "v=spf1 -all"))[-1].health is Health.ILL


@pytest.mark.parametrize(
    ("record", "health", "says"),
    [
        ("v=spf1 mx", Health.NOTE, "says nothing of others"),
        ("v=spf1 mx ?all", Health.NOTE, "says nothing of others"),
        ("v=spf1 +all", Health.ILL, "+all lets everybody send"),
        ("v=spf1 all", Health.ILL, "+all lets everybody send"),
        ("v=spf1 include:gone.org ~all", Health.ILL, "include gone.org has no SPF records, where one is wanted"),
        ("v=spf1 a:x.org a:y.org a:z.org ~all", Health.ILL, "3 of its lookups find nothing; receivers allow 2"),
        ("v=spf1 ip4:one ~all", Health.ILL, '"ip4:one" has no address'),
    ],
)
def test_what_is_wrong_with_a_record_is_told(record, health, says):
    (finding,) = judged(record)
    assert finding.health is health
    assert says in finding.says
    assert finding.advice


def test_a_relay_that_does_not_pass_is_worth_a_look():
    (finding,) = judged("v=spf1 mx -all", relays=("relay.harbourcourier.org", "10.0.0.7", "mailhub"))
    assert finding.health is Health.NOTE
    assert "the relay relay.harbourcourier.org (5.9.7.7) does not pass: fail" in finding.says
    assert finding.advice == "if mail leaves from there, add ip4:5.9.7.7"
