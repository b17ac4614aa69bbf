"""What one DSN of `TOCSIN_TRANSPORTS` says, as values: the only thing a transport is made from.

Decides nothing but how a spec is shown without its secrets. `dsn.py` makes specs, `build.py` makes transports of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from worker.model import Lane


class Scheme(StrEnum):
    """The kinds of transport that this version has."""

    SMTP = "smtp"
    SMTPS = "smtps"
    INBOX = "inbox"


class Tls(StrEnum):
    """How far an `smtp://` connection insists on being encrypted; `smtps://` always is.

    `opportunistic` encrypts where STARTTLS is offered and, when there is no password to protect, takes any certificate:
    it would have sent in clear otherwise. A password never leaves over such a connection unless the certificate holds.
    """

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"


class Login(StrEnum):
    """The AUTH mechanism; `any` takes PLAIN, else LOGIN. For `xoauth2` the DSN's password is the access token."""

    ANY = "any"
    PLAIN = "plain"
    LOGIN = "login"
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long each phase may take. All but the first are the least that RFC 5321, 4.5.3.2, asks a client to wait."""

    connect_s: float = 60.0
    command_s: float = 300.0
    data_s: float = 180.0
    final_dot_s: float = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportSpec:
    """One transport as configured. `password` is the secret itself: show a spec only by `redacted`."""

    scheme: Scheme
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    name: str
    weight: int = 1
    rate_per_s: float | None = None
    lanes: frozenset[Lane] = frozenset(Lane)
    connections: int = 10
    tls: Tls = Tls.OPPORTUNISTIC
    login: Login = Login.ANY
    ca_file: Path | None = None
    hello: str = ""
    timeouts: Timeouts = Timeouts()
    idle_s: float = 60.0
    messages_per_connection: int = 100
    maildir: Path | None = None

    @property
    def address(self) -> str:
        """Host and port, as a person would write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the other end is this machine, so that nothing can be overheard on the way."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether `host` can only be this machine; a name other than `localhost` never is, whatever it resolves to.

    >>> is_loopback("127.8.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("localhost.example.org")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
