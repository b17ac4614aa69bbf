"""A mail of Google Alerts: who it is really from, and the articles that it names, at their publishers' own addresses.

Pure: bytes in, a value out; never raises for what a mail holds. nh3 parses the HTML as a browser does and writes it
again with only the elements and attributes that are asked for; patterns are used on that output alone. What microdata
lacks is taken from the JSON that Google adds for mail programs. Called by `intake.run_alert_mails`.
"""

from __future__ import annotations

import email
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import nh3

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.errors import printable
from worker.model import ParsedArticle

SENDER: Final = "googlealerts-noreply@google.com"
MOST_ITEMS: Final = 100

_MOST_PARTS: Final = 8  # Google's have one boundary; each one more has the parser look at each line once more
_MOST_CHARS: Final = 300_000  # a mail of a hundred items has a third of that
_LONGEST_NAME: Final = 200
_CHARSETS: Final = frozenset({"utf-8", "us-ascii", "iso-8859-1", "windows-1252"})
# One address and a name at most: no list, no comment, no quotes in which another address might hide.
_FROM: Final = re.compile(
    r'(?:"[^"<>@\\]*"|[^"<>@,;:()\\]*)\s*<' + re.escape(SENDER) + ">|" + re.escape(SENDER), re.IGNORECASE
)
_GOOGLE: Final = re.compile(r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}", re.IGNORECASE)
_CLEANER: Final = nh3.Cleaner(
    tags={"a", "span", "div", "td", "tr", "script"},
    clean_content_tags={"style", "svg", "title"},
    attributes={"a": {"href"}, "script": {"data-scope"}, **{tag: {"itemprop"} for tag in ("span", "div", "td", "tr")}},
    link_rel=None,
)
_TOKEN: Final = re.compile(r'<(/?)(a|span|div|td|tr|script)((?: [\w-]+="[^"]*")*)>|([^<]+)')
_ATTRIBUTE: Final = re.compile(r' ([\w-]+)="([^"]*)"')
_QUOTED_OR_COMMENT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()"\\]|\\[^"])*\)')
_SIGNED: Final = re.compile(r"\sheader\.(?:d=|i=@)google\.com(?:\s|$)", re.IGNORECASE)
_PASSED: Final = re.compile(r"\s*dkim\s*=\s*pass\b", re.IGNORECASE)


class MailKind(StrEnum):
    """What a mail in the mailbox of alerts is."""

    ALERT = "alert"
    UNPROVEN = "unproven"  # says to be an alert, and its own server did not find Google's signature
    EMPTY = "empty"  # an alert in which no article is found
    LIST = "list"  # a mailing list's
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertMail:
    """A mail as it was understood. `articles` are in its order, each address once; none but in an alert."""

    kind: MailKind
    articles: tuple[ParsedArticle, ...] = ()
    list_id: str = ""


@dataclass(kw_only=True, slots=True)
class _Item:
    title: str = ""
    source: str = ""
    summary: str = ""


@dataclass(kw_only=True, slots=True)
class _Page:
    items: dict[str, _Item] = field(default_factory=dict)
    script: str = ""


def read_alert(data: bytes) -> AlertMail:
    """Read a mail of at most a megabyte or so."""
    head = _message(re.split(rb"\r?\n\r?\n", data[:65_536], maxsplit=1)[0] + b"\n\n")
    if not _is_from_google(head):
        list_id = plain.one_line(str(head.get("List-Id", "")), _LONGEST_NAME)
        return AlertMail(kind=MailKind.LIST if list_id else MailKind.OTHER, list_id=printable(list_id))
    if not is_proven(head.get_all("Authentication-Results", [])):
        return AlertMail(kind=MailKind.UNPROVEN)
    markup = "" if data.lower().count(b"boundary=") > _MOST_PARTS else _html_of(_message(data))
    articles = tuple(_articles(markup[:_MOST_CHARS], str(head.get("Date", ""))))
    return AlertMail(kind=MailKind.ALERT if articles else MailKind.EMPTY, articles=articles)


def is_proven(results: list[str]) -> bool:
    """Tell whether the receiving server found Google's signature (RFC 8601); where it says nothing, nothing is asked.

    The topmost header counts: a server puts its own above whatever the mail has brought along.

    >>> is_proven(["mx.example; spf=pass; dkim=pass (2048-bit) header.d=google.com header.s=2025"])
    True
    >>> is_proven(["mx.example; dkim=fail header.d=google.com", "x; dkim=pass header.d=google.com"]), is_proven([])
    (False, True)
    >>> is_proven(["mx.example; dkim=pass header.d=evil.example; dkim=fail (dkim=pass header.d=google.com)"])
    False

    A server repeats the sender's words, in quotes and comments: `"; dkim=pass header.d=google.com "@evil.example` is an
    address. What is quoted says nothing, and quotes or brackets that do not end in order have nothing proven.

    >>> is_proven(['mx.example; spf=pass smtp.mailfrom="; dkim=pass header.d=google.com "@evil.example'])
    False
    """
    if not results:
        return True
    told = " ".join(str(results[0])[:8_000].split())
    told = _QUOTED_OR_COMMENT.sub(" ", _QUOTED_OR_COMMENT.sub(" ", told))  # twice: comments may hold comments
    if re.search(r'["()]', told):
        return False
    return any(_PASSED.match(one) and _SIGNED.search(f"{one} ") for one in told.split(";")[1:])


