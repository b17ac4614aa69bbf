"""Names and slugs for topics that came without them.

Decides how a name becomes a slug that `tocsin topics import` accepts, and that no two are the same. Pure; the
`translate` command calls it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MAX_NAME: Final = 60
_MAX_SLUG: Final = 70  # of the 80 that a slug may have, so that a number fits behind it


def cleaned(text: str) -> str:
    r"""Return text on one line, without what cannot be shown or written.

    >>> cleaned(" North\n\tKorea\x00 ")
    'North Korea'
    """
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())


def shortened(text: str) -> str:
    """Return the beginning of a text, cut between words, fit to be a name.

    >>> shortened("north korea " * 9)
    'north korea north korea north korea north korea north korea…'
    """
    text = cleaned(text)
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME].rpartition(' ')[0] or text[:_MAX_NAME]}…"


class Slugs:
    """Gives each topic a slug of its own.

    >>> slugs = Slugs()
    >>> slugs.of("Côte d'Ivoire: trade", 1), slugs.of("Cote d’Ivoire, trade!", 2), slugs.of("북한", 3)
    ('cote-d-ivoire-trade', 'cote-d-ivoire-trade-2', 'topic-3')
    """

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, name: str, line: int) -> str:
        """Return a slug for a name; for one without Latin letters or digits, the line's number must do."""
        latin = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
        wanted = _slug(latin) or f"topic-{line}"
        slug, number = wanted, 2
        while slug in self._given:
            slug, number = f"{wanted}-{number}", number + 1
        self._given.add(slug)
        return slug


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MAX_SLUG].strip("-")
