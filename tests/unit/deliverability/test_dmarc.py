from __future__ import annotations

import pytest

from tests.unit.deliverability.publisher import DOMAIN, published
from worker.deliverability.dkim_keys import Algorithm, PublicKey
from worker.deliverability.dmarc import aligned, organisation, policy_of
from worker.deliverability.judge_dmarc import judge_dmarc
from worker.deliverability.publishing import Sender, Signature
from worker.health import Health

GOOD = f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"


def zone(**policies: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return a zone of DMARC records; `__` in a name stands for a dot."""
    return {f"_dmarc.{name.replace('__', '.')}": {"TXT": (text,)} for name, text in policies.items()}


def judged(records, *, signing: str = DOMAIN, from_domain: str = DOMAIN, bounce: str = "", providers=()):
    key = PublicKey(algorithm=Algorithm.RSA, bits=2048, p="")
    sender = Sender(
        from_domain=from_domain,
        bounce_domain=bounce or from_domain,
        signatures=(Signature(domain=signing, selector="s1", key=key),) if signing else (),
        providers=providers,
    )
    return list(judge_dmarc(sender, published(records)))


def test_a_policy_with_aligned_mail_is_well():
    (finding,) = judged(zone(harbourcourier__org=GOOD))
    assert finding.health is Health.WELL
    assert finding.says == "harbourcourier.org: p=quarantine, and our mail is aligned"


def test_the_organisation_s_policy_holds_for_a_subdomain():
    records = zone(harbourcourier__org=f"{GOOD}; sp=reject")
    (finding,) = judged(records, from_domain="news.harbourcourier.org", signing="news.harbourcourier.org")
    assert finding.health is Health.WELL
    assert finding.says == "news.harbourcourier.org: p=reject, from harbourcourier.org, and our mail is aligned"


def test_a_missing_policy_comes_with_the_one_to_publish():
    (finding,) = judged({})
    assert finding.health is Health.ILL
    assert finding.advice == (
        'publish: _dmarc.harbourcourier.org. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@harbourcourier.org"'
    )


@pytest.mark.parametrize(
    ("records", "health", "says"),
    [
        (zone(harbourcourier__org="v=DMARC1 p=none"), Health.ILL, "cannot be read"),
        ({f"_dmarc.{DOMAIN}": {"TXT": (GOOD, GOOD)}}, Health.ILL, "has 2 policies: none counts"),
        (zone(harbourcourier__org=f"{GOOD}; p=strict"), Health.ILL, "cannot be read"),
        (zone(harbourcourier__org=GOOD.replace("quarantine", "strict")), Health.ILL, "p=strict, which is no policy"),
        (zone(harbourcourier__org=GOOD.replace("quarantine", "none")), Health.NOTE, "let forged"),
        (zone(harbourcourier__org="v=DMARC1; p=reject"), Health.NOTE, "has no rua="),
        (zone(harbourcourier__org=GOOD.replace(f"@{DOMAIN}", "@reports.net")), Health.NOTE, "reports.net has not said"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told(records, health, says):
    (finding,) = judged(records)
    assert (finding.health, bool(finding.advice)) == (health, True)
    assert says in finding.says


def test_a_stranger_that_wants_the_reports_may_have_them():
    records = zone(harbourcourier__org=GOOD.replace(f"@{DOMAIN}", "@reports.net"))
    records[f"{DOMAIN}._report._dmarc.reports.net"] = {"TXT": ("v=DMARC1;",)}
    assert [finding.health for finding in judged(records)] == [Health.WELL]


@pytest.mark.parametrize(
    ("signing", "bounce", "options", "found"),
    [
        ("mail.harbourcourier.org", "b.harbourcourier.org", "", []),
        ("mail.harbourcourier.org", DOMAIN, "; adkim=s", [Health.NOTE]),
        ("mail.harbourcourier.org", "b.harbourcourier.org", "; adkim=s; aspf=s", [Health.ILL, Health.ILL]),
        ("other.net", DOMAIN, "", [Health.NOTE]),
        (DOMAIN, "bounces.other.net", "", [Health.NOTE]),
        ("other.net", "other.net", "", [Health.ILL, Health.ILL]),
    ],
)
def test_one_aligned_way_is_enough_and_none_is_ill(signing, bounce, options, found):
    findings = judged(zone(harbourcourier__org=GOOD + options), signing=signing, bounce=bounce)
    assert [finding.health for finding in findings] == (found or [Health.WELL])


def test_a_provider_s_own_bounce_domain_is_its_own_business():
    findings = judged(zone(harbourcourier__org=GOOD), bounce="other.net", providers=("postmark",))
    assert [finding.health for finding in findings] == [Health.WELL]


@pytest.mark.parametrize(
    ("records", "domain", "found"),
    [
        ({}, "news.harbourcourier.org", "news.harbourcourier.org"),
        (zone(harbourcourier__org=GOOD), "news.harbourcourier.org", DOMAIN),
        (zone(harbourcourier__org=GOOD, news__harbourcourier__org=GOOD), "news.harbourcourier.org", DOMAIN),
        (zone(harbourcourier__org=GOOD, org="v=DMARC1; p=reject; psd=y"), "news.harbourcourier.org", DOMAIN),
        (
            zone(harbourcourier__org=GOOD, news__harbourcourier__org=f"{GOOD}; psd=n"),
            "a.news.harbourcourier.org",
            "news.harbourcourier.org",
        ),
    ],
)
def test_the_organisation_is_found_by_walking_up_the_tree(records, domain, found):
    assert organisation(domain, published(records)) == found


def test_a_name_without_end_costs_eight_questions():
    asked = []

    def ask(name, _):
        asked.append(name)
        return ()

    assert policy_of(".".join("abcdefghijklmnop"), ask) is None
    assert len(set(asked)) == 8
    assert aligned("x.org", "x.org", ask, strict=True)
