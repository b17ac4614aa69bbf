"""Feeds put together by hypothesis from everything that people put into feeds, and from what nobody should."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

NAMESPACES: Final = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "atom": "http://www.w3.org/2005/Atom",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "georss": "http://www.georss.org/georss",
    "thr": "http://purl.org/syndication/thread/1.0",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "own": "https://paper.example/ns",
    "wide": "urn:x",
}
_TEXTS: Final = [
    "", " ", "Quake", " Two\n words ", "AT&amp;T", "AT&amp;amp;T", "a &lt; b",
    "&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;", "<![CDATA[<p>Q&A &amp; more</p>]]>",
    "<![CDATA[It&#8217;s &lt;b&gt;]]>", "Ã©tÃ©", "caf&#233;", "It&#146;s", "북한", "a<!-- no -->b", "a<?pi x?>b",
    "https://paper.example/a?b=1&amp;c=2", "/a b", "../x;y", "HTTPS://Paper.Example", "//x", "mailto:x@y.example",
    "javascript:x", "Ada &lt;ada@x.example&gt;", "ada@x.example (Ada)", "ada@x.example", "by Ada",
    "Mon, 23 Nov 2026 09:00:00 KST", "2026-11-23T09:00:00Z", "soon", "60", "hourly", "en_US", "ko", "0", "23",
    "Sunday", "<b>bold</b>", "<title>x</title>", "<div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div>",
    "&#65533;", "http://[", "x" * 300, "&#x202e;evil", "a&#13;b", "https://paper.example/é",
    "https://paper.example/x y?",
]  # fmt: skip
_NAMES: Final = [
    "title", "link", "guid", "id", "description", "summary", "content", "content:encoded", "pubDate", "published",
    "issued", "updated", "modified", "created", "date", "author", "name", "email", "uri", "category", "keywords",
    "enclosure", "source", "contributor", "comments", "language", "image", "url", "width", "rights", "generator",
    "body", "abstract", "info", "tags", "dc:title", "dc:creator", "dc:date", "dc:description", "dc:subject",
    "dc:language", "dc:publisher", "dc:contributor", "dcterms:issued", "dcterms:modified", "dcterms:created",
    "media:content", "media:thumbnail", "media:group", "media:title", "media:description", "media:credit",
    "media:keywords", "media:category", "media:player", "atom:link", "atom:updated", "atom:author", "itunes:author",
    "itunes:summary", "itunes:keywords", "itunes:image", "itunes:category", "slash:comments", "feedburner:origLink",
    "georss:point", "thr:total", "own:title", "own:age", "wide:creator", "post-id", "links", "authors",
    "title_detail", "item", "entry", "channel", "ttl", "skipHours", "skipDays", "hour", "day", "sy:updatePeriod",
    "sy:updateFrequency", "managingEditor", "webMaster", "lastBuildDate", "cloud", "textInput", "logo", "TITLE",
    "Link", "itunes:owner", "itunes:name", "itunes:email", "svg", "items", "permalink", "rdf:Seq", "subtitle",
]  # fmt: skip
_ATTRIBUTES: Final = [
    'href="https://paper.example/x?y=1&amp;z=2"', 'href="/relative"', 'href=""', 'url="https://paper.example/p.jpg"',
    'rel="alternate"', 'rel="self"', 'rel="hub"', 'rel="enclosure"', 'rel="SELF hub"', 'type="text/html"',
    'type="html"', 'type="text"', 'type="xhtml"', 'type="image/jpeg"', 'type="application/json"',
    'isPermaLink="false"', 'isPermaLink="True"', 'term="Asia"', 'label="Asien"', 'scheme="x"', 'domain="y"',
    'medium="image"', 'width="1200"', 'height="x"', 'lang="ko"', 'xml:lang="ko_KR"', 'xml:lang=""',
    'xml:base="/deeper/"', 'base="https://other.example/"', 'own:href="/no"', 'own:x="1"',
    'rdf:about="https://paper.example/about"', 'name="n"', 'mode="escaped"', 'src="https://paper.example/c"',
    'HREF="/upper"', 'xmlns="urn:y"', 'xmlns:dc="urn:z"', 'xmlns:own="http://purl.org/dc/elements/1.1/"',
    'lastmod="2026-11-23"', 'text="Arts"',
]  # fmt: skip


@st.composite
def _elements(draw: st.DrawFn, depth: int = 2) -> str:
    """One element, most often an ordinary one."""
    name = draw(st.sampled_from(_NAMES))
    attributes = "".join(
        f" {one}"
        for one in {a.split("=")[0]: a for a in draw(st.lists(st.sampled_from(_ATTRIBUTES), max_size=2))}.values()
    )
    inner = draw(st.sampled_from(_TEXTS))
    if depth and draw(st.integers(0, 4)) == 0:
        inner += "".join(draw(st.lists(_elements(depth - 1), max_size=3)))
    return f"<{name}{attributes}>{inner}</{name}>"


_ORDINARY: Final = [
    "<title>{}</title>", "<link>{}</link>", '<guid isPermaLink="false">{}</guid>', "<guid>{}</guid>", "<id>{}</id>",
    "<description>{}</description>", "<content:encoded>{}</content:encoded>", "<pubDate>{}</pubDate>",
    "<dc:date>{}</dc:date>", "<dc:creator>{}</dc:creator>", "<category>{}</category>",
    '<category term="a" label="{}"/>', "<author>{}</author>", "<author><name>{}</name><uri>x</uri></author>",
    '<link rel="alternate" href="/a"/>', '<atom:link rel="self" href="/b"/>',
    '<media:content url="/p.jpg" medium="image"><media:credit>{}</media:credit></media:content>',
    "<own:age>{}</own:age>", '<media:thumbnail url="/t.jpg"/>', "<media:title>{}</media:title>",
    '<enclosure url="/e.jpg" type="image/jpeg"/>', "<source url='/s'>{}</source>", "<updated>{}</updated>",
    "<published>{}</published>", '<summary type="html">{}</summary>', '<content type="html">{}</content>',
    "<language>{}</language>", "<media:group><media:content url='/g.png'/></media:group>", "<comments>{}</comments>",
    "<slash:comments>{}</slash:comments>", "<ttl>{}</ttl>", "<sy:updatePeriod>{}</sy:updatePeriod>",
    "<skipHours><hour>{}</hour><hour>7</hour></skipHours>", "<image><url>/i</url><title>{}</title></image>",
    '<link rel="hub" href="https://hub.example/"/>', '<media:content url="/v" type="image/png"/>',
]  # fmt: skip


@st.composite
def _parts(draw: st.DrawFn) -> str:
    """Some elements in a row: ordinary ones, each once at most, and one in three times something else."""
    chosen = draw(st.lists(st.sampled_from(_ORDINARY), max_size=7, unique=True))
    parts = [one.replace("{}", draw(st.sampled_from(_TEXTS))) for one in chosen]
    if draw(st.integers(0, 2)) == 0:
        parts.insert(draw(st.integers(0, len(parts))), draw(_elements()))
    return "\n".join(parts)


@st.composite
def made_feeds(draw: st.DrawFn) -> bytes:
    """An RSS, RDF or Atom feed, well-formed unless its parts make it otherwise."""
    kind = draw(st.sampled_from(["rss", "rss", "atom", "rdf"]))
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    extra = draw(
        st.sampled_from(["", "", "", ' xml:lang="en_GB"', ' xml:base="https://other.example/x/"', ' lang="fr"'])
    )
    head = draw(_parts())
    item = "entry" if kind == "atom" else "item"
    attributes = draw(
        st.sampled_from(["", "", ' rdf:about="https://paper.example/r"', ' xml:lang="de"', ' href="/cdf"'])
    )
    items = "".join(f"<{item}{attributes}>{parts}</{item}>" for parts in draw(st.lists(_parts(), max_size=3)))
    if kind == "atom":
        text = f'<feed xmlns="http://www.w3.org/2005/Atom"{declared}{extra}>{head}{items}</feed>'
    elif kind == "rdf":
        text = f'<rdf:RDF xmlns="http://purl.org/rss/1.0/"{declared}{extra}><channel>{head}</channel>{items}</rdf:RDF>'
    else:
        version = draw(st.sampled_from(["2.0", "0.91", "0.92", "1.0"]))
        tail = draw(st.sampled_from(["", "", "<ttl>5</ttl>", "<title>late</title>"]))
        text = f'<rss version="{version}"{declared}{extra}><channel>{head}{items}{tail}</channel></rss>'
    return text.encode()
