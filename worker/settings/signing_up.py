"""What the sign-up page takes and what it asks about once more.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worker.settings.kinds import Part


class SigningUp(Part):
    """How readers may sign up."""

    disposable: Literal["allow", "warn", "refuse"] = Field(
        "warn", description="what is done about throw-away mailboxes at sign-up: allow, warn (ask once more) or refuse"
    )
