"""Makes a transport of a spec. A new provider is a module of its own and an entry in `kinds.py`; nothing here."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from worker.adapters.transports.inbox import InboxTransport
from worker.adapters.transports.kinds import KINDS
from worker.adapters.transports.smtp import SmtpTransport
from worker.adapters.transports.spec import Scheme, TransportSpec
from worker.errors import ConfigurationError
from worker.ports import Transport


def build(spec: TransportSpec) -> Transport:
    """Make the transport; it opens nothing before it is first given work.

    Raises `ConfigurationError` when the spec names a file of certificates that cannot be read.
    """
    match spec.scheme:
        case Scheme.SMTP | Scheme.SMTPS:
            return SmtpTransport(spec)
        case Scheme.INBOX:
            if spec.maildir is None:
                raise ConfigurationError(f"transport {spec.name}: inbox needs a maildir")
            return InboxTransport(spec, spec.maildir)
    module, _, name = KINDS[spec.scheme].made_by.partition(":")
    maker = getattr(import_module(f"worker.adapters.transports.{module}"), name)
    return cast("Transport", maker(spec))
