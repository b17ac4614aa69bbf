"""Checks a mail's links: what can be seen of them, and what their servers have answered. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from worker.preflight.findings import Check, Finding, ok, problem, unchecked, warning
from worker.preflight.links import Answer, Trouble, host_of, is_reserved, links_of, pictures_of, without_fragment
from worker.preflight.mail import Mail

_TOLD: Final = 5  # addresses in one finding
_MAILBOX: Final = re.compile(r"mailto:[^\s@?,]+@[^\s@?,]+\.[^\s@?,]+(\?.*)?", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?:tel|sms):\+?[0-9][0-9().\- ]{2,24}(?:[;?].*)?", re.IGNORECASE)
# What a link carries along when somebody copies it out of a mail or an app of theirs: it tells of them.
_CLIPBOARD: Final = re.compile(
    "fbclid|gclid|dclid|msclkid|mc_eid|mc_cid|igshid|yclid|_hsenc|_hsmi|vero_id|mkt_tok|oly_enc_id|wickedid"
)
_SECRETS: Final = frozenset(
    ["access_token", "api_key", "apikey", "password", "passwd", "secret", "sessionid", "session_id", "jsessionid"]
)
_REFUSALS: Final = frozenset({401, 403, 405, 406, 429, 451, 999})


def check_links(mail: Mail, answers: Mapping[str, Answer] | None) -> Iterator[Finding]:
    """Check every link; `answers` by address, without its fragment, or None where nobody was asked."""
    found = [*_seen(mail), *_unnamed(mail), *(_answered(mail, answers) if answers is not None else ())]
    yield from found
    if answers is None:
        yield unchecked(Check.LINKS, "no server was asked", "run it without --offline")
    elif not found:
        asked = [url for url in links_of(mail) if (answer := answers.get(without_fragment(url))) and answer.status]
        yield ok(Check.LINKS, f"{len(asked)} of {len(links_of(mail))} distinct links were asked, and answer")


def broken(answer: Answer) -> str:
    """Return how an address is broken, for certain; "" where it is not, or nobody can tell.

    >>> broken(Answer(status=404)), broken(Answer(status=503))
    ('answers 404', '')
    """
    if answer.status in {404, 410}:
        return f"answers {answer.status}"
    return "" if answer.trouble is not Trouble.REDIRECTS else "redirects in a circle, or too often"


def doubtful(answer: Answer) -> str:
    """Return why nobody can tell whether an address works; "" where it does, or certainly not."""
    if answer.status is not None and answer.status >= 400 and not broken(answer):
        often = ": robots are often refused, look yourself" if answer.status in _REFUSALS else ""
        return f"answers {answer.status}{often}"
    if answer.trouble in {Trouble.SILENT, Trouble.UNREACHABLE}:
        return answer.says or str(answer.trouble)
    return ""


def grouped(mine: Mapping[str, Answer]) -> Mapping[tuple[str, str], list[str]]:
    """Group addresses by what is to be said of them: (kind, words) to addresses."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for url, answer in mine.items():
        if said := broken(answer):
            groups["broken", said].append(url)
        elif said := doubtful(answer):
            groups["doubtful", said].append(url)
        elif answer.trouble in {Trouble.PRIVATE, Trouble.NO_TIME}:
            groups["unasked", str(answer.trouble)].append(url)
    return groups


def some(urls: list[str]) -> str:
    """Name a few addresses."""
    more = f" and {len(urls) - _TOLD} more" if len(urls) > _TOLD else ""
    return ", ".join(url[:200] for url in urls[:_TOLD]) + more


