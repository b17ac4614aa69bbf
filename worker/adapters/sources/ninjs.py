"""ninjs, the IPTC's news in JSON: 1.x (`headline`, `body_text`) and 2.x and later (`headlines`, `bodies`).

Pure: bytes in, articles out. What must not be published yet or any more is withheld, never passed on: a wire service
withdraws and embargoes through the same file. `files` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.jsons import is_ninjs, mappings_in, read_objects, refuse_nul, strings_in, text_in
from worker.adapters.sources.limits import MAX_ITEMS
from worker.adapters.sources.picturing import chosen, renditions
from worker.adapters.sources.wire_items import Told, latest, severity_of, without_withheld
from worker.errors import InputError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture

_MAX_DEPTH: Final = 20  # a picture's rendition is at six
_ROLES: Final = ("main", "body", "")
_CREDITS: Final = ("creditline", "byline", "by", "copyrightholder")


class NinjsSource:
    """ninjs."""

    name = "ninjs"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  wires send it as plain JSON
        """Look for field names that only ninjs has."""
        return is_ninjs(data)

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read one news item, a list of them (also as `items` of a wrapper), or one a line; the latest version of each.

        Raises `FeedError` when the bytes are no such JSON.
        """
        refuse_nul(data)
        found = [(where, _lower(item)) for where, item in _unwrapped(read_objects(data, content_type))]
        told = [_told(item, "" if where else url, where) for where, item in found if _is_text(item)]
        return without_withheld(latest(told), format_=self.name)


def _unwrapped(found: list[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Take the items out of an API's answer: `items`, `_items` in Superdesk's."""
    if len(found) != 1 or found[0][0]:
        return found
    lists = (mappings_in(found[0][1], name) for name in ("items", "_items", "newsItems", "results"))
    items = next((items for items in lists if items), [])
    if len(items) > MAX_ITEMS:
        raise InputError(f"{len(items)} articles; the limit is {MAX_ITEMS}", hint="split them into several files")
    return [(f"item {number}", item) for number, item in enumerate(items, 1)] or found


def _lower(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  whatever the JSON holds
    """Write all names in small letters: some agencies put `versionCreated` where ninjs has `versioncreated`."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {str(key).lower(): _lower(member, depth + 1) for key, member in value.items()}
    return [_lower(member, depth + 1) for member in value] if isinstance(value, list) else value


def _is_text(item: Mapping[str, Any]) -> bool:
    """Tell whether this is a story: pictures and videos come with one, and are none by themselves."""
    return text_in(item, "type").lower() not in {"picture", "graphic", "video", "audio", "planning", "event"}


def _told(item: Mapping[str, Any], url: str, where: str) -> Told:
    created = parse_date(text_in(item, "versioncreated"))
    return Told(
        article=_article(item, url),
        version=text_in(item, "version"),
        status=text_in(item, "pubstatus").lower() or "usable",
        embargo=parse_date(text_in(item, "embargoed")),
        created=created,
        where=where,
    )


def _article(item: Mapping[str, Any], url: str) -> ParsedArticle:
    return ParsedArticle(
        guid=plain.identifier(text_in(item, "uri") or text_in(item, "guid")),
        url=_address(item, url),
        title=plain.headline(text_in(item, "headline") or _value(item, "headlines"), markup=False),
        summary=_prose(item, "description", "descriptions"),
        body=_prose(item, "body", "bodies"),
        author=plain.byline([text_in(item, "byline") or text_in(item, "by")]),
        section=plain.one_line(next(iter(_names(item, "subject", "subjects")), "")),
        source=plain.one_line(text_in(item, "source") or text_in(item, "copyrightholder")),
        lang=plain.language(text_in(item, "language")),
        tags=plain.labels([*_names(item, "subject", "subjects"), *strings_in(item, "keywords")]),
        severity=severity_of(text_in(item, "urgency")),
        published_at=parse_date(text_in(item, "firstcreated") or text_in(item, "versioncreated")),
        updated_at=parse_date(text_in(item, "versioncreated")),
        image=chosen(_pictures(item, url)),
    )


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
