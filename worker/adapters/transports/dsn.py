"""Reads the text of `TOCSIN_TRANSPORTS`: DSNs separated by white space, each of which becomes a `TransportSpec`.

Pure. It collects every problem of every DSN, and names a DSN by its position only: no word of the text is ever repeated
in an error, because a mistyped DSN may have its password anywhere. `wiring` calls it, and `tocsin config` for `redact`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from worker.adapters.transports.dsn_options import options_of, write
from worker.adapters.transports.kinds import KINDS
from worker.adapters.transports.spec import Credentials, Kind, Scheme, Timeouts, TransportSpec, is_loopback
from worker.errors import ConfigurationError

_EXAMPLE: Final = KINDS[Scheme.SMTP].example
_MOST_IN_DOUBT: Final = 100  # messages a request, where nobody says: each is in doubt when its answer is lost
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
        problems.append(f"no transport is named; write at least one, such as {_EXAMPLE}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(specs)


def redact(spec: TransportSpec) -> str:
    """Write a spec as a DSN again, with its secrets masked and without the options that have their default.

    A user name that is also the password (as with API tokens) is a secret too, and so is the path of a webhook.

    >>> redact(parse_transports("smtp://me:secret@relay?connections=10&rate=50&lanes=alerts")[0])
    'smtp://me:***@relay:587?rate=50&lanes=alerts'
    >>> redact(parse_transports("resend://secret@default")[0])
    'resend://***@default'
    """
    user = _MASK if spec.user == spec.password else quote(spec.user, safe="")
    login = f"{user}:{_MASK}@" if spec.user and spec.password else f"{_MASK}@" if spec.password else ""
    kind = KINDS[spec.scheme]
    query = "&".join(f"{option}={quote(write(value), safe='/,:')}" for option, value in _chosen(kind, spec))
    place = spec.place if kind.is_http else spec.address
    path = f"/{_MASK}" if kind.is_webhook and urlsplit(spec.base_url).path else ""
    return f"{spec.scheme}://{login}{place}{path}{'?' if query else ''}{query}"


_TIMEOUT_FIELDS: Final = frozenset(field.name for field in fields(Timeouts))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """What reading one DSN gave: a spec, or else the problems that stand in its way."""

    spec: TransportSpec | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, dsn: str) -> _Draft:
        """Read one DSN as far as it goes: past a wrong scheme or login nothing can be told from anything else."""
        head, separator, _ = dsn.partition("://")
        if not separator:
            hint = "a space in a user name or password is written %20"
            return cls(problems=(f"this is no DSN; write one such as {_EXAMPLE} ({hint})",))
        kind = KINDS.get(head.lower())
        if kind is None:
            return cls(problems=(f"this scheme is not known; write one of {', '.join(KINDS)}: {_EXAMPLE}",))
        try:
            parts = urlsplit(dsn)
        except ValueError:
            return cls(problems=("[ and ] stand around an IPv6 address only; in a password write %5B and %5D",))
        if (parts.path.strip("/") and not kind.is_webhook) or parts.fragment or "@" in parts.query + parts.path:
            return cls(problems=("in a user name or password, write / as %2F, ? as %3F, # as %23 and @ as %40",))
        return cls._of(kind, parts)

    @classmethod
    def _of(cls, kind: Kind, parts: SplitResult) -> _Draft:
        values, problems = _read_options(kind, parts.query)
        problems += _place_problems(kind, parts)
        if kind.scheme == Scheme.INBOX and "maildir" not in values and not problems:
            problems.append(f"inbox needs a maildir: {kind.example}")
        if problems:
            return cls(problems=tuple(problems))
        timeouts = {field: values.pop(field) for field in _TIMEOUT_FIELDS & values.keys()}
        own = {name: values.pop(name) for name in kind.own if name in values}
        if kind.is_http:
            values |= _destination(kind, parts, values)
        else:
            values |= {"host": parts.hostname or "", "port": parts.port or kind.port}
        plain = _blank(kind)
        timed = replace(plain.timeouts, **timeouts)
        return cls(spec=replace(plain, **_secrets(kind, parts), **values, timeouts=timed, own=own))


def _blank(kind: Kind) -> TransportSpec:
    """Return a spec in which every option has the default of its kind."""
    return TransportSpec(
        scheme=kind.scheme,
        host="",
        port=0,
        name=kind.scheme.partition("+")[0],
        connections=kind.connections,
        batch=min(kind.most, _MOST_IN_DOUBT),
        region=next(iter(kind.endpoints), ""),
        tls=kind.tls,
        **(_HTTP_PATIENCE if kind.is_http else {}),
    )


# Providers answer soon or not at all, and their front ends drop what is idle for a minute: we want to be the first.
_HTTP_PATIENCE: Final[dict[str, Any]] = {"timeouts": Timeouts(connect_s=10.0), "idle_s": 15.0}


def _secrets(kind: Kind, parts: SplitResult) -> dict[str, Any]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return {"password": user} if kind.credentials is Credentials.KEY else {"user": user, "password": password}


def _destination(kind: Kind, parts: SplitResult, values: dict[str, Any]) -> dict[str, Any]:
    """Find out where an HTTP provider is: at its own address, unless `base_url` names a stand-in."""
    place = parts.netloc.rpartition("@")[2].lower()
    if kind.is_webhook:
        url = f"{kind.scheme.partition('+')[2]}://{place}{parts.path}"
    else:
        region = values.get("region", next(iter(kind.endpoints)))
        url = values.get("base_url") or kind.endpoints[region].format(place=place)
    there = urlsplit(url)
    port = there.port or (443 if there.scheme == "https" else 80)
    return {"place": place, "base_url": url, "host": there.hostname or "", "port": port}


def _place_problems(kind: Kind, parts: SplitResult) -> list[str]:
    """Find what is wrong with the part between `://` and `?`: login, host and port."""
    found = []
    host = parts.hostname or ""
    place = parts.netloc.rpartition("@")[2].lower() if kind.endpoints else host
    if not re.fullmatch(kind.place, place, re.ASCII):
        what = "after the @ what the example has" if kind.endpoints else "a host name or address after the //"
        found.append(f"write {what}: {kind.example}")
    elif kind.local_only and not is_loopback(host):
        found.append(f"{kind.scheme} is on this machine only; write 127.0.0.1: {kind.example}")
    if not kind.endpoints and not _has_port(parts):
        found.append(f"write a port from 1 to 65535 after the host: {kind.example}")
    return found + _login_problems(kind, parts)


def _login_problems(kind: Kind, parts: SplitResult) -> list[str]:
    user, password = parts.username, parts.password
    match kind.credentials:
        case Credentials.NONE:
            return [f"{kind.scheme} takes no user name and no password"] if user or password else []
        case Credentials.KEY:
            return [] if user and not password else [f"write the key alone before the @: {kind.example}"]
        case Credentials.LOGIN if not (user and password):
            return [f"write both halves of the key before the @: {kind.example}"]
    if user and not password:
        return ["a user name needs its password: user:password@ before the host"]
    if password and not user:
        return ["a password needs its user name: user:password@ before the host"]
    return []


def _has_port(parts: SplitResult) -> bool:
    """Tell whether the port is absent or good; `urlsplit` checks it only when asked, and then repeats the text."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _read_options(kind: Kind, query: str) -> tuple[dict[str, Any], list[str]]:
    """Read every option into values by field name, and say what to write instead of each that cannot be read."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    known = options_of(kind)
    # Not `parse_qsl`: it reads + as a space, which is right in a form and surprising in the path of a folder.
    given = [(name, unquote(text)) for name, _, text in (item.partition("=") for item in query.split("&")) if name]
    for position, (name, text) in enumerate(given, 1):
        if name not in known:
            problems.append(f"option {position} is not known to {kind.scheme}; write one of {', '.join(known)}")
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


def _chosen(kind: Kind, spec: TransportSpec) -> Iterator[tuple[str, object]]:
    """Walk over the options of a spec that do not have their default."""
    plain = _blank(kind)
    endpoint = kind.endpoints.get(spec.region, "").format(place=spec.place)
    for name, option in options_of(kind).items():
        if name in kind.own:
            value, default = spec.own.get(name), None
        elif option.field in _TIMEOUT_FIELDS:
            value, default = getattr(spec.timeouts, option.field), getattr(plain.timeouts, option.field)
        else:
            value = getattr(spec, option.field)
            default = endpoint if name == "base_url" else getattr(plain, option.field)
        if value != default:
            yield name, value
