"""Pages as newspapers build them, made up: each with the text that a reader would call the article, and nothing else.

The shapes are those that extraction goes wrong at: banners, boxes and lists inside of the article, or no word in the
markup that says where it is. Contract tests hold our reader to them.
"""

# Markup stands in long lines here, as it does in pages.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Shape:
    name: str
    page: str
    text: str


_EN = [
    "The harbour of Port Gull stayed closed on Monday after fog had come in from the sea during the night, the harbour "
    "master said.",
    "Some forty boats wait outside of the mole. Two ferries with six hundred passengers were sent to Rookhaven instead, "
    "where they landed in the early afternoon.",
    '"Nobody leaves before I can see the light at the end of the pier," the harbour master, Ana Duarte, told The Gull.',
    "The town expects the fog to lift by Tuesday noon. The fish market, which would have opened at six, did not take "
    "place, for the third time this month.",
    "Dockers used the quiet hours to talk to the owners about their shifts; both sides called the talks a beginning.",
]
_KO = [
    "부산항은 밤사이 바다에서 밀려온 짙은 안개로 월요일 새벽부터 모든 배의 입출항이 금지됐다고 항만 당국이 밝혔다.",
    "방파제 밖에는 화물선 마흔여 척이 기다리고 있다. 승객 육백 명을 태운 여객선 두 척은 인근 항구로 뱃머리를 돌렸다.",
    '"부두 끝의 등대가 보이기 전에는 아무도 나갈 수 없다"고 한서윤 항만장은 기자들에게 말했다.',
    "기상청은 안개가 화요일 정오쯤 걷힐 것으로 내다봤다. 새벽 어시장은 이달 들어 세 번째로 열리지 못했다.",
]
_TITLE, _TITLE_KO = "Fog closes the harbour of Port Gull", "부산항, 새벽 안개에 멈춰"

_NAV = (
    "<header><a href='/'>The Gull</a><nav><ul>"
    + "".join(
        f"<li><a href='/{word}'>{word.title()}</a></li>" for word in ["news", "politics", "economy", "sport", "culture"]
    )
    + "</ul></nav></header>"
)
_FOOTER = (
    "<footer><p>© The Gull 2026. All rights reserved.</p><ul><li><a href='/imprint'>Imprint</a></li>"
    "<li><a href='/privacy'>Privacy policy</a></li><li><a href='/ads'>Advertise</a></li></ul></footer>"
)
_COOKIES = (
    "<div id='cookie-consent' class='cc-banner' role='dialog'><p>We and our 842 partners store and access information on "
    "your device, such as cookies, to show personalised advertising and to measure what you read. You may change your "
    "mind at any time by the link at the foot of every page.</p><button>Accept all</button><button>Reject</button></div>"
)
_RELATED = (
    "<div class='related'><h3>More on this</h3><ul><li><a href='/a'>Ferry aground off Rookhaven, nobody hurt</a></li>"
    "<li><a href='/b'>Why the mole was built too short</a></li><li><a href='/c'>Quiz: how well do you know boats?</a></li>"
    "</ul></div>"
)
_COMMENTS = (
    "<section id='comments' class='comments'><h2>Comments (3)</h2><div class='comment'><p>seadog72: They should have built "
    "the new radar years ago, as everybody knew.</p></div><div class='comment'><p>marta: My brother is on one of these "
    "ferries and says that they get no food at all.</p></div><div class='comment'><p>Gull reader: First!</p></div></section>"
)
_NEWSLETTER = (
    "<div class='newsletter-signup'><h4>The morning in your inbox</h4><p>Sign up for our newsletter and never miss a story "
    "from the harbour again. You can leave at any time.</p><form><input type='email'><button>Sign up</button></form></div>"
)
_SHARE = (
    "<ul class='share-buttons'><li><a href='#'>Share on Facebook</a></li><li><a href='#'>Share on X</a></li>"
    "<li><a href='#'>Copy link</a></li></ul>"
)
_FIGURE = "<figure><img src='/fog.jpg' alt='Fog'><figcaption>The pier on Monday. Photo: Jun Seo</figcaption></figure>"


def shapes() -> Iterator[Shape]:
    """Yield all shapes."""
    yield from _with_landmarks()
    yield from _without_landmarks()
    yield from _of_other_kinds()
    yield from _korean()


