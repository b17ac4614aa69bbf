"""Editors' Markdown: paragraphs, emphasis, links, lists, quotes, pictures; what else is written is text.

There is no HTML in it, and none is made of it: `words` holds what was understood, and templates print that. A link may
lead to http, https or mailto, a picture come by https; any other stays the text that it is, as do headings, code, HTML
and what is nested too deeply. Never raises, and never loses a word but by length. Pure. Views and the archive call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import blockquote as quote_rule
from markdown_it.rules_block import list_block as list_rule
from markdown_it.token import Token

from worker.rendering.prose import fit_lines, shorten, web_address
from worker.rendering.words import Block, Listing, Paragraph, Picture, Quote, Span, Words

SOURCE_CHARS: Final = 20_000  # of which the rest is cut before it is read
_INLINE: Final = ("newline", "escape", "emphasis", "link", "image", "autolink")
# A thousand items of one letter make as much HTML as a book, of which Gmail would show the beginning.
_PIECE_CHARS: Final = 25
_PIECES: Final = 100
_DEEPEST: Final = 6  # levels of tokens: a list takes two, a quote one; markdown-it would drop what lies below 20
_NUMBER: Final = re.compile(r"(\d{1,9})[.)]")
_MAILBOX: Final = re.compile(r"mailto:[^\s<>@\"?]+@[^\s<>@\"?]+", re.IGNORECASE)


def words_of(text: str, *, limit_chars: int) -> Words:
    r"""Read an editor's words, of which at most `limit_chars` are shown, an ellipsis where they are cut.

    >>> words_of("**No** change [here](javascript:x).", limit_chars=600).plain
    'No change [here](javascript:x).'
    >>> [block.kind for block in words_of("Two:\n\n- one\n- two\n\n> said", limit_chars=600).blocks]
    ['paragraph', 'list', 'quote']
    """
    return _words(text[:SOURCE_CHARS], limit_chars)


@lru_cache(maxsize=512)  # an issue's words stand in every variant of it, and are read anew each time it is cut to size
def _words(text: str, limit_chars: int) -> Words:
    tokens = iter(_parser().parse(fit_lines(text)))
    piece = max(_PIECE_CHARS, limit_chars // _PIECES)
    whole = tuple(_blocks(tokens))
    shown = tuple(_cut(whole, limit_chars + piece, piece))
    if shown != whole and not Words(blocks=shown).plain.endswith("…"):
        shown = (*shown, Paragraph(spans=(Span(text="…"),)))
    return Words(blocks=shown)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"maxNesting": 20})
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    parser.enable(["blockquote", "list", *_INLINE])
    parser.validateLink = lambda url: bool(_link(url))  # type: ignore[method-assign]  # its documented hook
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]  # `_link` does it
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]  # shown as it is written
    return parser


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and quote_rule(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Begin a list, unless its number is not 1: a paragraph that begins with a date or a year is no list."""
    if state.level >= _DEEPEST:
        return False
    begins = state.bMarks[start] + state.tShift[start]
    number = _NUMBER.match(state.src, begins, state.eMarks[start])
    return not (number and number[1] != "1") and list_rule(state, start, end, silent)


def _link(url: str) -> str:
    return url if _MAILBOX.fullmatch(url) else web_address(url)


def _blocks(tokens: Iterator[Token], until: str = "") -> list[Block]:
    """Read blocks up to the token that ends what they are in."""
    found: list[Block] = []
    for token in tokens:
        if token.type == until:
            break
        match token.type:
            case "inline":
                found += _paragraph(token.children or ())
            case "blockquote_open":
                quoted = _blocks(tokens, "blockquote_close")
                found += [Quote(blocks=tuple(quoted))] if quoted else []
            case "bullet_list_open" | "ordered_list_open":
                close = token.type.replace("open", "close")
                items = tuple(tuple(item) for item in _list_items(tokens, close) if item)
                found += [Listing(numbered=token.type.startswith("ordered"), items=items)] if items else []
    return found


def _list_items(tokens: Iterator[Token], until: str) -> Iterator[list[Block]]:
    for token in tokens:
        if token.type == until:
            return
        if token.type == "list_item_open":
            yield _blocks(tokens, "list_item_close")


