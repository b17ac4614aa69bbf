"""SPF (RFC 7208): reads a record, counts what it costs a receiver, and finds whether it lets an address send. Pure.

Written for our own records, not for judging strangers' mail: macros are counted and not expanded, `ptr` never matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

from worker.deliverability.asking import Ask, Kind, addresses

MOST_LOOKUPS: Final = 10  # 4.6.4: beyond it, a receiver gives the record up (permerror)
MOST_VOIDS: Final = 2
_GIVEN_UP: Final = 60  # a record that costs that much is told so without being walked to its end
_ASKING: Final = frozenset({"include", "a", "mx", "ptr", "exists"})
_SILENT: Final = frozenset({"all", "ip4", "ip6"})
_TERM: Final = re.compile(r"([+\-~?]?)([a-z][a-z0-9_.-]*)(?:([:=/])(.*))?", re.IGNORECASE)
_AIM: Final = re.compile(r"([^/]*)(?:/(\d{1,2}))?(?://(\d{1,3}))?")  # domain/prefix//prefix of IPv6 addresses

Address: TypeAlias = IPv4Address | IPv6Address


class Verdict(StrEnum):
    """What a record says of an address (2.6)."""

    PASS = "pass"  # noqa: S105  no password, but the word of the RFC
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"


_VERDICTS: Final = {"+": Verdict.PASS, "-": Verdict.FAIL, "~": Verdict.SOFTFAIL, "?": Verdict.NEUTRAL}


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A mechanism, or one of the modifiers `redirect` and `exp`. `value` has a prefix length only of ip4 and ip6."""

    name: str
    value: str = ""
    qualifier: str = "+"
    prefix4: int = 32
    prefix6: int = 128

    @property
    def asks(self) -> bool:
        """Whether a receiver has to ask DNS for it."""
        return self.name in _ASKING or self.name == "redirect"

    @property
    def has_macro(self) -> bool:
        """Whether its value depends on the message."""
        return "%" in self.value


@dataclass(slots=True)
class Walk:
    """What reading a record to its end came to, all that it includes with it. `faults` each end in permerror."""

    lookups: int = 0
    voids: int = 0
    faults: list[str] = field(default_factory=list)


def spf_records(texts: Sequence[str]) -> list[str]:
    """Return those of a name's texts that are SPF records.

    >>> spf_records(["v=spf1 -all", "v=spf10 -all", "google-site-verification=7ub"])
    ['v=spf1 -all']
    """
    return [text for text in texts if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]


def read_terms(record: str) -> tuple[list[Term], list[str]]:
    """Return a record's terms and, of the words that are none, what is wrong.

    >>> read_terms("v=spf1 inlcude:_spf.courier.org -all")[1]
    ['"inlcude:_spf.courier.org" is no SPF term']
    """
    terms, faults = [], []
    for word in record.split()[1:]:
        term = _read_term(word)
        if isinstance(term, Term):
            terms.append(term)
        elif term:
            faults.append(term)
    return terms, faults


def _read_term(word: str) -> Term | str | None:
    found = _TERM.fullmatch(word)
    if not found:
        return f'"{word}" is no SPF term'
    qualifier, name, sign, value = found[1] or "+", found[2].lower(), found[3] or "", found[4] or ""
    if sign == "=":  # a modifier; unknown ones are ignored (6)
        return Term(name=name, value=value) if name == "redirect" else None
    if name not in _ASKING | _SILENT:
        return f'"{word}" is no SPF term'
    if name in {"ip4", "ip6"}:
        return Term(name=name, value=value, qualifier=qualifier) if _is_network(value) else f'"{word}" has no address'
    aim = _AIM.fullmatch({":": value, "/": f"/{value}", "": ""}[sign])
    four, six = int((aim and aim[2]) or 32), int((aim and aim[3]) or 128)
    if not aim or four > 32 or six > 128:
        return f'"{word}" has no readable prefix length'
    if name in {"include", "exists"} and not aim[1]:
        return f'"{word}" names no domain'
    return Term(name=name, value=aim[1], qualifier=qualifier, prefix4=four, prefix6=six)