def _with_landmarks() -> Iterator[Shape]:
    body = _paragraphs(_EN)
    yield _shape("plain", f"{_NAV}<main><article><h1>{_TITLE}</h1>{body}</article></main>{_FOOTER}")
    yield _shape("cookie banner before", f"{_COOKIES}{_NAV}<article><h1>{_TITLE}</h1>{body}</article>{_FOOTER}")
    inside = _paragraphs(_EN[:2]) + "{}" + _paragraphs(_EN[2:])
    for name, box in (
        ("related links inside", _RELATED),
        ("newsletter box inside", _NEWSLETTER),
        ("aside inside", f"<aside><h3>In short</h3><p>Forty boats wait, the town says.</p></aside>{_SHARE}"),
        ("figure inside", _FIGURE),
    ):
        yield _shape(name, f"{_NAV}<article><h1>{_TITLE}</h1>{inside.format(box)}</article>{_FOOTER}")
    yield _shape(
        "byline, share and tags inside",
        f"{_NAV}<article><h1>{_TITLE}</h1><div class='byline'>By <a rel='author'>Ana Duarte</a></div>{_SHARE}{body}"
        f"<div class='tags'><a href='/t/fog'>Fog</a> <a href='/t/port'>Port Gull</a></div></article>{_FOOTER}",
    )
    yield _shape("comments inside", f"{_NAV}<article><h1>{_TITLE}</h1>{body}{_COMMENTS}</article>{_FOOTER}")
    yield _shape(
        "comments beside", f"{_NAV}<main><article><h1>{_TITLE}</h1>{body}</article>{_COMMENTS}</main>{_FOOTER}"
    )
    teasers = "".join(
        f"<article><h3><a href='/{n}'>Another story number {n}</a></h3><p>What happened there, in a line.</p></article>"
        for n in range(8)
    )
    yield _shape(
        "teasers as articles", f"{_NAV}<article><h1>{_TITLE}</h1>{body}</article><section>{teasers}</section>{_FOOTER}"
    )
    yield _shape("teasers within main", f"{_NAV}<main><h1>{_TITLE}</h1><div>{body}</div>{teasers}</main>{_FOOTER}")


def _without_landmarks() -> Iterator[Shape]:
    menu = _NAV.replace("header>", "div>").replace("nav>", "div>")
    foot = _FOOTER.replace("footer>", "div>")
    side = (
        "<div class='sidebar'><h3>Most read</h3><ol>"
        + "".join(f"<li><a href='/m{n}'>Most read story number {n} of this week</a></li>" for n in range(10))
        + "</ol></div>"
    )
    body = _paragraphs(_EN)
    yield _shape("div soup", f"{menu}<div class='content'><h1>{_TITLE}</h1>{body}</div>{foot}")
    yield _shape(
        "div soup with all",
        f"{_COOKIES}{menu}{side}<div id='c3'><h1>{_TITLE}</h1>{body}</div>{_RELATED}{_COMMENTS}{foot}",
    )
    broken = "".join(f"{text}<br><br>" for text in _EN)
    yield _shape("line breaks for paragraphs", f"{menu}<div class='text'><h1>{_TITLE}</h1>{broken}</div>{side}{foot}")
    cells = f"<table width='100%'><tr><td>{menu}</td><td><h1>{_TITLE}</h1>{body}</td><td>{side}</td></tr></table>{foot}"
    yield _shape("table for a layout", cells)
    spans = "".join(f"<div data-component='text-block'><div>{text}</div></div>" for text in _EN)
    yield _shape("a div a paragraph", f"{menu}<div id='app'><h1>{_TITLE}</h1>{spans}</div>{side}{foot}")


