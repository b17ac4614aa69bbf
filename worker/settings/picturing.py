"""From where readers see the pictures of stories.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from worker.settings.kinds import Part


class Picturing(Part):
    """The image proxy."""

    image_proxy: Literal["off", "on"] = Field(
        "off",
        description="are stories' pictures served from here, so that nobody else learns who opens a mail: off or on",
    )
    image_cache_mb: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        512, description="megabytes of such pictures that are kept in the home"
    )
