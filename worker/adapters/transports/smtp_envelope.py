"""Puts a message into the form in which SMTP carries it, or says why the relay that we talk to cannot take it.

Pure: a message and what the relay offers in, command lines and stuffed content out. `smtp_connection.py` calls it
before it writes anything, so that whatever is refused here is certainly unsent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import idna

from worker.errors import Blame, SendError
from worker.model import OutgoingMessage

# Anything of this would end the address, or the whole command, on the wire. Quoted local parts that need a space or an
# angle bracket are not worth the risk: no mailbox provider gives them out.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """What the relay's answer to EHLO offers. `size_bytes` is None where it names no limit (RFC 1870)."""

    size_bytes: int | None = None
    says_size: bool = False
    eight_bit: bool = False
    utf8: bool = False
    pipelining: bool = False

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Offers:
        """Read the extensions, by keyword in lower case.

        >>> Offers.of({"size": "1000", "8bitmime": ""})
        Offers(size_bytes=1000, says_size=True, eight_bit=True, utf8=False, pipelining=False)
        """
        limit = extensions.get("size", "").strip()
        return cls(
            size_bytes=int(limit) if limit.isdecimal() and int(limit) else None,
            says_size="size" in extensions,
            eight_bit="8bitmime" in extensions,
            utf8="smtputf8" in extensions,
            pipelining="pipelining" in extensions,
        )


class Envelope(NamedTuple):
    """A message ready for the wire: two command lines, and the content up to but without the final dot."""

    message: OutgoingMessage
    mail: bytes
    rcpt: bytes
    content: bytes

    def __repr__(self) -> str:
        """Say which message's it is."""
        return f"Envelope({self.message!r})"


def seal(message: OutgoingMessage, offers: Offers) -> Envelope:
    """Make the envelope of a message for one relay.

    Raises `SendError`, permanent, when the relay cannot take it: about the recipient if their address is at fault.
    """
    sender = _path(message.envelope_from, Blame.US) if message.envelope_from else ""
    recipient = _path(message.recipient, Blame.RECIPIENT)
    if not message.is_clean:
        _check_lines(message.data)
    size = _size(message.data, offers)
    is_ascii = (message.is_ascii or message.data.isascii()) and sender.isascii() and recipient.isascii()
    extras = "" if is_ascii else _beyond_ascii(sender, recipient, message.data, offers)
    return Envelope(
        message=message,
        mail=f"MAIL FROM:<{sender}>{size}{extras}\r\n".encode(),
        rcpt=f"RCPT TO:<{recipient}>\r\n".encode(),
        content=message.data if message.is_clean else stuff(message.data),
    )


def stuff(data: bytes) -> bytes:
    r"""Double every dot that starts a line (RFC 5321, 4.5.2), and end the last line where it is not ended.

    >>> stuff(b".a\r\n..\r\nb.")
    b'..a\r\n...\r\nb.\r\n'
    """
    ended = data if data.endswith(b"\r\n") else data + b"\r\n"
    stuffed = ended.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _path(address: str, whose: Blame) -> str:
    """Write an address as a path without its brackets: the domain in ASCII (IDNA 2008), the local part untouched."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or _UNSAFE.search(address):
        raise _unfit("this is no address that SMTP can carry", "5.1.3", whose)
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise _unfit("the address's domain cannot be a domain name", "5.1.2", whose) from error


def _size(data: bytes, offers: Offers) -> str:
    if offers.size_bytes is not None and len(data) > offers.size_bytes:
        reason = f"the message has {len(data)} bytes, the relay takes {offers.size_bytes}"
        raise _unfit(reason, "5.3.4", Blame.US, code=552)
    return f" SIZE={len(data)}" if offers.says_size else ""


def _check_lines(data: bytes) -> None:
    # A bare CR or LF is read as a line's end by some and not by others: that is how mail gets smuggled in a message.
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        raise _unfit("the message has a bare CR or LF", "5.6.0", Blame.US)


def _beyond_ascii(sender: str, recipient: str, data: bytes, offers: Offers) -> str:
    """Return the parameters for letters beyond ASCII (RFC 6152, RFC 6531); a header may have some whoever it is for."""
    if not (data.isascii() or offers.eight_bit):
        raise _unfit("the message has bytes beyond ASCII, and the relay offers no 8BITMIME", "5.6.3", Blame.US)
    for path, whose in ((sender, Blame.US), (recipient, Blame.RECIPIENT)):
        if not (path.isascii() or offers.utf8):
            raise _unfit("the relay takes no address with letters outside ASCII", "5.6.7", whose)
    head_is_ascii = data.partition(b"\r\n\r\n")[0].isascii()
    if not (head_is_ascii or offers.utf8):
        raise _unfit("the relay takes no header with letters outside ASCII", "5.6.7", Blame.US)
    in_the_body = "" if data.isascii() else " BODY=8BITMIME"
    return in_the_body + ("" if head_is_ascii and sender.isascii() and recipient.isascii() else " SMTPUTF8")


def _unfit(reason: str, enhanced: str, whose: Blame, code: int | None = None) -> SendError:
    """Make the error for what we ourselves refuse, with the enhanced code that a relay would have given."""
    return SendError(reason, permanent=True, blame=whose, code=code, enhanced=enhanced)
