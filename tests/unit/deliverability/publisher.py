"""An `Ask` that answers from a dictionary, for judging without a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from worker.deliverability.asking import Ask
from worker.errors import DnsError

DOMAIN = "harbourcourier.org"


def published(
    zone: Mapping[str, Mapping[str, tuple[str, ...]]], *, failing: Collection[str] = (), silent: Collection[str] = ()
) -> Ask:
    """Answer with what a zone has by name and type."""

    def ask(name, kind):
        if name in failing or name in silent:
            raise DnsError(f"no answer for {name}", silent=name in silent)
        return zone.get(name, {}).get(str(kind), ())

    return ask


def texts(**by_name: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return a zone of names below `DOMAIN` with one text each; `at` is the domain itself, `_` stands for a dot.

    A leading `_` stays, and so do the names that DKIM and DMARC reserve.
    """
    return {_full(name): {"TXT": (text,)} for name, text in by_name.items()}


def _full(name: str) -> str:
    return DOMAIN if name == "at" else f"{name}.{DOMAIN}"
