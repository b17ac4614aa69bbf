"""Reads OPML 1.0, 1.1 and 2.0: the lists that feed readers export, as they come.

Decides what an outline means: one with an `xmlUrl` is a source, one around others a folder. Names are read in any
case. What is commonly wrong is mended (bare ampersands, HTML's entities, a wrong encoding, junk in front); what is
broken is refused with its line, and a list that was cut off is never read in part. Pure; `reading` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.entities import html5
from typing import Final
from xml.parsers import expat

from worker.adapters.sources.decoding import decode
from worker.adapters.sources.plain import language, sound
from worker.errors import InputError
from worker.intake.listing.addresses import read_address
from worker.intake.listing.entries import MAX_ENTRIES, Entry, Listed, read_folder, read_name, refuse
from worker.intake.listing.spans import read_span

PREFIX: Final = "tocsin:"
"""Whose attributes these are that OPML has no words for (OPML 2.0: extensions stand in a namespace).

Told by the prefix alone: lists are full of prefixes that nobody declares, which namespaces would make errors.
"""

_DECLARATION: Final = re.compile(r"<\?xml[^<>]*\?>", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&(?:#([0-9]{1,8}|[xX][0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?")
_XML_NAMES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_VALUE: Final = re.compile(r"""=\s*("[^"]*"|'[^']*')""")
_CUT_OFF: Final = frozenset({expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN})
_MAX_DEPTH: Final = 100
_INCLUSIONS: Final = frozenset({"include", "link"})
_YES: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_opml(data: bytes) -> Listed:
    """Read a list. Raises `InputError`, or `ManyFaultsError` for more than one fault, with lines.

    >>> read_opml(b'<opml><body><outline text="Wire" xmlUrl="feed://a.example/"/></body></opml>').entries[0].url
    'http://a.example/'
    """
    text = _mended(sound(decode(data)))
    try:
        reader = _read(text)
    except expat.ExpatError as broken:
        try:
            reader = _read(_VALUE.sub(lambda value: value[0].replace("<", "&lt;"), text))
        except expat.ExpatError:
            raise _refusal(broken) from broken
    if reader.root != "opml":
        raise _no_list(reader.root)
    refuse(reader.faults)
    return Listed(entries=tuple(reader.entries), format="OPML", without_feed=reader.without_feed)


class _Reader:
    """Takes the outlines of a document one by one."""

    def __init__(self, line: Callable[[], int]) -> None:
        self._line = line
        self.root = ""
        self.entries: list[Entry] = []
        self.faults: list[InputError] = []
        self.without_feed = 0
        self._open: list[tuple[str, bool]] = []  # around what comes: a folder's name or "", and whether it has told one

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        name = tag.lower()
        self.root = self.root or name
        if len(self._open) >= _MAX_DEPTH:
            raise InputError(f"outlines stand more than {_MAX_DEPTH} deep", where=self._place(), hint="flatten them")
        if name != "outline":
            self._open.append(("", True))
            return
        told = _Attributes(attributes)
        address = told.get("xmlurl") or (told.get("url") if told.get("type").lower() in {"rss", "atom"} else "")
        if "+" in told.get("type"):  # FreshRSS's "HTML+XPath" and the like: a page, and how FreshRSS takes it apart
            address = ""
        if address:
            self._mark()
            self._take(told, address)
        elif told.get("type").lower() in {"rss", "atom"}:
            self._mark()
            hint = f'write xmlUrl="{_example(told)}"'
            self.faults.append(InputError("a feed without its address", where=f"{self._place()}, xmlUrl", hint=hint))
        is_folder = not address and told.get("type").lower() not in _INCLUSIONS
        self._open.append((read_name(told.title).replace("/", "-") if is_folder else "", bool(address)))

    def end(self, _tag: str) -> None:
        """Take the end of an element."""
        _, has_told = self._open.pop()
        if not has_told:
            self.without_feed += 1

    def _mark(self) -> None:
        """Remember that what is open holds a feed."""
        self._open = [(name, True) for name, _ in self._open]

    def _take(self, told: _Attributes, address: str) -> None:
        place = self._place()
        if len(self.entries) >= MAX_ENTRIES:
            raise InputError(f"more than {MAX_ENTRIES:,} feeds", where=place, hint="split the list")
        try:
            self.entries.append(self._entry(told, address, place))
        except InputError as error:
            self.faults.append(error)

    def _entry(self, told: _Attributes, address: str, place: str) -> Entry:
        every = told.ours("every")
        folder = "/".join(name for name, _ in self._open if name)
        return Entry(
            url=read_address(address, where=f"{place}, xmlUrl"),
            where=place,
            name=read_name(told.title) or None,
            homepage=_homepage(told.get("htmlurl")),
            lang=language(told.get("language")) or None,
            folder=read_folder(folder) or None,
            outlet=read_name(told.ours("outlet")) or None,
            house=told.flag("house", place),
            pages=told.flag("pages", place),
            paused=told.flag("paused", place),
            every_s=read_span(every, where=f"{place}, every") if every else None,
        )

    def _place(self) -> str:
        return f"line {self._line()}"


