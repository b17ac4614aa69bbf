"""How providers that write MIME themselves want to be told of people and texts.

Pure. Providers' modules use it.
"""

from __future__ import annotations

from collections.abc import Hashable
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


def shared(parts: MessageParts) -> Hashable:
    """Return what messages must have in common for a request to say it once."""
    return parts.composition.key, parts.from_name, parts.from_address, parts.reply_to


def marked(pieces: Pieces, mark: str, face: str) -> str:
    """Write a text with a mark in the place of each hole. Raises `ValueError` if the text itself looks like one.

    >>> marked(Pieces(literals=("Dear ", "."), holes=("name",)), "%recipient.{}%", "t")
    'Dear %recipient.t_name%.'
    """
    if any(mark.partition("{")[0] in literal for literal in pieces.literals):
        raise ValueError("the text has a mark of its own")
    return pieces.fill({hole: mark.format(f"{face}_{hole}") for hole in pieces.holes})


def values_of(parts: MessageParts) -> dict[str, str]:
    """Return a reader's values by the names that `marked` gives the holes: t_ in subject and text, h_ in HTML."""
    composition = parts.composition
    plain = {*composition.subject.holes, *composition.text.holes}
    return {f"t_{hole}": parts.values[hole] for hole in sorted(plain)} | {
        f"h_{hole}": parts.html_values[hole] for hole in sorted({*composition.html.holes})
    }
