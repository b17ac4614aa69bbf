"""Reads what listmonk exports: the CSV of its Subscribers page, or what its API answers at `/api/subscribers`.

The CSV (uuid, email, name, attributes, status, created_at, updated_at) does not say who is on which list: everybody in
it is on `*`. The API does, so that each list can become a topic or newsletter of its own; its pages may stand in one
file, each on a line. Pure. https://listmonk.app/docs/apis/subscribers/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from worker.errors import InputError
from worker.hearsay import Cause
from worker.model import SubscriberStatus
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.csv_rows import read_rows
from worker.signup.foreign.lists import Lists
from worker.signup.importing import Cells, Faulty, Line, Record, Rules
from worker.signup.wishes import MOST_NAME, read_name

_COLUMNS: Final = ("email", "status")
_STATUSES: Final = ("enabled", "disabled", "blocklisted")
_READ: Final = ("email", "name", "status", "created_at", "updated_at")
_MOST_BYTES: Final = 256 << 20
_GO_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)")


def read_listmonk(stream: BinaryIO, _name: str, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    """Read an export. Raises `InputError` for what is none."""
    start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    stream.seek(0)
    if start.startswith((b"{", b"[")):
        yield from _read_json(stream, rules, lists)
    else:
        yield from _read_csv(stream, rules, lists)


def _read_csv(stream: BinaryIO, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    rows = read_rows(stream)
    _, first = next(rows, (1, []))
    header = [cell.strip().lower() for cell in first]
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"there is no column {missing[0]!r}", where="line 1", hint="export subscribers as CSV from listmonk"
        )
    for number, row in rows:
        if len(row) != len(header):
            shape = InputError(
                f"{len(row)} cells instead of {len(header)}", where=f"line {number}", hint="quote commas"
            )
            yield Faulty(number=number, mistakes=(shape,))
            continue
        cells = dict(zip(header, row, strict=True))
        yield _line(Cells(number, cells), f"line {number}", {}, rules, lists)


def _read_json(stream: BinaryIO, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    number = 0
    for page in _pages(stream):
        for one in _subscribers(page):
            number += 1
            if not isinstance(one, dict):
                raise InputError("not a subscriber", where=f"subscriber {number}", hint="give what the API answers")
            cells = {name: str(one.get(name) or "") for name in _READ}
            yield _line(Cells(number, cells), f"subscriber {number}", one, rules, lists)


def _pages(stream: BinaryIO) -> Iterator[Any]:
    """Yield the JSON values of a file: one a line, or one that goes over many lines."""
    raw = stream.readline(_MOST_BYTES)
    try:
        first = json.loads(raw.decode("utf-8-sig"))
    except ValueError:
        yield _whole(raw + stream.read(_MOST_BYTES))
        return
    yield first
    for number, line in enumerate(iter(lambda: stream.readline(_MOST_BYTES), b""), start=2):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InputError(f"not JSON: {error}", where=f"line {number}") from error


def _whole(raw: bytes) -> Any:  # noqa: ANN401  whatever it holds
    if len(raw) >= _MOST_BYTES:
        raise InputError("more than 256 MB in one piece", hint="write each page of the API's answer on a line")
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from error


def _subscribers(page: Any) -> list[Any]:  # noqa: ANN401  whatever it holds
    """Return the subscribers of an answer: of a page, a list of them, or one alone."""
    if isinstance(page, Mapping):
        data = page.get("data", page)
        page = data.get("results", [data]) if isinstance(data, Mapping) else data
    return page if isinstance(page, list) else [page]


def _line(record: Cells, place: str, known: Mapping[str, Any], rules: Rules, lists: Lists) -> Line | Faulty:
    address = record.take("email", normalise, blank=None)
    mistakes = [InputError(one.message, where=f"{place}, email", hint=one.hint) for one in record.mistakes]
    status = record.cells.get("status", "").strip().lower()
    if address is None and not mistakes:
        mistakes.append(InputError("there is no address", where=f"{place}, email"))
    if status not in _STATUSES:
        hint = f"listmonk has {', '.join(_STATUSES)}"
        mistakes.append(InputError(f"{status!r} is not a status", where=f"{place}, status", hint=hint))
    if mistakes or address is None:
        return Faulty(number=record.number, mistakes=tuple(mistakes))
    noted, follows, standing = _standing(status, record.cells, known, lists)
    terms = lists.terms(follows, rules, rules.timezone, standing)
    return Line(record.number, address, read_name(record.cells.get("name", "")[:MOST_NAME]), terms, noted)


def _standing(
    status: str, cells: Mapping[str, str], known: Mapping[str, Any], lists: Lists
) -> tuple[Record, tuple[Any, ...], SubscriberStatus | None]:
    """Return what is known of somebody, what they are to follow, and where they stand.

    On a list with double opt-in they must have said yes; who has not, on any, is asked.
    """
    if status == "blocklisted":
        barred = Record(
            barred=Cause.PROVIDER, reason="blocklisted in listmonk", since=_time(cells.get("updated_at", ""))
        )
        return barred, (), None
    on = [one for one in known.get("lists") or () if isinstance(one, dict) and _is_name(one.get("name"))]
    running = [one for one in on if one.get("subscription_status") != "unsubscribed"]
    created = Record(evidence=Evidence(how="subscribed in listmonk", at=_time(cells.get("created_at", ""))))
    if status == "disabled" or (on and not running):
        return created, (), SubscriberStatus.LEFT
    said = [one for one in running if one.get("subscription_status") == "confirmed" or one.get("optin") != "double"]
    names = [str(one["name"]) for one in said or running]
    if not said and running:
        return created, lists.follows(names), SubscriberStatus.PENDING
    yes = next(
        (one for one in said if one.get("subscription_status") == "confirmed" and lists.takes(one["name"])), None
    )
    if yes is not None:
        at = _time(str(yes.get("subscription_updated_at") or yes.get("subscription_created_at") or ""))
        created = Record(evidence=Evidence(how="confirmed in listmonk", at=at))
    return created, lists.follows(names), None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.strip() != ""


def _time(text: str) -> datetime | None:
    """Read a time as Go prints it, or as RFC 3339 has it, None for anything else.

    >>> _time("2023-05-06 07:08:09.123456 +0530 IST").isoformat(), _time("2023-05-06T07:08:09Z").isoformat()
    ('2023-05-06T01:38:09+00:00', '2023-05-06T07:08:09+00:00')
    """
    found = _GO_TIME.match(text.strip())
    if found is None:
        return None
    return datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3].replace('Z', '+00:00')}").astimezone(UTC)
