"""Can bounces come back, and can anybody answer? Pure, given the answers of DNS."""

from __future__ import annotations

from collections.abc import Iterator

from worker.deliverability.asking import Ask, Kind, addresses
from worker.deliverability.publishing import Sender, bounce_record
from worker.health import Finding, Health

PART = "bounces"


def judge_bounces(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge whether mail finds its way to the bounce domain, and to the From domain where that is another."""
    for domain in dict.fromkeys((sender.bounce_domain, sender.from_domain)):
        yield _way_to(domain, ask)


def _way_to(domain: str, ask: Ask) -> Finding:
    publish = f"publish: {bounce_record(domain).line}"
    hosts = ask(domain, Kind.MX)
    if hosts == ("",):
        return _finding(Health.ILL, f"{domain} says by its MX that it takes no mail (RFC 7505)", publish)
    lost = [host for host in hosts if not addresses(host, ask)]
    if hosts and len(lost) == len(hosts):
        return _finding(Health.ILL, f"{domain}: its MX {', '.join(lost)} has no address", publish)
    if lost:
        return _finding(Health.NOTE, f"{domain}: its MX {', '.join(lost)} has no address", "mend or drop it")
    if hosts:
        return _finding(Health.WELL, f"{domain}: mail to it goes to {', '.join(hosts)}")
    if addresses(domain, ask):
        return _finding(Health.NOTE, f"{domain} has no MX, so mail to it goes to its web server, if at all", publish)
    return _finding(Health.ILL, f"no mail finds its way to {domain}: it has neither MX nor address", publish)


def _finding(health: Health, says: str, advice: str = "") -> Finding:
    return Finding(part=PART, health=health, says=says, advice=advice)
