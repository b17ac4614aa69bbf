"""Decides which messages share a request, and under which key it goes.

Pure, and the same for the same messages: a request that is made again after a crash must be the same request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from typing import Protocol

from worker.model import OutgoingMessage


class Sharing(Protocol):
    """What a provider says of sharing."""

    @property
    def batch(self) -> int:
        """How many messages go in one request at most."""

    @property
    def once_each(self) -> bool:
        """Whether an address may stand only once in a request."""

    def together(self, message: OutgoingMessage) -> Hashable:
        """Messages of which this is equal may share a request."""


def in_groups(way: Sharing, messages: Sequence[OutgoingMessage]) -> list[list[int]]:
    """Sort messages, by their places, into what may share a request."""
    groups: list[list[int]] = []
    open_ones: dict[Hashable, tuple[list[int], set[str]]] = {}
    for place, message in enumerate(messages):
        alike, address = way.together(message), message.recipient.casefold()
        group, addresses = open_ones.get(alike, ([], set()))
        if not group or len(group) == way.batch or (way.once_each and address in addresses):
            group, addresses = [], set()
            groups.append(group)
            open_ones[alike] = group, addresses
        group.append(place)
        addresses.add(address)
    return groups


def posted_key(key: str, messages: Sequence[OutgoingMessage], *, whole: bool) -> str:
    """Return the key of one post: the request's own when all of it goes at once, else one that is of these messages.

    So a request of which a part has meanwhile gone another way meets its own key with other content, which providers
    refuse; under a key of its own, what is left of it would go out again.
    """
    if whole:
        return key
    digest = hashlib.sha256("\n".join(message.message_id for message in messages).encode())
    return f"{key}-{digest.hexdigest()[:24]}"
