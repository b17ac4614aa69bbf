"""How providers that write MIME themselves want to be told of people and texts.

Pure. Providers' modules use it.
"""

from __future__ import annotations

from collections.abc import Hashable
from email.headerregistry import Address

import idna

from worker.model import MessageParts, OutgoingMessage, Pieces


def parts_of(message: OutgoingMessage) -> MessageParts:
    """Return the parts of a message. Raises `ValueError` for one that is finished MIME."""
    if message.parts is None:
        raise ValueError("this provider takes messages in parts")
    return message.parts


def mailbox(name: str, address: str) -> str:
    r"""Write a name and an address as RFC 5322 has it, in Unicode. Raises `ValueError` for line breaks.

    The address is not parsed once more: Python's parser takes no local part beyond ASCII, and some readers have one.

    >>> mailbox("Desk, The", "desk@news.example"), mailbox("", "미나@b.example")
    ('"Desk, The" <desk@news.example>', '미나@b.example')
    """
    local, _, domain = address.rpartition("@")
    return str(Address(display_name=name, username=local, domain=domain))


def sender(parts: MessageParts) -> str:
    """Write who sends."""
    return mailbox(parts.from_name, parts.from_address)


def reader(message: OutgoingMessage) -> str:
    """Write who is written to."""
    return mailbox(parts_of(message).to_name, address_of(message))


def address_of(message: OutgoingMessage) -> str:
    """Return the recipient's address, its domain in ASCII (IDNA 2008): few providers say that they take another form.

    Raises `ValueError` when the domain cannot be one.
    """
    local, at, domain = message.recipient.rpartition("@")
    return message.recipient if domain.isascii() else f"{local}{at}{idna.encode(domain, uts46=True).decode()}"


def shared(parts: MessageParts) -> Hashable:
    """Return what messages must have in common for a request to say it once."""
    return parts.composition.key, parts.from_name, parts.from_address, parts.reply_to


def marked(pieces: Pieces, mark: str, face: str) -> str:
    """Write a text with a mark in the place of each hole. A text that has such a mark itself is the caller's business.

    >>> marked(Pieces(literals=("Dear ", "."), holes=("name",)), "%recipient.{}%", "t")
    'Dear %recipient.t_name%.'
    """
    return pieces.fill({hole: mark.format(f"{face}_{hole}") for hole in pieces.holes})


def values_of(parts: MessageParts) -> dict[str, str]:
    """Return a reader's values by the names that `marked` gives the holes: t_ in subject and text, h_ in HTML."""
    composition = parts.composition
    plain = {*composition.subject.holes, *composition.text.holes}
    return {f"t_{hole}": parts.values[hole] for hole in sorted(plain)} | {
        f"h_{hole}": parts.html_values[hole] for hole in sorted({*composition.html.holes})
    }
