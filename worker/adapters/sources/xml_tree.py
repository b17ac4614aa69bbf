"""XML that is data, read without being hurt by it: sitemaps and wire services' messages.

Pure. Python's own expat does it (feeds go another way, see `feed_xml`); lxml would add nothing but its entities. Names
are local names, whatever their prefix is bound to: half of all sitemaps declare a wrong namespace, or none.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from worker.adapters.sources.limits import MAX_ELEMENTS
from worker.adapters.sources.plain import sound
from worker.errors import FeedError

_DECLARATION: Final = re.compile(r"\s*<\?xml[^<>]*\?>")
_REFERENCE: Final = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:([a-zA-Z][a-zA-Z0-9]*);|(?!#))", re.DOTALL)
_XML_OWN: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_MAX_DEPTH: Final = 200
_CHUNK_CHARS: Final = 65_536


def subtrees(text: str, names: frozenset[str], *, whole: bool) -> Iterator[Element]:
    """Yield the elements of these local names as they end, none of them from inside of another.

    What is almost XML for a bare "&" or a name of HTML's is mended. `whole`: what breaks off in the middle is refused,
    else what came before it counts. Raises `FeedError` with the line: for entity declarations, for more elements or
    depth than the limits allow, and for what is no XML.

    >>> [loc.text for loc in subtrees("<a><x:loc>b&c</x:loc></a>", frozenset({"loc"}), whole=True)]
    ['b&c']
    """
    text = sound(text)
    declared = _DECLARATION.match(text)
    text = (text[declared.end() :] if declared else text).lstrip()  # decoding has dealt with what it says
    mended = _REFERENCE.sub(_mend, text) if "&" in text else text
    reader = _Reader(names)
    for start in range(0, max(len(mended), 1), _CHUNK_CHARS):
        chunk = mended[start : start + _CHUNK_CHARS]
        try:
            reader.parser.Parse(chunk.encode("utf-8"), start + _CHUNK_CHARS >= len(mended))
        except expat.ExpatError as error:
            yield from reader.taken()
            if whole or not reader.count:
                raise _broken(error) from error
            return
        yield from reader.taken()


def local(element: Element) -> str:
    """Return an element's name without its prefix.

    >>> local(Element("news:title"))
    'title'
    """
    return str(element.tag).rpartition(":")[2]


def children(element: Element, *names: str) -> list[Element]:
    """Return the children of these local names, in order."""
    return [child for child in element if local(child) in names]


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first descendant on a path of local names."""
    for name in path:
        element = next((one for one in element if local(one) == name), None) if element is not None else None
    return element


def text_of(element: Element | None, *path: str) -> str:
    """Return all text below an element, "" where there is none.

    >>> inner = Element("b"); inner.text = "c"; outer = Element("a"); outer.append(inner); text_of(outer, "b")
    'c'
    """
    found = child(element, *path)
    return "" if found is None else "".join(found.itertext()).strip()


def attribute(element: Element | None, name: str) -> str:
    """Return an attribute by its local name, "" where there is none."""
    if element is None:
        return ""
    return next((value for key, value in element.items() if key.rpartition(":")[2] == name), "").strip()


class _Reader:
    """Builds trees of the wanted elements alone, so that a long document costs no more memory than its longest one."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names, self._builder = names, TreeBuilder()
        self._depth = self._inside = self._elements = 0
        self._done: list[Element] = []
        self.count = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.EntityDeclHandler = self._entity
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def _entity(self, *_declaration: object) -> None:
        raise FeedError("the document declares XML entities, which are refused", hint="write the characters themselves")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH:
            raise FeedError(f"the document is nested deeper than {_MAX_DEPTH} elements")
        if self._elements > MAX_ELEMENTS:
            raise FeedError(f"the document has more than {MAX_ELEMENTS} elements")
        if self._inside or name.rpartition(":")[2] in self._names:
            self._inside += 1
            self._builder.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if not self._inside:
            return
        self._inside -= 1
        self._builder.end(name)
        if not self._inside:
            self._done.append(self._builder.close())
            self._builder = TreeBuilder()
            self.count += 1

    def _text(self, text: str) -> None:
        if self._inside:
            self._builder.data(text)


def _mend(found: re.Match[str]) -> str:
    whole, name = found[0], found[1]
    if whole.startswith("<") or name in _XML_OWN:
        return whole
    if name is None:
        return "&amp;"
    plain = html.unescape(whole)
    return f"&amp;{name};" if plain == whole else plain


def _broken(error: expat.ExpatError) -> FeedError:
    why = expat.errors.messages.get(error.code, "broken")
    return FeedError(f"no well-formed XML: {why}", where=f"line {error.lineno}, column {error.offset + 1}")
