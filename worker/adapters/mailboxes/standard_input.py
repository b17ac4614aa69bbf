"""One returned mail on standard input, as a .forward or a pipe transport hands it over.

What is not taken in must not be lost with the pipe: it stays in a Maildir, for people to see. Built by `build`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from worker.adapters.mailboxes.maildir import Maildir
from worker.hearsay import Fate


class StandardInput:
    """A mailbox of one mail."""

    def __init__(self, left: Maildir) -> None:
        self._left = left
        self._key: str | None = None

    def waiting(self, *, limit: int) -> Iterator[tuple[str, bytes | None]]:  # noqa: ARG002  there is only one
        """Yield the mail. All of it is written down first, so that whoever writes into the pipe is not cut off."""
        self._key = self._left.receive(sys.stdin.buffer)
        yield self._key, self._left.read(self._key)

    def settle(self, key: str, fate: Fate) -> None:
        """Keep what nobody has taken in."""
        if fate is not Fate.TAKEN:
            self._left.settle(key, fate)

    def close(self) -> None:
        """Forget a mail that is taken in, or that whoever handed it over has been told to bring again."""
        if self._key is not None:
            self._left.drop(self._key)
