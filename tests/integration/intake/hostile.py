# ruff: noqa: E501  a case a line, as it stands in a feed
"""Feeds as their publishers break them, by neglect and on purpose: bytes, and what a person would read in them.

Each case is one item. Asserts nothing. `told` is the title, `says` the beginning of the summary.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

ADDRESS: Final = "https://feed.example/story"


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    feed: bytes
    told: str
    says: str = "Nobody was hurt."
    url: str = ADDRESS
    image: str = ""


def rss(title: str, summary: str = "Nobody was hurt.", *, link: str = ADDRESS, more: str = "") -> bytes:
    """Write RSS around an item whose title and summary are XML already."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>The Gull</title><item>'
        f"{title}<link>{escape(link)}</link><description>{summary}</description>{more}</item></channel></rss>"
    ).encode("utf-8", "surrogatepass")


def atom(title: str, summary: str = '<summary type="text">Nobody was hurt.</summary>') -> bytes:
    """Write Atom around an entry whose title and summary are elements already."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>The Gull</title>'
        f'<id>tag:g</id><entry>{title}<id>tag:g,1</id><link href="{ADDRESS}"/>'
        f"<updated>2026-11-23T07:00:00Z</updated>{summary}</entry></feed>"
    ).encode()


def json_feed(**item: object) -> bytes:
    told = {"id": "1", "url": ADDRESS, "summary": "Nobody was hurt.", **item}
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "The Gull", "items": [told]}).encode()


def _title(name: str, markup: str, told: str, **more: str) -> Case:
    return Case(name=name, feed=rss(f"<title>{markup}</title>"), told=told, **more)


def _summary(name: str, markup: str, says: str = "Nobody was hurt.") -> Case:
    return Case(name=name, feed=rss("<title>Quake</title>", markup), told="Quake", says=says)


def _cdata(text: str) -> str:
    return f"<![CDATA[{text}]]>"


_ALERT: Final = "<script>alert(1)</script>"
_PIXEL: Final = '<img src="https://feeds.feedburner.com/~r/gull/~4/x" width="1" height="1" alt=""/>'

CASES: Final = (
    # Titles, escaped once, twice, thrice
    _title("ampersand", "AT&amp;T wins", "AT&T wins"),
    _title("ampersand twice", "AT&amp;amp;T wins", "AT&T wins"),
    _title("ampersand thrice", "AT&amp;amp;amp;T wins", "AT&T wins"),
    _title("bare ampersand", "AT&T wins", "AT&T wins"),
    _title("less than", "Why 5 &lt; 6 &amp; 7 &gt; 6", "Why 5 < 6 & 7 > 6"),
    _title("less than in CDATA", _cdata('5 < 6 & "AT&T"'), '5 < 6 & "AT&T"'),
    _title("escaped markup", "&lt;b&gt;Quake&lt;/b&gt; in Oman", "Quake in Oman"),
    _title("escaped twice markup", "&amp;lt;i&amp;gt;Quake&amp;lt;/i&amp;gt; in Oman", "Quake in Oman"),
    _title("numeric entities", "Minister&amp;#8217;s &amp;#x2014; caf&amp;#233;", "Minister’s — café"),
    _title("named entities", "Caf&amp;eacute; &amp;ndash; na&amp;iuml;ve&amp;nbsp;words", "Café – naïve words"),
    _title("quotation marks", "&quot;Never&quot;, says O&apos;Hara", "\"Never\", says O'Hara"),
    _title("CDATA markup", _cdata("<em>Quake</em> &amp; <strong>aftershock</strong>"), "Quake & aftershock"),
    _title("script", _cdata(f"Quake{_ALERT} in Oman"), "Quake in Oman"),
    _title("escaped script", f"Quake {escape(_ALERT)} in Oman</title><title>", "Quake in Oman"),
    _title("comment", _cdata("Quake <!-- <b>not this</b> --> in Oman</b>"), "Quake in Oman"),
    _title("attribute", _cdata('Quake" onmouseover="alert(1)" x="'), 'Quake" onmouseover="alert(1)" x="'),
    _title("template", "{{ 7 * 7 }} {% raw %} ${7*7} &lt;%= 7 %&gt;", "{{ 7 * 7 }} {% raw %} ${7*7} <%= 7 %>"),
    _title("hole", "See hole0123456789abcdefviewhole", "See hole0123456789abcdefviewhole"),
    _title("new lines", "Quake\r\nBcc: all@reader.example\n\n in Oman", "Quake Bcc: all@reader.example in Oman"),
    _title("mail word", "=?utf-8?q?Quake?= in Oman", "=?utf-8?q?Quake?= in Oman"),
    # Titles in the world's letters
    _title("overrides", "Quake \u202eevil\u202c in \u2066Oman\u2069", "Quake evil in Oman"),
    _title("zero-width flood", "Qu\u200bake" + "\u200b\u200d\ufeff" * 500 + " in Oman", "Quake\u200d in Oman"),
    _title("marks in floods", "Quake" + "\u0301\u0316" * 300, "Quak\u00e9" + "\u0316" * 4 + "\u0301" * 3),
    _title("emoji family", "A 👩\u200d👩\u200d👧 of three", "A 👩\u200d👩\u200d👧 of three"),
    _title("hangul in parts", "\u1107\u116e\u11a8\u1112\u1161\u11ab \u1107\u1161\u11af\u1109\u1161", "북한 발사"),
    _title("arabic", "زلزال في عُمان", "زلزال في عُمان"),
    _title("hebrew", "רעידת אדמה", "רעידת אדמה"),
    _title("noncharacters", "Quake\ufffe\uffff &#xFFFE; in Oman", "Quake in Oman"),
    _title("control characters", "Qua\x01\x08ke&#1; in Oman", "Quake in Oman"),
    _title("a novel", "Quake " * 200_000, ("Quake " * 200)[:109].rsplit(" ", 1)[0].rstrip() + "…"),
    # Atom's three kinds of text
    Case(name="atom text", feed=atom('<title type="text">5 &lt; 6 &amp; AT&amp;T</title>'), told="5 < 6 & AT&T"),
    Case(name="atom html", feed=atom('<title type="html">&lt;b&gt;AT&amp;amp;T&lt;/b&gt; &amp;lt; 6</title>'),
         told="AT&T < 6"),
    Case(name="atom xhtml", feed=atom('<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Quake <b>in'
                                      "</b> <script>alert(1)</script>Oman</div></title>"), told="Quake in Oman"),
    Case(name="atom summary", feed=atom("<title>Quake</title>", '<summary type="html">&lt;p onclick="alert(1)"&gt;Nobody '
                                        "was &lt;i&gt;hurt&lt;/i&gt;.&lt;/p&gt;</summary>"), told="Quake"),
    # JSON Feed
    Case(name="json title", feed=json_feed(title="AT&amp;T <b>wins</b>"), told="AT&T wins"),
    Case(name="json half a pair", feed=json_feed(title="Quake \ud800 in Oman"), told="Quake in Oman"),
    Case(name="json html", feed=json_feed(title="Quake", summary=None, content_html=f"{_ALERT}<p>Nobody was hurt.</p>"
                                          "<style>p{}</style><iframe src=x></iframe>"), told="Quake"),
    Case(name="json image", feed=json_feed(title="Quake", image="javascript:alert(1)"), told="Quake"),
    # Summaries
    _summary("tracking pixel", _cdata(f"<p>Nobody was hurt.</p>{_PIXEL}")),
    _summary("script and style", _cdata(f"<style>p {{ color: red }}</style>{_ALERT}Nobody was <b>hurt</b>.")),
    _summary("a link that runs", _cdata('<a href="javascript:alert(1)">Nobody</a> was <a href="data:text/html,x">hurt</a>.')),
    _summary("handlers", _cdata('<p onclick="alert(1)" style="background:url(javascript:x)">Nobody was hurt.</p>')),
    _summary("drawings", _cdata('<svg onload="alert(1)"><title>x</title></svg><math><mi>x</mi></math>Nobody was hurt.</p>')),
    _summary("from Word", _cdata("<!--[if gte mso 9]><xml><o:p>Normal</o:p></xml><![endif]--><p class=MsoNormal>Nobody was "
                                 "hurt.<o:p></o:p></p><![if !supportEmptyParas]>&nbsp;<![endif]>")),
    _summary("a comment that never ends", _cdata("<p>Nobody was hurt.</p><!-- <p>not this")),
    _summary("a tag that never ends", _cdata("<p>Nobody was hurt.</p><img src=x onerror=alert(1) ")),
    _summary("an attribute that never ends", _cdata('<p>Nobody was hurt.</p><a href="x onerror=alert(1)>')),
    _summary("closing what is not ours", _cdata("</p></td></tr></table></body></html>Nobody was hurt.")),
    _summary("closing the mail's comment", _cdata("<p>Nobody was hurt.</p> --> <![endif]--> ]]&gt;"), "Nobody was hurt."),
    _summary("forms", _cdata('<form action="https://evil.example"><input name=q value=x><button>Go</button></form>Nobody '
                             "was hurt.</p>")),
    _summary("refresh", _cdata('<meta http-equiv=refresh content="0;url=//evil.example"><base href="//evil.example">'
                               "<link rel=stylesheet href=//evil.example><p>Nobody was hurt.</p>")),
    _summary("mutation", _cdata('<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><p>Nobody was '
                                "hurt.</p>")),
    _summary("plain signs", "Tests show 5 &lt; 6 &amp; &quot;AT&amp;T&quot;", 'Tests show 5 < 6 & "AT&T"'),
    _summary("escaped twice", "&amp;lt;p&amp;gt;Nobody was hurt.&amp;lt;/p&amp;gt;"),
    # Links and pictures
    Case(name="javascript link", feed=rss("<title>Quake</title>", link="javascript:alert(1)"), told="Quake", url=""),
    Case(name="data link", feed=rss("<title>Quake</title>", link="data:text/html,<script>x</script>"), told="Quake", url=""),
    Case(name="link in pieces", feed=rss("<title>Quake</title>", link="java\nscript:alert(1)"), told="Quake", url=""),
    Case(name="link with quotes", feed=rss("<title>Quake</title>", link=ADDRESS + '?a="><b onclick=x>&b=1'), told="Quake",
         url=ADDRESS + '?a="><bonclick=x>&b=1'),
    Case(name="relative link", feed=rss("<title>Quake</title>", link="/story"), told="Quake"),
    Case(name="picture", feed=rss("<title>Quake</title>", more='<media:content medium="image" url="https://img.feed.example/'
                                  '1.jpg"><media:description>A &lt;b&gt;wall&lt;/b&gt;" onerror="alert(1)</media:description>'
                                  "</media:content>"), told="Quake", image="https://img.feed.example/1.jpg"),
    Case(name="pixel as picture", feed=rss("<title>Quake</title>", more='<media:content medium="image" width="1" height="1" '
                                           'url="https://img.feed.example/1.gif"/>'), told="Quake"),
    Case(name="picture with quotes", feed=rss("<title>Quake</title>", more='<media:thumbnail url="https://img.feed.example/'
                                              '1.jpg?a=&quot;&gt;&lt;script&gt;"/>'), told="Quake",
         image="https://img.feed.example/1.jpg?a=%22%3E%3Cscript%3E"),
)  # fmt: skip
