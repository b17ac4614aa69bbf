"""Which articles are told as one story: by what they say, within three days, in one language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labelled.news import b_cubed, copies, labelled_news, pairwise
from tests.unit.intake import wire
from worker.matching.analyser import ArticleText
from worker.matching.stories import Told, Window
from worker.matching.stories_reading import read
from worker.matching.stories_stream import Stream
from worker.sameness import STORY_WINDOW
from worker.wording import bands, is_copy, overlap, shingles, wording

HOUR_S = 3600.0


def text(title: str, summary: str = "", body: str = "", lang: str = "") -> ArticleText:
    return ArticleText(title=title, summary=summary, body=body, lang=lang)


FERRY = text("Ferry with 140 aboard sinks off Sulawesi", "A ferry with 140 people sank in rough seas off Sulawesi.")
FERRY_AGAIN = text(
    "Indonesian ferry sinks", "Rescuers searched rough seas off Sulawesi after a ferry sank with 140 people."
)
STRIKE = text("Greek seamen to strike", "Ferries to the Greek islands will stay in port for 48 hours from Tuesday.")


def stories(*articles: tuple[ArticleText, float | None]) -> list[int]:
    """Place the articles in order, and return each one's story by the number of its first article."""
    stream = Stream[int]()
    return [stream.place(number, told, at_s) for number, (told, at_s) in enumerate(articles)]


# The labelled news ----------------------------------------------------------------------------------------------------


def placed(part):
    articles, stream = labelled_news(part), Stream[str]()
    return articles, {article.id: stream.place(article.id, article.text, article.at_s) for article in articles}


@pytest.mark.parametrize("part", ["tuned", "held-out"])
def test_stories_of_the_labelled_news_are_found(part):
    articles, given_story = placed(part)
    pairs, each = pairwise(articles, given_story), b_cubed(articles, given_story)
    assert pairs.precision >= 0.97
    assert pairs.recall >= 0.85
    assert each.precision >= 0.97
    assert each.recall >= 0.85


def test_copies_in_the_labelled_news_are_found():
    articles = labelled_news()
    pieces = {
        article.id: wording(title=article.text.title, summary=article.text.summary, body=article.text.body)
        for article in articles
    }
    keys = {one: set(bands(found)) for one, found in pieces.items()}
    found: dict[str, str] = {}
    for article in articles:
        mine = shingles(pieces[article.id])
        original = (
            one for one in found if keys[one] & keys[article.id] and is_copy(overlap(mine, shingles(pieces[one])))
        )
        found[article.id] = found.get(next(original, ""), article.id)
    score = copies(articles, found)
    assert score.precision >= 0.99
    assert score.recall >= 0.97


def test_the_labelled_news_is_large_and_varied_enough_to_mean_something():
    articles = labelled_news()
    assert len(articles) >= 250
    assert len({article.story for article in articles}) >= 90
    assert sum(article.copy_of is not None for article in articles) >= 15
    assert {article.text.lang for article in articles} >= {"en", "ko", "ru", "zh", "ja"}


# Rules ----------------------------------------------------------------------------------------------------------------


def test_one_event_in_other_words_is_one_story_and_another_event_is_not():
    assert stories((FERRY, 0.0), (STRIKE, HOUR_S), (FERRY_AGAIN, 2 * HOUR_S)) == [0, 1, 0]


@pytest.mark.parametrize(
    "title", ["Morning briefing", "Live: latest updates", "Stocks close higher", "Weather for Tuesday"]
)
def test_a_title_that_comes_back_makes_no_story(title):
    one = text(title, "Dockers vote on a pay offer and the river bridge shuts for repairs.")
    two = text(title, "A school board resigns and the museum finds a lost sketch.")
    assert stories((one, 0.0), (two, HOUR_S)) == [0, 1]


def test_two_articles_of_a_title_and_nothing_else_are_two_stories():
    assert stories(
        (text("Ferry sinks off Sulawesi, Indonesia"), 0.0), (text("Ferry sinks off Sulawesi, Indonesia"), 1.0)
    ) == [
        0,
        1,
    ]


def test_a_bare_title_joins_those_who_tell_what_it_says():
    assert stories((FERRY, 0.0), (text("Ferry with 140 people sinks in rough seas off Sulawesi"), HOUR_S)) == [0, 0]


def test_where_there_is_no_summary_the_body_tells_the_story():
    bare = text("A disaster at sea", body=FERRY_AGAIN.summary)
    assert stories((FERRY, 0.0), (bare, HOUR_S)) == [0, 0]


