"""`tocsin feedback webhooks` and `reclassify`: where providers tell us, and what we make of it once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, print_rows
from worker.errors import InputError

_ALONE, _WITH_KEY = "the address", "the address and its key"
_NO_KEY = "nothing: not heard without its key in TOCSIN_WEBHOOK_KEYS"


def register(group: typer.Typer) -> None:
    """Add these commands to a group."""
    group.command()(webhooks)
    group.command()(reclassify)


def webhooks(as_json: Json = False) -> None:
    """Print the address that each provider's webhook is to be given, secret and all, and what proves a request."""
    print_rows(_addresses(), as_json=as_json, columns=("provider", "address", "proved_by"))


def reclassify(
    provider: Annotated[str | None, typer.Option(help="Only events of this provider.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Read all kept events again with this version, and do what those that it reads in another way lead to."""
    from worker.feedback.run_again import classify_again

    found = opened_house()
    readers = found.event_readers
    if provider is not None and provider not in readers:
        raise InputError(f"there is no provider {provider!r}", hint=f"providers are {', '.join(readers)}")
    changes = list(classify_again(found.database, readers, provider=provider, dry_run=dry_run))
    rows = (
        {
            "provider": change.after.provider,
            "event": change.after.event_id,
            "before": change.before and f"{change.before.kind} {change.before.status}".strip(),
            "after": f"{change.after.kind} {change.after.status}".strip(),
        }
        for change in changes
    )
    print_rows(rows, as_json=as_json, columns=("provider", "event", "before", "after"))
    while not dry_run and found.feedback.settle():
        pass
    messages.print(f"{len(changes):,} {'would change' if dry_run else 'changed'}")


def _addresses() -> Iterator[dict[str, Any]]:
    from worker.adapters.events.build import PROVIDERS, UNSIGNED

    found = opened_house()
    secret = next(iter(found.webhook_secrets), None)
    if secret is None:
        raise InputError("there is no secret yet", hint="set TOCSIN_WEBHOOK_SECRETS to a long random word")
    for name in PROVIDERS:
        yield {
            "provider": name,
            "address": f"{found.base_url}/webhooks/{name}/{secret}",
            "proved_by": _WITH_KEY if name in found.webhook_keys else _ALONE if name in UNSIGNED else _NO_KEY,
        }