def ending(record: str) -> Term | None:
    """Return what a record says of everybody else: its `all`, else its redirect, else None."""
    terms, _ = read_terms(record)
    by_name = {term.name: term for term in reversed(terms)}
    return by_name.get("all") or by_name.get("redirect")


def walk(domain: str, record: str, ask: Ask) -> Walk:
    """Read a record as the most patient receiver would: every term, and every term of what it includes."""
    walked = Walk()
    _walk(domain, record, ask, walked, path=(domain.lower(),))
    if walked.voids > MOST_VOIDS:
        walked.faults.append(f"{walked.voids} of its lookups find nothing; receivers allow {MOST_VOIDS}")
    return walked


def _walk(domain: str, record: str, ask: Ask, walked: Walk, path: tuple[str, ...]) -> None:
    terms, faults = read_terms(record)
    walked.faults += faults
    for term in _effective(terms):
        walked.lookups += term.asks
        if not term.asks or term.has_macro or walked.lookups > _GIVEN_UP:
            continue
        if term.name in {"include", "redirect"}:
            _walk_into(term, ask, walked, path)
        elif term.name == "mx":
            hosts = ask(term.value or domain, Kind.MX)
            walked.voids += not hosts
            if len(hosts) > MOST_LOOKUPS:
                walked.faults.append(
                    f"mx:{term.value or domain} has {len(hosts)} servers; receivers ask {MOST_LOOKUPS}"
                )
        elif term.name == "a":
            walked.voids += not addresses(term.value or domain, ask)


def _walk_into(term: Term, ask: Ask, walked: Walk, path: tuple[str, ...]) -> None:
    target = term.value.lower().rstrip(".")
    if target in path:
        walked.faults.append(f"{term.name} {target} leads back to itself")
        return
    texts = ask(target, Kind.TXT)
    walked.voids += not texts
    records = spf_records(texts)
    if len(records) == 1:
        _walk(target, records[0], ask, walked, (*path, target))
    else:
        walked.faults.append(f"{term.name} {target} has {len(records) or 'no'} SPF records, where one is wanted")


def verdict(domain: str, address: str, ask: Ask, depth: int = 0) -> Verdict:
    """Return what a domain's record says of an address; NONE also where it has no record that can be used."""
    records = spf_records(ask(domain, Kind.TXT))
    if len(records) != 1 or depth > MOST_LOOKUPS:
        return Verdict.NONE
    terms, _ = read_terms(records[0])
    for term in _effective(terms):
        if term.name == "redirect":
            return verdict(term.value, address, ask, depth + 1)
        if _matches(term, domain, ip_address(address), ask, depth):
            return _VERDICTS[term.qualifier]
    return Verdict.NEUTRAL


def _effective(terms: list[Term]) -> Iterator[Term]:
    """Yield what counts: nothing behind `all`, and a redirect last and only where there is no `all` (6.1)."""
    for term in terms:
        if term.name != "redirect":
            yield term
        if term.name == "all":
            return
    yield from (term for term in terms if term.name == "redirect")


def _matches(term: Term, domain: str, address: Address, ask: Ask, depth: int) -> bool:
    target = term.value or domain
    if term.name == "all":
        return True
    if term.name in {"ip4", "ip6"}:
        return address in ip_network(term.value, strict=False)
    if term.has_macro or term.name == "ptr":
        return False
    if term.name == "include":
        return verdict(target, str(address), ask, depth + 1) is Verdict.PASS
    if term.name == "exists":
        return bool(ask(target, Kind.A))
    hosts = ask(target, Kind.MX)[:MOST_LOOKUPS] if term.name == "mx" else (target,)
    prefix = term.prefix4 if address.version == 4 else term.prefix6
    kind = Kind.A if address.version == 4 else Kind.AAAA
    return any(address in ip_network(f"{one}/{prefix}", strict=False) for host in hosts for one in ask(host, kind))


def _is_network(value: str) -> bool:
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True
