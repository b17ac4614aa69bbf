"""`InboxTransport`: the local inbox, which is SMTP plus one question more: has this message arrived?

`runtime/inbox.py` is the server at the other end; the two share nothing but the socket and the Maildir.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from worker.adapters.transports import maildir
from worker.adapters.transports.smtp import SmtpTransport
from worker.adapters.transports.spec import TransportSpec
from worker.model import Sighting


class InboxTransport(SmtpTransport):
    """The demo's and the tests' way out. Its look-ups settle every lost reply, so that nothing stays unknown."""

    def __init__(self, spec: TransportSpec, folder: Path) -> None:
        super().__init__(spec)
        self._folder = folder

    async def look_up(self, message_id: str) -> Sighting:
        """Look into the Maildir."""
        return await asyncio.to_thread(maildir.look_up, self._folder, message_id)
