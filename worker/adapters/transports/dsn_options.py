"""The options that may follow the `?` of a DSN: how each is read, and what a person is told when it cannot be.

Pure. `dsn.py` is the only caller; a new option is one line here and one field in `spec.py`. What a single provider
has for itself stands in `kinds.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from worker.adapters.transports.kinds import KINDS
from worker.adapters.transports.spec import Kind, Login, Scheme, Tls, is_loopback
from worker.allowances import Hours, WarmUp
from worker.model import Lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """How one option is read: `read` raises `ValueError` on what is not `allowed`; `field` is where it goes.

    `allowed` is what a person is told to write, with an example. `schemes` are those that have the option.
    """

    field: str
    read: Callable[[str], Any]
    allowed: str
    schemes: Collection[str] = tuple(KINDS)


def _number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = kind(text)
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return read


def _shaped(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(text)
        return text

    return read


def _absolute(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        raise ValueError(text)
    return path


def _lanes(text: str) -> frozenset[Lane]:
    return frozenset(Lane(lane) for lane in text.split(","))


def _seconds(field: str, example: str, schemes: Collection[str] = tuple(KINDS)) -> Option:
    allowed = f"seconds, from 0.01 to 3600: {example}"
    return Option(field=field, read=_number(float, 0.01, 3600), allowed=allowed, schemes=schemes)


def _whole(field: str, most: int, example: str, schemes: Collection[str] = tuple(KINDS)) -> Option:
    allowed = f"a whole number from 1 to {most}: {example}"
    return Option(field=field, read=_number(int, 1, most), allowed=allowed, schemes=schemes)


def _url(text: str) -> str:
    """Read a stand-in's address: in clear on this machine only, as the provider's key goes there."""
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_safe or not parts.hostname or parts.port == 0 or parts.username or parts.query or parts.fragment:
        raise ValueError(text)
    return text.rstrip("/")


_RELAYS: Final = (Scheme.SMTP, Scheme.SMTPS)
_SMTP: Final = tuple(Scheme)
_HTTP: Final = tuple(scheme for scheme, kind in KINDS.items() if kind.is_http)
_PROVIDERS: Final = tuple(scheme for scheme, kind in KINDS.items() if kind.endpoints)
OPTIONS: Final = MappingProxyType(
    {
        "name": Option(
            field="name", read=_shaped(r"[\w.-]{1,40}"), allowed="up to 40 letters, digits, '.', '-', '_': name=relay"
        ),
        "weight": Option(
            field="weight", read=_number(int, 0, 1000), allowed="a whole number up to 1000, 0 to stand by: weight=2"
        ),
        "rate": Option(
            field="rate_per_s", read=_number(float, 0.001, 1e6), allowed="messages a second, more than 0: rate=50"
        ),
        "hours": Option(
            field="hours", read=Hours.read, allowed="the newsroom's hours in which bulk mail may go: hours=07-22:30"
        ),
        "warmup": Option(
            field="warm_up",
            read=WarmUp.read,
            allowed="first day, messages on it, and how much more each day: warmup=2026-11-28:50x1.5",
        ),
        "lanes": Option(field="lanes", read=_lanes, allowed=f"some of {', '.join(Lane)}: lanes=alerts,bulk"),
        "connections": _whole("connections", 1000, "connections=20"),
        "prepared": _whole("prepared", 100, "prepared=4"),
        "tls": Option(
            field="tls", read=Tls, allowed="off, opportunistic or required: tls=required", schemes=(Scheme.SMTP,)
        ),
        "auth": Option(field="login", read=Login, allowed=f"one of {', '.join(Login)}: auth=plain", schemes=_RELAYS),
        "ca": Option(
            field="ca_file",
            read=_absolute,
            allowed="the full path of a PEM file: ca=/etc/ssl/relay-ca.pem",
            schemes=(*_RELAYS, *_HTTP),
        ),
        "hello": Option(
            field="hello",
            read=_shaped(r"[\w.:\[\]-]{1,255}"),
            allowed="the name to greet with: hello=news.example.org",
            schemes=_SMTP,
        ),
        "base_url": Option(
            field="base_url",
            read=_url,
            allowed="an https:// address, or http:// on this machine only: base_url=http://127.0.0.1:8080",
            schemes=_PROVIDERS,
        ),
        "connect_s": _seconds("connect_s", "connect_s=30"),
        "command_s": _seconds("command_s", "command_s=60", _SMTP),
        "data_s": _seconds("data_s", "data_s=180", _SMTP),
        "final_dot_s": _seconds("final_dot_s", "final_dot_s=600", _SMTP),
        "reply_s": _seconds("reply_s", "reply_s=60", _HTTP),
        "idle_s": _seconds("idle_s", "idle_s=60"),
        "messages": _whole("messages_per_connection", 1_000_000, "messages=100", _SMTP),
        "maildir": Option(
            field="maildir",
            read=_absolute,
            allowed="the full path of a folder: maildir=/var/lib/tocsin/inbox",
            schemes=(Scheme.INBOX,),
        ),
    }
)


def options_of(kind: Kind) -> Mapping[str, Option]:
    """Return the options that a DSN of this kind may have, by name, in the order in which people are told of them."""
    found = {name: option for name, option in OPTIONS.items() if kind.scheme in option.schemes}
    if kind.most > 1:
        found["batch"] = _whole("batch", kind.most, "batch=100")
    if len(kind.endpoints) > 1:
        regions = "|".join(kind.endpoints)
        found["region"] = Option(field="region", read=_shaped(regions), allowed=regions.replace("|", " or "))
    for name, own in kind.own.items():
        found[name] = Option(field=name, read=_shaped(own.pattern), allowed=f"in {own.example}")
    return found


def write(value: object) -> str:
    """Write an option's value as it would stand in a DSN, before percent-encoding.

    >>> write(frozenset({Lane.BULK, Lane.ALERTS})), write(50.0), write(Tls.OFF)
    ('alerts,bulk', '50', 'off')
    """
    if isinstance(value, frozenset):
        return ",".join(lane for lane in Lane if lane in value)
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value.value if isinstance(value, Enum) else value)
