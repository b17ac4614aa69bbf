"""DMARC (RFC 9989): finds the policy of a domain and where its organisation ends, by walking up the tree. Pure.

The walk needs no list of public suffixes, and receivers that still use one come to the same answer wherever nobody
publishes a policy for a public suffix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from worker.deliverability.asking import Ask, Kind
from worker.deliverability.names import tree
from worker.deliverability.tags import read_tags


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A record and the domain at which it stands."""

    domain: str
    tags: Mapping[str, str]

    def policy_for(self, domain: str) -> str:
        """Return what is asked of receivers: none, quarantine or reject."""
        own = self.tags.get("p", "none")
        return own if domain == self.domain else self.tags.get("sp", own)


def dmarc_records(domain: str, ask: Ask) -> list[str]:
    """Return the texts at a domain's `_dmarc` that claim to be a policy."""
    return [text for text in ask(f"_dmarc.{domain}", Kind.TXT) if text.replace(" ", "").startswith("v=DMARC1")]


def policy_at(domain: str, ask: Ask) -> Policy | None:
    """Return the policy that stands exactly there; several count for none (4.10)."""
    records = dmarc_records(domain, ask)
    tags = read_tags(records[0]) if len(records) == 1 else None
    return Policy(domain=domain, tags=tags) if tags and tags["v"] == "DMARC1" else None


def policy_of(domain: str, ask: Ask) -> Policy | None:
    """Return the policy that holds for a domain: its own, else its organisation's."""
    return policy_at(domain, ask) or policy_at(organisation(domain, ask), ask)


def organisation(domain: str, ask: Ask) -> str:
    """Return the organisational domain (4.10.2): the highest with a policy, where nobody says otherwise by psd=."""
    found, below = domain, domain
    for name in tree(domain):
        policy = policy_at(name, ask)
        if policy and policy.tags.get("psd") == "y" and name != domain:
            return below
        if policy:
            found = name
            if policy.tags.get("psd") == "n":
                return found
        below = name
    return found


def aligned(domain: str, other: str, ask: Ask, *, strict: bool) -> bool:
    """Tell whether two domains belong together, as adkim= and aspf= ask for."""
    return domain == other or (not strict and organisation(domain, ask) == organisation(other, ask))
