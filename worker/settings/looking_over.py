"""Whether mail is looked over before it goes, and which spam filter is asked.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from worker.settings.kinds import Part


class LookingOver(Part):
    """The preflight of newsletters."""

    preflight: Literal["off", "warn", "hold", "strict"] = Field(
        "hold",
        description="what a newsletter's preflight does: nothing (off), only tell (warn), hold what would do harm "
        "(hold), or hold broken links and pictures too (strict)",
    )
    spam_check: str = Field(
        "auto",
        description="the spam filter that the preflight asks: auto (an rspamd at 127.0.0.1:11333, else SpamAssassin), "
        "off, spamassassin, or an rspamd's address such as http://127.0.0.1:11333",
    )

    @field_validator("spam_check")
    @classmethod
    def _is_filter(cls, value: str) -> str:
        if value not in {"auto", "off", "spamassassin"} and not value.startswith(("http://", "https://")):
            raise ValueError("must be auto, off, spamassassin, or the address of an rspamd")
        return value.rstrip("/")
