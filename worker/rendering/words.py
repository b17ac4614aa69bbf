"""An editor's words in pieces that a template can print, such as lists and quotes, and how plain text has them.

Holds text only, never markup: what a template writes of it is escaped like everything else. Knows no language. Pure.
`markdown` makes them, views carry them, templates print them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from worker.rendering.prose import TEXT_COLUMNS, wrap

_QUOTED: Final = "> "


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of words of one look. `url` is an https, http or mailto address where they are a link, else ""."""

    text: str
    strong: bool = False
    emphasis: bool = False
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Words in one paragraph, at least one span."""

    kind: ClassVar[str] = "paragraph"
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture on a line of its own. `url` is an https address; without `alt` it only decorates."""

    kind: ClassVar[str] = "picture"
    url: str
    alt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """A list, numbered from one or not at all; every item has blocks."""

    kind: ClassVar[str] = "list"
    numbered: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """Another's words."""

    kind: ClassVar[str] = "quote"
    blocks: tuple[Block, ...]


Block = Paragraph | Listing | Quote | Picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """An editor's words; false when there are none."""

    blocks: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)

    @property
    def plain(self) -> str:
        """Return the words alone, in one line, for places that have no room for anything else.

        >>> Words(blocks=(Paragraph(spans=(Span(text="Good "), Span(text="morning", strong=True))),)).plain
        'Good morning'
        """
        return " ".join(filter(None, map(_plain, self.blocks)))

    def written(self, label: str = "", indent: str = "", width: int = TEXT_COLUMNS) -> str:
        """Return the words as plain text, wrapped; `label` stands before the first of them.

        >>> link = Span(text="the report", url="https://courier.example/r")
        >>> print(Words(blocks=(Paragraph(spans=(Span(text="Read "), link)),)).written("Note:", "  ", width=20))
          Note: Read the
          report
          <https://courier.example/r>
        """
        if label and not (self.blocks and isinstance(self.blocks[0], Paragraph)):
            return "\n\n".join(filter(None, [wrap(label, indent, width), _written(self.blocks, indent, width)]))
        return _written(self.blocks, indent, width, label)


def _plain(block: Block) -> str:
    match block:
        case Paragraph():
            return "".join(span.text for span in block.spans)
        case Picture():
            return block.alt
        case Listing():
            return " ".join(_plain(one) for item in block.items for one in item)
        case Quote():
            return " ".join(map(_plain, block.blocks))


def _written(blocks: Sequence[Block], indent: str, width: int, label: str = "") -> str:
    parts = []
    for number, block in enumerate(blocks):
        parts.append(_block(block, indent, width, label if number == 0 else ""))
    return "\n\n".join(filter(None, parts))


def _block(block: Block, indent: str, width: int, label: str) -> str:
    match block:
        case Paragraph():
            return wrap(f"{label} {''.join(map(_marked, block.spans))}", indent, width)
        case Picture():
            return wrap(f"[{block.alt}] <{block.url}>" if block.alt else f"<{block.url}>", indent, width)
        case Listing():
            return "\n".join(_items(block, indent, width))
        case Quote():
            inner = _written(block.blocks, "", width - len(indent) - len(_QUOTED))
            return "\n".join(f"{indent}{_QUOTED}{line}".rstrip() for line in inner.split("\n"))


def _items(listing: Listing, indent: str, width: int) -> Iterator[str]:
    for number, item in enumerate(listing.items, 1):
        mark = f"{number}. " if listing.numbered else "- "
        written = _written(item, indent + " " * len(mark), width)
        yield indent + mark + written[len(indent) + len(mark) :]


def _marked(span: Span) -> str:
    inner = span.text.strip()
    if not inner:
        return span.text
    before, after = span.text[: len(span.text) - len(span.text.lstrip())], span.text[len(span.text.rstrip()) :]
    shown = f"*{inner}*" if span.strong or span.emphasis else inner
    address = span.url.removeprefix("mailto:")
    if span.url and inner in {address, span.url}:
        return f"{before}<{address}>{after}"
    return f"{before}{shown} <{address}>{after}" if span.url else f"{before}{shown}{after}"
