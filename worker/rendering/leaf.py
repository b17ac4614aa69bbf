"""A face of a mail, or a fragment of one, in both of its forms: as people read it, and as it travels.

A face with slots is put together of what its fragments were made into once, in both forms: nothing that mails have in
common is inlined or encoded again. Pure. `compile` makes leaves, `mail` fills them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.model import Pieces
from worker.rendering.holes import Hole, joined, parted
from worker.rendering.skeleton import Part, encoded, travelling


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """`read` is a text with holes, `sent` the same in quoted-printable, with holes for values encoded likewise."""

    read: Pieces
    sent: Pieces

    @classmethod
    def of(cls, text: str, part: Part, *, key: str, slots: Sequence[Leaf] = ()) -> Leaf:
        """Cut a rendered text at the marks made with this key, and put the fragments into its slots."""
        return Frame.of(text, part, key=key).filled(slots)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A text with holes, and slots by their numbers: what is around the fragments of many faces."""

    part: Part
    read: tuple[str | Hole | int, ...]
    sent: tuple[Pieces | Hole | int, ...]

    @classmethod
    def of(cls, text: str, part: Part, *, key: str) -> Frame:
        """Cut a rendered text at the marks made with this key."""
        parts = tuple(parted(text, key=key))
        return cls(
            part=part,
            read=parts,
            sent=tuple(encoded(one) if isinstance(one, str) and not isinstance(one, Hole) else one for one in parts),
        )

    def filled(self, slots: Sequence[Leaf]) -> Leaf:
        """Put fragments into the slots; one for each number."""
        return Leaf(
            read=joined(slots[one].read if isinstance(one, int) else one for one in self.read),
            sent=travelling((slots[one].sent if isinstance(one, int) else one for one in self.sent), self.part),
        )
