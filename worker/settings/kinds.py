"""The kinds of value that settings have, and what all parts of the settings share. Called by the parts.

Decides nothing.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

PREFIX: Final = "TOCSIN_"

Seconds = Annotated[float, Field(gt=0, le=86_400 * 31)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1000)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Part(BaseModel):
    """A part of the settings: fields with their checks. `Settings` puts the parts together."""

    model_config = ConfigDict(frozen=True)


def variable(name: str) -> str:
    """Return a field's environment variable.

    >>> variable("from_")
    'TOCSIN_FROM'
    """
    return PREFIX + name.rstrip("_").upper()
