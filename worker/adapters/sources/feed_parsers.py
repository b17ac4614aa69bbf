"""feedparser's two parsers, read as a newspaper needs it: photographs keep their captions, GUIDs stay as they are.

Decides nothing of a document; `feed_xml` feeds it to one of these, and takes `feeddata`, `entries`, `inentry` from it.
"""

from __future__ import annotations

from typing import Any

from feedparser.api import LooseFeedParser, StrictFeedParser

from worker.adapters.sources.limits import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_ITEMS, MAX_TAGS
from worker.adapters.sources.plain import person


class TooMuchError(Exception):
    """A feed has more of something than the limits allow; its words say of what."""


class _Ours:
    """Where feedparser's reading is not a newspaper's: mixed into both of its parsers."""

    entries: list[Any]
    feeddata: dict[str, Any]
    guidislink: bool
    inentry: int
    depth: int
    version: str
    resolve_relative_uris = False  # all markup becomes plain text, by a better parser
    sanitize_html = False

    _elements = 0

    def unknown_starttag(self, tag: str, attributes: list[tuple[str, str]]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise TooMuchError(f"{MAX_ELEMENTS} elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise _too_many_attributes()
        if self.depth > MAX_DEPTH:
            raise TooMuchError(f"{MAX_DEPTH} elements within one another")
        super().unknown_starttag(tag, attributes)  # type: ignore[misc]  # feedparser ships no types

    def _start_item(self, attributes: dict[str, str]) -> None:
        if len(self.entries) >= MAX_ITEMS:
            raise TooMuchError(f"{MAX_ITEMS} items")
        super()._start_item(attributes)  # type: ignore[misc]  # feedparser ships no types

    _start_entry = _start_item

    def _add_tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        """Keep no more tags than are told of an article: feedparser compares each with all before it."""
        if len(dict.get(self._get_context(), "tags") or ()) < MAX_TAGS:  # type: ignore[attr-defined]  # as below
            super()._add_tag(term, scheme, label)  # type: ignore[misc]  # feedparser ships no types

    def _start_guid(self, attributes: dict[str, str]) -> None:
        """Keep GUIDs as they stand: resolved against a feed's address, they change when that does."""
        super()._start_guid(attributes)  # type: ignore[misc]  # feedparser ships no types
        self._permanent, self.guidislink = self.guidislink, False

    _start_id = _start_guid

    def _end_guid(self) -> None:
        value = self.pop("id")  # type: ignore[attr-defined]  # feedparser ships no types
        if self._permanent and value:
            self._save("permalink", value, overwrite=True)  # type: ignore[attr-defined]  # feedparser ships no types

    _end_id = _end_guid

    # Dates are read by `dates`, from their words: feedparser takes "09:00 KST" for 09:00 UTC.
    def _end_published(self) -> None:
        self.pop("published")  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_updated(self) -> None:
        self.pop("updated")  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_created(self) -> None:
        self.pop("created")  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_expirationdate(self) -> None:
        self.pop("expired")  # type: ignore[attr-defined]  # feedparser ships no types

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated

    # `skipHours` and `skipDays` list many of these; feedparser keeps the last.
    def _start_hour(self, _attributes: dict[str, str]) -> None:
        self.push("hour", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_hour(self) -> None:
        self._listed("hours", self.pop("hour"))  # type: ignore[attr-defined]  # feedparser ships no types

    def _start_day(self, _attributes: dict[str, str]) -> None:
        self.push("day", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_day(self) -> None:
        self._listed("days", self.pop("day"))  # type: ignore[attr-defined]  # feedparser ships no types

    def _listed(self, key: str, value: str | None) -> None:
        if value and not self.inentry:
            dict.setdefault(self.feeddata, key, []).append(value)

    def _sync_author_detail(self, key: str = "author") -> None:
        """Read "desk@news.example (Night Desk)" ourselves: feedparser takes addresses to end after four letters."""
        context = self._get_context()  # type: ignore[attr-defined]  # feedparser ships no types
        details, told = context.get(f"{key}s"), context.get(key)
        if details and not details[-1] and told:
            details[-1]["name"] = person(told)
        else:
            super()._sync_author_detail(key)  # type: ignore[misc]  # feedparser ships no types

    def _start_unread(self, _attributes: dict[str, str]) -> None:
        self.push("unread", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_unread(self) -> None:
        self.pop("unread")  # type: ignore[attr-defined]  # feedparser ships no types

    # A photograph's keywords, and a podcast's blurb, are not the article's.
    _start_media_category = _start_unread
    _end_media_category = _end_media_keywords = _end_unread
    _start_media_keywords = _start_itunes_summary = _start_itunes_subtitle = _start_unread
    _end_itunes_summary = _end_itunes_subtitle = _end_unread

    # feedparser keeps an element that it does not know under its name, also where something else of ours has that name.
    _start_links = _start_authors = _start_title_detail = _start_summary_detail = _start_permalink = _start_unread
    _end_links = _end_authors = _end_title_detail = _end_summary_detail = _end_permalink = _end_unread
    _start_hours = _start_days = _start_unread
    _end_hours = _end_days = _end_unread

    def _start_media_words(self, _attributes: dict[str, str]) -> None:
        self.push("media_words", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    # Nor are its title, caption and credit: they stay with the photograph.
    _start_media_title = _start_media_description = _start_media_credit = _start_media_words

    def _end_media_title(self) -> None:
        self._said_of_picture("name")

    def _end_media_description(self) -> None:
        self._said_of_picture("caption")

    def _end_media_credit(self) -> None:
        self._said_of_picture("credit")

    def _said_of_picture(self, name: str) -> None:
        """Keep words with the picture that they follow, or beside all of the item's."""
        words = self.pop("media_words")  # type: ignore[attr-defined]  # feedparser ships no types
        context = self._get_context()  # type: ignore[attr-defined]  # feedparser ships no types
        described = dict.get(context, "media_content")
        if words and described:
            described[-1].setdefault(name, words)
        elif words:
            context.setdefault("media_words", {}).setdefault(name, words)


class Strict(_Ours, StrictFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """Feeds that are XML."""

    def startElementNS(self, name: Any, qname: str | None, attrs: Any) -> None:  # noqa: N802, ANN401  SAX's own
        """Refuse what would take hours before `unknown_starttag` could see it."""
        if len(attrs) > MAX_ATTRIBUTES:
            raise _too_many_attributes()
        super().startElementNS(name, qname, attrs)


class Loose(_Ours, LooseFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """Feeds that are almost XML."""


def _too_many_attributes() -> TooMuchError:
    return TooMuchError(f"{MAX_ATTRIBUTES} attributes in one element")
