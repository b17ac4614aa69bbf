"""NewsML-G2, the IPTC's news in XML: a message of items, or one item by itself.

Pure: bytes in, articles out. Stories come from `newsItem`s; a `packageItem` only tells which picture goes with which,
and pictures, videos, planning and concepts are no articles. What must not be published yet or any more is withheld.
`files` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from xml.etree.ElementTree import Element

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.decoding import decode, sniffable
from worker.adapters.sources.limits import MAX_ITEMS
from worker.adapters.sources.picturing import chosen, is_image, picture
from worker.adapters.sources.wire_items import Told, latest, severity_of, without_withheld
from worker.adapters.sources.wire_text import prose_of
from worker.adapters.sources.xml_tree import attribute, child, children, subtrees, text_of
from worker.errors import FeedError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture

_HEAD_BYTES: Final = 65_536
_ROOT: Final = re.compile(rb"<(?:[\w-]+:)?(?:newsMessage|newsItem|packageItem|conceptItem|planningItem)[\s>]")
_OTHER_ROOT: Final = re.compile(rb"<(?:!doctype\s+html|html|(?:[\w-]+:)?(?:rss|rdf|feed))[\s>]", re.IGNORECASE)
_CODE: Final = re.compile(r"[:/#]")
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_TEXT: Final = "text"


class NewsmlSource:
    """NewsML-G2."""

    name = "newsml-g2"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  wires call it anything
        """Look for a message's or an item's root element."""
        head = sniffable(data[:_HEAD_BYTES])
        root, other = _ROOT.search(head), _OTHER_ROOT.search(head)
        return bool(root and (not other or root.start() < other.start()))

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the stories in their order, the latest version of each.

        Raises `FeedError` when the bytes are no well-formed XML: of a message that breaks off, the withdrawals may be
        missing.
        """
        found = list(subtrees(decode(data, content_type), frozenset({"newsItem", "packageItem"}), whole=True))
        if len(found) > MAX_ITEMS:
            raise FeedError(f"the message has more than {MAX_ITEMS} items")
        items = [one for one in found if one.tag.rpartition(":")[2] == "newsItem"]
        stories = [item for item in items if _kind(item) in {_TEXT, "composite", ""}]
        only = url if len(stories) == 1 else ""
        told = [_told(item, only, f"item {number}") for number, item in enumerate(stories, 1)]
        packages = [one for one in found if one not in items]
        return without_withheld(_with_pictures(latest(told), items, packages), format_=self.name)


def _told(item: Element, url: str, where: str) -> Told:
    meta = child(item, "itemMeta")
    embargoed = child(meta, "embargoed")
    return Told(
        article=_article(item, url),
        version=attribute(item, "version"),
        status=_code(child(meta, "pubStatus")).lower() or "usable",
        embargo=parse_date(text_of(embargoed)),
        is_embargoed=embargoed is not None,
        created=parse_date(text_of(meta, "versionCreated")),
        where=where,
    )


def _article(item: Element, url: str) -> ParsedArticle:
    meta, content = child(item, "itemMeta"), child(item, "contentMeta")
    first = text_of(meta, "firstCreated") or text_of(content, "contentCreated") or text_of(meta, "versionCreated")
    subjects = [_name(one) for one in _all(content, "subject")]
    keywords = [text_of(one) for one in _all(content, "keyword", "slugline")]
    by = text_of(content, "by")
    return ParsedArticle(
        guid=plain.identifier(attribute(item, "guid")),
        url=_address(item, url),
        title=plain.headline(_best(_all(content, "headline")) or text_of(meta, "title"), markup=False),
        summary=plain.prose(_best(_all(content, "description")), markup=False),
        body=_body(item, text_of(content, "dateline")),
        author=plain.byline([by] if by else map(_name, _all(content, "creator"))),
        section=plain.one_line(next(filter(None, subjects), "")),
        source=plain.one_line(_provider(item)),
        lang=plain.language(attribute(child(content, "language"), "tag") or attribute(item, "lang")),
        tags=plain.labels([*subjects, *keywords]),
        published_at=parse_date(first),
        updated_at=parse_date(text_of(meta, "versionCreated")),
        severity=severity_of(text_of(content, "urgency")),
        image=chosen(_pictures(item, content, url)),
    )


