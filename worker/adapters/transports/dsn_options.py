"""The options that may follow the `?` of a DSN: how each is read, and what a person is told when it cannot be.

Pure. `dsn.py` is the only caller; a new option is one line here and one field in `spec.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from worker.adapters.transports.spec import Login, Scheme, Tls
from worker.model import Lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """How one option is read: `read` raises `ValueError` on what is not `allowed`; `field` is where it goes.

    `allowed` is what a person is told to write, with an example. `schemes` are those that have the option.
    """

    field: str
    read: Callable[[str], Any]
    allowed: str
    schemes: Collection[Scheme] = tuple(Scheme)


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


def _seconds(field: str, example: str) -> Option:
    return Option(field=field, read=_number(float, 0.01, 3600), allowed=f"seconds, from 0.01 to 3600: {example}")


def _whole(field: str, most: int, example: str) -> Option:
    return Option(field=field, read=_number(int, 1, most), allowed=f"a whole number from 1 to {most}: {example}")


_RELAYS: Final = (Scheme.SMTP, Scheme.SMTPS)
OPTIONS: Final = MappingProxyType(
    {
        "name": Option(
            field="name", read=_shaped(r"[\w.-]{1,40}"), allowed="up to 40 letters, digits, '.', '-', '_': name=relay"
        ),
        "weight": _whole("weight", 1000, "weight=2"),
        "rate": Option(
            field="rate_per_s", read=_number(float, 0.001, 1e6), allowed="messages a second, more than 0: rate=50"
        ),
        "lanes": Option(field="lanes", read=_lanes, allowed=f"some of {', '.join(Lane)}: lanes=alerts,bulk"),
        "connections": _whole("connections", 1000, "connections=20"),
        "tls": Option(
            field="tls", read=Tls, allowed="off, opportunistic or required: tls=required", schemes=(Scheme.SMTP,)
        ),
        "auth": Option(field="login", read=Login, allowed=f"one of {', '.join(Login)}: auth=plain", schemes=_RELAYS),
        "ca": Option(
            field="ca_file",
            read=_absolute,
            allowed="the full path of a PEM file: ca=/etc/ssl/relay-ca.pem",
            schemes=_RELAYS,
        ),
        "hello": Option(
            field="hello",
            read=_shaped(r"[\w.:\[\]-]{1,255}"),
            allowed="the name to greet with: hello=news.example.org",
        ),
        "connect_s": _seconds("connect_s", "connect_s=30"),
        "command_s": _seconds("command_s", "command_s=60"),
        "data_s": _seconds("data_s", "data_s=180"),
        "final_dot_s": _seconds("final_dot_s", "final_dot_s=600"),
        "idle_s": _seconds("idle_s", "idle_s=60"),
        "messages": _whole("messages_per_connection", 1_000_000, "messages=100"),
        "maildir": Option(
            field="maildir",
            read=_absolute,
            allowed="the full path of a folder: maildir=/var/lib/tocsin/inbox",
            schemes=(Scheme.INBOX,),
        ),
    }
)


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
