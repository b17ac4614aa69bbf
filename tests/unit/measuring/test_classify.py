"""Whose a request is, by what it says of itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.measures import Measure, Visitor
from worker.measuring.agents import AGENTS, visitor_of
from worker.measuring.classify import TOO_SOON_S, Asked, classify

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
PEOPLE = [
    FIREFOX,
    IPHONE,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0",
    "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Mobile Safari",
]
PROGRAMS = {
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)": Visitor.PROXY,
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html": Visitor.PROXY,
    "Mozilla/5.0": Visitor.PREFETCH,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0": Visitor.PREFETCH,
    "Barracuda Sentinel (EE)": Visitor.ROBOT,
    "Mozilla/5.0 (compatible; Microsoft-URLAnalyzer)": Visitor.ROBOT,
    "SomeMailScanner/2.1": Visitor.ROBOT,
    "curl/8.14.1": Visitor.ROBOT,
    "python-requests/2.32.5": Visitor.ROBOT,
    "": Visitor.ROBOT,
    "Mozilla/5.0 " + "x" * 600: Visitor.ROBOT,
}


@pytest.mark.parametrize("agent", PEOPLE)
@pytest.mark.parametrize("measure", Measure)
def test_a_browser_or_a_mail_program_is_a_persons(agent, measure):
    assert classify(Asked(agent=agent), measure, age_s=60) is Visitor.PERSON


@pytest.mark.parametrize("agent", PROGRAMS)
def test_a_program_is_known_by_its_name(agent):
    assert classify(Asked(agent=agent), Measure.OPENS, age_s=60) is PROGRAMS[agent]


@pytest.mark.parametrize("agent", PROGRAMS)
def test_what_fetches_images_for_others_never_follows_a_link_for_a_person(agent):
    assert classify(Asked(agent=agent), Measure.CLICKS, age_s=60) is Visitor.ROBOT


@pytest.mark.parametrize("row", AGENTS, ids=lambda row: row.pattern)
def test_each_row_of_the_table_decides_something_and_has_a_source(row):
    found = [agent for agent in PROGRAMS if re.search(row.pattern, agent, re.IGNORECASE)]
    assert found
    assert {PROGRAMS[agent] for agent in found} == {row.visitor}
    assert re.search(r"\w+\.\w+/|RFC", row.source)


def test_who_only_looks_whether_a_link_works_is_a_robot():
    assert classify(Asked(agent=FIREFOX, is_head=True), Measure.CLICKS, age_s=60) is Visitor.ROBOT


@pytest.mark.parametrize("purpose", ["prefetch", " prefetch;anonymous-client-ip ", "Prefetch"])
def test_what_a_browser_loads_ahead_is_no_click(purpose):
    assert classify(Asked(agent=FIREFOX, purpose=purpose), Measure.CLICKS, age_s=60) is Visitor.PREFETCH


def test_nobody_has_read_a_mail_that_is_hardly_made():
    asked = Asked(agent=FIREFOX)
    assert classify(asked, Measure.CLICKS, age_s=TOO_SOON_S - 0.1) is Visitor.ROBOT
    assert classify(asked, Measure.CLICKS, age_s=TOO_SOON_S) is Visitor.PERSON


@given(st.builds(Asked, agent=st.text(), purpose=st.text(), is_head=st.booleans(), opts_out=st.just(True)))
def test_whoever_does_not_want_to_be_counted_is_not_whatever_else_they_say(asked):
    assert classify(asked, Measure.OPENS, age_s=60) is None


@given(st.text(max_size=2_000))
def test_any_name_is_judged(agent):
    assert visitor_of(agent) in Visitor
