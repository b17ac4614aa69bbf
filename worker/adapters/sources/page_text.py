"""The text of an article's page, without what stands around it and between it.

Pure. Trafilatura finds it, on markup that nh3 has parsed as a browser does and written again without menus, scripts and
headlines: so it is never given what could hurt it, and never takes a title for text. Where it finds little, or the page
is too large for it, the page's own `article` or `main` is taken; where the page shows much less than its JSON-LD tells,
that (docs/decisions/0022-trafilatura-on-tidied-pages.md). `html_page` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import nh3

from worker.adapters.sources import plain

# Around the article: what stands on every page of a site would make every page match.
_AROUND: Final = frozenset({"nav", "header", "footer", "aside", "form", "figcaption", "h1"})
_MAX_CHARS: Final = 500_000
_MAX_TAGS: Final = 10_000
"""Trafilatura takes up to 50 microseconds a tag on hostile pages: half a second. A long report has a tenth of these."""

_SHORT_CHARS: Final = 300  # of less, trafilatura makes one line
_SHAPE: Final = nh3.Cleaner(
    tags=(plain.BLOCKS | {"a", "br"}) - _AROUND,
    clean_content_tags=plain.UNSEEN | _AROUND,
    attributes={"*": {"class", "id", "role", "itemprop"}, "a": {"href", "rel"}},
    link_rel=None,
)


def page_text(markup: str, told: str) -> str:
    """Return the article's text, paragraphs parted by blank lines; "" where there is none.

    `markup` is within the limits for HTML, `told` what its JSON-LD says that the text is. A page keeps its paragraphs,
    so JSON-LD counts only where the page shows less than half of it.
    """
    found, (marked, is_marked) = _found(markup), _by_landmarks(markup)
    shown = marked if not found or (is_marked and len(found) < _SHORT_CHARS) else found
    structured = plain.prose(told, markup=False)
    return structured if len(structured) > 2 * len(shown) else shown


def _found(markup: str) -> str:
    shape = _SHAPE.clean(markup)
    if len(shape) > _MAX_CHARS or shape.count("<") > 2 * _MAX_TAGS:
        return ""
    import trafilatura  # noqa: PLC0415  a quarter of a second, and 27 MB, for those who read pages

    page = f"<html><body>{shape}</body></html>"
    return plain.html_to_text(trafilatura.extract(page, include_comments=False, output_format="html") or "")


def _by_landmarks(markup: str) -> tuple[str, bool]:
    """Return the longest of a page's articles, else of its mains, else all of it; and whether it marks one."""
    clean = plain.block_markup(markup, without=_AROUND)
    parts = list(_outermost(clean, "article")) or list(_outermost(clean, "main"))
    return max((plain.html_to_text(part) for part in parts or [clean]), key=len), bool(parts)


def _outermost(clean: str, element: str) -> Iterator[str]:
    depth, start = 0, 0
    for match in re.finditer(f"<(/?){element}>", clean):
        if match.group(1):
            depth -= 1
            if depth == 0:
                yield clean[start : match.start()]
        else:
            start = match.end() if depth == 0 else start
            depth += 1
