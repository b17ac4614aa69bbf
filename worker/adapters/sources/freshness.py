"""For how many seconds the caches between a server and us would go on giving the answer that we have just got.

Pure; RFC 9111, sections 4.2 (freshness), 5.1 (Age), 5.2.2 (Cache-Control) and 5.3 (Expires). `fetch` calls it; what
follows from it for the next poll is intake's business.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from worker.adapters.sources.dates import parse_date

_DIRECTIVE: Final = re.compile(r'([a-z-]+)\s*(?:=\s*"?\s*(\d+)[^,]*)?(?:,|$)', re.IGNORECASE)
_MAX_DIGITS: Final = 9
_MAX_CHARS: Final = 1_000


def fresh_s(
    cache_control: str, *, expires: str = "", age: str = "", date: str = "", now: datetime | None = None
) -> float | None:
    """Return the seconds of freshness that are left, at least 0; None where the headers do not say.

    `max-age` goes before `s-maxage`, since we are no shared cache, and both before `Expires`; no-store and no-cache are
    0. `expires` counts from the server's own `date`, else from `now`. What cannot be read says nothing.

    >>> fresh_s("public, max-age=300", age="100"), fresh_s("no-cache, max-age=300"), fresh_s("")
    (200.0, 0.0, None)
    >>> fresh_s("", expires="Mon, 23 Nov 2026 12:10:00 GMT", date="Mon, 23 Nov 2026 12:00:00 GMT")
    600.0
    """
    said = {name.lower(): seconds for name, seconds in _DIRECTIVE.findall(cache_control[:_MAX_CHARS])}
    if "no-store" in said or "no-cache" in said:
        return 0.0
    lifetime = _number(said.get("max-age", ""))
    if lifetime is None:
        lifetime = _number(said.get("s-maxage", ""))
    if lifetime is None:
        lifetime = _until(expires, parse_date(date) or now)
    return None if lifetime is None else max(lifetime - (_number(age) or 0.0), 0.0)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text[:_MAX_DIGITS]) if text.isascii() and text.isdigit() else None


def _until(expires: str, date: datetime | None) -> float | None:
    moment = parse_date(expires)
    return (moment - date).total_seconds() if moment and date else None
