"""From markup to plain text: what a reader would see, and nothing that a mail or a database cannot carry.

Pure. HTML is read by nh3 (a browser's parser), never by patterns, except where its structure is hostile. All sources
pass every piece of text through here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import nh3

from worker.adapters.sources.limits import (
    MAX_AMPERSANDS,
    MAX_HTML_CHARS,
    MAX_HTML_DEPTH,
    MAX_LINE_CHARS,
    MAX_TAGS,
    MAX_TITLE_MARKUP_CHARS,
)
from worker.characters import boundary, is_plain, visible

# Neither XML 1.0 nor PostgreSQL carries these; lone surrogates come out of JSON's \ud800.
_BARRED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

_BLOCK_NAMES: Final = """
    address article aside blockquote caption dd details div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul
"""
_UNSEEN_NAMES: Final = """
    audio button canvas iframe math noscript object script select style svg template textarea title video
"""
_INLINE_NAMES: Final = "a abbr b cite code em font i img q s small span strike strong sub sup u"
# HTML closes these by itself: unclosed ones pile up in the source, not in the tree.
_SELF_CLOSING_NAMES: Final = """
    area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th thead tr track wbr
"""
BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_SELF_CLOSING: Final = frozenset(_SELF_CLOSING_NAMES.split())
UNSEEN: Final = frozenset(_UNSEEN_NAMES.split())
_CLEANER: Final = nh3.Cleaner(tags=BLOCKS | {"br"}, clean_content_tags=UNSEEN, attributes={})

_GAP: Final = re.compile(r"\n{3,}")
_TAG: Final = re.compile(r"<[^<>]*>")
_OPENING: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_CLOSABLE: Final = "|".join(_BLOCK_NAMES.split() + _INLINE_NAMES.split() + _UNSEEN_NAMES.split())
_MARKUP: Final = re.compile(rf"</(?:{_CLOSABLE})\s*>|<(?:br|hr|img|p)\b[^<>]*>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{4,8}[0-9]{0,2});")
_LANG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_COMMENTED_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+ \(([^()]+)\)")
_NAMED_ADDRESS: Final = re.compile(r'"?([^"<>@]+)"? <[^\s<>]+@[^\s<>]+>')
_BYLINE: Final = re.compile(r"by\s+", re.IGNORECASE)


def sound(text: str) -> str:
    r"""Drop the characters that XML 1.0, SQL and mail do not carry; lone surrogates too.

    >>> sound("a\x00b\ud800c\n")
    'abc\n'
    """
    return _BARRED.sub("", text)


def identifier(text: str) -> str:
    """Put what names an item on one line, and leave its characters as they are: it is compared, never read.

    >>> identifier(" tag:news.example,2026:7 ")
    'tag:news.example,2026:7'
    """
    return " ".join(sound(text).split())[:MAX_LINE_CHARS]


def one_line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    r"""Put text on one line with single spaces, cut after `limit` characters.

    >>> one_line("  Seoul\u00a0and\n Tokyo "), one_line("abcdef", 4), one_line("cafe\u0301\u202e s\u200bhut")
    ('Seoul and Tokyo', 'abc…', 'café shut')
    """
    line = " ".join(_seen(text).split())
    return line if len(line) <= limit else line[: boundary(line, limit - 1)].rstrip() + "…"


def paragraphs(text: str) -> str:
    r"""Tidy plain text: one blank line between paragraphs, no spaces at the ends of lines.

    >>> paragraphs("One\r\n\r\n\r\n  Two  \nlines\n")
    'One\n\nTwo\nlines'
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    whole = text.replace("\n", " ")
    if is_plain(whole) and unicodedata.is_normalized("NFC", whole):  # what holds of all holds of each
        lines = [line.strip() for line in text.split("\n")]
    else:
        lines = [_seen(line).strip() for line in text.split("\n")]
    tidy = "\n".join(lines)
    return (_GAP.sub("\n\n", tidy) if "\n\n\n" in tidy else tidy).strip()


def html_to_text(markup: str) -> str:
    r"""Return what a reader sees of HTML: paragraphs parted by blank lines, `<br>` as a new line, entities resolved.

    >>> html_to_text("<p>Fish &amp;\n chips</p><p>a<br>b</p><script>x()</script>")
    'Fish & chips\n\na\nb'
    """
    markup = sound(markup)
    if _is_hostile(markup):
        text = html.unescape(_TAG.sub("\n\n", " ".join(markup.split()))).replace("\u00a0", " ")
        return paragraphs(re.sub(r" {2,}", " ", text))
    # As nh3 writes it: every "<" begins a tag, and there are four entities.
    flat = " ".join(_CLEANER.clean(markup).replace("&nbsp;", " ").split())
    text = _TAG.sub("\n\n", flat.replace("<br>", "\n"))
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return paragraphs(text)


