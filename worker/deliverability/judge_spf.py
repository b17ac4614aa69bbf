"""Is our SPF record one that receivers can use, and does it let our relays send? Pure, given the answers of DNS."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from worker.deliverability.asking import Ask, Kind, addresses
from worker.deliverability.publishing import Sender, spf_record
from worker.deliverability.spf import MOST_LOOKUPS, Verdict, ending, spf_records, verdict, walk
from worker.health import Finding, Health

PART = "spf"


def judge_spf(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge the record of the bounce domain, which is the one that receivers ask for (RFC 7208, 2.4)."""
    domain = sender.bounce_domain
    records = spf_records(ask(domain, Kind.TXT))
    if not records:
        yield _finding(Health.ILL, f"{domain} has no SPF record", f"publish: {spf_record(sender).line}")
    elif len(records) > 1:
        told = " and ".join(f'"{record}"' for record in records)
        yield _finding(Health.ILL, f"{domain} has {len(records)} SPF records: none counts", f"make one of {told}")
    else:
        findings = [*_of_the_record(domain, records[0], ask)]
        if not any(finding.health is Health.ILL for finding in findings):  # else receivers do not even get that far
            findings += _of_the_relays(sender, ask)
        yield from findings or [_well(domain, records[0], ask)]


def _well(domain: str, record: str, ask: Ask) -> Finding:
    return _finding(Health.WELL, f"{domain}: {walk(domain, record, ask).lookups} of {MOST_LOOKUPS} lookups, {record}")


def _of_the_record(domain: str, record: str, ask: Ask) -> Iterator[Finding]:
    walked = walk(domain, record, ask)
    for fault in walked.faults:
        yield _finding(Health.ILL, f"{domain}: {fault}", f'mend "{record}": receivers take it for no record at all')
    if walked.lookups > MOST_LOOKUPS:
        says = f"{domain}: a receiver needs {walked.lookups} lookups for its record and gives up after {MOST_LOOKUPS}"
        yield _finding(Health.ILL, says, "drop includes that no longer send, or write ip4: and ip6: in their place")
    last = ending(record)
    if last is None or (last.name == "all" and last.qualifier == "?"):
        yield _finding(Health.NOTE, f"{domain}: its record says nothing of others", f'end it in "~all": {record}')
    elif last.name == "all" and last.qualifier == "+":
        yield _finding(Health.ILL, f"{domain}: +all lets everybody send in its name", 'end the record in "~all"')


def _of_the_relays(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge the relays' own addresses; a relay may send from others, so what does not pass is only worth a look."""
    for relay in sender.relays:
        for address in _addresses_of(relay, ask):
            found = verdict(sender.bounce_domain, address, ask)
            if ip_address(address).is_global and found is not Verdict.PASS:
                name = relay if relay == address else f"{relay} ({address})"
                says = f"{sender.bounce_domain}: the relay {name} does not pass: {found}"
                yield _finding(
                    Health.NOTE, says, f"if mail leaves from there, add ip{ip_address(address).version}:{address}"
                )


def _addresses_of(host: str, ask: Ask) -> tuple[str, ...]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return addresses(host, ask) if "." in host else ()  # a bare name is known on this machine only


def _finding(health: Health, says: str, advice: str = "") -> Finding:
    return Finding(part=PART, health=health, says=says, advice=advice)
