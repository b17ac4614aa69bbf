"""How well a part of an installation is, as `tocsin doctor` tells it. Words only, for whoever examines something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """What an examination came to. Only `ILL` is a reason to get up at night."""

    WELL = "well"
    NOTE = "note"  # works, and could be better
    ILL = "ill"
    UNCHECKED = "unchecked"  # nothing could, or need, be found out


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was found about a part. `advice` says what to do about it; empty where there is nothing to do."""

    part: str
    health: Health
    says: str
    advice: str = ""
