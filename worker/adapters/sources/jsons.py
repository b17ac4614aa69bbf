"""What the JSON formats share: reading JSON without being hurt by it, and telling one format from another.

Pure. The JSON Feed, ninjs and API sources call it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sized
from typing import Any, Final

from worker.adapters.sources.decoding import decode, sniffable
from worker.adapters.sources.limits import MAX_ITEMS
from worker.adapters.sources.plain import sound
from worker.errors import FeedError, InputError

_JSON_FEED: Final = re.compile(rb'"version"\s*:\s*"https?:(?:\\?/){2}(?:www\.)?jsonfeed\.org\\?/version\\?/1')
_NINJS: Final = re.compile(
    rb'"(?:headline|headlines|body_text|body_html|body_xhtml|bodies|versioncreated|pubstatus|description_text)"\s*:',
    re.IGNORECASE,
)
_OPENING: Final = re.compile(rb'[\s\x00]*(?:\{[\s\x00]*["}]|\[[\s\x00]*[{\]])')


def looks_like_json(data: bytes) -> bool:
    """Tell from the first bytes; "[Breaking] ..." is a headline, not JSON.

    >>> looks_like_json(b' {"title": "x"}'), looks_like_json(b"[Breaking] Seoul")
    (True, False)
    """
    return bool(_OPENING.match(sniffable(data[:1_000])))


def is_json_feed(data: bytes) -> bool:
    """Tell whether this JSON says of itself that it is a JSON Feed."""
    return looks_like_json(data) and bool(_JSON_FEED.search(sniffable(data)))


def is_ninjs(data: bytes) -> bool:
    """Tell whether this JSON uses the field names of ninjs."""
    return looks_like_json(data) and not is_json_feed(data) and bool(_NINJS.search(sniffable(data)))


def read_json(data: bytes, content_type: str) -> Any:  # noqa: ANN401  whatever the JSON holds
    """Parse JSON, NUL characters aside. Raises `FeedError` with line and column, also for nesting beyond any sense.

    >>> read_json(b'{"a": [1]}', "")
    {'a': [1]}
    """
    return _parsed(decode(data, content_type).replace("\0", ""))


def read_objects(data: bytes, content_type: str) -> list[tuple[str, Mapping[str, Any]]]:
    r"""Read an object, a list of objects, or one object a line; each with where it stands ("" for a single one).

    >>> read_objects(b'{"a": 1}\n{"a": 2}\n', "")
    [('line 1', {'a': 1}), ('line 2', {'a': 2})]
    """
    try:
        found = read_json(data, content_type)
    except FeedError:
        lines = _lines(decode(data, content_type))
        if len(lines) < 2 or not all(looks_like_json(line.encode()) for _, line in lines[:2]):
            raise
        _refuse_too_many(lines)
        return [(f"line {number}", _object(_line_json(line, number), f"line {number}")) for number, line in lines]
    if isinstance(found, list):
        _refuse_too_many(found)
        return [(f"item {number}", _object(item, f"item {number}")) for number, item in enumerate(found, 1)]
    return [("", _object(found, ""))]


def refuse_nul(data: bytes) -> None:
    r"""Refuse a NUL byte, naming its offset: it means a damaged or binary file. UTF-16, which has them, is let by.

    >>> refuse_nul(b"ab\x00c")
    Traceback (most recent call last):
    worker.errors.InputError: byte 2: a NUL byte (the file is damaged or no text; save it as UTF-8)
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    offset = data.find(b"\0")
    if offset >= 0:
        hint = "the file is damaged or no text; save it as UTF-8"
        raise InputError("a NUL byte", where=f"byte {offset}", hint=hint)


def text_in(mapping: Mapping[str, Any], key: str) -> str:
    """Return a string member, "" where it is missing or something else: how a tolerant reader takes a feed.

    >>> text_in({"id": 7, "title": "x", "n": None}, "id"), text_in({"n": None}, "n")
    ('7', '')
    """
    value = mapping.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return sound(str(value))


def mappings_in(mapping: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list member, leaving out what is none."""
    value = mapping.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def strings_in(mapping: Mapping[str, Any], key: str) -> list[str]:
    """Return the strings of a list member, leaving out what is none."""
    value = mapping.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _parsed(text: str) -> Any:  # noqa: ANN401  whatever the JSON holds
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FeedError(f"not JSON: {error.msg}", where=f"line {error.lineno}, column {error.colno}") from error
    except RecursionError:
        raise FeedError("not JSON that we read: nested too deeply") from None
    except ValueError as error:  # a number of more than 4,300 digits
        raise FeedError(f"not JSON that we read: {str(error).partition(';')[0]}") from error


def _refuse_too_many(items: Sized) -> None:
    if len(items) > MAX_ITEMS:
        raise InputError(f"{len(items)} articles; the limit is {MAX_ITEMS}", hint="split them into several files")


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _line_json(line: str, number: int) -> Any:  # noqa: ANN401  whatever the JSON holds
    try:
        return _parsed(line)
    except FeedError as error:
        raise FeedError(error.message, where=f"line {number}") from error


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FeedError("an article must be a JSON object", where=where, hint='write {"title": ..., "body": ...}')
    return value
