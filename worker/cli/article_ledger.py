"""An article's ledger as people read it: each step with its moment and how long it took, and the mails it led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from worker.cli.house import print_rows, stamp

if TYPE_CHECKING:
    from worker.intake.ledger import Copies, Ledger


def print_ledger(ledger: Ledger) -> None:
    """Print it."""
    typer.echo()
    rows = [{"step": step, "at": at, "after": took(span_s)} for step, at, span_s in ledger.lines()]
    print_rows(rows, as_json=False, columns=("step", "at", "after"))
    typer.echo()
    for copies in filter(None, (ledger.alerts, *ledger.others)):
        typer.echo(_mails(copies))
    if not ledger.alerts:
        typer.echo("no alert since it came in")
    if ledger.articles > 1:
        others = f"{ledger.articles} articles tell its story"
        typer.echo(f"{others}; the first was {ledger.first_article}: `tocsin articles show {ledger.first_article}`")


def took(span_s: float | None) -> str | None:
    """Write how long a step took.

    >>> took(None), took(0.25), took(75.04), took(7200)
    (None, '0.2 s', '75.0 s', '7200.0 s')
    """
    return None if span_s is None else f"{span_s:.1f} s"


def _mails(copies: Copies) -> str:
    kind = f"{copies.kind}s" if copies.deliveries != 1 else copies.kind
    told = f"{copies.deliveries} {kind}, {copies.accepted} accepted"
    moments: dict[str, Any] = {
        "the first": copies.accepted_at,
        "half of them by": copies.median_accepted_at,
        "the last": copies.last_accepted_at,
    }
    when = ", ".join(f"{name} {stamp(at)}" for name, at in moments.items() if at)
    return f"{told}: {when}" if when else told
