"""What the newspaper is called and how it looks: on every mail and page.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from worker.schedule import zones
from worker.settings.kinds import Part

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


class Newspaper(Part):
    """The newspaper's name, addresses, look and zone."""

    newsroom: str = Field("The Harbour Courier", description="the newspaper's name, on every mail and page")
    from_: str = Field(
        "The Harbour Courier <news@courier.example>", validation_alias="TOCSIN_FROM", description="From of every mail"
    )
    reply_to: str = Field("", description="Reply-To of every mail")
    postal_address: str = Field("1 Quay Street, Port Meridian", description="printed in every mail")
    home_url: str = Field("", description="the newspaper's own site")
    accent: str = Field("#8a1c1c", pattern=r"^#[0-9a-fA-F]{6}$", description="the house colour of mails and pages")
    accent_dark: str = Field(
        "",
        pattern=r"^(#[0-9a-fA-F]{6})?$",
        description="the same colour on dark paper; default: the house colour, as light as it must be",
    )
    typeface: Literal["serif", "sans"] = Field("serif", description="the pages' letters: serif or sans")
    logo: str = Field(
        "", description="the pages' head in place of the name: an https address, or a file, also within the home"
    )
    theme: str = Field(
        "",
        description="a folder, also within the home, whose files take the place of our templates; see themes.md",
    )
    embed_origins: str = Field(
        "",
        description="origins of the pages that may show the sign-up box, such as https://www.courier.example, "
        "separated by spaces; `*`: any page; default: home_url's",
    )
    timezone: str = Field("UTC", description="the newsroom's IANA time zone")

    @field_validator("from_", "reply_to")
    @classmethod
    def _is_mailbox(cls, value: str, info: ValidationInfo) -> str:
        left_out = not value and info.field_name == "reply_to"
        if not left_out and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", parseaddr(value)[1]):
            raise ValueError("must hold an address with an @")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in zones():
            raise ValueError("is not an IANA time zone such as Europe/Berlin")
        return value

    @field_validator("embed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        words = value.split()
        if words != ["*"] and not all(_ORIGIN.fullmatch(word) for word in words):
            raise ValueError("must be origins such as https://www.courier.example, separated by spaces, or *")
        return value

    @field_validator("logo")
    @classmethod
    def _is_logo(cls, value: str) -> str:
        if "://" in value and not value.startswith("https://"):
            raise ValueError("must begin with https://, or be the path of a file")
        return value
