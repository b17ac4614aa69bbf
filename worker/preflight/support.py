"""What mail clients do not support of HTML and CSS, by Can I email's data; see client_support.json for their licence.

Knows features by names such as "property object-fit" or "value display flex". Pure: the data are part of the program,
and `docs/client_support.py` makes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("client_support.json")
_PAGE: Final = "https://www.caniemail.com/features"


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """A feature that some clients lack. `page` tells more of it."""

    page: str
    without: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """All features that some client lacks, by name. `clients` are in the order in which they are told."""

    date: str
    clients: tuple[str, ...]
    features: Mapping[str, Support]


@cache
def data() -> Data:
    """Return the data, read once a process.

    >>> "Outlook for Windows" in data().features["property border-radius"].without
    True
    """
    read = json.loads(_FILE.read_text(encoding="utf-8"))
    return Data(
        date=read["date"],
        clients=tuple(read["clients"]),
        features={
            name: Support(page=f"{_PAGE}/{one['page']}/", without=frozenset(one["without"]))
            for name, one in read["features"].items()
        },
    )