def _kind(item: Element) -> str:
    return _code(child(item, "itemMeta", "itemClass")).lower()


def _code(element: Element | None) -> str:
    """Return a controlled value without its scheme: "stat:canceled" and ".../pubstatusg2/canceled" are one."""
    return _CODE.split(attribute(element, "qcode") or attribute(element, "uri") or attribute(element, "literal"))[-1]


def _all(element: Element | None, *names: str) -> list[Element]:
    return children(element, *names) if element is not None else []


def _name(element: Element) -> str:
    """Return what people call a subject or a person: its own name, in the first language there is."""
    return text_of(element, "name") or attribute(element, "literal")


def _best(texts: Sequence[Element]) -> str:
    """Prefer the text without a role, or with that of the main one, to short and other forms."""
    named = [(_code_of_role(one), text_of(one)) for one in texts if text_of(one)]
    for role in ("", "main", "headline", "summary"):
        for told, text in named:
            if told == role:
                return text
    return named[0][1] if named else ""


def _code_of_role(element: Element) -> str:
    return _CODE.split(attribute(element, "role"))[-1].lower()


def _provider(item: Element) -> str:
    meta, content = child(item, "itemMeta"), child(item, "contentMeta")
    for place in (child(content, "infoSource"), child(meta, "provider")):
        if place is not None and (name := text_of(place, "name") or attribute(place, "literal")):
            return name
    return text_of(content, "creditline") or text_of(item, "rightsInfo", "copyrightHolder", "name")


def _address(item: Element, url: str) -> str:
    links = _all(child(item, "itemMeta"), "link") + _all(item, "link")
    named = [attribute(link, "href") for link in links if _code_of_rel(link) in {"canonical", "alternate", "web"}]
    candidates = (*named, url, attribute(item, "guid"))
    return next((one for one in candidates if _WEB.match(one) and not re.search(r"\s", one)), "")


def _code_of_rel(link: Element) -> str:
    return _CODE.split(attribute(link, "rel"))[-1].lower()


def _body(item: Element, dateline: str) -> str:
    """Return the longest of the forms in which a story comes, after the line that tells where it was written."""
    forms = (form for part in _all(item, "contentSet") for form in children(part, "inlineXML", "inlineData"))
    body = max((prose_of(form) for form in forms), key=len, default="")
    line = plain.one_line(dateline)
    return f"{line} {body}" if line and body and not body.startswith(line[:20]) else body


def _pictures(item: Element, content: Element | None, base: str) -> list[Picture]:
    alt, credit = _best(_all(content, "description")), text_of(content, "creditline")
    remote = (one for part in _all(item, "contentSet") for one in children(part, "remoteContent"))
    found = (
        picture(
            attribute(one, "href"),
            base,
            alt=alt if _kind(item) == "picture" else "",
            credit=credit,
            width=attribute(one, "width"),
            height=attribute(one, "height"),
        )
        for one in remote
        if is_image(attribute(one, "href"), kind=attribute(one, "contenttype"))
    )
    return [one for one in found if one]


def _with_pictures(told: list[Told], items: list[Element], packages: list[Element]) -> list[Told]:
    """Give a story without a picture the first one that a package names beside it, if that may be published."""
    usable = {
        attribute(item, "guid"): one
        for item in items
        if _kind(item) in {"picture", "graphic"}
        and (_code(child(item, "itemMeta", "pubStatus")).lower() or "usable") == "usable"
        and (one := chosen(_pictures(item, child(item, "contentMeta"), "")))
    }
    beside: dict[str, Picture] = {}
    for package in packages:
        refs = [attribute(ref, "residref") for ref in package.iter() if ref.tag.rpartition(":")[2] == "itemRef"]
        first = next((usable[ref] for ref in refs if ref in usable), None)
        if first:
            beside |= dict.fromkeys((ref for ref in refs if ref not in beside), first)
    return [
        replace(one, article=replace(one.article, image=one.article.image or beside.get(one.article.guid)))
        for one in told
    ]
