"""What the sign-up page takes, what it asks about once more, and which letters readers get about it unasked.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from worker.settings.kinds import Part

_LETTERS: Final = ("welcome", "changed", "goodbye")
_NO_LETTERS: Final = "none"


class SigningUp(Part):
    """How readers may sign up, and what they are told afterwards."""

    disposable: Literal["allow", "warn", "refuse"] = Field(
        "warn", description="what is done about throw-away mailboxes at sign-up: allow, warn (ask once more) or refuse"
    )
    letters: str = Field(
        "welcome changed goodbye",
        description="letters that readers get unasked: after their yes, after a change of preferences, after a "
        "farewell; none for none of them",
    )
    changed_letter_after_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        600, description="for how long changes of preferences are gathered into one letter"
    )

    @field_validator("letters")
    @classmethod
    def _are_letters(cls, value: str) -> str:
        words = value.split()
        unknown = [word for word in words if word not in _LETTERS]
        if unknown and words != [_NO_LETTERS]:
            known = f"{', '.join(_LETTERS[:-1])} and {_LETTERS[-1]}"
            raise ValueError(f"there is no letter called {unknown[0][:40]!r}; write any of {known}, or {_NO_LETTERS}")
        return value
