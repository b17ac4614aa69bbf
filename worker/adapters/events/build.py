"""Makes the event parsers of all providers, each with the keys that an operator has set for it.

`wiring` calls it. A provider that signs is listened to only where its key is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from worker.adapters.events.brevo import BrevoEvents
from worker.adapters.events.mailgun import MailgunEvents
from worker.adapters.events.postmark import PostmarkEvents
from worker.adapters.events.resend import ResendEvents
from worker.adapters.events.sendgrid import SendgridEvents
from worker.adapters.events.ses import SesEvents
from worker.adapters.events.webhook import WebhookEvents
from worker.errors import ConfigurationError
from worker.ports import EventParser

_MAKERS: Final[Mapping[str, Callable[[tuple[str, ...]], EventParser]]] = {
    "ses": SesEvents,
    "sendgrid": SendgridEvents,
    "mailgun": MailgunEvents,
    "postmark": PostmarkEvents,
    "resend": ResendEvents,
    "brevo": BrevoEvents,
    "webhook": WebhookEvents,
}
PROVIDERS: Final = tuple(_MAKERS)
UNSIGNED: Final = frozenset({"postmark", "brevo"})
"""Providers that sign nothing: the secret in the address is their proof, and a password, where one is set."""


def read_keys(given: str) -> Mapping[str, tuple[str, ...]]:
    """Return each provider's keys, as an operator sets them: `provider=key`, several of each during a rotation.

    Raises `ConfigurationError`.

    >>> read_keys("postmark=user:word mailgun=new mailgun=old")
    {'postmark': ('user:word',), 'mailgun': ('new', 'old')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair in given.split():
        name, _, key = pair.partition("=")
        if name not in PROVIDERS or not key:
            raise ConfigurationError(
                f"TOCSIN_WEBHOOK_KEYS: write provider=key, separated by spaces; providers are {', '.join(PROVIDERS)}"
            )
        found[name] = (*found.get(name, ()), key)
    return found


def build_parsers(keys: Mapping[str, tuple[str, ...]]) -> Mapping[str, EventParser]:
    """Return the parsers of all providers that can be listened to, by name. Raises `ConfigurationError`.

    >>> sorted(build_parsers({"mailgun": ("key",)}))
    ['brevo', 'mailgun', 'postmark']
    """
    return {name: _make(name, keys.get(name, ())) for name in PROVIDERS if name in UNSIGNED or name in keys}


def build_readers() -> Mapping[str, EventParser]:
    """Return what translates each provider's kept events: that needs no key."""
    return {name: make(()) for name, make in _MAKERS.items()}


def _make(name: str, keys: tuple[str, ...]) -> EventParser:
    try:
        return _MAKERS[name](keys)
    except ConfigurationError as error:
        raise ConfigurationError(f"TOCSIN_WEBHOOK_KEYS: {name}: {error}") from error
