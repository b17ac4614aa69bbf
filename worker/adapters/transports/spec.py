"""What one DSN of `TOCSIN_TRANSPORTS` says, as values: the only thing a transport is made from.

Decides nothing but how a spec is shown without its secrets. `kinds.py` lists the kinds of transport, `dsn.py` makes
specs, `build.py` makes transports of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from worker.allowances import Hours, WarmUp
from worker.model import Lane


class Scheme(StrEnum):
    """The schemes that speak SMTP; every other one is an HTTP provider's, and stands in `kinds.py` alone."""

    SMTP = "smtp"
    SMTPS = "smtps"
    INBOX = "inbox"


class Credentials(StrEnum):
    """What stands before the @ of a DSN."""

    NONE = "none"
    OPTIONAL_LOGIN = "optional login"  # user:password, or neither
    LOGIN = "login"  # user:password
    KEY = "key"  # one secret alone, which becomes the spec's password


class Tls(StrEnum):
    """How far an `smtp://` connection insists on being encrypted; `smtps://` and HTTP providers always are.

    `opportunistic` encrypts where STARTTLS is offered and, when there is no password to protect, takes any certificate:
    it would have sent in clear otherwise. A password never leaves over such a connection unless the certificate holds.
    """

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnOption:
    """An option that one provider alone has; `pattern` is what its value must match, whole."""

    pattern: str
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of transport: what its DSN must say, and where its code is.

    `place` is what may stand after the @, as a pattern. For HTTP, `made_by` is module:class beside this file,
    `endpoints` are the provider's URLs by region, the default first, in which `{place}` is filled in (none: the DSN
    itself is the URL), `most` is how many messages may go in one request.
    """

    scheme: str
    example: str
    credentials: Credentials = Credentials.KEY
    place: str = r"[\w.:-]+"
    port: int = 443
    tls: Tls = Tls.REQUIRED
    local_only: bool = False
    connections: int = 10
    made_by: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    most: int = 1
    own: Mapping[str, OwnOption] = field(default_factory=dict)

    @property
    def is_http(self) -> bool:
        """Whether it speaks HTTP."""
        return bool(self.made_by)

    @property
    def is_webhook(self) -> bool:
        """Whether the DSN is itself the URL that is posted to."""
        return self.is_http and not self.endpoints


class Login(StrEnum):
    """The AUTH mechanism; `any` takes PLAIN, else LOGIN. For `xoauth2` the DSN's password is the access token."""

    ANY = "any"
    PLAIN = "plain"
    LOGIN = "login"
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long each phase may take. SMTP's are the least that RFC 5321, 4.5.3.2, asks a client to wait.

    `reply_s` is an HTTP provider's: from the first byte of a request to the last of its answer.
    """

    connect_s: float = 60.0
    command_s: float = 300.0
    data_s: float = 180.0
    final_dot_s: float = 600.0
    reply_s: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportSpec:
    """One transport as configured. `password` is the secret itself: show a spec only by `redacted`.

    `host` and `port` are where it connects to. `place` is what the DSN has after the @ (a region, a domain, "default"),
    `base_url` the URL that an HTTP provider's paths are appended to, without a slash at its end.
    """

    scheme: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    name: str
    weight: int = 1
    rate_per_s: float | None = None
    hours: Hours | None = None
    warm_up: WarmUp | None = None
    lanes: frozenset[Lane] = frozenset(Lane)
    connections: int = 10
    prepared: int = 4
    tls: Tls = Tls.OPPORTUNISTIC
    login: Login = Login.ANY
    ca_file: Path | None = None
    hello: str = ""
    timeouts: Timeouts = Timeouts()
    idle_s: float = 60.0
    messages_per_connection: int = 100
    maildir: Path | None = None
    place: str = ""
    base_url: str = field(default="", repr=False)  # a webhook's may hold a secret path
    region: str = ""
    batch: int = 1
    own: Mapping[str, str] = field(default_factory=dict)

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