def test_after_three_days_a_new_story_begins():
    window_s = STORY_WINDOW.total_seconds()
    assert stories((FERRY, 0.0), (FERRY_AGAIN, window_s)) == [0, 0]
    assert stories((FERRY, 0.0), (FERRY_AGAIN, window_s + 1)) == [0, 1]


def test_a_story_does_not_go_on_from_follow_up_to_follow_up_for_ever():
    step_s = timedelta(hours=40).total_seconds()
    last = text("Sulawesi ferry sank with 140", "The ferry that sank off Sulawesi in rough seas had 140 people aboard.")
    assert stories((FERRY, 0.0), (FERRY_AGAIN, step_s), (last, 2 * step_s)) == [0, 0, 2]


def test_articles_without_a_time_are_all_of_one_window():
    assert stories((FERRY, None), (STRIKE, None), (FERRY_AGAIN, None)) == [0, 1, 0]


def test_a_late_article_finds_the_story_of_its_time():
    assert stories((FERRY, 50 * HOUR_S), (FERRY_AGAIN, 0.0)) == [0, 0]


def test_a_copy_is_of_its_originals_story_whatever_its_title():
    original = text("Ambassador summoned", body=wire.AGENCY)
    copy = text("Grain traders unmoved by row", body=wire.TRIMMED)
    assert stories((original, 0.0), (STRIKE, 1.0), (copy, timedelta(days=6).total_seconds())) == [0, 1, 0]


def test_languages_do_not_mix():
    english = text("UNESCO ICOMOS IUCN WHC", "UNESCO ICOMOS IUCN WHC Venezia Machu Picchu said the committee today")
    german = text(
        "UNESCO ICOMOS IUCN WHC", "UNESCO ICOMOS IUCN WHC Venezia Machu Picchu sagte das Komitee der Stadt und mit der"
    )
    assert stories((english, 0.0), (german, 1.0)) == [0, 1]


@pytest.mark.parametrize(
    ("told", "title", "language"),
    [
        ("", "The envoy 王毅 met the minister in Lima on the last day of the talks", "en"),
        ("ko", "The envoy met the minister in Lima on the last day of the talks", "en"),
        ("en", "Die Regierung hat sich mit der Bahn geeinigt", "de"),
        ("sv", "Regeringen och facket är överens", "sv"),
        ("uk", "У Києві відновили світло", "uk"),
        ("en", "북한이 미사일을 쐈다", "ko"),
        ("", "東北新幹線が止まる", "ja"),
        ("", "湖南暴雨致五人死亡", "zh"),
    ],
)
def test_the_letters_tell_the_language_and_then_the_source(told, title, language):
    assert read(text(title, lang=told)).language == language


def test_korean_particles_do_not_hide_a_story():
    one = text("북한, 탄도미사일 발사", "북한이 순천에서 동해로 탄도미사일을 발사했다고 합참이 밝혔다.")
    two = text("합참 “탄도미사일 1발”", "합참은 북한의 탄도미사일이 순천에서 동해에 떨어졌다고 했다.")
    assert stories((one, 0.0), (two, HOUR_S)) == [0, 0]


def test_an_id_that_comes_again_stays_in_its_story():
    stream = Stream[str]()
    stream.place("first", FERRY, 0.0)
    stream.place("other", FERRY_AGAIN, 1.0)
    assert stream.place("other", STRIKE, 2.0) == "first"


def test_only_the_latest_arrivals_are_remembered():
    stream = Stream[int](keep=2)
    assert [stream.place(number, told, 0.0) for number, told in enumerate([FERRY, STRIKE, STRIKE, FERRY_AGAIN])] == [
        0,
        1,
        1,
        3,
    ]


def test_the_same_articles_in_the_same_order_have_the_same_stories():
    _, once = placed("tuned")
    _, again = placed("tuned")
    assert once == again


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=120), st.none() | st.floats(0, 1e6)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_it_and_a_story_is_an_article_that_has_come(items):
    stream = Stream[int](keep=5)
    for number, (title, summary, at_s) in enumerate(items):
        assert stream.place(number, text(title, summary), at_s) in range(number + 1)


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_a_window_remembers_each_article_once_and_no_more_than_it_may(articles):
    window = Window[str, str](keep=4)
    for article in articles:
        window.add(Told(article=article, story=article, at_s=0.0, begins_at_s=0.0, reading=read(FERRY)))
        assert len(window) <= 4
