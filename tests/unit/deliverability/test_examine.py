from __future__ import annotations

import pytest

from tests.unit.deliverability.publisher import DOMAIN, published
from worker.deliverability.examine import examine
from worker.deliverability.judge_bounces import judge_bounces
from worker.deliverability.names import is_public
from worker.deliverability.publishing import Sender, wanted
from worker.health import Health

SENDER = Sender(from_domain=DOMAIN, bounce_domain=f"b.{DOMAIN}")
MX = {"mx.harbourcourier.org": {"A": ("192.0.2.1",)}}


def test_what_we_tell_an_operator_to_publish_is_then_found_well():
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, relays=("192.0.2.1",))
    zone = {f"mail.{DOMAIN}": {"A": ("192.0.2.1",)}}
    for record in wanted(sender):
        zone.setdefault(record.name, {})[str(record.kind)] = (record.value.removeprefix("10 ").rstrip("."),)
    found = {finding.part: finding for finding in examine(sender, published(zone))}
    assert {part: finding.health for part, finding in found.items()} == {
        "spf": Health.WELL,
        "dkim": Health.NOTE,  # no key was made
        "dmarc": Health.NOTE,  # p=none is where one begins
        "bounces": Health.WELL,
    }


@pytest.mark.parametrize("domain", ["courier.example", "news.example.com", "localhost", "mail.local", "x.test"])
def test_a_domain_that_is_not_public_is_not_checked_and_nobody_is_asked(domain):
    (finding,) = examine(Sender(from_domain=domain, bounce_domain=domain), published({}, silent=[domain]))
    assert finding.health is Health.UNCHECKED
    assert "is not a public domain" in finding.says


def test_mail_that_never_leaves_the_house_is_nobody_s_business():
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, by_smtp=False)
    (finding,) = examine(sender, published({}, silent=[DOMAIN]))
    assert finding.health is Health.UNCHECKED
    assert finding.says.startswith("mail goes to the local inbox only")


def test_a_provider_s_envelopes_need_no_spf_and_no_way_back_of_ours():
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, by_smtp=False, providers=("postmark",))
    found = {finding.part: finding.health for finding in examine(sender, published({}))}
    assert found == {"spf": Health.NOTE, "dkim": Health.NOTE, "dmarc": Health.ILL, "bounces": Health.NOTE}


def test_silence_is_no_illness():
    every = [DOMAIN, f"b.{DOMAIN}", f"_dmarc.{DOMAIN}"]
    findings = list(examine(SENDER, published({}, silent=every)))
    assert {finding.health for finding in findings if finding.part != "dkim"} == {Health.UNCHECKED}
    assert all(finding.says.startswith("cannot be asked: ") for finding in findings if finding.part != "dkim")


def test_failing_name_servers_are_one_and_the_other_parts_are_judged_all_the_same():
    findings = {one.part: one for one in examine(SENDER, published({}, failing=[f"_dmarc.{DOMAIN}"]))}
    assert findings["dmarc"].health is Health.ILL
    assert "DNSSEC" in findings["dmarc"].advice
    assert "has no SPF record" in findings["spf"].says


@pytest.mark.parametrize(
    ("zone", "health", "says"),
    [
        ({DOMAIN: {"MX": ("mx.harbourcourier.org",)}}, Health.WELL, "mail to it goes to mx.harbourcourier.org"),
        ({DOMAIN: {"MX": ("",)}}, Health.ILL, "takes no mail"),
        ({DOMAIN: {"MX": ("gone.org",)}}, Health.ILL, "its MX gone.org has no address"),
        ({DOMAIN: {"MX": ("mx.harbourcourier.org", "gone.org")}}, Health.NOTE, "its MX gone.org has no address"),
        ({DOMAIN: {"A": ("192.0.2.1",)}}, Health.NOTE, "has no MX"),
        ({}, Health.ILL, "neither MX nor address"),
    ],
)
def test_bounces_need_a_way_back(zone, health, says):
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN)
    (finding,) = judge_bounces(sender, published({**MX, **zone}))
    assert finding.health is health
    assert says in finding.says


def test_a_bounce_domain_of_its_own_is_looked_at_beside_from_s():
    assert len(list(judge_bounces(SENDER, published({})))) == 2


def test_a_public_domain_is_one():
    assert is_public("xn--vg1b002a.kr")
    assert not is_public("[192.0.2.1]")