def _answered(mail: Mail, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    pictures = {without_fragment(url) for url in pictures_of(mail)}
    mine = {url: answer for url, answer in answers.items() if url not in pictures}
    for (kind, said), urls in grouped(mine).items():
        if kind == "broken":
            advice = "mend it in the article, or drop the story: `tocsin editions choose`"
            yield problem(Check.LINKS, f"{some(urls)} {said}", advice, is_breakage=True)
        elif kind == "doubtful":
            yield warning(Check.LINKS, f"{some(urls)} {said}", "open it in a browser")
        else:
            yield unchecked(Check.LINKS, f"{some(urls)}: {said}", _why_unasked(said))


def _why_unasked(said: str) -> str:
    if said == Trouble.PRIVATE:
        return "readers elsewhere cannot open it either; TOCSIN_ALLOW_PRIVATE lets it be asked"
    return "run it again, or look yourself"


def _seen(mail: Mail) -> Iterator[Finding]:
    """Yield what is wrong with addresses as they are written."""
    groups: dict[str, list[str]] = defaultdict(list)
    for url in links_of(mail):
        for fault in _faults(mail, url):
            groups[fault].append(url)
    for fault, urls in groups.items():
        found = f"{fault}: {some([_redacted(url) for url in urls])}"
        advice, harms = _ADVICE[fault]
        if fault in _MILD:
            yield warning(Check.LINKS, found, advice)
        else:
            yield problem(Check.LINKS, found, advice, harms=harms)


_CREDENTIALS: Final = "a link with a password"
_BETRAYED: Final = "a link with a secret in it"
_CLIPPED: Final = "a link with somebody's own tracking"
_SCHEME: Final = "a link that mail clients take out"
_BAD_MAILBOX: Final = "no address of a mailbox"
_BAD_PHONE: Final = "no telephone number"
_NO_HOST: Final = "no address on the web"
_PLAIN: Final = "http, not https"
_NOWHERE: Final = "a domain that nobody has"
_MACHINE: Final = "an address that only this network knows"
_FRAGMENT: Final = "a place that is not in the mail"
_ADVICE: Final[Mapping[str, tuple[str, bool]]] = {
    _CREDENTIALS: ("take the name and password out of the address: every reader would have them", True),
    _BETRAYED: ("take the key out of the address: every reader would have it", True),
    _CLIPPED: ("cut it off behind the ?: it came along when the link was copied (utm_ is fine)", False),
    _SCHEME: ("link to a web address, a mailbox (mailto:) or a telephone (tel:)", False),
    _BAD_MAILBOX: ("write mailto:name@domain", False),
    _BAD_PHONE: ("write tel: and the number with its country, such as tel:+4420…", False),
    _NO_HOST: ("write it in full, with https:// and the domain: a mail has no page to be relative to", False),
    _PLAIN: ("use https where the server has it: browsers warn of the other", False),
    _NOWHERE: ("put the real address there", False),
    _MACHINE: ("put the public address there; for our own pages that is TOCSIN_BASE_URL", False),
    _FRAGMENT: ("give the place an id, or drop the link", False),
}  # fmt: skip
_MILD: Final = frozenset({_CLIPPED, _PLAIN, _NOWHERE, _MACHINE, _FRAGMENT})


def _faults(mail: Mail, url: str) -> Iterator[str]:
    if url.startswith("#"):
        if len(url) > 1 and url[1:] not in mail.page.anchors:
            yield _FRAGMENT
        return
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        yield _NO_HOST
        return
    if fault := _of_scheme(url, parts.scheme.lower(), parts.hostname or ""):
        yield fault
    elif parts.hostname and not mail.is_personal(url):
        yield from _on_the_web(url)


def _of_scheme(url: str, scheme: str, host: str) -> str:
    match scheme:
        case "mailto":
            return "" if _MAILBOX.fullmatch(url) else _BAD_MAILBOX
        case "tel" | "sms":
            return "" if _PHONE.fullmatch(url) else _BAD_PHONE
        case "http" | "https" if host:
            return ""
        case "" | "http" | "https":
            return _NO_HOST
        case _:
            return _SCHEME


def _on_the_web(url: str) -> Iterator[str]:
    parts, host = urlsplit(url), host_of(url)
    names = {name.lower() for name, value in parse_qsl(parts.query) if value}
    if parts.username or parts.password:
        yield _CREDENTIALS
    if names & _SECRETS:
        yield _BETRAYED
    if any(map(_CLIPBOARD.fullmatch, names)):
        yield _CLIPPED
    if _is_of_this_network(host):
        yield _MACHINE
    elif is_reserved(host):
        yield _NOWHERE
    elif parts.scheme.lower() == "http":
        yield _PLAIN


def _is_of_this_network(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return False


def _unnamed(mail: Mail) -> Iterator[Finding]:
    dumb = [link.url for link in mail.page.links if not link.words]
    if dumb:
        advice = "give each link words, or its picture an alt: a screen reader spells the address out"
        yield warning(Check.LINKS, f"links without words: {some([_redacted(url) for url in dumb])}", advice)
    empty = sum(1 for link in mail.page.links if not link.url)
    if empty:
        yield problem(Check.LINKS, f"{empty} links lead nowhere: their href is empty", "mend the template")


def _redacted(url: str) -> str:
    """Leave a password out of what is printed, stored and logged."""
    hidden = re.sub(r"(?<=//)[^/@\s]*@", "…@", url)
    return re.sub(rf"(?i)\b({'|'.join(sorted(_SECRETS))})=[^&#]*", r"\1=…", hidden)
