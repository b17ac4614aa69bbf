"""Bounces that are written for people: whom they name, and what they say of each.

Mail servers' own words come first, our returned mail after them; a recipient stands in a line of its own shape, and all
recipients of a bounce stand alike. So: cut off what is ours, try the systems that word it in their own way, then the
common shapes, best one first. Pure. `classify` calls it for what is no delivery report.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from worker.feedback.mail.addresses import ADDRESS, addresses, in_return_path, is_machine, normalised
from worker.feedback.mail.dialects import BEHIND_DASHES, DIALECTS, ORIGINAL, A
from worker.feedback.mail.reading import Headers, Letter, headers_of

_QUOTED: Final = re.compile(
    r"^[> \t]{0,4}(received|return-path|message-id|mime-version|date|from|to|subject|dkim-signature|content-type|"
    r"x-[\w-]{2,40}|sender|reply-to)\s?:\s",
    re.IGNORECASE,
)
_TELLING: Final = frozenset({"received", "return-path", "message-id", "mime-version", "dkim-signature", "date"})
_SHAPES: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"^[ \t]*<({ADDRESS})>:?(?=\s|$|[.(])",
        rf"^[\W\d]{{0,12}}{A}[\W]{{0,4}}$",
        rf"^[^\w\n]{{0,8}}{A}[>)\]\"']{{0,2}}\s?(?:\.\.\.|:|;|-|\(|,|\s)",
        rf"RCPT TO:\s?{A}",
        (
            rf"(?:recipients?|rcpt to|to(?: the (?:following )?(?:address|recipient)(?:\(?e?s\)?)?)?|for|addresse?e?s?|"
            rf"users?|mailbox|destinataires?|pour|[aà]|para|an|empfänger(?:adresse)?|"
            rf"destinatari[oa]?s?|получател\w+|адрес\w*|收件人|收件者|宛先|受信者|수신자|받는\s?사람|"
            rf"메일\s?주소)[^\S\n]{{0,2}}[:：=]?\s{{0,4}}{A}"
        ),
        rf"\b[45]\d\d\b[^\n]{{0,80}}?{A}",
    )
)
_WORD: Final = re.compile(r"\w")
_NAME_ALONE: Final = re.compile(r":[ \t]*\n+[ \t]+<?([\w.+-]{1,64})>?[ \t]*$", re.MULTILINE)
_EXPANDED: Final = re.compile(
    rf"[^\n]{{0,200}}\n\s{{0,12}}\(?(?:expanded|generated) from:?\s*<?({ADDRESS})", re.IGNORECASE
)
_MOST: Final = 100
_LONGEST: Final = 1_500


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a bounce says of one recipient; `address` is "" where it names nobody."""

    address: str
    words: str


def spoken(letter: Letter) -> tuple[str, Headers]:
    """Return what the mail server itself wrote, and the headers of our own mail that it quotes, if any."""
    lines = letter.text.split("\n")
    cut = _where_ours_begins(lines)
    marked = _where_ours_is_announced(lines)
    if any("@" in line for line in lines[:marked]):
        cut = min(cut, marked)
    quoted = [line.lstrip("> \t") if _QUOTED.match(line) else line for line in lines[cut : cut + 200]]
    while quoted and not _QUOTED.match(quoted[0]):
        quoted.pop(0)
    head = "\n".join(quoted).partition("\n\n")[0]
    return "\n".join(lines[:cut]), letter.returned or headers_of(head.encode("utf-8", "replace"))


def names_somebody(letter: Letter) -> bool:
    """Tell whether a mail server's words name a recipient in a line of their own kind."""
    text, original = spoken(letter)
    ours = _ours(letter.headers, original)
    return bool(_by_dialect(letter, text, ours)) or any(
        _acceptable(_matches(shape, text), ours) for shape in _SHAPES[:4]
    )


def recipients_in(letter: Letter) -> tuple[Said, ...]:
    """Find whom a bounce is about, each with the words about it. Empty if it names nobody at all."""
    text, original = spoken(letter)
    ours = _ours(letter.headers, original)
    found = _by_dialect(letter, text, ours) or _by_shape(text, ours) or _acceptable(_matches(_SHAPES[0], text), set())
    failed = letter.headers.text("x-failed-recipients")
    if failed:
        listed = dict.fromkeys(map(normalised, addresses(failed)))
        found = [each for each in found if normalised(each[0]) in listed] or [
            (name, text.find(name)) for name in listed
        ]
    found = found or _by_name_alone(letter, text)
    if not found:
        found = [(address, 0) for address in _elsewhere(letter, original, ours)][:1]
    return tuple(_with_words(text, found[:_MOST]))


