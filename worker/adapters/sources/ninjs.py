"""ninjs, the IPTC's news in JSON: 1.x (`headline`, `body_text`) and 2.x and later (`headlines`, `bodies`).

Pure: bytes in, articles out. What must not be published yet or any more is refused, never passed on: a wire service
withdraws and embargoes through the same file. `files.read_document` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.jsons import is_ninjs, mappings_in, read_objects, refuse_nul, strings_in, text_in
from worker.adapters.sources.picturing import chosen, renditions
from worker.errors import InputError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture

_ROLES: Final = ("main", "body", "")
_CREDITS: Final = ("creditline", "byline", "by", "copyrightholder")


class NinjsSource:
    """ninjs."""

    name = "ninjs"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  wires send it as plain JSON
        """Look for field names that only ninjs has."""
        return is_ninjs(data)

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read one news item, a list of them, or one a line.

        Raises `FeedError` when the bytes are no such JSON, and `InputError` for an item that is not to be published.
        """
        refuse_nul(data)
        found = read_objects(data, content_type)
        articles = tuple(_article(item, "" if where else url, where) for where, item in found)
        return ParsedFeed(articles=articles, format=self.name)


def _article(item: Mapping[str, Any], url: str, where: str) -> ParsedArticle:
    _refuse_unpublished(item, where)
    return ParsedArticle(
        guid=plain.identifier(text_in(item, "uri")),
        url=_address(item, url),
        title=plain.headline(text_in(item, "headline") or _value(item, "headlines"), markup=False),
        summary=_prose(item, "description", "descriptions"),
        body=_prose(item, "body", "bodies"),
        author=plain.byline([text_in(item, "byline") or text_in(item, "by")]),
        section=plain.one_line(next(iter(_names(item, "subject", "subjects")), "")),
        source=plain.one_line(text_in(item, "source") or text_in(item, "copyrightholder")),
        lang=plain.language(text_in(item, "language")),
        tags=plain.labels([*_names(item, "subject", "subjects"), *strings_in(item, "keywords")]),
        published_at=parse_date(text_in(item, "firstcreated") or text_in(item, "versioncreated")),
        updated_at=parse_date(text_in(item, "versioncreated")),
        image=chosen(_pictures(item, url)),
    )


def _refuse_unpublished(item: Mapping[str, Any], where: str) -> None:
    status = text_in(item, "pubstatus") or "usable"
    if status != "usable":
        raise InputError(f'pubstatus is "{status}": not for publication', where=where)
    embargo = parse_date(text_in(item, "embargoed"))
    created = parse_date(text_in(item, "versioncreated"))
    if embargo and (not created or embargo > created):
        hint = "hand it in again, without `embargoed`, when the time has come"
        raise InputError(f"embargoed until {embargo.isoformat()}", where=where, hint=hint)


def _address(item: Mapping[str, Any], url: str) -> str:
    candidates = (text_in(item, "canonical"), text_in(item, "url"), url, text_in(item, "uri"))
    addresses = (candidate.strip() for candidate in candidates)
    return next((address for address in addresses if address.lower().startswith(("http://", "https://"))), "")


def _pictures(item: Mapping[str, Any], base: str) -> list[Picture]:
    """Return the renditions of the first picture that goes with the item, else the item's own."""
    named = item.get("associations")  # by name in 1.x, in a list from 2.0 on
    beside = list(named.values()) if isinstance(named, Mapping) else mappings_in(item, "associations")
    for one in (*beside, item):
        if not isinstance(one, Mapping) or text_in(one, "pubstatus") in {"withheld", "canceled"}:
            continue
        alt = _prose(one, "description", "descriptions") if one is not item else ""
        credit = next(
            filter(None, (text_in(one, key) for key in ("creditline", "byline", "by", "copyrightholder"))), ""
        )
        if found := renditions(one, base, alt=alt, credit=credit if one is not item else ""):
            return found
    return []


def _prose(item: Mapping[str, Any], name: str, names: str) -> str:
    """Prefer the text of 1.x, then its markup, then the main part of 2.x."""
    for suffix in ("_text", "_html", "_xhtml"):
        value = text_in(item, name + suffix)
        if value:
            return plain.prose(value, markup=suffix != "_text")
    return plain.prose(_value(item, names), markup="html" in _content_type(item, names))


def _main(item: Mapping[str, Any], names: str) -> Mapping[str, Any]:
    parts = mappings_in(item, names)
    return next((part for role in _ROLES for part in parts if text_in(part, "role") == role), parts[0] if parts else {})


def _value(item: Mapping[str, Any], names: str) -> str:
    return text_in(_main(item, names), "value")


def _content_type(item: Mapping[str, Any], names: str) -> str:
    return text_in(_main(item, names), "contenttype").lower()


def _names(item: Mapping[str, Any], *keys: str) -> list[str]:
    return [text_in(subject, "name") for key in keys for subject in mappings_in(item, key) if text_in(subject, "name")]
