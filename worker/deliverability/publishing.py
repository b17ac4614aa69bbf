"""Who sends, as DNS must know it, and the records that say so: what to publish before the first mail. Pure.

Advice of `tocsin doctor` and the lines of `tocsin dkim records` are the same records, made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from worker.deliverability.asking import Kind
from worker.deliverability.dkim_keys import PublicKey

_STRING_OCTETS: Final = 255  # RFC 1035, 3.3.14: a text is made of strings of this length


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """One DKIM signature on every mail."""

    domain: str
    selector: str
    key: PublicKey

    @property
    def name(self) -> str:
        """Where its key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """The names that an installation sends under.

    `relays` are the hosts of its SMTP relays, this machine left out; `providers` the names of other ways out, which
    send from machines and with envelopes of their own.
    """

    from_domain: str
    bounce_domain: str
    signatures: tuple[Signature, ...] = ()
    relays: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    by_smtp: bool = True  # in envelopes of our own, and be it to a relay on this machine

    @property
    def sends(self) -> bool:
        """Whether mail leaves the house at all: the local inbox keeps what it gets."""
        return self.by_smtp or bool(self.providers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A record to publish. `value` is unquoted; `why` is for whoever administers the domain."""

    name: str
    kind: Kind
    value: str
    why: str

    @property
    def line(self) -> str:
        """The record as a zone file has it; a long text in several strings, which receivers join without a space.

        >>> Record(name="courier.org", kind=Kind.TXT, value="v=spf1 mx ~all", why="").line
        'courier.org. IN TXT "v=spf1 mx ~all"'
        """
        starts = range(0, len(self.value), _STRING_OCTETS)
        strings = " ".join(f'"{self.value[start : start + _STRING_OCTETS]}"' for start in starts)
        return f"{self.name}. IN {self.kind} {strings if self.kind is Kind.TXT else self.value}"


def wanted(sender: Sender) -> Iterator[Record]:
    """Yield every record that an installation wants."""
    yield spf_record(sender)
    yield from map(dkim_record, sender.signatures)
    yield dmarc_record(sender.from_domain)
    yield bounce_record(sender.bounce_domain)


def spf_record(sender: Sender) -> Record:
    """Return the record by which our relays may send."""
    terms = [_spf_term(host) for host in sender.relays] or ["mx"]
    if sender.providers:
        why = f"who may send; {', '.join(sender.providers)} may name an include: of its own, put it before ~all"
    else:
        why = "who may send; add what else sends for this domain, such as the newsroom's own mail, before ~all"
    return Record(name=sender.bounce_domain, kind=Kind.TXT, value=f"v=spf1 {' '.join(terms)} ~all", why=why)


def dkim_record(signature: Signature) -> Record:
    """Return the record that publishes a signature's key."""
    return Record(
        name=signature.name, kind=Kind.TXT, value=signature.key.record, why="the key that mail is signed with"
    )


def dmarc_record(domain: str) -> Record:
    """Return a first policy: nothing is refused, and reports come in."""
    value = f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
    return Record(
        name=f"_dmarc.{domain}", kind=Kind.TXT, value=value, why="the policy; p=quarantine once reports are clean"
    )


def bounce_record(domain: str) -> Record:
    """Return the record by which bounces find back. Its server cannot be known here."""
    return Record(name=domain, kind=Kind.MX, value=f"10 mail.{domain}.", why="the server that takes your returned mail")


def _spf_term(host: str) -> str:
    try:
        return f"ip{ip_address(host).version}:{host}"
    except ValueError:
        return f"a:{host}"