class _Attributes:
    """An outline's attributes, by their names in small letters."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self._told = {name.lower(): value.strip() for name, value in attributes.items()}

    @property
    def title(self) -> str:
        """What the outline shows: OPML 2.0 wants `text`, some lists have `title` only."""
        return self.get("text") or self.get("title")

    def get(self, name: str) -> str:
        """Return an attribute of OPML's, "" where it is not told."""
        return self._told.get(name, "")

    def ours(self, name: str) -> str:
        """Return an attribute of our own."""
        return self._told.get(f"{PREFIX}{name}", "")

    def flag(self, name: str, place: str) -> bool | None:
        """Return an attribute of our own that says yes or no. Raises `InputError`."""
        word = self.ours(name).lower()
        if word and word not in _YES:
            raise InputError(f"{word[:40]!r} is neither", where=f"{place}, {name}", hint="write true or false")
        return _YES.get(word)


def _read(text: str) -> _Reader:
    parser = expat.ParserCreate(encoding="utf-8")
    reader = _Reader(lambda: parser.CurrentLineNumber)
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.EntityDeclHandler = _refuse_entities
    parser.Parse(text.encode("utf-8"), True)
    return reader


def _refuse_entities(name: str, *_: object) -> None:
    raise InputError(f"the list defines an entity of its own, {name[:40]!r}", hint="write the text itself in its place")


def _mended(text: str) -> str:
    """Mend what feed readers commonly write wrong, without moving anything to another line."""
    begin = text.find("<")
    head, text = (text[:begin], text[begin:]) if begin >= 0 else ("", text)
    text = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1)  # its encoding is undone by now
    return "\n" * head.count("\n") + _REFERENCE.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    r"""Return a reference that XML knows; a bare ampersand as one, HTML's names as what they mean.

    >>> _REFERENCE.sub(_reference, "a&b=1 &amp; &eacute; &nope; &#0;&#233;")
    'a&amp;b=1 &amp; é &amp;nope; é'
    """
    number, name = found.groups()
    if name in _XML_NAMES:
        return found[0]
    if name:
        return html5.get(f"{name};", f"&amp;{name};")
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        meant = sound(chr(code)) if code <= 0x10FFFF else ""
        return found[0] if meant in "<&>\"'\n\t" and meant else meant
    return "&amp;"


def _homepage(address: str) -> str | None:
    try:
        return read_address(address, where="") if address else None
    except InputError:  # a mere courtesy of the list: no reason to refuse a feed
        return None


def _example(told: _Attributes) -> str:
    home = _homepage(told.get("htmlurl"))
    return f"{home.rstrip('/')}/feed" if home else "https://news.example/feed.xml"


def _refusal(broken: expat.ExpatError) -> InputError:
    says = expat.ErrorString(broken.code)
    hint = "is the file whole? Export the list again" if says in _CUT_OFF else "mend the XML there"
    return InputError(f"no XML: {says}", where=f"line {broken.lineno}, column {broken.offset + 1}", hint=hint)


def _no_list(root: str) -> InputError:
    if root in {"rss", "feed", "rdf"}:
        return InputError("this is a feed, no list of feeds", hint="`tocsin sources add` takes its address")
    if root in {"urlset", "sitemapindex"}:
        return InputError("this is a sitemap, no list of feeds", hint="`tocsin sources add` takes its address")
    return InputError(f"no OPML: the root element is <{root[:40]}>", hint="write <opml>, or a list in YAML")
