"""robots.txt as RFC 9309 wants it read, and as strangers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.intake.robots import MAX_ROBOTS_BYTES, _concerning, read_robots, without_a_file

HOST = "https://gull.example"


def allowed(text: str, path: str) -> bool:
    return read_robots(text.encode(), product="Tocsin").forbids(HOST + path) == ""


@pytest.mark.parametrize(
    ("text", "path", "may"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /a", "/about", False),
        ("User-agent: *\nDisallow: /a/", "/about", True),
        # the group of our own name holds instead of everybody's, in any case of letters, and wherever it stands
        ("User-agent: tocsin\nAllow: /\n\nUser-agent: *\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: TOCSIN\nDisallow: /b", "/a", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: Other\nUser-agent: Tocsin\nDisallow: /", "/a", False),
        ("User-agent: TocsinImages\nDisallow: /", "/a", True),
        ("User-agent: otherbot\nDisallow: /", "/a", True),
        # two groups of one name are one (section 2.2.1)
        (
            "User-agent: tocsin\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: tocsin\nDisallow: /b",
            "/b",
            False,
        ),
        # the longest rule wins, and of two as long the one that allows (section 2.2.2)
        ("User-agent: *\nDisallow: /\nAllow: /news", "/news/1", True),
        ("User-agent: *\nAllow: /news\nDisallow: /news/paid", "/news/paid/1", False),
        ("User-agent: *\nDisallow: /news\nAllow: /news", "/news", True),
        # the two special characters (section 2.2.3)
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
        ("User-agent: *\nDisallow: /*/print", "/story/7/print", False),
        # percent-encoding is the same letter, and Korean may stand as it is
        ("User-agent: *\nDisallow: /뉴스", "/%EB%89%B4%EC%8A%A4/1", False),
        # comments, byte order marks, other lines between, line ends of all systems
        ("\ufeffUser-agent: *  # all\r\nDisallow: /a # there\r\n", "/a", False),
        ("User-agent: *\nSitemap: https://gull.example/s.xml\nDisallow: /a", "/a", False),
        ("User-agent: *\rDisallow: /a", "/a", False),
        ("<html>Not found</html>", "/a", True),
    ],
)
def test_a_file_says_what_may_be_fetched(text, path, may):
    assert allowed(text, path) is may


@pytest.mark.parametrize(
    ("said", "held_s"), [("2", 2), ("0.5", 0.5), ("86400", 10), ("soon", 0), ("-3", 0), ("nan", 0)]
)
def test_a_crawl_delay_counts_up_to_a_limit(said, held_s):
    text = f"User-agent: *\nCrawl-delay: {said}\n"
    assert read_robots(text.encode(), product="Tocsin").delay_s == held_s


def test_a_file_is_read_up_to_its_limit_and_no_half_line_counts():
    head = b"User-agent: *\nDisallow: /a\n"
    fill = b"#" * (MAX_ROBOTS_BYTES - len(head) - 11) + b"\n"
    rules = read_robots(head + fill + b"Disallow: /b/only/this\n", product="Tocsin")
    assert rules.forbids(HOST + "/a")
    assert not rules.forbids(HOST + "/b")


@pytest.mark.parametrize(
    ("status", "bars"),
    [
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (410, False),
        (429, True),
        (500, True),
        (503, True),
        (None, True),
    ],
)
def test_without_a_file_all_is_allowed_or_nothing(status, bars):
    assert bool(without_a_file(status, product="Tocsin").forbids(HOST)) is bars


@pytest.mark.parametrize("spelling", ["User-agent: r{}", "user agent r{}", "useragent : r{}", "USER-AGENT:*r{}*"])
def test_a_file_of_very_many_robots_and_rules_is_one_group_of_others(spelling):
    """Stored as pairs of robots and rules it would take a hundred million."""
    robots = [spelling.format(number) for number in range(9_000)]
    rules = [f"Disallow: /{number}" for number in range(9_000)]
    text = "\n".join([*robots, "User-agent: *", *rules])
    read = read_robots(text.encode(), product="Tocsin")
    assert len(_concerning(text, "tocsin").splitlines()) == 2 + len(rules)
    assert read.forbids(HOST + "/8999") == "its robots.txt forbids it"


@given(st.text(alphabet="Useragntdilow:*/$ \n#Toc-1", max_size=300), st.text(alphabet="/abc*$%?", max_size=40))
@thorough(many=100)
def test_no_file_is_too_odd_to_be_read(text, path):
    assert isinstance(allowed(text, path), bool)
