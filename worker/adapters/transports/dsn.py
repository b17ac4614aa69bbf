"""Reads the text of `TOCSIN_TRANSPORTS`: DSNs separated by white space, each of which becomes a `TransportSpec`.

Pure. It collects every problem of every DSN, and names a DSN by its position only: no word of the text is ever repeated
in an error, because a mistyped DSN may have its password anywhere. `wiring` calls it, and `tocsin config` for `redact`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from worker.adapters.transports.dsn_options import OPTIONS, write
from worker.adapters.transports.spec import Scheme, Timeouts, Tls, TransportSpec, is_loopback
from worker.errors import ConfigurationError

EXAMPLES: Final = MappingProxyType(
    {
        Scheme.SMTP: "smtp://user:password@mail.example.org:587?tls=required&connections=20&name=relay",
        Scheme.SMTPS: "smtps://user:password@mail.example.org:465",
        Scheme.INBOX: "inbox://127.0.0.1:2525?maildir=/var/lib/tocsin/inbox",
    }
)
_PORTS: Final = MappingProxyType({Scheme.SMTP: 587, Scheme.SMTPS: 465, Scheme.INBOX: 2525})
_LATER: Final = frozenset(
    {"brevo", "mailgun", "mailjet", "postmark", "resend", "sendgrid", "ses", "sparkpost"}
)  # DELIVERABILITY's providers, still to be built
_MASK: Final = "***"


def parse_transports(text: str) -> tuple[TransportSpec, ...]:
    """Read all DSNs, in the order in which they stand; at least one.

    Raises `ConfigurationError` with one line for each problem, all of them at once; never with a secret in it.

    >>> [spec.address for spec in parse_transports("smtp://relay?name=a smtps://[::1]:99?name=b")]
    ['relay:587', '[::1]:99']
    >>> parse_transports("smtp://relay?tls=maybe")
    Traceback (most recent call last):
    ...
    worker.errors.ConfigurationError: transport 1: write tls as off, opportunistic or required: tls=required
    """
    drafts = [_Draft.read(dsn) for dsn in text.split()]
    problems = [
        f"transport {position}: {problem}" for position, draft in enumerate(drafts, 1) for problem in draft.problems
    ]
    specs = [draft.spec for draft in drafts if draft.spec]
    problems += _shared_names(specs)
    if not drafts:
        problems.append(f"no transport is named; write at least one, such as {EXAMPLES[Scheme.SMTP]}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(specs)


def redact(spec: TransportSpec) -> str:
    """Write a spec as a DSN again, with its secrets masked and without the options that have their default.

    A user name that is also the password (as with API tokens) is a secret too.

    >>> redact(parse_transports("smtp://me:secret@relay?connections=10&rate=50&lanes=alerts")[0])
    'smtp://me:***@relay:587?rate=50&lanes=alerts'
    """
    user = _MASK if spec.user == spec.password else quote(spec.user, safe="")
    login = f"{user}:{_MASK}@" if spec.password else f"{user}@" if spec.user else ""
    query = "&".join(f"{option}={quote(write(value), safe='/,:')}" for option, value in _chosen(spec))
    return f"{spec.scheme}://{login}{spec.address}{'?' if query else ''}{query}"


_TIMEOUT_FIELDS: Final = frozenset(field.name for field in fields(Timeouts))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """What reading one DSN gave: a spec, or else the problems that stand in its way."""

    spec: TransportSpec | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, dsn: str) -> _Draft:
        """Read one DSN as far as it goes: past a wrong scheme or login nothing can be told from anything else."""
        known = ", ".join(Scheme)
        head, separator, _ = dsn.partition("://")
        if not separator:
            hint = "a space in a user name or password is written %20"
            return cls(problems=(f"this is no DSN; write one such as {EXAMPLES[Scheme.SMTP]} ({hint})",))
        if head.lower() in _LATER:
            return cls(problems=(f"{head.lower()} is not built yet; this version knows {known}",))
        if head.lower() not in set(Scheme):
            return cls(problems=(f"this scheme is not known; write one of {known}: {EXAMPLES[Scheme.SMTP]}",))
        try:
            parts = urlsplit(dsn)
        except ValueError:
            return cls(problems=("[ and ] stand around an IPv6 address only; in a password write %5B and %5D",))
        if parts.path.strip("/") or parts.fragment or "@" in parts.query:
            return cls(problems=("in a user name or password, write / as %2F, ? as %3F, # as %23 and @ as %40",))
        return cls._of(Scheme(parts.scheme), parts)

    @classmethod
    def _of(cls, scheme: Scheme, parts: SplitResult) -> _Draft:
        values, problems = _read_options(scheme, parts.query)
        problems += _place_problems(scheme, parts)
        if scheme is Scheme.INBOX and "maildir" not in values and not problems:
            problems.append(f"inbox needs a maildir: {EXAMPLES[Scheme.INBOX]}")
        if problems:
            return cls(problems=tuple(problems))
        timeouts = {field: values.pop(field) for field in _TIMEOUT_FIELDS & values.keys()}
        if scheme is not Scheme.SMTP:
            values["tls"] = Tls.REQUIRED if scheme is Scheme.SMTPS else Tls.OFF
        spec = TransportSpec(
            scheme=scheme,
            host=parts.hostname or "",
            port=parts.port or _PORTS[scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            **{"name": scheme.value, **values},
        )
        return cls(spec=replace(spec, timeouts=Timeouts(**timeouts)))


def _place_problems(scheme: Scheme, parts: SplitResult) -> list[str]:
    """Find what is wrong with the part between `://` and `?`: login, host and port."""
    found = []
    host = parts.hostname or ""
    if not re.fullmatch(r"[\w.:-]+", host):
        found.append(f"write a host name or address after the //: {EXAMPLES[scheme]}")
    elif scheme is Scheme.INBOX and not is_loopback(host):
        found.append(f"the local inbox is on this machine only; write 127.0.0.1: {EXAMPLES[scheme]}")
    if not _has_port(parts):
        found.append(f"write a port from 1 to 65535 after the host: {EXAMPLES[scheme]}")
    if parts.username and not parts.password:
        found.append("a user name needs its password: user:password@ before the host")
    if parts.password and not parts.username:
        found.append("a password needs its user name: user:password@ before the host")
    if parts.username and scheme is Scheme.INBOX:
        found.append("the local inbox takes no user name and no password")
    return found


def _has_port(parts: SplitResult) -> bool:
    """Tell whether the port is absent or good; `urlsplit` checks it only when asked, and then repeats the text."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _read_options(scheme: Scheme, query: str) -> tuple[dict[str, Any], list[str]]:
    """Read every option into values by field name, and say what to write instead of each that cannot be read."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    known = {name: option for name, option in OPTIONS.items() if scheme in option.schemes}
    # Not `parse_qsl`: it reads + as a space, which is right in a form and surprising in the path of a folder.
    given = [(name, unquote(text)) for name, _, text in (item.partition("=") for item in query.split("&")) if name]
    for position, (name, text) in enumerate(given, 1):
        if name not in known:
            problems.append(f"option {position} is not known to {scheme}; write one of {', '.join(known)}")
            continue
        try:
            values[known[name].field] = known[name].read(text)
        except ValueError:
            problems.append(f"write {name} as {known[name].allowed}")
    twice = [name for name, count in Counter(name for name, _ in given).items() if count > 1 and name in known]
    return values, problems + [f"write {name} only once" for name in twice]


def _shared_names(specs: list[TransportSpec]) -> list[str]:
    """Receipts and metrics know a transport by its name alone, so two may not share one."""
    counts = Counter(spec.name for spec in specs)
    return [
        f"{count} transports are called {name}; give each its own name: name={name}-2"
        for name, count in counts.items()
        if count > 1
    ]


def _chosen(spec: TransportSpec) -> Iterator[tuple[str, object]]:
    """Walk over the options of a spec that do not have their default."""
    plain = TransportSpec(scheme=spec.scheme, host="", port=0, name=spec.scheme.value)
    for name, option in OPTIONS.items():
        where, default = (spec.timeouts, plain.timeouts) if option.field in _TIMEOUT_FIELDS else (spec, plain)
        value = getattr(where, option.field)
        if value != getattr(default, option.field) and spec.scheme in option.schemes:
            yield name, value
