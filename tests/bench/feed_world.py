"""Made-up feeds as newspapers and blogs serve them: for benchmarks of intake, in any number, the same each time.

Decides what a feed looks like: half are WordPress's, the rest RSS with Media RSS, Atom, RDF, Korean in EUC-KR, and some
that are no XML. Measures and serves nothing. `bench_feeds` and the benchmarks of polling call it.
"""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Final

MEAN_BYTES: Final = 225_000
_FRAME_BYTES: Final = 1_050  # of an item without its body
_NEWEST: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_SENTENCES: Final = 3_000
_WORDS: Final = 20_000
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_KOREAN_WORDS: Final = """
    정부 국회 북한 러시아 병력 파병 경제 시장 은행 금리 회의 대통령 장관 서울 부산 평양 오늘 어제 발표 조사 사건 결과
    협상 선거 후보
"""
_HANGUL: Final = tuple(_KOREAN_WORDS.split())


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFeed:
    """A document and how it is served; `titles` are its items', as a reader must see them, the newest first."""

    path: str
    data: bytes
    content_type: str
    kind: str
    titles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Item:
    url: str
    title: str
    summary: str  # plain
    body: str  # HTML
    author: str
    tags: list[str]
    at: datetime


def feeds(count: int = 200, *, mean_bytes: int = MEAN_BYTES, newer: int = 0) -> Iterator[MadeFeed]:
    """Make feeds number 0 to `count`, whose sizes spread about `mean_bytes`."""
    return (feed(number, mean_bytes=mean_bytes, newer=newer) for number in range(count))


