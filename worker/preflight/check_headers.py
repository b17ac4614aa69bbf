"""Checks header fields that receivers ask of bulk mail, and that readers can leave: RFC 8058, 2369, 2919, 6376. Pure.

What DNS says of our signatures is `deliverability`'s; here it is only whether the message has them and what they cover.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from worker.health import Finding as Examined
from worker.health import Health
from worker.preflight.findings import Check, Finding, Mark, ok, or_ok, problem, unchecked, warning
from worker.preflight.mail import Mail

_COVERED: Final = ("from", "to", "subject", "date", "message-id", "feedback-id")
_COVERED_OF_LISTS: Final = ("list-id", "list-unsubscribe", "list-unsubscribe-post")
_MARKS: Final = {
    Health.WELL: Mark.OK,
    Health.NOTE: Mark.WARNING,
    Health.ILL: Mark.PROBLEM,
    Health.UNCHECKED: Mark.UNCHECKED,
}


def check_unsubscribe(mail: Mail) -> Iterator[Finding]:
    """Check that one click, and a link in both parts, end what a mail comes from."""
    if not mail.is_of_a_list:
        yield ok(Check.UNSUBSCRIBE, f"a {mail.kind} mail is of no list: nothing to leave")
        return
    yield from or_ok(
        _ways_out(mail), Check.UNSUBSCRIBE, "one click by header, List-Id, and a link in the HTML and in the text"
    )


def check_address(mail: Mail) -> Iterator[Finding]:
    """Check that the sender's postal address stands in both parts: CAN-SPAM and others ask for it."""
    wanted = _plain(mail.postal_address)
    if not wanted:
        advice = "set TOCSIN_POSTAL_ADDRESS: the law of many countries wants it in every newsletter"
        yield problem(Check.ADDRESS, "there is none", advice)
        return
    faces = (("the HTML", " ".join(mail.page.said)), ("the text part", mail.text))
    missing = [name for name, words in faces if wanted not in _plain(words)]
    findings = [
        problem(Check.ADDRESS, f"{name} does not show it", "let the template print newsroom.postal_address")
        for name in missing
    ]
    yield from or_ok(findings, Check.ADDRESS, mail.postal_address)


def check_signature(mail: Mail) -> Iterator[Finding]:
    """Check that the message is signed where keys are set, and that each signature covers what receivers ask for."""
    fields = [str(value) for value in mail.headers.get_all("DKIM-Signature", [])]
    if not mail.signers:
        advice = "`tocsin dkim new` makes a key, unless it does; docs/sending.md says how it is published"
        yield unchecked(Check.SIGNATURE, "no key is set here, so the relay or provider has to sign", advice)
        return
    if len(fields) < len(mail.signers):
        yield problem(
            Check.SIGNATURE,
            f"keys are set, and the message has {len(fields)} of {len(mail.signers)} signatures",
            "report this: a message of ours always has them",
            harms=True,
        )
        return
    says = ", ".join(f"{tags.get('d', '')} by {tags.get('a', '')}" for tags in map(_tags, fields))
    yield from or_ok(_gaps(mail, fields), Check.SIGNATURE, f"signed for {says}; all that is asked for is covered")


def check_dns(examined: Iterable[Examined] | None) -> Iterator[Finding]:
    """Say what `deliverability` has found in DNS; None where nobody was asked. DNS never holds an issue."""
    if examined is None:
        yield unchecked(Check.DNS, "SPF, DKIM and DMARC were not asked for", "run it without --offline")
        return
    for one in examined:
        # What nobody could be asked is no problem of the mail's, and a bad record is the domain's: it holds nothing.
        yield Finding(check=Check.DNS, mark=_MARKS[one.health], found=f"{one.part}: {one.says}", advice=one.advice)


def _ways_out(mail: Mail) -> Iterator[Finding]:
    report = "report this: the header is Tocsin's own"
    first, *_ = [part.strip() for part in str(mail.headers.get("List-Unsubscribe", "")).split(",")]
    if not re.fullmatch(r"<https?://[^\s<>]+>", first):
        yield problem(Check.UNSUBSCRIBE, "List-Unsubscribe does not begin with a web address", report, harms=True)
    elif first.startswith("<http:"):
        advice = "set TOCSIN_BASE_URL to an https address: RFC 8058 wants one, and Gmail shows no button without"
        yield warning(Check.UNSUBSCRIBE, "List-Unsubscribe is http, not https", advice)
    if str(mail.headers.get("List-Unsubscribe-Post", "")).strip() != "List-Unsubscribe=One-Click":
        yield problem(Check.UNSUBSCRIBE, "List-Unsubscribe-Post is missing", report, harms=True)
    if not re.search(r"<[^\s<>]+>", str(mail.headers.get("List-Id", ""))):
        yield problem(Check.UNSUBSCRIBE, "List-Id is missing", report)
    way = f"{mail.base_url}/unsubscribe/"
    advice = "let the template show hole.unsubscribe_url: its readers cannot leave otherwise"
    if not any(link.url.startswith(way) for link in mail.page.links):
        yield problem(Check.UNSUBSCRIBE, "the HTML has no link to unsubscribe", advice, harms=True)
    if way not in mail.text:
        yield problem(Check.UNSUBSCRIBE, "the text part has no link to unsubscribe", advice, harms=True)


def _gaps(mail: Mail, fields: Iterable[str]) -> Iterator[Finding]:
    wanted = {*_COVERED, *(_COVERED_OF_LISTS if mail.is_of_a_list else ())}
    sender = str(mail.headers.get("From", "")).rpartition("@")[2].strip(" >").lower()
    aligned = False
    for tags in map(_tags, fields):
        covered = {name.strip().lower() for name in tags.get("h", "").split(":")}
        aligned = aligned or tags.get("d", "").lower().split(".")[-2:] == sender.split(".")[-2:]
        if missing := sorted(wanted - covered):
            found = f"the signature by {tags.get('a', '?')} leaves out {', '.join(missing)}"
            yield problem(Check.SIGNATURE, found, "report this: it covers every field of ours")
    if not aligned:
        advice = "set TOCSIN_DKIM_DOMAIN to the domain of the newsletter's sender, or the sender to ours"
        yield problem(Check.SIGNATURE, f"none speaks for {sender}, the domain in From: DMARC fails", advice)


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
