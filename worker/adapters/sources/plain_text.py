"""Plain text: the first line is the title, a blank line follows, the rest is the body.

Pure. `files.read_document` calls it for text files and standard input.
"""

from __future__ import annotations

import re
from typing import Final

from worker.adapters.sources import plain
from worker.adapters.sources.decoding import decode, sniffable
from worker.adapters.sources.jsons import looks_like_json, refuse_nul
from worker.adapters.sources.looks import binary_kind
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle

_MARKUP: Final = re.compile(rb"\s*<[a-zA-Z!?/]")
_HEAD_BYTES: Final = 4_096
_TITLE_CHARS: Final = 300
"""A longer first line is a paragraph of a text that has no title."""


class PlainTextSource:
    """Text without any markup."""

    name = "text"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  files are named anything
        """Take every text that is neither markup nor JSON; a stray NUL byte is for `parse` to complain of."""
        head = sniffable(data[:_HEAD_BYTES]).replace(b"\0", b"")
        return bool(head.strip()) and not (_MARKUP.match(head) or looks_like_json(data) or binary_kind(head))

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read one article. Raises `InputError` for a NUL byte, naming its offset."""
        refuse_nul(data)
        title, body = _split(plain.paragraphs(decode(data, content_type)))
        return ParsedFeed(articles=(ParsedArticle(url=url, title=title, body=body),), format=self.name)


def _split(text: str) -> tuple[str, str]:
    r"""Part the title from the body.

    >>> _split("Quake\n\nIt shook."), _split("Quake\nIt shook.\n\nThen not.")
    (('Quake', 'It shook.'), ('Quake', 'It shook.\n\nThen not.'))
    """
    first, _, rest = text.partition("\n")
    return ("", text) if len(first) > _TITLE_CHARS else (plain.one_line(first), rest.strip())
