"""A text with holes, laid out so that to fill it takes one join: what is done once for every reader.

Pure. `mail` makes one of each compiled message.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from worker.model import Pieces


class Blank:
    """Pieces, ready to be filled thousands of times."""

    __slots__ = ("_holes", "_of", "_texts")

    def __init__(self, pieces: Pieces) -> None:
        self._holes = pieces.holes
        self._of = itemgetter(*pieces.holes) if len(pieces.holes) > 1 else self._few
        self._texts = [""] * (len(pieces.literals) + len(pieces.holes))
        self._texts[::2] = pieces.literals

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values in, as they are.

        >>> Blank(Pieces(literals=("Dear ", "."), holes=("name",))).fill({"name": "reader"})
        'Dear reader.'
        """
        texts = self._texts.copy()
        texts[1::2] = self._of(values)
        return "".join(texts)

    def _few(self, values: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(values[hole] for hole in self._holes)
