"""Reads JSON of which nothing is certain: any field may be missing, of another type, or made to do harm.

Decides nothing about mail. Every provider's parser reads its items with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT, MESSAGE_ARGUMENT
from worker.errors import InputError
from worker.model import DeliveryId

_LONGEST: Final = 2_000
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # what lies before it was never filled in
_LARGEST_ID: Final = 2**63 - 1
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_CODE: Final = re.compile(r"(?<![\d.])([245]\d\d)(?=[\s\-]|$)")


def items_in(body: bytes) -> tuple[str, ...]:
    """Return the items of a body that holds one JSON object or a list of some, each written in one and the same way.

    Raises `InputError`.

    >>> items_in(b'[{"b": 1, "a": 2}]')
    ('{"a":2,"b":1}',)
    """
    found = read_json(body)
    items = found if isinstance(found, list) else [found]
    if not all(isinstance(item, dict) for item in items):
        raise InputError("the body holds something else than objects", hint="see docs/feedback.md")
    return tuple(written(item) for item in items)


def read_json(text: bytes | str) -> Any:  # noqa: ANN401  JSON may be anything
    """Parse JSON. Raises `InputError`, also for what is nested without end or has a number as long as a book."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("the body is not JSON", hint="see docs/feedback.md") from error


def written(item: object) -> str:
    """Return JSON in the one form in which it is kept: ASCII, so that no database chokes on it."""
    return json.dumps(item, sort_keys=True, separators=(",", ":"))


def digest(raw: str) -> str:
    """Return an id for an item whose provider gives it none: the same each time that the provider repeats itself."""
    return hashlib.sha256(raw.encode()).hexdigest()[:32]


def dig(item: object, *path: str) -> object:
    """Return what lies at the end of a path of keys, None when the path breaks off.

    >>> dig({"a": {"b": 1}}, "a", "b"), dig({"a": []}, "a", "b")
    (1, None)
    """
    for key in path:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


def text(item: object, *path: str) -> str:
    """Return a short text, "" when there is none; a number is one too. What no database keeps is taken out.

    >>> text({"a": 12}, "a"), text({"a": ["x"]}, "a"), text({"a": f"x{chr(0)}y"}, "a")
    ('12', '', 'x y')
    """
    found = dig(item, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found)[:_LONGEST].replace("\0", " ").encode(errors="replace").decode().strip()


def first_text(item: object, *names: str) -> str:
    """Return the first of some fields that has a text."""
    return next(filter(None, (text(item, name) for name in names)), "")


def whole(item: object, *path: str) -> int | None:
    """Return a whole number, also one written as text; None for anything else, or one that is out of all bounds.

    >>> whole({"a": "12"}, "a"), whole({"a": 1.5}, "a"), whole({"a": "-9" * 40}, "a")
    (12, None, None)
    """
    found = text(item, *path)
    return int(found) if found.isascii() and found.isdigit() and int(found) <= _LARGEST_ID else None


def moment(value: object, *, otherwise: datetime) -> datetime:
    """Return a time given as ISO 8601, or as seconds since 1970; `otherwise` when it is neither, or cannot be right.

    >>> late = datetime(2030, 1, 1, tzinfo=UTC)
    >>> [moment(value, otherwise=late).year for value in ("2026-11-23T07:00:00Z", 1_700_000_000, "1700000000.5", "?")]
    [2026, 2023, 2023, 2030]
    """
    try:
        found = _parsed(value)
    except (ValueError, OverflowError, OSError):
        return otherwise
    return found if _EARLIEST <= found <= otherwise else otherwise


def status_in(told: str) -> str:
    """Find the enhanced status code (RFC 3463) in what a server said; "" when it named none.

    >>> status_in("smtp; 550-5.1.1 The email account"), status_in("550 no such user at 10.5.1.1"), status_in("4.2.2")
    ('5.1.1', '', '4.2.2')
    """
    found = _STATUS.search(told)
    return found[1] if found else ""


def code_in(told: str) -> int | None:
    """Find the reply code (RFC 5321) in what a server said.

    >>> code_in("smtp;550 5.1.1 unknown"), code_in("connection refused")
    (550, None)
    """
    found = _CODE.search(told)
    return int(found[1]) if found else None


def delivery_of(arguments: object) -> DeliveryId | None:
    """Return the delivery that our own argument names."""
    found = whole(arguments, DELIVERY_ARGUMENT)
    return DeliveryId(found) if found is not None else None


def message_of(arguments: object) -> str:
    """Return the Message-ID that our own argument names."""
    return text(arguments, MESSAGE_ARGUMENT)


def _parsed(value: object) -> datetime:
    written = str(value)
    if not written.replace(".", "", 1).isdigit():
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    seconds = float(written)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)  # some count in milliseconds