def block_markup(markup: str, *, without: frozenset[str] = frozenset()) -> str:
    """Return HTML written anew with nothing but block elements and line breaks, none of them with an attribute.

    The contents of the elements in `without` are left out, as those of scripts always are.

    >>> block_markup('<nav>Menu</nav><article class="x">Hi <b>there', without=frozenset({"nav"}))
    '<article>Hi there</article>'
    """
    if _is_hostile(markup):
        return _TAG.sub("<p>", markup)  # hostile, or no page that people write: its words, one way or another
    if not without:
        return _CLEANER.clean(markup)
    return nh3.clean(
        markup, tags=(BLOCKS | {"br"}) - without, clean_content_tags=UNSEEN | without, attributes={}, link_rel=None
    )


def _is_hostile(markup: str) -> bool:
    return len(markup) > MAX_HTML_CHARS or is_costly(markup)


def is_costly(markup: str) -> bool:
    """Tell whether an HTML parser would take far longer over this than over a page of its length.

    It is nested deeper than `MAX_HTML_DEPTH`, counting what is left unclosed, or has more than `MAX_AMPERSANDS`.
    """
    return markup.count("&") > MAX_AMPERSANDS or _is_nested_too_deep(markup)


def _is_nested_too_deep(markup: str) -> bool:
    return markup.count("<") > MAX_HTML_DEPTH and _depth(markup) > MAX_HTML_DEPTH


def prose(text: str, *, markup: bool) -> str:
    r"""Return a summary or body as plain text, also where it is HTML that does not say so, or was escaped twice.

    >>> prose("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;", markup=True)
    'One\n\nTwo'
    >>> prose("if a < b", markup=False)
    'if a < b'
    """
    plain = html_to_text(text) if markup or _has_markup(text) else paragraphs(text)
    return html_to_text(plain) if _has_markup(plain) else plain


def headline(text: str, *, markup: bool) -> str:
    """Return a title on one line, however often its publisher escaped it: no headline means to say "&amp;".

    >>> headline("AT&amp;amp;T &lt;b&gt;rises&lt;/b&gt;", markup=True), headline("Q&A: is x < y?", markup=False)
    ('AT&T rises', 'Q&A: is x < y?')
    """
    text = text[:MAX_TITLE_MARKUP_CHARS]
    for attempt in range(3):
        if _has_markup(text) or (markup and attempt == 0 and ("<" in text or "&" in text)):
            text = html_to_text(text)
        elif "&" in text and _ENTITY.search(text):
            text = html.unescape(text)
    return one_line(text)


def person(text: str) -> str:
    """Return the name in what mail calls a mailbox; an address without a name stays as it is.

    >>> person("desk@news.example (Night Desk)"), person("Ada Moreau <ada@news.example>"), person("Jun Seo")
    ('Night Desk', 'Ada Moreau', 'Jun Seo')
    """
    text = one_line(text)
    match = _COMMENTED_ADDRESS.fullmatch(text) or _NAMED_ADDRESS.fullmatch(text)
    return match.group(1).strip() if match else text


def byline(names: Iterable[str]) -> str:
    """Join the names of authors, each once, without the word "By".

    >>> byline(["By Ada Moreau", "Jun Seo", "Jun Seo", ""])
    'Ada Moreau, Jun Seo'
    """
    tidy = (_BYLINE.sub("", one_line(name), count=1) if _BYLINE.match(name) else one_line(name) for name in names)
    return one_line(", ".join(dict.fromkeys(name for name in tidy if name)))


def labels(terms: Iterable[str]) -> tuple[str, ...]:
    """Tidy tags: each once, in order.

    >>> labels([" Asia ", "Asia", "", "R&amp;D"])
    ('Asia', 'R&D')
    """
    tidy = (headline(term, markup=False) for term in terms)
    return tuple(dict.fromkeys(term for term in tidy if term))[:MAX_TAGS]


def language(tag: str) -> str:
    """Return a language tag in the form of BCP 47, "" for what is none.

    >>> language("ko_KR"), language("en-us"), language("Korean (South)")
    ('ko-KR', 'en-us', '')
    """
    tag = tag.strip().replace("_", "-")
    return tag if _LANG.fullmatch(tag) else ""


def _has_markup(text: str) -> bool:
    return "<" in text and bool(_MARKUP.search(text))


def _seen(text: str) -> str:
    """Return what people see of a line, in the one form of each letter (NFC) that matching and other systems expect.

    First without floods of marks: to order these takes time that is quadratic in their number.
    """
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", visible(sound(text)))


def _depth(markup: str) -> int:
    """Bound from above how deep the elements of `markup` are nested."""
    open_now: dict[str, int] = {}
    depth = deepest = 0
    for match in _OPENING.finditer(markup):
        name = match.group(2).lower()
        if name in _SELF_CLOSING:
            continue
        if not match.group(1):
            open_now[name] = open_now.get(name, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
        elif open_now.get(name):
            open_now[name] -= 1
            depth -= 1
    return deepest
