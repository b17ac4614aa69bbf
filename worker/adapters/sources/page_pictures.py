"""The picture of an article's page: what its JSON-LD says, else Open Graph, else the card for X.

Pure. Pictures that the page merely shows are not taken. `html_page` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from worker.adapters.sources.json_ld import NewsArticle
from worker.adapters.sources.jsons import text_in
from worker.adapters.sources.picturing import chosen, picture
from worker.model import Picture


def page_picture(told: NewsArticle, named: Mapping[str, Sequence[str]], base: str) -> Picture | None:
    """Return the picture of a page whose metadata is `named`: all values in order, by lower-case name or property."""
    shared = chosen(_shared(named, base))
    structured = chosen(one for thing in told.images if (one := _image_object(thing, base)))
    if structured is None:
        return shared
    # Only Open Graph has a word for what a picture shows to those who do not see it.
    alt = shared.alt if shared and shared.url == structured.url and not structured.alt else structured.alt
    return replace(structured, alt=alt)


def _image_object(thing: Mapping[str, Any], base: str) -> Picture | None:
    return picture(
        text_in(thing, "contentUrl") or text_in(thing, "url") or text_in(thing, "@id"),
        base,
        alt=text_in(thing, "caption") or text_in(thing, "description"),
        credit=text_in(thing, "creditText") or _name(thing.get("creator")) or _name(thing.get("author")),
        width=_measure(thing.get("width")),
        height=_measure(thing.get("height")),
    )


def _shared(named: Mapping[str, Sequence[str]], base: str) -> list[Picture]:
    """Read the first picture of Open Graph, which is the one that networks show, and the card's."""

    def first(*names: str) -> str:
        return next((value for name in names for value in named.get(name, ()) if value.strip()), "")

    of_graph = picture(
        first("og:image:secure_url", "og:image", "og:image:url"),
        base,
        alt=first("og:image:alt"),
        width=first("og:image:width"),
        height=first("og:image:height"),
    )
    of_card = picture(first("twitter:image", "twitter:image:src"), base, alt=first("twitter:image:alt", "og:image:alt"))
    return [one for one in (of_graph, of_card) if one]


def _measure(value: object) -> object:
    """Unwrap a QuantitativeValue."""
    return value.get("value") if isinstance(value, Mapping) else value


def _name(value: object) -> str:
    value = value[0] if isinstance(value, list) and value else value
    return text_in(value, "name") if isinstance(value, Mapping) else value if isinstance(value, str) else ""