def _paragraph(children: Sequence[Token]) -> list[Block]:
    alone = children[0] if len(children) == 1 else None
    if alone and alone.type == "image" and (url := _picture_address(alone)):
        return [Picture(url=url, alt=_collapsed(alone.content).strip())]
    spans = _trimmed(_joined(_spans(children)))
    return [Paragraph(spans=spans)] if spans else []


def _spans(children: Sequence[Token]) -> Iterator[Span]:
    strong, emphasis, url = 0, 0, ""
    for token in children:
        match token.type:
            case "strong_open" | "strong_close":
                strong += token.nesting
            case "em_open" | "em_close":
                emphasis += token.nesting
            case "link_open":
                url = _link(str(token.attrs["href"]))
            case "link_close":
                url = ""
            case "image":
                yield _picture_in_words(token, url)
            case "softbreak" | "hardbreak":
                yield Span(text=" ", strong=strong > 0, emphasis=emphasis > 0, url=url)
            case _:
                text = _collapsed(token.content)
                yield Span(text=text, strong=strong > 0, emphasis=emphasis > 0, url=url)


def _picture_in_words(token: Token, link: str) -> Span:
    """Make of a picture amid words a link to it; of one that no mail may load the text that was written."""
    url = _picture_address(token)
    alt = _collapsed(token.content).strip()
    return Span(text=alt or url, url=link or url) if url else Span(text=f"![{alt}]({token.attrs['src']})", url=link)


def _picture_address(token: Token) -> str:
    url = web_address(str(token.attrs["src"]))
    return url if url.lower().startswith("https://") else ""


def _collapsed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours of one look."""
    last: Span | None = None
    for span in spans:
        if last and replace(last, text="") == replace(span, text=""):
            last = replace(last, text=last.text + span.text)
            continue
        if last and last.text:
            yield last
        last = span
    if last and last.text:
        yield last


def _trimmed(spans: Iterator[Span]) -> tuple[Span, ...]:
    found = list(spans)
    if found:
        found[0] = replace(found[0], text=found[0].text.lstrip())
        found[-1] = replace(found[-1], text=found[-1].text.rstrip())
    return tuple(span for span in found if span.text)


def _cut(blocks: Sequence[Block], left: int, piece: int) -> Iterator[Block]:
    """Show what there is room for. What is not alone text, such as an item or a link, costs `piece` characters more."""
    for block in blocks:
        size = _size(block, piece)
        if size <= left:
            yield block
        else:
            yield from _part_of(block, left, piece)
        if size >= left:
            return
        left -= size


def _size(block: Block, piece: int) -> int:
    match block:
        case Paragraph():
            return piece + sum(_span_size(span, piece) for span in block.spans)
        case Picture():
            return piece + len(block.alt)
        case Listing():
            return sum(_size(one, piece) for item in block.items for one in item)
        case Quote():
            return piece + sum(_size(one, piece) for one in block.blocks)


def _span_size(span: Span, piece: int) -> int:
    return len(span.text) + (piece if span.url else 0)


def _part_of(block: Block, left: int, piece: int) -> Iterator[Block]:
    match block:
        case Paragraph():
            if left > piece + 1:
                yield Paragraph(spans=tuple(_shortened(block.spans, left - piece, piece)))
        case Listing():
            if items := tuple(_items(block.items, left, piece)):
                yield replace(block, items=items)
        case Quote():
            if inner := tuple(_cut(block.blocks, left - piece, piece)):
                yield Quote(blocks=inner)
        case Picture():
            return


def _items(items: Sequence[Sequence[Block]], left: int, piece: int) -> Iterator[tuple[Block, ...]]:
    for item in items:
        if left > piece and (shown := tuple(_cut(item, left, piece))):
            yield shown
        left -= sum(_size(one, piece) for one in item)


def _shortened(spans: Sequence[Span], left: int, piece: int) -> Iterator[Span]:
    for span in spans:
        if _span_size(span, piece) >= left:
            yield Span(text=shorten(f"{span.text} …", max(2, left)))
            return
        yield span
        left -= _span_size(span, piece)
