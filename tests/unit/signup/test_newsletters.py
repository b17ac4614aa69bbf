"""Newsletters as editors write them down, and how a mistake is told by entry and field."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.resources import seeds_dir
from worker.signup.newsletters import read_newsletters, read_rrule

ONE = {
    "slug": "top-10",
    "name": "Top 10",
    "sender": {"name": "The Courier", "address": "top@courier.example"},
    "locale": "en",
    "schedule": "FREQ=DAILY;BYHOUR=6",
    "timezone": "Europe/London",
    "selection": {"topics": [], "minimum": 1, "maximum": 10},
}


def refusal(*entries):
    with pytest.raises(InputError) as refused:
        read_newsletters(yaml.safe_dump(list(entries)))
    return str(refused.value)


def test_the_seeds_are_understood():
    newsletters = read_newsletters((seeds_dir() / "newsletters.yaml").read_text())
    assert len(newsletters) == 3
    assert "top-10-stories" in {newsletter.slug for newsletter in newsletters}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"slug": "Top 10!"}, "entry 1 (Top 10!), slug: "),
        ({"name": ""}, "entry 1 (top-10), name: "),
        ({"timezone": "Mars/Olympus"}, "entry 1 (top-10), timezone: 'Mars/Olympus' is not a time zone"),
        ({"schedule": "daily"}, "entry 1 (top-10), schedule: 'DAILY' is no part of a schedule"),
        ({"sender": {"name": "x", "address": "nobody"}}, "entry 1 (top-10), sender.address: 'nobody' has no @"),
        ({"sender": {"name": "x"}}, "entry 1 (top-10), sender.address: is missing"),
        ({"sendr": {}}, "entry 1 (top-10), sendr: no such field (did you mean sender?)"),
        ({"selection": {"minimum": 9, "maximum": 2}}, "entry 1 (top-10), selection: minimum 9 is more than maximum 2"),
        ({"selection": {"topcs": []}}, "entry 1 (top-10), selection.topcs: no such field (did you mean topics?)"),
    ],
)
def test_a_mistake_names_entry_and_field(change, told):
    assert refusal(ONE | change).startswith(told)


def test_all_mistakes_are_told_at_once():
    told = refusal({"slug": "a"}, "no mapping", ONE, ONE)
    assert "entry 1 (a), name: is missing" in told
    assert "entry 2: " in told
    assert "entry 4 (top-10), slug: top-10 stands there twice" in told


@pytest.mark.parametrize("text", ["", "slug: x", "- [", "a: b: c", "\0", "- &a [*a]\n- {", "just words"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(InputError):
        read_newsletters(text)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=17;BYMINUTE=0;BYSECOND=0",
        "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=7,19;INTERVAL=2",
        "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31;COUNT=3",
        "FREQ=DAILY;UNTIL=20271231T235959Z;WKST=SU",
    ],
)
def test_the_grammar_of_rfc_5545_is_taken(rule):
    assert read_rrule(rule) == rule.removeprefix("RRULE:")


@pytest.mark.parametrize(
    "rule",
    [
        "", "FREQ", "FREQ=", "FREQ=SECONDLY", "BYHOUR=7", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;",
        "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;BYHOUR=7,,8",
        "FREQ=DAILY\nDTSTART=20260101",
    ],
)  # fmt: skip
def test_what_no_calendar_would_take_is_refused(rule):
    with pytest.raises(InputError):
        read_rrule(rule)


@given(st.text(max_size=80))
def test_no_text_whatever_does_more_than_be_refused(text):
    with suppress(InputError):
        read_rrule(text)
