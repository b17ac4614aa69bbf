"""What is counted of mails: nothing, unless the newsroom wants it.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from worker.measures import read_measures
from worker.settings.kinds import Part


class Measuring(Part):
    """Opens and clicks."""

    measure: str = Field(
        "", description="what is counted of mails: clicks, opens, or both; default: nothing; see measuring.md"
    )

    @field_validator("measure")
    @classmethod
    def _are_measures(cls, value: str) -> str:
        try:
            return " ".join(sorted(read_measures(value)))
        except ValueError:
            raise ValueError("must be clicks, opens, or both, separated by a space") from None
