"""Holes: the places of a compiled mail where each reader's own values go.

A template writes a hole as a mark; `Skeleton` cuts the rendered text at its marks, so that filling is one join. A mark
is keyed with the content's hash, so that no title from a feed can contain one, and a value is never searched for marks.
Pure. `compile` makes skeletons; nobody else knows marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.content import Personal


class Hole(StrEnum):
    """The values of `Personal` that a template may show. Headers take theirs straight from `Personal`.

    The reader's name is not among them: whoever typed it in need not be the address's owner, and no mail of ours
    carries a stranger's words to a victim.
    """

    RECIPIENT = "recipient"
    PREFERENCES_URL = "preferences_url"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    VIEW_URL = "view_url"
    CONFIRM_URL = "confirm_url"


def marks(key: str) -> dict[str, str]:
    """Return each hole's mark under its name: plain letters and digits, which no escaping or inlining changes.

    >>> marks("9f2c")["view_url"]
    'hole9f2cviewurlhole'
    """
    return {hole.value: f"hole{key}{hole.value.replace('_', '')}hole" for hole in Hole}


def values(personal: Personal) -> dict[Hole, str]:
    """Return what fills each hole in one reader's copy."""
    return {hole: getattr(personal, hole.value) for hole in Hole}


@dataclass(frozen=True, kw_only=True, slots=True)
class Skeleton:
    """A text with holes: `literals` has one item more than `holes`, and they alternate."""

    literals: tuple[str, ...]
    holes: tuple[Hole, ...]

    @classmethod
    def cut(cls, text: str, *, key: str) -> Skeleton:
        """Cut a rendered text at the marks made with this key.

        >>> Skeleton.cut("See hole9f2cviewurlhole.", key="9f2c")
        Skeleton(literals=('See ', '.'), holes=(<Hole.VIEW_URL: 'view_url'>,))
        """
        by_mark = {mark: Hole(name) for name, mark in marks(key).items()}
        pieces = re.split(f"({'|'.join(by_mark)})", text)
        return cls(literals=tuple(pieces[::2]), holes=tuple(by_mark[mark] for mark in pieces[1::2]))

    def fill(self, filling: Mapping[Hole, str], escape: Callable[[str], str]) -> str:
        """Put the values in, each escaped for its place."""
        pieces = [self.literals[0]]
        for hole, literal in zip(self.holes, self.literals[1:], strict=True):
            pieces += (escape(filling[hole]), literal)
        return "".join(pieces)

    def size_bytes(self, *, hole_bytes: int) -> int:
        """Return the UTF-8 size of the filled text if each value takes `hole_bytes`."""
        return sum(len(literal.encode()) for literal in self.literals) + hole_bytes * len(self.holes)
