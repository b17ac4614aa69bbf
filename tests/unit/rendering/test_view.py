from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from worker.content import Image, Reason
from worker.rendering import samples
from worker.rendering.cards import card_view, names, why
from worker.rendering.pictures import ImageView

NORTH = Reason(topic="North Korea", slug="north-korea", words=("N. Korea", "Pyongyang"))
RUSSIA = Reason(topic="Russia", slug="russia", words=("Moscow", "N. Korea"))
QUERY = Reason(topic='lithium AND "rare earth"', words=())


def card(**changes):
    return samples.cards_of("en")[0].model_copy(update=changes)


@pytest.mark.parametrize(
    ("reasons", "sentence"),
    [
        (
            [NORTH, RUSSIA],
            "You get this because you follow North Korea and Russia: it says “N. Korea”, “Pyongyang”, and “Moscow”.",
        ),
        ([QUERY], 'You get this because you follow your search “lithium AND "rare earth"”.'),
        (
            [Reason(topic="Oman", slug="oman", words=tuple("abcdefg"))],
            "You get this because you follow Oman: it says “a”, “b”, “c”, “d”, and “e”.",
        ),
    ],
)
def test_a_mail_says_why_it_came(languages, reasons, sentence):
    assert why(reasons, languages.best("en")) == sentence


def test_a_mail_says_why_it_came_in_korean_without_guessing_particles(languages):
    said = why([Reason(topic="북한", slug="north-korea", words=("평양",))], languages.best("ko"))
    assert said == "북한 소식을 구독하고 계셔서 보내 드립니다. 기사에 나온 말: “평양”."


@pytest.mark.parametrize(
    ("count", "ending"), [(8, "t6, and t7"), (9, "t7, and 1 more topic"), (10, "t7, and 2 more topics")]
)
def test_of_very_many_topics_the_first_are_named_and_the_rest_counted(languages, count, ending):
    assert names([f"t{n}" for n in range(count)], languages.best("en")).endswith(ending)


@pytest.mark.parametrize(
    ("outlets", "line"),
    [
        ((), ""),
        (("Ledger",), "Also in Ledger"),
        (("A", "B", "C", "D"), "Also in A, B, C, and 1 other outlet"),
        (("A", "B", "C", "D", "E"), "Also in A, B, C, and 2 other outlets"),
    ],
)
def test_wire_copy_names_where_else_it_ran(languages, outlets, line):
    assert card_view(card(also_in=outlets), languages.best("en"), UTC).also_in == line


@pytest.mark.parametrize(("lang", "shown"), [("ar", "ar"), ("en-GB", ""), ("", ""), ("en", ""), ('x" onclick="', "")])
def test_a_story_in_another_language_is_marked_as_such(languages, lang, shown):
    assert card_view(card(lang=lang), languages.best("en"), UTC).lang == shown


def test_highlights_tell_the_reason_unless_a_story_has_two(languages):
    english = languages.best("en")
    assert card_view(card(reasons=(NORTH,)), english, UTC).found == ""
    assert (
        card_view(card(reasons=(NORTH,), highlights=()), english, UTC).found == "North Korea: “N. Korea”, “Pyongyang”"
    )
    both = card_view(card(reasons=(NORTH, RUSSIA)), english, UTC).found
    assert both == "North Korea: “N. Korea”, “Pyongyang” · Russia: “Moscow”, “N. Korea”"


def test_a_byline_does_not_say_by_twice(languages):
    assert card_view(card(author="By Ada Lindqvist"), languages.best("en"), UTC).author == "Ada Lindqvist"
    assert card_view(card(author="Byron Ash"), languages.best("en"), UTC).author == "Byron Ash"


def test_a_part_of_the_paper_is_not_named_under_a_head_that_says_the_same(languages):
    assert card_view(card(section="world"), languages.best("en"), UTC, under="World").section == ""


def test_a_moment_is_told_in_the_zone_asked_for_and_never_broken(languages):
    seoul = ZoneInfo("Asia/Seoul")
    assert card_view(card(), languages.best("ko"), seoul).moment == "11월\u00a023일\u00a014:05\u00a0KST"
    assert card_view(card(), languages.best("en"), UTC).moment == "Nov\u00a023,\u00a005:05\u00a0UTC"


def test_a_picture_is_shown_by_https_only_and_says_no_title_twice(languages):
    def shown(url: str, alt: str = "") -> ImageView | None:
        told = card(
            title="Quake shakes Oman", image=Image(url=url, alt=alt, credit="Mari  Kask\n/ Wire", width=900, height=600)
        )
        return card_view(told, languages.best("en"), UTC).image

    full = shown("https://img.courier.example/a.jpg", "A\n wall")
    assert full is not None
    assert (full.url, full.alt, full.credit) == ("https://img.courier.example/a.jpg", "A wall", "Mari Kask / Wire")
    named = shown("https://img.courier.example/a.jpg", "Quake shakes oman")
    assert named is not None
    assert named.alt == ""
    for unfit in ("http://img.courier.example/a.jpg", "data:image/png;base64,AA", "https://127.0.0.1/a.jpg"):
        assert shown(unfit) is None


def test_where_a_picture_is_shown_from_is_for_the_house_to_say(languages):
    told = card(image=Image(url="http://img.courier.example/a.jpg"))
    ours = card_view(
        told, languages.best("en"), UTC, pictures=lambda image: f"https://us.example/{len(image.url)}"
    ).image
    assert ours is not None
    assert ours.url == "https://us.example/32"
