"""Mails that nobody wishes to get: the sample of a kind with hostile words in every place that a value can come from.

A mail's `Source` is its content, its house and its reader as plain data; `places` lists every text in it, whatever
fields it has tomorrow. Hypothesis puts a few values in a few places and makes them smaller when a test fails;
`forged` fills all places from a seed. Asserts nothing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from worker.content import AnyContent, Newsroom, Personal, thaw
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.counted import UNCOUNTED, Counted
from worker.rendering.holes import marks
from worker.rendering.mail import CompiledMail
from worker.rendering.prose import web_address
from worker.rendering.signing import Signer

Place = tuple[str | int, ...]

_BREAKS: Final = ("\r", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\t", " ", "\u00a0", "\u3000")
_HEADERS: Final = (
    "\r\nBcc: all@courier.example\r\n", "\n\n<body>", "\rSubject: x", "\r\n .\r\n", "\r\n\r\n--", "From ", "\nFrom ",
    "=?utf-8?q?x=0ABcc:_all=40courier.example?=", "=?utf-8?b?Cg==?=", "=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "=?", "?=",
    "=?utf-8?q?", "=?iso-2022-kr?b?Gw==?=", "=?UTF-8?Q?=41?= ", "=20", "=\r\n", "=3D", ".", "\n.\n", "\n..", "--=_",
    "\r\n--=_0123456789abcdef01234567--\r\n", "Content-Type: text/html", "\x1b$)C", "\x0e\x0f",
)  # fmt: skip
_MAILBOXES: Final = (
    '"', "\\", '\\"', ",", "<b@c.example>", ">", "<", "(x)", "(((", ";", ":", "@", "undisclosed-recipients:;", "a b",
    "Friends: a@b.example, c@d.example;", "'", "`", "[", "]",
)  # fmt: skip
_TEMPLATES: Final = (
    "{{ 7 * 7 }}", "{{ hole.unsubscribe_url }}", "{% raw %}", "{# x", "%(title)s", "%s", "%d", "%%", "{}", "{0}", "$x",
    "%recipient.name%", "-tocsin.t_view-", "%unsubscribe_url%", "*|EMAIL|*", "hole", marks("0" * 16, "")["recipient"],
)  # fmt: skip
_MARKUP: Final = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&amp;", "&#0;", "&lt;", "</title>", "</style>",
    "<!--", "-->", "]]>", "<![endif]-->", "javascript:alert(1)", "**bold**", "[a](javascript:b)", "![](http://x/y.gif)",
    "https://courier.example/?a=1&b=2", "https://x.example/" + "p" * 90, "# x", "> x", "* * *", "1. x",
)  # fmt: skip
_SCRIPTS: Final = (
    "북한군 파병", "각", "مرحبا", "שלום", "क्षि", "ภาษาไทย", "é", "e\u0301", "ﷺ", "𝕏", "👩\u200d👩\u200d👧", "🇰🇷🇺🇸",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "❤\ufe0f\u200d🔥",
    "👍🏽", "Z" + "\u0335\u0301" * 40,
    "\u200b" * 30, "\u2060", "\ufeff", "\u00ad", "\u034f" * 9, "\u3164", "\u2800", "\u200d", "\u200e", "\u061c", "ى",
    "\ufffe", "\uffff", "\U0010ffff", "\ue000", "\ufffd", "\U000e0041",
)  # fmt: skip
_TURNS: Final = tuple(chr(code) for code in (0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069))
_LONG: Final = (
    "A" * 5_000,
    "북" * 5_000,
    "é " * 2_500,
    "x" * 61,
    "word " * 300,
    "👩\u200d👧" * 600,
    "=" * 999,
    "." * 80,
)
EVIL: Final = (
    *(*_BREAKS, *_HEADERS, *_MAILBOXES, *_TEMPLATES, *_MARKUP, *_SCRIPTS, *_TURNS, *_LONG),
    *("\x00", "\x07", "\x7f", "\x9b", "Seoul ", "wakes"),
)
NAMES: Final = (*EVIL, "\ud800", "\udfff")
"""What may besides stand where nothing has checked yet that it is text."""

WORDS: Final = st.lists(st.sampled_from(EVIL) | st.text(max_size=20), max_size=8).map("".join)
ADDRESSES: Final = (
    "mina@reader.example", "o'neill&co+x=1@reader.example", "MiNa@READER.example", "a.b-c_d@xn--bcher-kva.example",
    "mina@뉴스.example", "mina@straße.example", "미나@뉴스.example", "é.ü@straße.example", "{{7*7}}@reader.example",
    "%s`|~#$!?/@reader.example", f"{'r' * 64}@{'d' * 60}.{'e' * 60}.example", "=?utf-8?q?x?=@reader.example",
    "a@b.c", "0@0.example", "hole0123456789abcdefviewhole@reader.example",
)  # fmt: skip
_URLS: Final = (
    "https://courier.example/a?b=1&c=%20#d", "https://뉴스.example/기사", "http://courier.example",
    "javascript:alert(1)",
    "https://courier.example/\r\nBcc: x", 'https://courier.example/"><script>', "https://courier.example/" + "k" * 900,
    "//courier.example", "data:text/html,x", "", "https://[::1", "https://courier.example/\u202egpj.exe", "HTTPS://X.Y/",
    "https://courier.example/" + "k" * 60_000, "https://courier.example/.\n.\n", "https://user:pass@courier.example/",
)  # fmt: skip

# What no stranger can choose: what decides about the mail's form, and what its maker has made or checked. (What is no
# text at all, such as a date or a cadence, needs no name here.)
_SETTLED: Final = frozenset(
    {"kind", "locale", "slug", "base_url", "timezone", "accent", "accent_dark", "logo", "message_id", "in_reply_to"}
    | {"preferences", "unsubscribe", "view", "confirm", "my", "feedback_id", "list_id"}
    | {"target", "times", "quiet", "schedule", "zone"}  # of a reader's choices
)
_ADDRESSED: Final = frozenset({"recipient", "from_address", "reply_to", "sender_address"})
_LINKING: Final = frozenset({"url", "home_url"})


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a mail is made of."""

    kind: str
    content: AnyContent
    newsroom: Newsroom
    personal: Personal

    counted: Counted = UNCOUNTED

    def compiled(self, signer: Signer | None = None) -> CompiledMail:
        """Compile it."""
        return Renderer(newsroom=self.newsroom, signer=signer).compile(self.content, self.counted)


