"""Hours, warm-up plans and rates, as an operator writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.allowances import Hours, WarmUp, read_domain_rates


@pytest.mark.parametrize("text", ["", "7-22", "07", "07-24:01", "24-06", "07-07", "07:60-22", "07-22-23", "a-b"])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  the option's own words tell a person what to write
        Hours.read(text)


@pytest.mark.parametrize(
    ("hours", "local", "wait_h"),
    [
        ("07-22", "06:30", 0.5),
        ("07-22", "07:00", 0),
        ("07-22", "21:59", 0),
        ("07-22", "22:00", 9),
        ("22-06", "23:00", 0),
        ("22-06", "05:59", 0),
        ("22-06", "06:00", 16),
        ("00-24", "23:59", 0),
        ("12:30-13:15", "13:15", 23.25),
    ],
)
def test_hours_are_the_newsrooms(hours, local, wait_h):
    zone = ZoneInfo("Asia/Kathmandu")
    now = datetime.fromisoformat(f"2026-11-28T{local}").replace(tzinfo=zone).astimezone(UTC)
    assert Hours.read(hours).wait_s(now, zone) == wait_h * 3600


def test_a_plan_begins_small_grows_every_day_and_ends():
    plan = WarmUp.read("2026-11-28:50x2")
    days = [plan.allowed(date(2026, 11, 28) + timedelta(days=number)) for number in (-3, 0, 1, 2, 14, 15, 5000)]
    assert days == [50, 50, 100, 200, 819_200, None, None]
    assert str(plan) == "2026-11-28:50x2"


@pytest.mark.parametrize(
    "text", ["", "2026-11-28", "2026-13-28:50x2", "2026-11-28:0x2", "2026-11-28:50x1", "2026-11-28:50x11", "28.11.:5x2"]
)
def test_plans_that_are_none_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  the option's own words tell a person what to write
        WarmUp.read(text)


def test_rates_of_one_receivers_domains_are_one():
    assert read_domain_rates("hotmail.com=5  *=20") == {"outlook.com": 5, "*": 20}
    for text in ("gmail.com", "gmail=5", "gmail.com=0", "gmail.com=x", "=5"):
        with pytest.raises(ValueError):  # noqa: PT011  the setting's own words tell a person what to write
            read_domain_rates(text)
