"""The mails of a Maildir, read with the standard library alone, as any other mail program would."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail as it was received: `data` without the two lines that the inbox puts on top."""

    file: str
    recipient: str
    data: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = email.message_from_bytes(self.data, policy=SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(self.message["Subject"])

    def part(self, kind: str) -> str:
        """Return its text ("plain") or its page ("html"), decoded."""
        body = self.message.get_body((kind,))
        assert body is not None, self.subject
        content: str = body.get_content()
        return content

    def header_bytes(self, name: str) -> bytes:
        """Return a header as it stands in the bytes, unfolded; b"" where there is none."""
        head = self.data.partition(b"\r\n\r\n")[0] + b"\r\n"
        found = re.search(rb"^" + name.encode() + rb":[ \t]*((?:.*\r\n)(?:[ \t].*\r\n)*)", head, re.MULTILINE)
        return b" ".join(line.strip() for line in found[1].split(b"\r\n")).strip() if found else b""


def read_mails(folder: Path) -> list[Mail]:
    """Read a Maildir, oldest first; empty where there is none."""
    files = [file for name in ("new", "cur") for file in (folder / name).glob("*")]
    return [_read(file) for file in sorted(files, key=lambda file: file.name)]


def _read(file: Path) -> Mail:
    delivered_to, _return_path, data = file.read_bytes().split(b"\r\n", 2)
    return Mail(file=file.name, recipient=delivered_to.decode().removeprefix("Delivered-To: "), data=data)
