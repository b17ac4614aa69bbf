"""The words of a story that comes inside of XML: NITF, XHTML or plain text.

Pure. The tree is written again as simple HTML, of which `plain` makes text as of any other. `newsml` calls it.
"""

from __future__ import annotations

import html
from typing import Final
from xml.etree.ElementTree import Element

from worker.adapters.sources import plain
from worker.adapters.sources.xml_tree import child, local

# Around the story: its headline is told elsewhere, and a photograph's caption is no part of it.
_UNREAD_NAMES: Final = "head hedline hl1 h1 title script style media figure figcaption body.head body.end"
_BLOCK_NAMES: Final = "p div h2 h3 h4 h5 h6 ul ol li dl dt dd table tr td th pre blockquote"
_UNREAD: Final = frozenset(_UNREAD_NAMES.split())
_AS: Final = {
    **{name: name for name in _BLOCK_NAMES.split()},
    "hl2": "h2",
    "bq": "blockquote",
    "block": "div",
    "body.content": "div",  # NITF's
}


def prose_of(form: Element) -> str:
    r"""Return the text of an `inlineXML` or `inlineData` element.

    >>> form = Element("inlineData"); form.text = "One.\n\nTwo."
    >>> prose_of(form)
    'One.\n\nTwo.'
    """
    if not len(form):
        text = form.text or ""
        return plain.prose(text, markup="html" in (form.get("contenttype") or "").lower())
    body = _place(form)
    return plain.html_to_text("".join(_markup(body)))


def _place(form: Element) -> Element:
    """Find the story itself: a NITF's body.content, a page's body, else all there is."""
    for path in (("nitf", "body", "body.content"), ("nitf", "body"), ("html", "body")):
        found = child(form, *path)
        if found is not None:
            return found
    return form


def _markup(element: Element) -> list[str]:
    """Write an element's inside as HTML without attributes. Recursion is as deep as the tree, which is bounded."""
    written = [html.escape(element.text or "", quote=False)]
    for one in element:
        name = local(one).lower()
        if name not in _UNREAD:
            block, inside = _AS.get(name, ""), _markup(one)
            written += [f"<{block}>", *inside, f"</{block}>"] if block else inside
        if name == "br":
            written.append("<br>")
        written.append(html.escape(one.tail or "", quote=False))
    return written
