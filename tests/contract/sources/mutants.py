"""Documents that hurt parsers: mutants of all that the tests know, and bombs that are as old as XML.

Makes bytes; reads none. The fuzz drill and the ordinary suite read them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from tests.bench.feed_world import feeds
from tests.contract.sources.samples import SAMPLES, sample

_NASTY: Final = (
    b"\0", b"\xff", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"&bogus;", b"&#0;", b"&#x110000;",
    b"&#99999999999999;", b"</item>", b"<item>", b"<entry>", b"<title>", b"</channel>", b"<rss>", b'"', b"'", b">",
    b"<", b"\\ud800", b"\\u0000", b"<?xml version='1.0' encoding='punycode'?>", b"1e999", b"http://[",
    b"xmlns:dc='urn:x'", b"xml:base='//['", b"\xed\xa0\x80", b"<!DOCTYPE x [<!ENTITY e 'x'>]>", b"&e;",
    b"type='xhtml'", b"<div xmlns='http://www.w3.org/1999/xhtml'>", b"<svg>", b"<media:content>", b"<links/>",
    b"mode='base64'", b"<source>", b"<image>", b"<textInput>", b"\x1b$B", b"\xef\xbb\xbf", "\u202e".encode(),
    "\u0301".encode() * 50, "\U0001f468\u200d".encode() * 20, b"[" * 500, b'{"a":' * 500, b"9" * 5_000,
    b"2026-99-99T99:99:99", b"Mon, 99 Nov 99999 99:99:99 +9999", b"<skipHours><hour>", b"<p><i>" * 50,
)  # fmt: skip
_PILES: Final = ("<div>", "<b>", "<item>", "<title>", "<![CDATA[", "<!--", "&", "&amp;", "&#", "<a x='", "<x:y>", "<")
_ELEMENT: Final = re.compile(rb"<(\w[\w:]*)[^<>]*>[^<>]*</\1>")
_CODECS: Final = ("utf-16", "utf-16-be", "utf-32", "utf-7", "euc-kr", "shift_jis", "cp037", "utf-8-sig", "cp1252")
_LARGEST: Final = 3_000_000
CONTENT_TYPES: Final = (
    "", "text/xml", "text/html", "application/json", "application/feed+json", "text/xml; charset=utf-7",
    "application/rss+xml; charset=euc-kr", "text/plain; charset=utf-16", "application/octet-stream",
)  # fmt: skip


def bombs() -> Iterator[tuple[str, bytes]]:
    """Name and make documents that small readers die of. The largest is 100 MB."""
    laughs = "".join(f'<!ENTITY l{n} "' + f"&l{n - 1};" * 10 + '">' for n in range(1, 10))
    laughing = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]>'
    channel = "<rss version='2.0'><channel><item><title>{}</title></item></channel></rss>"
    yield "billion laughs", (laughing + channel.format("&l9;")).encode()
    for codec in ("utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"):
        yield f"billion laughs in {codec}", (laughing + channel.format("&l9;")).encode(codec)
    yield "quadratic blowup", f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>{channel.format("&a;" * 50_000)}'.encode()
    yield "external entity", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{channel.format("&e;")}'.encode()
    yield "external subset", f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">{channel.format("&e;")}'.encode()
    yield (
        "parameter entity",
        f'<!DOCTYPE x [<!ENTITY % p "<!ENTITY e &#39;x&#39;>">%p;]>{channel.format("&e;")}'.encode(),
    )
    for what in _PILES:
        yield f"many of {what}", (channel.partition("{}")[0] + what * 400_000).encode()
        yield f"many of {what} escaped", channel.format(f"<![CDATA[{what * 400_000}]]>").encode()
    yield "deep", (channel.partition("{}")[0].replace("<title>", "") + "<a>" * 200_000 + "</a>" * 200_000).encode()
    yield "huge attribute", f"<rss version='2.0' x='{'y' * 9_000_000}'><channel/></rss>".encode()
    names = " ".join(f"a{number}=''" for number in range(300_000))
    yield "many attributes", f"<rss {names}><channel/></rss>".encode()
    spaces = " ".join(f"xmlns:a{number}='urn:{number}'" for number in range(100_000))
    yield "many namespaces", f"<rss {spaces}><channel/></rss>".encode()
    yield "long name", f"<rss version='2.0'><channel><{'n' * 4_000_000}/></channel></rss>".encode()
    yield "many items", b"<rss version='2.0'><channel>" + b"<item/>" * 1_000_000
    yield "many categories", channel.format("x</title>" + "<category>y</category>" * 250_000 + "<title>").encode()
    tags = "".join(f"<category>{n}</category>" for n in range(150_000))
    yield "many different categories", channel.format(f"x</title>{tags}<title>").encode()
    yield "many links", channel.format("x</title>" + "<link href='/a'/>" * 250_000 + "<title>").encode()
    yield "long title", channel.format("&amp;amp;" * 900_000).encode()
    yield "marks", channel.format("e" + "\u0301" * 2_000_000).encode()
    yield "long link", channel.format("x</title><link>http://" + "a./" * 2_000_000 + "</link><title>").encode()
    yield "long date", channel.format("x</title><pubDate>" + "1 " * 2_000_000 + "</pubDate><title>").encode()
    yield (
        "dotted base",
        f"<rss version='2.0' xml:base='{'a/../' * 500_000}'><channel>{'<item><link>x</link></item>' * 900}".encode(),
    )
    yield "deep JSON", b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 3_000_000
    yield (
        "long number",
        b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": ' + b"9" * 3_000_000 + b"}]}",
    )
    yield "wide JSON", b'{"version": "https://jsonfeed.org/version/1.1", "items": [' + b'{"id": 1},' * 800_000 + b"{}]}"
    yield "white space", b" " * 9_900_000
    yield "almost a feed", b"<rss version='2.0'><channel>" + b" \n" * 4_900_000
    yield "100 MB", b"<rss version='2.0'><channel>" + b"<item><title>x</title></item>" * 3_450_000


def mutants(seed: int) -> Iterator[tuple[str, bytes]]:
    """Name and make mutants without an end, the same for a seed each time."""
    chance = random.Random(seed)
    while True:
        data, done = chance.choice(corpus()), []
        for _ in range(chance.randint(1, 4)):
            change = chance.choice(_CHANGES)
            data = change(chance, data)[:_LARGEST]
            done.append(change.__name__.strip("_"))
        yield ", ".join(done), data


@cache
def corpus() -> tuple[bytes, ...]:
    """Return what is mutated: every sample of every format, and made-up feeds."""
    return (*(sample(name) for name in SAMPLES), *(made.data for made in feeds(20, mean_bytes=5_000)))


def _flip_bits(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 20) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut_off(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _cut_out(chance: random.Random, data: bytes) -> bytes:
    start = chance.randint(0, len(data))
    return data[:start] + data[start + chance.randint(0, 400) :]


def _splice(chance: random.Random, data: bytes) -> bytes:
    other = chance.choice(corpus())
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_NASTY) + data[at:]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    start = chance.randint(0, len(data))
    end = min(len(data), start + chance.randint(1, 600))
    return data[:end] + data[start:end] * chance.choice((1, 5, 200, 3_000)) + data[end:]


def _repeat_element(chance: random.Random, data: bytes) -> bytes:
    elements = list(_ELEMENT.finditer(data[:200_000]))
    if not elements:
        return data
    one = chance.choice(elements)
    return data[: one.end()] + one[0] * chance.choice((1, 3, 1_000)) + data[one.end() :]


def _move_element(chance: random.Random, data: bytes) -> bytes:
    elements = list(_ELEMENT.finditer(data[:200_000]))
    if not elements:
        return data
    one, at = chance.choice(elements), chance.choice(elements).start()
    return data[:at] + one[0] + data[at:]


def _nest(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    what = chance.choice((b"<div>", b"<b>", b"<item>", b"<x y='z'>", b"&lt;p&gt;", b"<media:group>"))
    return data[:at] + what * chance.choice((10, 600, 20_000)) + data[at:]


def _attribute(chance: random.Random, data: bytes) -> bytes:
    at = data.find(b">", chance.randint(0, len(data)))
    return data if at < 0 else data[:at] + b" x='" + b"y" * chance.choice((10, 70_000, 1_000_000)) + b"'" + data[at:]


def _encode(chance: random.Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(chance.choice(_CODECS), "replace")


_CHANGES: Final[tuple[Callable[[random.Random, bytes], bytes], ...]] = (
    _flip_bits, _cut_off, _cut_out, _splice, _insert, _insert, _repeat, _repeat_element, _move_element, _nest,
    _attribute, _encode,
)  # fmt: skip