def feed(number: int, *, mean_bytes: int = MEAN_BYTES, newer: int = 0) -> MadeFeed:
    """Make one feed of 100 to 200 items (fewer where it is small), and `newer` items on top of these.

    A number's items are the same in every call, and do not depend on `newer`.
    """
    chance = random.Random(f"feed {number}")
    kind, write = _kind(number)
    count = max(1, min(chance.randint(100, 200), mean_bytes // 1_500))
    size = max(0, int(mean_bytes * chance.uniform(0.6, 1.4)) // count - _FRAME_BYTES)
    host = f"https://paper{number}.example"
    korean = kind == "euc-kr"
    items = [_item(number, place, host, size, korean=korean) for place in range(count + newer - 1, -1, -1)]
    text = write(host, f"The Paper No. {number} & Mail", items)
    content_type = "text/xml" if korean else "application/rss+xml; charset=UTF-8"
    return MadeFeed(
        path=f"/feeds/{number}.xml",
        data=text.encode("euc-kr" if korean else "utf-8"),
        content_type=content_type,
        kind=kind,
        titles=tuple(item.title.translate(_NOT_IN_EUC_KR if korean else {}) for item in items),
    )


def _kind(number: int) -> tuple[str, Callable[[str, str, list[_Item]], str]]:
    """Choose by number, so that any twenty feeds in a row are the whole mixture."""
    order = (
        *["wordpress"] * 10, *["media"] * 4, *["atom"] * 3, "rdf", "euc-kr", "not-xml",
    )  # fmt: skip
    kind = order[number * 7 % len(order)]
    return kind, _WRITERS[kind]


def _item(number: int, place: int, host: str, size: int, *, korean: bool) -> _Item:
    chance = random.Random(f"feed {number} item {place}")
    at = _NEWEST + timedelta(minutes=47 * place + chance.randint(0, 40)) - timedelta(days=4)
    sentence = _korean if korean else _sentence
    title = sentence(chance).rstrip(".")[:90].strip()
    return _Item(
        url=f"{host}/{at:%Y/%m/%d}/story-{number}-{place}/?utm_source=rss&utm_medium=feed",
        title=title if place % 9 else f"{title} & “more” – it’s <done>",
        summary=" ".join(sentence(chance) for _ in range(2)),
        body=_body(chance, host, int(size * (0.5 if korean else 0.83)), sentence),
        author=f"{_word(chance).title()} {_word(chance).title()}",
        tags=[_word(chance) for _ in range(chance.randint(0, 4))],
        at=at,
    )


def _body(chance: random.Random, host: str, size: int, sentence: Callable[[random.Random], str]) -> str:
    """Return HTML as a content system writes it."""
    parts: list[str] = []
    length = 0
    while length < size or not parts:
        words = html.escape(" ".join(sentence(chance) for _ in range(chance.randint(1, 4))), quote=False)
        roll = chance.random()
        if roll < 0.04:
            part = f'<h2 class="wp-block-heading" id="h-{length}">{words[:60]}</h2>'
        elif roll < 0.09:
            part = f'<blockquote class="quote"><p>&#8220;{words}&#8221;</p></blockquote>'
        elif roll < 0.14:
            image = f"{host}/img/{chance.randint(1, 9999)}.jpg"
            part = (
                '<figure class="wp-block-image size-large"><img decoding="async" width="1024" height="683" '
                f'src="{image}" srcset="{image}?w=300 300w, {image}?w=768 768w" alt="{words[:40]}"/>'
                f"<figcaption>{words[:80]}</figcaption></figure>"
            )
        elif roll < 0.18:
            part = f"<ul><li>{words[:70]}</li><li>{words[70:150]}</li></ul>"
        elif roll < 0.40:
            link = f'<a href="{host}/tag/{_word(chance)}?a=1&amp;b=2" rel="noopener">{_word(chance)}</a>'
            part = f"<p>{words} {link}&nbsp;said.</p>"
        elif roll < 0.50:
            part = f"<p><strong>{_word(chance)}</strong> {words}<br />\nIt&#8217;s <em>{_word(chance)}</em>.</p>"
        else:
            part = f"<p>{words}</p>"
        parts.append(part)
        length += len(part) + 2
    return "\n\n".join(parts)


def _wordpress(host: str, name: str, items: list[_Item]) -> str:
    entries = (
        f"\n\t<item>\n\t\t<title>{_escaped(item.title)}</title>\n\t\t<link>{_escaped(item.url)}</link>\n"
        f"\t\t<comments>{_escaped(item.url)}#respond</comments>\n"
        f"\t\t<dc:creator><![CDATA[{item.author}]]></dc:creator>\n\t\t<pubDate>{format_datetime(item.at)}</pubDate>\n"
        + "".join(f"\t\t<category><![CDATA[{tag}]]></category>\n" for tag in item.tags)
        + f'\t\t<guid isPermaLink="false">{host}/?p={abs(hash_of(item.url))}</guid>\n\n'
        f"\t\t<description><![CDATA[<p>{_escaped(item.summary)} [&#8230;]</p>\n]]></description>\n"
        f"\t\t<content:encoded><![CDATA[{item.body}]]></content:encoded>\n"
        f"\t\t<wfw:commentRss>{_escaped(item.url)}feed/</wfw:commentRss>\n\t\t<slash:comments>0</slash:comments>\n"
        '\t\t<post-id xmlns="com-wordpress:feed-additions:1">7</post-id>\t</item>'
        for item in items
    )
    return (
        f'{_XML}<rss version="2.0"\n\txmlns:content="http://purl.org/rss/1.0/modules/content/"\n'
        '\txmlns:wfw="http://wellformedweb.org/CommentAPI/"\n\txmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '\txmlns:atom="http://www.w3.org/2005/Atom"\n\txmlns:sy="http://purl.org/rss/1.0/modules/syndication/"\n'
        '\txmlns:slash="http://purl.org/rss/1.0/modules/slash/"\n\t>\n\n<channel>\n'
        f"\t<title>{_escaped(name)}</title>\n"
        f'\t<atom:link href="{host}/feed/" rel="self" type="application/rss+xml" />\n'
        f"\t<link>{host}</link>\n\t<description>All the news</description>\n"
        f"\t<lastBuildDate>{format_datetime(items[0].at)}</lastBuildDate>\n\t<language>en-US</language>\n"
        "\t<sy:updatePeriod>\n\thourly\t</sy:updatePeriod>\n\t<sy:updateFrequency>\n\t1\t</sy:updateFrequency>\n"
        "\t<generator>https://wordpress.org/?v=6.7</generator>\n"
        f"<image>\n\t<url>{host}/icon.png</url>\n\t<title>{_escaped(name)}</title>\n\t<link>{host}</link>\n"
        "\t<width>32</width>\n\t<height>32</height>\n</image> \n" + "".join(entries) + "\n</channel>\n</rss>\n"
    )


def _media(host: str, name: str, items: list[_Item]) -> str:
    """RSS as a newspaper's system writes it: the text escaped in `description`, pictures by Media RSS."""
    entries = (
        f"<item><title><![CDATA[{item.title}]]></title><description>{_escaped(item.body)}</description>"
        f'<link>{_escaped(item.url)}</link><guid isPermaLink="true">{_escaped(item.url)}</guid>'
        f"<pubDate>{item.at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        + "".join(f'<category domain="{host}/topics">{tag}</category>' for tag in item.tags)
        + f'<media:content width="1200" height="675" medium="image" type="image/jpeg" url="{host}/photo/{place}.jpg">'
        f'<media:description type="plain">{_escaped(item.summary)}</media:description>'
        '<media:credit scheme="urn:ebu">Jo Photographer</media:credit></media:content>'
        f'<media:thumbnail width="240" height="135" url="{host}/photo/{place}-s.jpg"/>'
        f"<dc:creator>{item.author}</dc:creator></item>"
        for place, item in enumerate(items)
    )
    return (
        f'{_XML}<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:atom="http://www.w3.org/2005/Atom" version="2.0"><channel>'
        f"<title><![CDATA[{name}]]></title><description><![CDATA[News]]></description><link>{host}</link><ttl>15</ttl>"
        f'<atom:link href="{host}/feed.xml" rel="self" type="application/rss+xml"/>'
        f'<atom:link rel="hub" href="{host}/hub"/>'
        f"<language><![CDATA[en-gb]]></language><copyright>© {_escaped(name)}</copyright>"
        + "\n".join(entries)
        + "</channel></rss>"
    )


def _atom(host: str, name: str, items: list[_Item]) -> str:
    entries = (
        f"<entry>\n<author><name>{item.author}</name></author>\n"
        f'<title type="html"><![CDATA[{_escaped(item.title)}]]></title>\n'
        f'<link rel="alternate" type="text/html" href="{_escaped(item.url)}" />\n<id>{host}/?p={place}</id>\n'
        f"<updated>{item.at + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}</updated>\n"
        f"<published>{item.at:%Y-%m-%dT%H:%M:%SZ}</published>\n"
        + "".join(f'<category scheme="{host}" term="{tag}" />' for tag in item.tags)
        + f'<summary type="html"><![CDATA[{_escaped(item.summary)}]]></summary>\n'
        f'<content type="html" xml:base="{_escaped(item.url)}">{_escaped(item.body)}</content>\n</entry>\n'
        for place, item in enumerate(items)
    )
    return (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">\n'
        f'<title type="text">{_escaped(name)}</title>\n'
        f"<subtitle>News</subtitle>\n<updated>{items[0].at:%Y-%m-%dT%H:%M:%SZ}</updated>\n"
        f'<link rel="alternate" type="text/html" href="{host}" />\n<id>{host}/feed/atom/</id>\n'
        f'<link rel="self" type="application/atom+xml" href="{host}/feed/atom/" />\n' + "".join(entries) + "</feed>\n"
    )


def _rdf(host: str, name: str, items: list[_Item]) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{_escaped(item.url)}"/>' for item in items)
    entries = (
        f'<item rdf:about="{_escaped(item.url)}"><title>{_escaped(item.title)}</title><link>{_escaped(item.url)}</link>'
        f"<description>{_escaped(item.summary)}</description><content:encoded><![CDATA[{item.body}]]></content:encoded>"
        f"<dc:creator>{item.author}</dc:creator><dc:date>{item.at:%Y-%m-%dT%H:%M:%S}+00:00</dc:date>"
        + "".join(f"<dc:subject>{tag}</dc:subject>" for tag in item.tags)
        + "</item>\n"
        for item in items
    )
    return (
        f'{_XML}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">\n'
        f'<channel rdf:about="{host}/"><title>{_escaped(name)}</title>'
        f"<link>{host}/</link><description>News</description>"
        f"<dc:language>en</dc:language><items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n"
        + "".join(entries)
        + "</rdf:RDF>"
    )


def _euc_kr(host: str, name: str, items: list[_Item]) -> str:
    return _media(host, name, items).replace("UTF-8", "euc-kr", 1).translate(_NOT_IN_EUC_KR)


def _not_xml(host: str, name: str, items: list[_Item]) -> str:
    """The same as most, by somebody who does not escape."""
    return _wordpress(host, name, items).replace("?utm_source=rss&amp;utm_medium", "?utm_source=rss&utm_medium")


def hash_of(text: str) -> int:
    """Return a number for a text that is the same in every process."""
    return random.Random(text).getrandbits(31)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


@cache
def _vocabulary() -> tuple[list[str], list[str]]:
    """Words by Zipf's law, and sentences of them."""
    chance = random.Random(2026)
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    words = [
        "".join(chance.choice(syllables) for _ in range(1 + (rank > 30) + (rank > 900) + (rank > 9_000)))
        for rank in range(_WORDS)
    ]
    weights = [1 / (rank + 2.7) ** 1.05 for rank in range(_WORDS)]
    sentences = [
        " ".join(chance.choices(words, weights, k=chance.randint(8, 24))).capitalize() + "." for _ in range(_SENTENCES)
    ]
    marks = ("’s", " – ", "é", " & ", " “so” ", ", ")
    return words, [one.replace(" ", chance.choice(marks), 1) if at % 3 else one for at, one in enumerate(sentences)]


def _word(chance: random.Random) -> str:
    return chance.choice(_vocabulary()[0])


def _sentence(chance: random.Random) -> str:
    return chance.choice(_vocabulary()[1])


def _korean(chance: random.Random) -> str:
    return " ".join(chance.choices(_HANGUL, k=chance.randint(6, 18))) + "."


_NOT_IN_EUC_KR: Final = str.maketrans({"–": "-", "“": '"', "”": '"', "’": "'", "é": "e", "©": "(c)"})
_WRITERS: Final = {
    "wordpress": _wordpress,
    "media": _media,
    "atom": _atom,
    "rdf": _rdf,
    "euc-kr": _euc_kr,
    "not-xml": _not_xml,
}
