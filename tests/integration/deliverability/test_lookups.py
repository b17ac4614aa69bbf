"""Asking DNS over real sockets: aliases, long answers, silence, and servers that fail."""

from __future__ import annotations

import time

import pytest

from tests.dns_server import NameServer
from worker.deliverability.asking import Kind
from worker.deliverability.run_lookups import asker
from worker.errors import ConfigurationError, DnsError

ZONE = {
    "harbourcourier.org": ['TXT "v=spf1 " "mx -all"', 'TXT "other"', "MX 20 b.org.", "MX 10 A.org.", "A 192.0.2.1"],
    "long.harbourcourier.org": [f'TXT "{"x" * 255}" "{"y" * 255}" "{"z" * 255}" "{"q" * 255}"'],
    "s1._domainkey.harbourcourier.org": ["CNAME s1.provider.net."],
    "s1.provider.net": ['TXT "v=DKIM1; p=AAAA"'],
    "dangling.harbourcourier.org": ["CNAME gone.provider.net."],
    "round.harbourcourier.org": ["CNAME about.harbourcourier.org."],
    "about.harbourcourier.org": ["CNAME round.harbourcourier.org."],
    "null.harbourcourier.org": ["MX 0 ."],
    "six.harbourcourier.org": ["AAAA 2001:db8::1"],
    "byte.harbourcourier.org": ['TXT "\\237\\001"'],
}


@pytest.fixture(scope="module")
def server():
    troubles = {"failing": {"broken.org"}, "refusing": {"refused.org"}, "silent": {"mute.org"}}
    with NameServer(ZONE, **troubles, long={"long.harbourcourier.org"}) as server:
        yield server


@pytest.fixture
def ask(server):
    return asker([server.address])


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("harbourcourier.org", Kind.TXT, {"v=spf1 mx -all", "other"}),
        ("HARBOURCOURIER.org.", Kind.A, {"192.0.2.1"}),
        ("harbourcourier.org", Kind.AAAA, set()),
        ("six.harbourcourier.org", Kind.AAAA, {"2001:db8::1"}),
        ("s1._domainkey.harbourcourier.org", Kind.TXT, {"v=DKIM1; p=AAAA"}),
        ("dangling.harbourcourier.org", Kind.TXT, set()),
        ("nobody.org", Kind.TXT, set()),
        ("null.harbourcourier.org", Kind.MX, {""}),
        ("byte.harbourcourier.org", Kind.TXT, {"\ufffd\x01"}),
        ("two..dots.org", Kind.TXT, set()),
        ("", Kind.A, set()),
        ("%{d}.org", Kind.TXT, set()),
        ("\ufffd.org", Kind.TXT, set()),
        ("\ud800\\.org", Kind.TXT, set()),
        (f"{'x' * 64}.org", Kind.TXT, set()),
        (f"{'x.' * 200}org", Kind.TXT, set()),
    ],
)
def test_what_a_name_has_is_found(ask, name, kind, found):
    assert set(ask(name, kind)) == found


def test_the_best_mail_server_is_first(ask):
    assert ask("harbourcourier.org", Kind.MX) == ("a.org", "b.org")


def test_a_cut_off_answer_is_fetched_whole_by_tcp(ask, server):
    assert ask("long.harbourcourier.org", Kind.TXT) == ("x" * 255 + "y" * 255 + "z" * 255 + "q" * 255,)
    assert [over for name, _, over in server.asked if name == "long.harbourcourier.org"] == ["udp", "tcp"]


def test_nothing_is_asked_twice(ask, server):
    before = len(server.asked)
    assert ask("six.harbourcourier.org", Kind.MX) == ask("six.harbourcourier.org", Kind.MX) == ()
    assert len(server.asked) == before + 1


@pytest.mark.parametrize(
    ("name", "silent", "says"),
    [
        ("broken.org", False, "DNS cannot answer broken.org TXT: SERVFAIL"),
        ("refused.org", True, "DNS cannot answer refused.org TXT: REFUSED"),
        ("mute.org", True, "DNS gives no answer to mute.org TXT"),
        (
            "round.harbourcourier.org",
            False,
            "DNS cannot answer round.harbourcourier.org TXT: The CNAME chain is too long.",
        ),
    ],
)
def test_a_server_that_fails_is_told_from_one_that_does_not_answer(server, name, silent, says):
    with pytest.raises(DnsError) as caught:
        asker([server.address], one_name_s=0.5)(name, Kind.TXT)
    assert (str(caught.value), caught.value.silent) == (says, silent)


def test_nobody_waits_longer_than_allowed_however_much_is_asked(server):
    started_s = time.monotonic()
    ask = asker([server.address], altogether_s=1, one_name_s=0.6)
    for _ in range(50):
        with pytest.raises(DnsError):
            ask("mute.org", Kind.TXT)
    with pytest.raises(DnsError, match="no time was left"):
        ask("mute.org", Kind.TXT)
    assert time.monotonic() - started_s < 10


def test_the_second_server_answers_for_the_first(server):
    with NameServer({}, silent={"harbourcourier.org"}) as mute:
        ask = asker([mute.address, server.address])
        assert ask("harbourcourier.org", Kind.A) == ("192.0.2.1",)


def test_a_machine_without_a_resolver_is_told_what_to_set(monkeypatch):
    import dns.resolver

    def nowhere(*_: object, **__: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", nowhere)
    with pytest.raises(ConfigurationError, match="set TOCSIN_DNS_RESOLVERS"):
        asker()
