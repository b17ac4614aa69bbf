from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.content import AlertContent, DigestContent, Image, Section
from worker.rendering import samples
from worker.rendering.cards import as_served
from worker.rendering.pictures import COLUMN, Frame, image_view

SIDES = st.integers(0, 9_000)


def image(width=1600, height=900, **changes):
    return Image(url="https://img.courier.example/a.jpg", width=width, height=height).model_copy(update=changes)


def shown(one):
    return image_view(one, as_served(one)) if one else None


def digest_of(card):
    section = Section(topic="Asia", slug="asia", cards=(samples.cards_of("en")[5], card))
    return DigestContent(locale="en", day=samples.DAY, sections=(section,))


def html_of(renderer, content):
    return renderer.compile(content).mailed_html(samples.personal("digest", "en"))


class Tags(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@given(SIDES, SIDES)
def test_a_picture_keeps_its_shape_and_is_never_enlarged(width, height):
    view = shown(image(width, height))
    frames = [frame for frame in (view.wide, view.small) if frame] if view else []
    for frame in frames:
        assert 1 <= frame.width <= COLUMN
        assert not width or frame.width <= width
        if width and height:
            assert abs(frame.height - frame.width * height / width) <= 1
        else:
            assert frame.height == 0


@pytest.mark.parametrize(("width", "height", "wide"), [
    (1600, 900, Frame(width=552, height=310)),
    (400, 300, Frame(width=400, height=300)),
    (0, 0, Frame(width=552, height=0)),
    (900, 1200, None),  # would fill a phone's screen
    (200, 100, None),  # would look lost
])  # fmt: skip
def test_only_what_is_large_and_low_takes_the_column(width, height, wide):
    view = shown(image(width, height))
    assert view is not None
    assert view.wide == wide


@pytest.mark.parametrize("one", [
    None, image(1, 1), image(40, 30), image(url="http://img.courier.example/a.jpg"),
    image(url="data:image/png;base64,AA"), image(url="javascript:alert(1)"),
])  # fmt: skip
def test_buttons_beacons_and_what_would_be_fetched_in_the_open_are_not_shown(renderer, one):
    assert shown(one) is None
    assert "<img" not in html_of(
        renderer, AlertContent(locale="en", card=samples.cards_of("en")[0].model_copy(update={"image": one}))
    )


def test_what_a_picture_s_words_say_is_text(renderer):
    evil = '"><script>alert(1)</script>'
    card = samples.cards_of("en")[0].model_copy(update={"image": image(alt=evil, credit=evil)})
    for content in (AlertContent(locale="en", card=card), digest_of(card)):
        tags = Tags(html_of(renderer, content)).found
        assert [attributes["alt"] for tag, attributes in tags if tag == "img"] == [evil]
        assert "script" not in {tag for tag, _ in tags}


def test_a_picture_that_nobody_has_described_is_passed_over_in_silence(renderer):
    card = samples.cards_of("en")[0].model_copy(update={"image": image()})
    source = html_of(renderer, digest_of(card))
    assert 'alt=""' in source
    assert 'aria-hidden="true" href="https://courier.example/2026/11/23/1" tabindex="-1"' in source


def test_a_digest_s_first_story_has_a_large_picture_and_the_others_small_ones(renderer):
    source = html_of(renderer, samples.content("digest", "en"))
    assert source.count('width="552"') == 1
    assert source.index('width="552"') < source.index("lead ink")
    assert source.count('class="picture beside') == 4


def test_a_digest_of_ten_stories_with_pictures_stays_under_forty_kilobytes(renderer):
    first = samples.cards_of("en")[0]
    cards = tuple(first.model_copy(update={"story_id": n}) for n in range(10))
    sections = tuple(Section(topic=f"Topic {n}", slug=f"t{n}", cards=cards[2 * n : 2 * n + 2]) for n in range(5))
    source = html_of(renderer, DigestContent(locale="en", day=samples.DAY, sections=sections))
    assert source.count("<img") == 10
    assert len(source.encode()) < 40_000
