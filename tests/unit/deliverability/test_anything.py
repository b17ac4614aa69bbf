"""Whatever stands in DNS, the doctor says something about it: it neither fails nor asks without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.deliverability.publisher import DOMAIN, published
from worker.deliverability.dkim_keys import Algorithm, PublicKey
from worker.deliverability.examine import examine
from worker.deliverability.publishing import Sender, Signature

NAMES = (DOMAIN, f"a.{DOMAIN}", f"_dmarc.{DOMAIN}", f"s1._domainkey.{DOMAIN}", "org", "_dmarc.org")
WORDS = st.sampled_from(
    (
        *("v=spf1", "all", "-all", "~all", "?all", "a", "mx", "ptr", "a/24", "a//64", "mx:a.harbourcourier.org"),
        *("exists:%{i}.org", "a:%{d}", "include:a.harbourcourier.org", "include:harbourcourier.org", "include:"),
        *(
            "redirect=a.harbourcourier.org",
            "redirect=",
            "ip4:192.0.2.1",
            "ip4:1.2.3.4/0",
            "ip6:::/0",
            "-ip4:x",
            "exp=x",
        ),
        *("v=DMARC1;", "p=none;", "p=reject;", "psd=y;", "psd=n;", "sp=none;", "adkim=s;", "rua=mailto:a@b.org;"),
        *("v=DKIM1;", "k=rsa;", "k=ed25519;", "p=", "p=AAAA", "h=sha1;", "t=y:s;", "s=*;"),
        *(";", "=", '""', "\\", "\N{SNOWMAN}", "\x00", "\x1b[2J"),
    )
)
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=40))
HOSTS = st.sampled_from(("", "a.harbourcourier.org", "x..y", "*"))
ZONES = st.dictionaries(
    st.sampled_from(NAMES),
    st.fixed_dictionaries(
        {},
        optional={
            "TXT": st.lists(TEXTS, max_size=3).map(tuple),
            "MX": st.lists(HOSTS, max_size=12).map(tuple),
            "A": st.lists(st.sampled_from(("192.0.2.1", "8.8.8.8")), max_size=2).map(tuple),
            "AAAA": st.just(("2001:db8::1",)),
        },
    ),
)
SENDER = Sender(
    from_domain=DOMAIN,
    bounce_domain=f"a.{DOMAIN}",
    signatures=tuple(
        Signature(domain=DOMAIN, selector="s1", key=PublicKey(algorithm=one, bits=2048, p="AAAA")) for one in Algorithm
    ),
    relays=("8.8.8.8", f"a.{DOMAIN}"),
)


@given(zone=ZONES)
def test_there_is_a_finding_for_whatever_is_published(zone):
    asked = []
    ask = published(zone)

    def counting(name, kind):
        asked.append(name)
        return ask(name, kind)

    findings = list(examine(SENDER, counting))
    assert {finding.part for finding in findings} == {"spf", "dkim", "dmarc", "bounces"}
    assert all(finding.says for finding in findings)
    assert len(asked) < 2_000  # a resolver that remembers is asked for each name once
