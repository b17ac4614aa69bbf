"""`tocsin subscribers erase`: forget a reader, in the tables and in what lies in the home."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from worker.cli.house import Json, messages, opened_house, operator, print_json

if TYPE_CHECKING:
    from worker.store.database import Database

_FLUSH_WITHIN_S: Final = 15.0


def erase(
    address: Annotated[str, typer.Argument(help="The reader's address.")],
    suppress: Annotated[bool, typer.Option("--suppress", help="And let no list or sign-up bring it back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a reader for good: address, name, queries, consent, what relays and providers said, mail in the inbox.

    What stays are numbers for the books and, of a suppressed address, its keyed hash. Backups, a mailbox of returned
    mail and your providers' own logs are yours to clear.
    """
    from worker.runtime.inbox import erase_messages_to
    from worker.signup.address import normalise
    from worker.signup.run_erasure import erase as forget

    found, wanted = opened_house(), normalise(address)
    if not yes:
        typer.confirm("What is erased cannot be brought back. Go on?", abort=True, err=True)
    key = found.address_hash(wanted.key)
    erased = forget(found.database, wanted, key, actor=operator(), suppress=suppress)
    mails = sum(erase_messages_to(found.inbox, spelling) for spelling in {wanted.text, wanted.key})
    mails += _remove_quoting(found.home / "returned-mail", {wanted.text, wanted.key})
    is_flushed = _flush(found.database)
    if as_json:
        told = {"known": erased.was_known, "unsent": erased.unsent, "mails": erased.mails, "events": erased.events}
        print_json({**told, "files": mails, "suppressed": suppress, "flushed": is_flushed})
    who = "the reader is" if erased.was_known else "no reader has this address; what was left of it is"
    messages.print(f"{who} erased: {erased.mails} mails, {erased.events} events, {mails} files")
    if not is_flushed:
        messages.print("the database's write-ahead log could not be emptied: do this once more in a minute")
        raise typer.Exit(1)


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


def _flush(database: Database) -> bool:
    """Wait until nobody reads what was overwritten any more."""
    deadline_s = time.monotonic() + _FLUSH_WITHIN_S
    while not database.flush_deleted():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.2)
    return True