def unwrapped(address: str) -> str:
    """Return the publisher's address behind one of Google's redirects, "" for any other.

    >>> unwrapped("https://www.google.com/url?rct=j&sa=t&url=https://news.example/a%3Fid%3D7&ct=ga&usg=x")
    'https://news.example/a?id=7'
    >>> unwrapped("https://www.google.com/alerts/edit?x=1"), unwrapped("https://google.com.evil.example/url?url=http://x")
    ('', '')
    """
    try:
        parts = urlsplit(address)
        if not _GOOGLE.fullmatch(parts.hostname or "") or parts.path != "/url":
            return ""
        told = parse_qs(parts.query, max_num_fields=50)
        target = next(iter(told.get("url", []) or told.get("q", [])), "")
        inner = urlsplit(target)
        wanted = inner.scheme in {"http", "https"} and inner.hostname and not _GOOGLE.fullmatch(inner.hostname)
    except ValueError:
        return ""
    return target if wanted and target.isprintable() and " " not in target else ""


def _message(data: bytes) -> Message:
    return email.message_from_bytes(data)


def _is_from_google(head: Message) -> bool:
    senders = [str(value) for value in head.get_all("From", [])]
    return len(senders) == 1 and len(senders[0]) < 1_000 and bool(_FROM.fullmatch(senders[0].strip()))


def _html_of(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/html":
            raw = part.get_payload(decode=True)
            charset = str(part.get_content_charset("utf-8"))
            # Google writes UTF-8; some of Python's codecs take minutes over a megabyte of nonsense.
            return raw.decode(charset if charset in _CHARSETS else "utf-8", "replace") if isinstance(raw, bytes) else ""
    return ""


def _articles(markup: str, date: str) -> Iterator[ParsedArticle]:
    if plain.is_costly(markup):
        return
    page = _read(_CLEANER.clean(markup))
    tags = _add_json(page)
    for url, item in page.items.items():
        title = plain.headline(item.title, markup=False)
        if title:
            yield ParsedArticle(
                url=url,
                title=title,
                summary=plain.prose(item.summary, markup=False),
                source=plain.one_line(item.source, _LONGEST_NAME)
                or (urlsplit(url).hostname or "").removeprefix("www."),
                tags=plain.labels(tags),
                published_at=parse_date(date),  # of the mail: it tells no other
            )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _read(clean: str) -> _Page:
    """Read what microdata tells: links in the mail's order, and what follows each."""
    page = _Page()
    open_: list[tuple[str, str]] = []  # elements with their itemprop, or the address that they lead to
    item: _Item | None = None
    for token in _TOKEN.finditer(clean):
        closes, element, attributes, text = token.groups()
        if text is not None:
            item = _tell(page, open_, html.unescape(text), item)
        elif closes:
            while open_ and open_.pop()[0] != element:
                pass
        else:
            told = dict(_ATTRIBUTE.findall(attributes))
            role = unwrapped(html.unescape(told.get("href", ""))) if element == "a" else told.get("itemprop", "")
            open_.append((element, told.get("data-scope", "") if element == "script" else role))
    return page


def _tell(page: _Page, open_: list[tuple[str, str]], text: str, item: _Item | None) -> _Item | None:
    """Add a text to what it stands in; return the item that is being told of."""
    if open_ and open_[-1] == ("script", "inboxmarkup"):
        page.script += text
        return item
    address = next((role for element, role in reversed(open_) if element == "a" and role), "")
    roles = {role for _, role in open_}
    if address and text.strip():
        if address not in page.items and len(page.items) >= MOST_ITEMS:
            return None
        item = page.items.setdefault(address, _Item())
        item.title += text
    elif item is not None and "publisher" in roles:
        item.source += text
    elif item is not None and "description" in roles:
        item.summary += text
    return item


def _add_json(page: _Page) -> tuple[str, ...]:
    """Add what the JSON for mail programs has and the page lacks; return the alert's words, where they are told."""
    try:
        told = json.loads(page.script) if page.script else {}
    except (ValueError, RecursionError):
        return ()
    for widget in [one for card in _dicts(told, "cards") for one in _dicts(card, "widgets")][:MOST_ITEMS]:
        address = unwrapped(_text(widget, "url"))
        if address and (address in page.items or len(page.items) < MOST_ITEMS):
            item = page.items.setdefault(address, _Item())
            item.title = item.title if item.title.strip() else _text(widget, "title")
            item.summary = item.summary if item.summary.strip() else _text(widget, "description")
    entity = told.get("entity") if isinstance(told, dict) else None
    words = _text(entity, "title").partition(" - ")[2] if isinstance(entity, dict) else ""
    return (words[:_LONGEST_NAME],) if words else ()


def _dicts(value: object, key: str) -> list[Mapping[str, Any]]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
