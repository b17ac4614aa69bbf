"""A face of a mail, or a fragment of one, in both of its forms: as people read it, and as it travels.

A face with slots is put together of what its fragments were made into once, in both forms: nothing that mails have in
common is inlined or encoded again. Pure. `compile` makes leaves, `mail` fills them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.model import Pieces
from worker.rendering.holes import joined, parted
from worker.rendering.skeleton import Part, travelling


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """`read` is a text with holes, `sent` the same in quoted-printable, with holes for values encoded likewise."""

    read: Pieces
    sent: Pieces

    @classmethod
    def of(cls, text: str, part: Part, *, key: str, slots: Sequence[Leaf] = ()) -> Leaf:
        """Cut a rendered text at the marks made with this key, and put the fragments into its slots."""
        parts = parted(text, key=key, slots=slots)
        return cls(
            read=joined(one.read if isinstance(one, Leaf) else one for one in parts),
            sent=travelling((one.sent if isinstance(one, Leaf) else one for one in parts), part),
        )
