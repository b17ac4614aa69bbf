"""How providers that write MIME themselves want to be told of people and texts.

Pure. Providers' modules use it.
"""

from __future__ import annotations

from collections.abc import Callable
from email.headerregistry import Address

from worker.model import MessageParts, OutgoingMessage, Pieces


def parts_of(message: OutgoingMessage) -> MessageParts:
    """Return the parts of a message. Raises `ValueError` for one that is finished MIME."""
    if message.parts is None:
        raise ValueError("this provider takes messages in parts")
    return message.parts


def mailbox(name: str, address: str) -> str:
    r"""Write a name and an address as RFC 5322 has it, in Unicode. Raises `ValueError` for line breaks.

    >>> mailbox("Desk, The", "desk@news.example"), mailbox("", "a@b.example")
    ('"Desk, The" <desk@news.example>', 'a@b.example')
    """
    return str(Address(display_name=name, addr_spec=address))


def sender(parts: MessageParts) -> str:
    """Write who sends."""
    return mailbox(parts.from_name, parts.from_address)


def reader(message: OutgoingMessage) -> str:
    """Write who is written to."""
    return mailbox(parts_of(message).to_name, message.recipient)


def marked(pieces: Pieces, mark: Callable[[str], str]) -> str:
    """Write a text with a mark in the place of each hole.

    >>> marked(Pieces(literals=("Dear ", "."), holes=("name",)), "%{}%".format)
    'Dear %name%.'
    """
    return pieces.fill({hole: mark(hole) for hole in pieces.holes})
