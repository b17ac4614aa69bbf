"""`tocsin dkim`: makes the keys that mail is signed with, and prints what DNS has to say about a sender."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.house import Json, messages, print_json
from worker.errors import InputError

app = typer.Typer(help="Keys that mail is signed with, and the records to publish.", no_args_is_help=True)

_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE)


@app.command()
def new(
    selector: Annotated[str, typer.Option(help="The key's name in DNS; by default its kind, year and month.")] = "",
    out: Annotated[Path | None, typer.Option(help="The folder of the key; by default keys/ in the home.")] = None,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="An Ed25519 key, to sign with beside the RSA one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key, and print its record and its settings. Publish the record first, then set the variables.

    A key that is in use is never written over. To change keys, make one with another selector, publish it, and set
    it; leave the old record where it is for a week, until all mail that it has signed is delivered.
    """
    from worker.deliverability.dkim_keys import Algorithm, new_private_key, public_key
    from worker.deliverability.publishing import Signature, dkim_record
    from worker.deliverability.run_keys import keep_new_key
    from worker.wiring import house

    found = house()
    name = selector or f"{'ed' if ed25519 else 'rsa'}{datetime.now(UTC):%Y%m}"
    if not _SELECTOR.fullmatch(name):
        raise InputError("a selector has letters, digits and hyphens", where="--selector", hint="write --selector s1")
    pem = new_private_key(Algorithm.ED25519 if ed25519 else Algorithm.RSA)
    file = ((out or found.home / "keys") / f"dkim-{name}.pem").absolute()
    record = dkim_record(Signature(domain=found.dkim_domain, selector=name, key=public_key(pem)))
    keep_new_key(pem, file)
    kind = "ED25519_" if ed25519 else ""
    settings = {
        "TOCSIN_DKIM_DOMAIN": found.dkim_domain,
        f"TOCSIN_DKIM_{kind}SELECTOR": name,
        f"TOCSIN_DKIM_{kind}KEY_FILE": str(file),
    }
    if as_json:
        print_json({"file": str(file), "name": record.name, "type": record.kind, "value": record.value, **settings})
        return
    typer.echo("; 1. publish this, and wait until it is there")
    typer.echo(record.line)
    typer.echo("; 2. then set these for every process, and look at `tocsin doctor`")
    for variable, value in settings.items():
        typer.echo(f"{variable}={value}")
    messages.print(f"{file} is readable by its owner only. Keep a copy in a safe place.", markup=False)


@app.command()
def records(as_json: Json = False) -> None:
    """Print every DNS record that this installation wants, as lines for a zone file; nothing is asked of DNS."""
    from worker.deliverability.publishing import wanted
    from worker.wiring import house

    for record in wanted(house().sender):
        if as_json:
            print_json({"name": record.name, "type": record.kind, "value": record.value, "why": record.why})
        else:
            typer.echo(f"; {record.why}\n{record.line}")
