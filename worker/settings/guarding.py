"""What one sender, one mailbox and all together may ask of the sign-up pages, and when a form is looked at twice.

Reads nothing but the values it is given. Put into `Settings`; docs/abuse.md has the reasons for each default.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from worker.settings.kinds import Part

AnHour = Annotated[int, Field(ge=0, le=10_000_000)]


class Guarding(Part):
    """Budgets and captcha. 0 is no limit."""

    signups_per_ip: AnHour = Field(60, description="sign-ups an hour from one address, or one IPv6 /64; 0: no limit")
    signups_per_subnet: AnHour = Field(300, description="sign-ups an hour from one /24, or one IPv6 /48; 0: no limit")
    signups_per_key: AnHour = Field(20_000, description="sign-ups an hour with one API key; 0: no limit")
    letters_per_ip: AnHour = Field(30, description="letters asked for in an hour, as with sign-ups; 0: no limit")
    letters_per_subnet: AnHour = Field(150, description="as above, from one /24 or /48; 0: no limit")
    tries_per_ip: AnHour = Field(600, description="searches tried out in an hour, as with sign-ups; 0: no limit")
    tries_per_subnet: AnHour = Field(3_000, description="as above, from one /24 or /48; 0: no limit")
    questions_per_mailbox: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="mails a day that ask one mailbox for its consent, whatever +tags its addresses have"
    )
    questions_an_hour: AnHour = Field(
        5_000, description="unanswered questions for consent in an hour, all readers together; further ones wait"
    )
    form_quickest_s: Annotated[float, Field(ge=0, le=60)] = Field(
        2, description="a sign-up form sent back sooner than this is shown once more; 0: none is"
    )
    form_oldest_s: Annotated[float, Field(ge=60, le=86_400 * 31)] = Field(
        86_400, description="so is a form that was shown longer ago than this"
    )
    captcha: Literal["off", "suspicious", "always"] = Field(
        "off", description="off, suspicious or always: which sign-ups have to solve a puzzle; see abuse.md"
    )
