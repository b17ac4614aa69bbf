"""How much a source may hand over, in one place. Decides nothing; the sources and `fetch` keep to it."""

from __future__ import annotations

from typing import Final

MAX_DOCUMENT_BYTES: Final = 10_000_000
"""One document, unpacked: ten times the largest feed that newspapers serve, and still parsed within seconds."""

MAX_ITEMS: Final = 5_000
"""Articles in one document: a feed of more is an archive or an attack, and would hold up every other source."""

MAX_ELEMENTS: Final = 300_000
"""XML elements in one feed: sixty for each of the most items; every one costs feedparser some twenty microseconds."""

MAX_DEPTH: Final = 5_000
"""XML elements within one another, those included that a sloppy feed leaves open: an item's each, at the most items."""

MAX_ATTRIBUTES: Final = 1_000
"""Attributes of one element of a feed: xml.sax looks each up among all."""

MAX_LOOSE_CHARS: Final = 2_000_000
"""A feed that is not well-formed is read more slowly by far; larger than this it is refused."""

MAX_HTML_CHARS: Final = 4_000_000
"""One piece of HTML that is read with its structure; an HTML tree takes up to forty bytes a character."""

MAX_AMPERSANDS: Final = 50_000
"""Ampersands in one piece of HTML: reading a text of nothing else is quadratic in them, and these take 40 ms."""

MAX_HTML_DEPTH: Final = 512
"""Elements open at once in HTML that is read with its structure: building a tree is quadratic in its depth."""

MAX_LINE_CHARS: Final = 1_000
"""A title, an author, a section: what is longer was never meant to be one line, and is cut."""

MAX_TITLE_MARKUP_CHARS: Final = 50_000
"""A title with its markup; what is longer is none, and its beginning will do."""

MAX_TAGS: Final = 100
"""Tags of one article that are kept."""