@cache
def places(kind: str, locale: str) -> tuple[Place, ...]:
    """Return where a sample has texts that somebody else may have written."""
    texts = (place for place, value in _walk(_plain(kind, locale)) if isinstance(value, str))
    return tuple(place for place in texts if not {*place} & _SETTLED and _takes_any_text(kind, locale, place))


def values(place: Place) -> st.SearchStrategy[str]:
    """Return what may stand in such a place."""
    choice = _choice(place)
    return WORDS if choice is EVIL else st.sampled_from(choice)


def source(kind: str, locale: str, put: Mapping[Place, str]) -> Source:
    """Make a sample's source with other texts in some places."""
    plain = _plain(kind, locale)
    for place, value in put.items():
        *way, last = place
        inner: Any = plain
        for step in way:
            inner = inner[step]
        inner[last] = value
    return Source(
        kind=kind,
        content=thaw(json.dumps(plain["content"])),
        newsroom=Newsroom(**plain["newsroom"]),
        personal=Personal(**plain["personal"]),
    )


def sources() -> st.SearchStrategy[Source]:
    """Make any kind of mail, with hostile values in a few of its places."""

    @st.composite
    def chosen(draw: st.DrawFn) -> Source:
        kind, locale = draw(st.sampled_from(samples.KINDS)), draw(st.sampled_from(samples.LOCALES))
        where = draw(st.lists(st.sampled_from(places(kind, locale)), max_size=4, unique=True))
        return source(kind, locale, {place: draw(values(place)) for place in where})

    return chosen()


def forged(seed: int) -> Source:
    """Make one mail with hostile values in most of its places, the same for a seed; kinds and languages take turns."""
    random = Random(seed)
    kind = samples.KINDS[seed % len(samples.KINDS)]
    locale = samples.LOCALES[seed // len(samples.KINDS) % len(samples.LOCALES)]
    put = {place: _forged(random, place) for place in places(kind, locale) if random.random() < 0.8}
    made = source(kind, locale, put)
    return dataclasses.replace(made, counted=_counted(made.content)) if random.random() < 0.3 else made


def _counted(content: AnyContent) -> Counted:
    """Let all links of a mail lead by way of our pages, as a house may have it."""
    base = "https://news.courier.example"
    urls = {web_address(card.url) for card in content.all_cards()} - {""}
    return Counted(
        links={url: f"{base}/c/{number}" for number, url in enumerate(sorted(urls))}, pixel=f"{base}/o/1.gif"
    )


def _forged(random: Random, place: Place) -> str:
    choice = NAMES if place == ("personal", "name") else _choice(place)
    if choice not in (EVIL, NAMES):
        return random.choice(choice)
    return "".join(_word(random, choice) for _ in range(random.randint(0, 6)))


def _word(random: Random, choice: tuple[str, ...]) -> str:
    if random.random() < 0.8:
        return random.choice(choice)
    codes = (random.randrange(0x110000) for _ in range(8))
    return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


def _choice(place: Place) -> tuple[str, ...]:
    name = place[-1]
    return ADDRESSES if name in _ADDRESSED else _URLS if name in _LINKING else EVIL


def _takes_any_text(kind: str, locale: str, place: Place) -> bool:
    try:
        source(kind, locale, {place: "a"})
    except ValueError:
        return False
    return True


def _plain(kind: str, locale: str) -> dict[str, Any]:
    """Return a sample as plain data; every text that may be left out is there, so that it can be replaced."""
    content = samples.content(kind, locale).model_dump(mode="json")
    newsroom = samples.newsroom(locale).model_dump(mode="json")
    personal = samples.personal(kind, locale)._asdict()
    return {"content": _fillable(content), "newsroom": newsroom, "personal": personal}


def _fillable(value: Any) -> Any:
    """Give a story whatever it may have: an update's note, a picture, other outlets."""
    if isinstance(value, list):
        return [_fillable(one) for one in value]
    if not isinstance(value, dict):
        return value
    filled = {name: _fillable(one) for name, one in value.items()}
    if "article_id" in filled:
        filled["also_in"] = filled["also_in"] or ["The Other"]
        filled["update"] = filled["update"] or {"note": "news", "at": filled["published_at"]}
        filled["image"] = filled.get("image") or {"url": "https://courier.example/a.jpg", "alt": "a", "credit": "b"}
    return filled


def _walk(value: Any, way: Place = ()) -> Iterator[tuple[Place, object]]:
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            yield from _walk(inner, (*way, step))
    else:
        yield way, value
