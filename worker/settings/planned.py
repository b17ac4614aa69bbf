"""Who gets what, when: gathering, ages, budgets, bursts, and how much one mail shows.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from worker.settings.kinds import Count, Part, Seconds


class Planned(Part):
    """The rules of planning that an operator may change."""

    gather_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        60, description="how long an alert waits for more of its story"
    )
    alert_age_limit_s: Seconds = Field(86_400, description="nothing published longer ago than this alerts")
    alert_expires_s: Seconds = Field(6 * 3600, description="an alert not delivered by then is expired")
    digest_expires_s: Seconds = Field(12 * 3600, description="a digest not delivered by then is expired")
    alert_budget: Annotated[int, Field(ge=0)] = Field(0, description="alerts that a reader gets in a day; 0: no limit")
    burst_count: Annotated[int, Field(ge=0)] = Field(
        10, description="more alerts than this on one topic become a rolling summary; 0: none do"
    )
    burst_window_s: Seconds = Field(3600, description="in which time so many alerts are a burst")
    rolling_s: Annotated[float, Field(ge=60, le=86_400)] = Field(
        1800, description="how often a summary of a burst goes"
    )
    section_cap: Count = Field(6, description="stories that a digest shows of one topic")
    digest_cap: Count = Field(40, description="stories that a digest shows in all")
    away_cap: Count = Field(10, description="stories that a reader is shown of what a pause has missed")