def _of_other_kinds() -> Iterator[Shape]:
    told = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": _TITLE}
    wall = (
        "<div class='paywall'><h3>Read on with The Gull+</h3><p>Four weeks for one euro, then 9.90 a month.</p></div>"
    )
    yield _shape(
        "paywall, told by JSON-LD",
        f"{_script({**told, 'isAccessibleForFree': False, 'articleBody': ' '.join(_EN)})}{_NAV}<article><h1>{_TITLE}</h1>"
        f"<p>{_EN[0]}</p>{wall}</article>{_FOOTER}",
    )
    yield _shape("paywall", f"{_NAV}<article><h1>{_TITLE}</h1><p>{_EN[0]}</p>{wall}</article>{_FOOTER}", text=_EN[0])
    yield _shape(
        "drawn by a script",
        f"{_script({**told, 'articleBody': chr(10).join(_EN)})}<div id='root'></div><noscript>Please switch JavaScript on."
        "</noscript>",
    )
    amp = f"<amp-sidebar id='s' layout='nodisplay'><ul><li>News</li><li>Sport</li></ul></amp-sidebar><article><h1>{_TITLE}"
    yield _shape(
        "AMP",
        f"{amp}</h1><amp-img src='/fog.jpg' width='1' height='1'></amp-img>{_paragraphs(_EN[:3])}"
        f"<amp-ad width='300' height='250' type='x'><div placeholder>Advertisement</div></amp-ad>{_paragraphs(_EN[3:])}"
        f"</article>{_FOOTER}",
    )
    posts = "".join(f"<div class='post'><time>1{n}:00</time><p>{text}</p></div>" for n, text in enumerate(_EN))
    updates = [{"@type": "BlogPosting", "headline": f"1{n}:00", "articleBody": text} for n, text in enumerate(_EN)]
    live = {"@type": "LiveBlogPosting", "headline": _TITLE, "liveBlogUpdate": updates}
    yield _shape("live blog", f"{_NAV}<main><h1>{_TITLE}</h1>{posts}</main>{_FOOTER}")
    yield _shape(
        "live blog drawn by a script", f"{_script(live)}<div id='live'></div><p>Loading</p>", text="\n\n".join(_EN)
    )
    yield _shape("no end tags", f"{_NAV}<article><h1>{_TITLE}</h1>{'<p>'.join(['', *_EN])}</article>{_FOOTER}")
    listed = "<ul>" + "".join(f"<li>{text}</li>" for text in _EN[1:]) + "</ul>"
    yield _shape("a list", f"{_NAV}<article><h1>{_TITLE}</h1><p>{_EN[0]}</p>{listed}</article>{_FOOTER}")
    quoted = f"<blockquote><p>{_EN[2]}</p></blockquote>"
    yield _shape(
        "a quotation and headings",
        f"{_NAV}<article><h1>{_TITLE}</h1><p>{_EN[0]}</p><h2>Ferries</h2><p>{_EN[1]}</p>{quoted}<p>{_EN[3]}</p>"
        f"<p>{_EN[4]}</p></article>{_FOOTER}",
        text="\n\n".join([_EN[0], "Ferries", *_EN[1:]]),
    )
    short = "Port Gull's harbour is closed."
    yield _shape("very short", f"{_NAV}<article><h1>{_TITLE}</h1><p>{short}</p></article>{_FOOTER}", text=short)
    long = _EN * 12
    yield _shape(
        "very long", f"{_NAV}<article><h1>{_TITLE}</h1>{_paragraphs(long)}</article>{_FOOTER}", text="\n\n".join(long)
    )


def _korean() -> Iterator[Shape]:
    menu = "<div id='gnb'><ul><li><a href='/p'>정치</a></li><li><a href='/e'>경제</a></li><li><a href='/s'>사회</a></li></ul></div>"
    foot = "<div id='footer'>무단 전재 및 재배포 금지 · 등록번호 서울 아00000 · 발행인 홍길동 · 청소년보호책임자 홍길동</div>"
    side = (
        "<div class='ranking'><h3>많이 본 뉴스</h3><ol><li>내일 전국에 비</li><li>코스피 소폭 상승 마감</li></ol></div>"
    )
    text = "\n\n".join(_KO)
    broken = "<br/><br/>".join(_KO)
    yield _shape(
        "Korean, line breaks",
        f"{menu}<h2>{_TITLE_KO}</h2><div id='articleBody' itemprop='articleBody'>{broken}</div>{side}{foot}",
        text=text,
        lang="ko",
    )
    yield _shape(
        "Korean, article",
        f"{menu}<article><h1>{_TITLE_KO}</h1>{_paragraphs(_KO)}</article>{side}{foot}",
        text=text,
        lang="ko",
    )
    font = "<div class='font-size'><button>가</button><button>가</button><a href='#'>글자 크기</a></div>"
    yield _shape(
        "Korean, tools inside",
        f"{menu}<div class='view_con'>{font}<div class='view_txt'>{_paragraphs(_KO)}"
        f"<p>ⓒ 갈매기일보, 무단 전재 및 재배포 금지</p></div></div>{side}{foot}",
        text=text,
        lang="ko",
    )


def _shape(name: str, body: str, *, text: str = "", lang: str = "en") -> Shape:
    title = _TITLE_KO if lang == "ko" else _TITLE
    head = f"<head><meta charset='utf-8'><title>{title} | The Gull</title><meta property='og:title' content='{title}'></head>"
    page = f"<!doctype html><html lang='{lang}'>{head}<body>{body}</body></html>"
    return Shape(name=name, page=page, text=text or "\n\n".join(_EN))


def _paragraphs(texts: list[str]) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def _script(thing: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps(thing, ensure_ascii=False)}</script>"
