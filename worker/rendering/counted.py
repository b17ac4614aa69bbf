"""A mail whose clicks or opens are counted: where its stories' links lead, and the image that opening it fetches.

Addresses are one edition's, the same for all its readers. Signs nothing and counts nothing: `letters` hands the
addresses in. Pure. `compile` puts them into a view.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from worker.content import hash_of
from worker.rendering.cards import CardView

_View = TypeVar("_View")


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Our address in place of a story's own, by that; what is not among them leads where it says.

    `pixel` is the image, `trap` a link that nobody sees, so that only programs follow it; both may be "".
    """

    links: Mapping[str, str] = field(default_factory=dict)
    pixel: str = ""
    trap: str = ""

    def key(self, digest: str) -> str:
        """Return the key of a mail of a content with this digest: no two editions' mails are sent for one another."""
        if not self.links and not self.pixel:
            return digest
        return hash_of("\n".join((digest, self.pixel, *self.links.values())))


UNCOUNTED: Final = Counted()


def with_links(view: _View, counted: Counted) -> _View:
    """Let the links of a view's stories lead by way of our addresses; what the stories say stays as it is."""
    return _linked(view, counted.links) if counted.links else view


def _linked(value: Any, links: Mapping[str, str]) -> Any:  # noqa: ANN401  whatever a view is made of
    if isinstance(value, CardView):
        return dataclasses.replace(value, href=links.get(value.url, value.url))
    if isinstance(value, tuple):
        return tuple(_linked(one, links) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: _linked(getattr(value, one.name), links) for one in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value
