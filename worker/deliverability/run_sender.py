"""Puts together what DNS must know of a sender, from the settings' transports and key files. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from worker.adapters.transports.spec import Scheme, TransportSpec
from worker.deliverability.publishing import Sender, Signature
from worker.deliverability.run_keys import read_public_key
from worker.keys import SigningKeyFile

_NOT_PROVIDERS = {Scheme.SMTP, Scheme.SMTPS, Scheme.INBOX}


def sender_of(
    *, from_domain: str, dkim_domain: str, keys: Iterable[SigningKeyFile], specs: Sequence[TransportSpec]
) -> Sender:
    """Return the names that an installation sends under. Raises `ConfigurationError` for a key that is none."""
    by_smtp = [spec for spec in specs if spec.scheme in {Scheme.SMTP, Scheme.SMTPS}]
    return Sender(
        from_domain=from_domain,
        bounce_domain=from_domain,
        signatures=tuple(
            Signature(domain=dkim_domain, selector=key.selector, key=read_public_key(key.file)) for key in keys
        ),
        by_smtp=bool(by_smtp),
        relays=tuple(dict.fromkeys(spec.host for spec in by_smtp if not spec.is_local)),
        providers=tuple(spec.name for spec in specs if spec.scheme not in _NOT_PROVIDERS),
    )
