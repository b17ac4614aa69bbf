"""Forgetting outside the tables: an erased reader's mail in the inbox, returned mail, the database's write-ahead log.

Decides nothing; signup has. Called by `tocsin subscribers erase` and by the reader's own page.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from worker.adapters.transports.maildir import erase_messages_to
from worker.store.database import Database


def remove_files(*, home: Path, inbox: Path, spellings: Collection[str]) -> int:
    """Remove mail to an address from the local inbox, and returned mail that quotes it; return how many files."""
    mails = sum(erase_messages_to(inbox, spelling) for spelling in spellings)
    return mails + _remove_quoting(home / "returned-mail", spellings)


def flush(database: Database, *, within_s: float) -> bool:
    """Wait until nobody reads what was overwritten any more; False when somebody still does."""
    deadline_s = time.monotonic() + within_s
    while not database.flush_deleted():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.2)
    return True


def _remove_quoting(folder: Path, spellings: Collection[str]) -> int:
    """Remove the files that quote an address, and return how many there were."""
    wanted = [spelling.lower().encode() for spelling in spellings]
    quoting = [
        path
        for path in (folder.rglob("*") if folder.is_dir() else ())
        if path.is_file() and any(spelling in path.read_bytes().lower() for spelling in wanted)
    ]
    for path in quoting:
        path.unlink(missing_ok=True)
    return len(quoting)
