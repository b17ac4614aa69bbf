"""`tocsin subscribers erase`: forget a reader, in the tables and in what lies in the home."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from worker.cli.house import Json, messages, opened_house, operator, print_json

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
    from worker.runtime.forgetting import flush, remove_files
    from worker.signup.address import normalise
    from worker.signup.run_erasure import erase as forget

    found, wanted = opened_house(), normalise(address)
    if not yes:
        typer.confirm("What is erased cannot be brought back. Go on?", abort=True, err=True)
    key = found.address_hash(wanted.key)
    erased = forget(found.database, wanted, key, actor=operator(), suppress=suppress)
    mails = remove_files(home=found.home, inbox=found.inbox, spellings=erased.spellings)
    is_flushed = flush(found.database, within_s=_FLUSH_WITHIN_S)
    if as_json:
        told = {"known": erased.was_known, "unsent": erased.unsent, "mails": erased.mails, "events": erased.events}
        print_json({**told, "files": mails, "suppressed": suppress, "flushed": is_flushed})
    who = "the reader is" if erased.was_known else "no reader has this address; what was left of it is"
    messages.print(f"{who} erased: {erased.mails} mails, {erased.events} events, {mails} files")
    if not is_flushed:
        messages.print("the database's write-ahead log could not be emptied: do this once more in a minute")
        raise typer.Exit(1)
