"""Holes: the places of a compiled mail where each reader's own values go.

A template writes a hole as a mark; `cut` cuts the rendered text at its marks, so that filling is one join
(`worker.model.Pieces`). A mark is keyed with a secret of the process, so that no title from a feed can contain one, and
a value is never searched for marks. Pure. `compile` marks, and `leaf` cuts; nobody else knows marks.

A slot is the place of a fragment: a part of a mail, such as a story's card, that is the same in many mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from worker.model import Pieces


class Hole(StrEnum):
    """What differs from reader to reader, by the name of its value. Of a link only the token does.

    The reader's name is not among those that a template may show: whoever typed it in need not be the address's owner,
    and no mail of ours carries a stranger's words to a victim.
    """

    RECIPIENT = "recipient"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    VIEW = "view"
    CONFIRM = "confirm"
    MY = "my"
    # Of a finished message only, encoded for their place:
    RECIPIENT_TEXT = "recipient_text"
    RECIPIENT_HTML = "recipient_html"
    TO = "to"
    SUBJECT = "subject"
    DATE = "date"
    MESSAGE_ID = "message_id"
    IN_REPLY_TO = "in_reply_to"
    LIST_ID = "list_id"
    FEEDBACK_ID = "feedback_id"


_LINKS: Final = MappingProxyType(
    {
        Hole.PREFERENCES: "preferences",
        Hole.UNSUBSCRIBE: "unsubscribe",
        Hole.VIEW: "m",
        Hole.CONFIRM: "confirm",
        Hole.MY: "my",
    }
)


def address_of(hole: Hole, base_url: str) -> str:
    """Return the address of our pages to which a link's token is added.

    >>> address_of(Hole.VIEW, "https://news.courier.example")
    'https://news.courier.example/m/'
    """
    return f"{base_url}/{_LINKS[hole]}/"


def marks(key: str, base_url: str) -> dict[str, str]:
    """Return what templates write, by the names that they use: plain letters, which no escaping or inlining changes.

    >>> marks("9f2c", "https://news.courier.example")["view_url"]
    'https://news.courier.example/m/hole9f2cviewhole'
    """
    links = {f"{hole}_url": address_of(hole, base_url) + _mark(hole, key) for hole in _LINKS}
    return {"recipient": _mark(Hole.RECIPIENT, key), **links}


def slot(number: int, key: str) -> str:
    """Return what a template writes where the fragment of this number goes."""
    return f"slot{key}{number}slot"


def parted(text: str, *, key: str) -> list[str | Hole | int]:
    """Cut a rendered text at the marks made with this key, into texts, holes, and slots by their numbers.

    >>> parted("See hole9f2cviewhole, slot9f2c0slot.", key="9f2c")
    ['See ', <Hole.VIEW: 'view'>, ', ', 0, '.']
    """
    parts: list[str | Hole | int] = []
    for at, piece in enumerate(_marked(key).split(text)):
        if at % 2 == 0:
            parts.append(piece)
        elif piece.isdecimal():
            parts.append(int(piece))
        else:
            parts.append(Hole(piece))
    return parts


def cut(text: str, *, key: str) -> Pieces:
    """Cut a rendered text without slots at the marks made with this key.

    >>> cut("See hole9f2cviewhole.", key="9f2c")
    Pieces(literals=('See ', '.'), holes=(<Hole.VIEW: 'view'>,))
    """
    return joined(one for one in parted(text, key=key) if not isinstance(one, int))


def joined(parts: Iterable[str | Pieces]) -> Pieces:
    """Join texts, holes and pieces of both into one.

    >>> joined(["<", Hole.MESSAGE_ID, ">", Pieces(literals=(" to ", ""), holes=(Hole.TO,))])
    Pieces(literals=('<', '> to ', ''), holes=(<Hole.MESSAGE_ID: 'message_id'>, <Hole.TO: 'to'>))
    """
    literals: list[str] = []
    holes: list[str] = []
    open_literal: list[str] = []
    for part in parts:
        if isinstance(part, Hole):
            holes.append(part)
            literals.append("".join(open_literal))
            open_literal = []
        elif isinstance(part, str):
            open_literal.append(part)
        else:
            first, *others = part.literals
            open_literal.append(first)
            if others:
                holes += part.holes
                literals.append("".join(open_literal))
                literals += others[:-1]
                open_literal = others[-1:]
    literals.append("".join(open_literal))
    return Pieces(literals=tuple(literals), holes=tuple(holes))


def size_bytes(text: Pieces, *, hole_bytes: int) -> int:
    """Return the UTF-8 size of the filled text if each value takes `hole_bytes`."""
    return sum(len(literal.encode()) for literal in text.literals) + hole_bytes * len(text.holes)


def _mark(hole: Hole, key: str) -> str:
    return f"hole{key}{hole}hole"


@lru_cache(maxsize=64)
def _marked(key: str) -> re.Pattern[str]:
    names = "|".join((Hole.RECIPIENT, *_LINKS))
    return re.compile(rf"(?:hole|slot){key}({names}|\d+)(?:hole|slot)")
