"""The pages' look: a logo from the home or from elsewhere, colours, letters, and a style sheet without sides."""

from __future__ import annotations

import re

import pytest

from worker.errors import ConfigurationError
from worker.resources import templates_dir
from worker.web.app import create_app

STYLE = templates_dir() / "pages" / "static" / "style.css"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


def test_a_logo_of_the_home_stands_in_the_masthead_with_the_newspapers_name(open_newspaper, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "logo.svg").write_bytes(SVG)
    newspaper = open_newspaper(logo="logo.svg")
    page = newspaper.get("/topics").text
    [source] = re.findall(r'<img class="logo" src="([^"]+)" alt="The Harbour Courier">', page)
    logo = newspaper.get(source)
    assert (logo.status_code, logo.content, logo.headers["content-type"]) == (200, SVG, "image/svg+xml")
    assert "immutable" in logo.headers["cache-control"]
    assert "sandbox" in logo.headers["content-security-policy"]


def test_a_logo_from_elsewhere_is_the_only_thing_that_pages_may_load_from_there(open_newspaper):
    newspaper = open_newspaper(logo="https://cdn.courier.example/brand/logo.png?x=1")
    answer = newspaper.get("/topics")
    assert '<img class="logo" src="https://cdn.courier.example/brand/logo.png?x=1"' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "img-src 'self' data: https://cdn.courier.example;" in policy
    assert policy.count("courier.example") == 1


def test_without_a_logo_the_name_is_the_masthead(newspaper):
    page = newspaper.get("/topics")
    assert '<p class="nameplate"><a href="/">The Harbour Courier</a></p>' in page.text
    assert newspaper.get("/static/logo.svg").status_code == 404


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("logo.txt", b"x", "its name must end in"),
        ("none.svg", None, "No such file"),
        ("empty.png", b"", "has 0 bytes"),
        ("large.png", b"x" * 500_001, "has 500001 bytes"),
    ],
)
def test_a_logo_that_is_none_stops_the_start(make_house, name, data, says):
    house = make_house(logo=name)
    if data is not None:
        (house.home / name).write_bytes(data)
    with pytest.raises(ConfigurationError, match=says):
        create_app(house)


def test_the_theme_has_the_colours_and_the_typeface(open_newspaper):
    newspaper = open_newspaper(accent="#00508c", accent_dark="#8fc7ff", typeface="sans")
    theme = newspaper.get("/static/theme.css")
    assert theme.text == ":root { --accent: #00508c; --accent-dark: #8fc7ff; --face: var(--sans); }\n"
    assert theme.headers["content-type"].startswith("text/css")


def test_a_colour_that_nobody_can_read_on_dark_paper_stops_the_start(make_house):
    with pytest.raises(ConfigurationError, match=r"TOCSIN_ACCENT_DARK=#333333 .* its contrast .* is 1\.2.* 4\.5"):
        create_app(make_house(accent_dark="#333333"))


def test_the_style_sheet_knows_no_left_and_no_right():
    """A right-to-left page has no sheet of its own: every side must be logical."""
    rules = re.sub(r"/\*.*?\*/", "", STYLE.read_text(), flags=re.DOTALL)
    assert re.findall(r"\b(?:left|right)\b", rules) == []
    physical = r"(?:(?:margin|padding|border)-(?:top|bottom)|(?<![\w-])(?:(?:min|max)-)?(?:width|height))\s*:"
    assert re.findall(physical, re.sub(r"@media[^{]*", "", rules)) == []
    assert [sides for sides in re.findall(r"(?:margin|padding|inset): ([^;]+);", rules) if _is_lopsided(sides)] == []


def _is_lopsided(sides: str) -> bool:
    """Tell whether the second and the fourth value differ: they are right and left, whichever way the page runs."""
    values = sides.split()
    return len(values) == 4 and values[1] != values[3]
