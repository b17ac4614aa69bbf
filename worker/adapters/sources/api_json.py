"""The shape of `POST /api/v1/articles`, as a file: one article, a list of them, or one a line.

Pure, and strict where feeds are taken tolerantly: a person wrote this for us, and a misspelt field that is silently
dropped is an article without its date. `files.read_document` calls it; the API's own door may call `article_from`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from worker.adapters.sources import plain
from worker.adapters.sources.dates import has_zone, parse_date
from worker.adapters.sources.jsons import is_json_feed, is_ninjs, looks_like_json, read_objects, refuse_nul
from worker.adapters.sources.limits import MAX_LINE_CHARS
from worker.errors import InputError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture, Severity

FIELDS: Final = tuple(field.name for field in fields(ParsedArticle))
PICTURE_FIELDS: Final = tuple(field.name for field in fields(Picture))


class ApiJsonSource:
    """JSON in the API's shape."""

    name = "json"

    def recognises(self, data: bytes, content_type: str) -> bool:
        """Take every JSON that is no other source's."""
        others = is_json_feed(data) or is_ninjs(data) or "application/feed+json" in content_type
        return looks_like_json(data) and not others

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the articles in their order.

        Raises `FeedError` when the bytes are no JSON, and `InputError` that names the item and the field.
        """
        refuse_nul(data)
        found = read_objects(data, content_type)  # of several articles, the document's address is nobody's
        articles = tuple(article_from(item, url="" if where else url, where=where) for where, item in found)
        return ParsedFeed(articles=articles, format=self.name)


def article_from(item: Mapping[str, Any], *, url: str = "", where: str = "") -> ParsedArticle:
    """Return the article that an object in the API's shape describes; `id` will do for `guid`, `url` is the default.

    Raises `InputError` that names the field.

    >>> article_from({"title": "Quake", "published_at": "2026-11-23T09:00:00+09:00"}).published_at.isoformat()
    '2026-11-23T00:00:00+00:00'
    >>> article_from({"titel": "Quake"})
    Traceback (most recent call last):
    worker.errors.InputError: titel: no such field (did you mean `title`?)
    """
    known = {("guid" if key == "id" else key): value for key, value in item.items() if value is not None}
    at = f"{where}, " if where else ""
    for key in known:
        _refuse_unknown(key, at)
    article = ParsedArticle(
        guid=_line(known, "guid", at),
        url=_line(known, "url", at) or url,
        title=_string(known, "title", at),
        summary=_string(known, "summary", at),
        body=_string(known, "body", at),
        author=_line(known, "author", at),
        section=_line(known, "section", at),
        source=_line(known, "source", at),
        lang=_language(known, at),
        tags=_tags(known, at),
        published_at=_time(known, "published_at", at),
        updated_at=_time(known, "updated_at", at),
        severity=_severity(known, at),
        image=_image(known, at),
    )
    return tidied(article)


def tidied(article: ParsedArticle) -> ParsedArticle:
    """Return a handed-in article with its texts as people see them, also where a CMS sent markup or escaped it.

    A title is cut nowhere: one that is too long is for intake to refuse.

    >>> tidied(ParsedArticle(title="AT&amp;T &amp; <b>Verizon</b>", body="5 < 6 & AT&T")).title
    'AT&T & Verizon'
    """
    image = article.image
    if image:
        image = replace(image, alt=plain.headline(image.alt, markup=False), credit=plain.one_line(image.credit))
    return replace(
        article,
        title=article.title if len(article.title) > MAX_LINE_CHARS else plain.headline(article.title, markup=False),
        summary=plain.prose(article.summary, markup=False),
        body=plain.prose(article.body, markup=False),
        author=plain.one_line(article.author),
        section=plain.one_line(article.section),
        source=plain.one_line(article.source),
        tags=plain.labels(article.tags),
        image=image,
    )


def _refuse_unknown(key: str, at: str, known: Sequence[str] = FIELDS) -> None:
    if key in known:
        return
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    raise InputError("no such field", where=f"{at}{key[:40]}", hint=hint)


def _string(item: Mapping[str, Any], key: str, at: str) -> str:
    value = item.get(key, "")
    if key == "guid" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError("must be a string", where=f"{at}{key}")
    if "\0" in value:
        raise InputError("contains a NUL character", where=f"{at}{key}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError("contains half of a UTF-16 pair, which is no character", where=f"{at}{key}")
    return value


def _line(item: Mapping[str, Any], key: str, at: str) -> str:
    return " ".join(_string(item, key, at).split())


def _time(item: Mapping[str, Any], key: str, at: str) -> datetime | None:
    text = _string(item, key, at).strip()
    if not text:
        return None
    moment = parse_date(text)
    if moment is None or not has_zone(text):
        fault = "is no time" if moment is None else "does not say its zone"
        raise InputError(f'"{text[:40]}" {fault}', where=f"{at}{key}", hint="write it like 2026-11-23T09:30:00+09:00")
    return moment


def _language(item: Mapping[str, Any], at: str) -> str:
    tag = _string(item, "lang", at)
    lang = plain.language(tag)
    if tag.strip() and not lang:
        raise InputError(f'"{tag[:40]}" is no language tag', where=f"{at}lang", hint="write it like en or ko-KR")
    return lang


def _tags(item: Mapping[str, Any], at: str) -> tuple[str, ...]:
    tags = item.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError("must be a list of strings", where=f"{at}tags", hint='write it like ["Asia", "Trade"]')
    return plain.labels(tags)


def _image(item: Mapping[str, Any], at: str) -> Picture | None:
    told = item.get("image")
    if told is None:
        return None
    at = f"{at}image"
    if not isinstance(told, Mapping):
        raise InputError("must be an object", where=at, hint='write {"url": "https://...", "alt": "what it shows"}')
    known = {key: value for key, value in told.items() if value is not None}
    for key in known:
        _refuse_unknown(key, f"{at}.", PICTURE_FIELDS)
    url = _line(known, "url", f"{at}.")
    if not url:
        raise InputError("a picture needs an address", where=f"{at}.url")
    return Picture(
        url=url,
        alt=_line(known, "alt", f"{at}."),
        credit=_line(known, "credit", f"{at}."),
        width=_pixels(known, "width", f"{at}."),
        height=_pixels(known, "height", f"{at}."),
    )


def _pixels(item: Mapping[str, Any], key: str, at: str) -> int:
    value = item.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("must be a whole number of pixels", where=f"{at}{key}", hint="leave it out if nobody knows")
    return value


def _severity(item: Mapping[str, Any], at: str) -> Severity:
    value = _string(item, "severity", at) or Severity.NORMAL
    if value not in set(Severity):
        hint = f"write one of {', '.join(Severity)}"
        raise InputError(f'"{value[:40]}" is no severity', where=f"{at}severity", hint=hint)
    return Severity(value)
