"""Records that are lists of `tag=value`, as DKIM (RFC 6376, 3.2) and DMARC (RFC 9989, 4.7) have them. Pure."""

from __future__ import annotations

import re


def read_tags(text: str) -> dict[str, str] | None:
    """Return the tags of a record in their order; None for a text that is no such list.

    >>> read_tags("v=DMARC1; p=none;")
    {'v': 'DMARC1', 'p': 'none'}
    >>> read_tags("google-site-verification: 7ub") is None
    True
    """
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(sign and re.fullmatch(r"\s*[A-Za-z]\w*\s*", name) for name, sign, _ in pairs):
        return None
    tags = {name.strip(): value.strip() for name, _, value in pairs}
    return tags if tags and len(tags) == len(pairs) else None