def _where_ours_begins(lines: list[str]) -> int:
    """Return the line where a block of mail headers begins: three kinds or more, before the next blank line."""
    for number, line in enumerate(lines):
        if not _QUOTED.match(line):
            continue
        block = itertools.takewhile(str.strip, lines[number : number + 14])
        names = {match[1].lower() for each in block if (match := _QUOTED.match(each))}
        if len(names) >= 3 and names & _TELLING and not _is_told(names):
            return number
    return len(lines)


def _where_ours_is_announced(lines: list[str]) -> int:
    """Return the line that says that our mail follows, or the first of the rules and blank lines before it; else 0."""
    found = next((number for number, line in enumerate(lines) if _announces(line)), 0)
    while found and not _WORD.search(lines[found - 1]):
        found -= 1
    return found


def _announces(line: str) -> bool:
    word = _WORD.search(line)
    start = word.start() if word else len(line)
    dashes = line.rfind("--", 0, start)
    return bool(ORIGINAL.match(line, start) or (dashes >= 0 and BEHIND_DASHES.match(line, dashes + 2)))


def _is_told(names: set[str]) -> bool:
    """Tell a summary of our mail in the server's words (To, Subject, Date) from its headers."""
    return names <= {"to", "subject", "date", "from", "message-id"} and len(names) < 4


def _by_dialect(letter: Letter, text: str, ours: set[str]) -> list[tuple[str, int]]:
    signs = (
        f"{letter.headers.text('x-mailer')}\n{letter.headers.text('subject')}\n{letter.headers.text('from')}\n{text}"
    )
    for dialect in DIALECTS:
        if dialect.sign.search(signs):
            named = _matches(dialect.recipient, text)
            if found := _acceptable(((_completed(name, letter), place) for name, place in named), ours):
                return found
    return []


def _by_shape(text: str, ours: set[str]) -> list[tuple[str, int]]:
    for shape in _SHAPES:
        if found := _acceptable(_matches(shape, text), ours):
            return found
    return _acceptable(((address, text.find(address)) for address in addresses(text)), ours)[:1]


def _by_name_alone(letter: Letter, text: str) -> list[tuple[str, int]]:
    """Find a local part that stands alone below a line with a colon: its domain is the mail server's own."""
    match = _NAME_ALONE.search(text)
    name = _completed(match[1], letter) if match else ""
    return [(name, match.start(1))] if match and "@" in name else []


def _completed(name: str, letter: Letter) -> str:
    """Give a bare local part the domain of the mail server that names it."""
    sender = next(filter(is_machine, addresses(letter.headers.text("from"))), "")
    return name if "@" in name or not sender else f"{name}@{sender.rpartition('@')[2]}"


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, int]]:
    for match in pattern.finditer(text):
        place = match.lastindex or 0
        expanded = _EXPANDED.match(text, match.end(place))
        yield (expanded or match)[1 if expanded else place], match.start(place)


def _acceptable(found: Iterable[tuple[str, int]], ours: set[str]) -> list[tuple[str, int]]:
    kept: dict[str, tuple[str, int]] = {}
    for address, place in found:
        key = normalised(address)
        if "@" in key and key not in ours and not is_machine(address):
            kept.setdefault(key, (address, place))
    return list(kept.values())


def _ours(outer: Headers, original: Headers) -> set[str]:
    """Return the addresses that are the sender's, or the mail server's that writes to it."""
    values = [
        value for name in ("from", "to", "delivered-to", "reply-to", "return-path") for value in outer.every(name)
    ]
    values += [original.text(name) for name in ("from", "sender", "return-path", "reply-to", "errors-to")]
    found = {normalised(address) for value in values for address in addresses(value)}
    return found - {normalised(address) for address in addresses(original.text("to"))}


def _elsewhere(letter: Letter, original: Headers, ours: set[str]) -> Iterator[str]:
    """Yield whom it may be about where its text names nobody: by subject, by our return path, by our own To."""
    yield from (each for each in addresses(letter.headers.text("subject")) if normalised(each) not in ours)
    for name in ("delivered-to", "x-original-to", "to"):
        for address in addresses(letter.headers.text(name)):
            if recipient := in_return_path(address):
                yield recipient
    yield from addresses(original.text("x-original-to"))
    told = list(addresses(original.text("to")))
    if len(told) == 1:
        yield from told


def _with_words(text: str, found: list[tuple[str, int]]) -> Iterator[Said]:
    """Give each recipient the lines from its own to the next one's."""
    starts = [text.rfind("\n", 0, max(place, 0)) + 1 for _, place in found]
    for (address, _), start in zip(found, starts, strict=True):
        end = min((other for other in starts if other > start), default=len(text))
        yield Said(address=address, words=text[start:end][:_LONGEST])
