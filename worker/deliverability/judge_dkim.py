"""Is the key that we sign with the one that DNS publishes? Pure, given the answers of DNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.deliverability.asking import Ask, Kind
from worker.deliverability.dkim_keys import RSA_BITS, Algorithm, PublicKey, published_key
from worker.deliverability.publishing import Sender, Signature, dkim_record
from worker.deliverability.tags import read_tags
from worker.health import Finding, Health

PART = "dkim"
_LEAST_BITS = 1024  # RFC 8301, 3.2: a shorter key counts for nothing


def judge_dkim(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge every signature that mails get."""
    if not sender.signatures:
        yield _finding(
            Health.NOTE,
            "mail is not signed here, so the relay or provider has to",
            "make a key with `tocsin dkim new`, unless it does",
        )
    for signature in sender.signatures:
        publish = f"publish: {dkim_record(signature).line}"
        findings = [*_of_the_key(signature), *_of_the_record(signature, ask, publish)]
        says = f"{signature.name}: {signature.key.algorithm}, {signature.key.bits} bits, is our key"
        yield from findings or [_finding(Health.WELL, says)]


def _of_the_key(signature: Signature) -> Iterator[Finding]:
    key = signature.key
    if key.algorithm is Algorithm.RSA and key.bits < RSA_BITS:
        health = Health.ILL if key.bits < _LEAST_BITS else Health.NOTE
        says = f"{signature.name}: our key has {key.bits} bits, {RSA_BITS} are wanted"
        yield _finding(health, says, "make a new one with another selector: `tocsin dkim new`")


def _of_the_record(signature: Signature, ask: Ask, publish: str) -> Iterator[Finding]:
    texts = ask(signature.name, Kind.TXT)
    records = [tags for tags in map(read_tags, texts) if tags and "p" in tags]
    if not records:
        says = "holds no DKIM key, but other text" if texts else "is not published: our signatures do not count"
        yield _finding(Health.ILL, f"{signature.name} {says}", publish)
    elif len(records) > 1:
        yield _finding(Health.ILL, f"{signature.name} has {len(records)} keys: which one counts is chance", publish)
    else:
        yield from _of_the_tags(signature, records[0], publish)


def _of_the_tags(signature: Signature, tags: Mapping[str, str], publish: str) -> Iterator[Finding]:
    trouble = _trouble(signature.key, tags)
    if trouble:
        yield _finding(Health.ILL, f"{signature.name} {trouble}", publish)
    elif "y" in tags.get("t", "").split(":"):
        says = f"{signature.name} says t=y, a test: receivers may take our mail for unsigned"
        yield _finding(Health.NOTE, says, publish)


def _trouble(ours: PublicKey, tags: Mapping[str, str]) -> str:
    """Return why no signature of ours holds by this record; "" where one does."""
    algorithm, p = tags.get("k", "rsa"), "".join(tags["p"].split())
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        return 'does not begin with "v=DKIM1"'
    if not p:
        return "is revoked: its p= is empty"
    if algorithm != ours.algorithm:
        return f"is for k={algorithm}, and our key is {ours.algorithm}"
    if "sha256" not in tags.get("h", "sha256").replace(" ", "").split(":"):
        return f"allows h={tags['h']} only, and we sign with sha256"
    if not {"*", "email"} & set(tags.get("s", "*").replace(" ", "").split(":")):
        return f"is for s={tags['s']}, not for email"
    if published_key(algorithm, p) == ours:
        return ""
    if ours.p.startswith(p):
        return f"is cut off after {len(p)} of {len(ours.p)} characters: a long record is several strings"
    return "has another key than the one that mail is signed with"


def _finding(health: Health, says: str, advice: str = "") -> Finding:
    return Finding(part=PART, health=health, says=says, advice=advice)
