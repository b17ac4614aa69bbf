"""Makes a transport of a spec. A new provider is a scheme in `spec.py`, its DSN's options in `dsn.py`, a line here."""

from __future__ import annotations

from worker.adapters.transports.inbox import InboxTransport
from worker.adapters.transports.smtp import SmtpTransport
from worker.adapters.transports.spec import Scheme, TransportSpec
from worker.errors import ConfigurationError
from worker.ports import Transport


def build(spec: TransportSpec) -> Transport:
    """Make the transport; it opens nothing before its first `send`.

    Raises `ConfigurationError` when the spec names a file of certificates that cannot be read.
    """
    match spec.scheme:
        case Scheme.SMTP | Scheme.SMTPS:
            return SmtpTransport(spec)
        case Scheme.INBOX:
            if spec.maildir is None:
                raise ConfigurationError(f"transport {spec.name}: inbox needs a maildir")
            return InboxTransport(spec, spec.maildir)
