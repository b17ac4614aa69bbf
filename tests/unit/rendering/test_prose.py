from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rendering.prose import TEXT_COLUMNS, columns, one_line, shorten, snippet, web_address, wrap

ANY_TEXT = st.text(st.characters(exclude_categories=()))
PLAIN = st.text(st.characters(categories=("L", "N", "Zs")))


@given(ANY_TEXT)
def test_a_clean_line_has_nothing_that_could_break_a_header(text):
    line = one_line(text)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(char) for char in line}
    assert line == " ".join(line.split())
    line.encode()


@given(ANY_TEXT)
def test_cleaning_a_clean_line_changes_nothing(text):
    assert one_line(one_line(text)) == one_line(text)


def test_an_emoji_family_stays_together():
    assert one_line("👩‍👧 \u202ereads") == "👩‍👧 reads"


@given(ANY_TEXT, st.integers(2, 80))
def test_a_shortened_text_keeps_its_limit(text, limit_chars):
    assert len(shorten(text, limit_chars)) <= limit_chars


@given(PLAIN, st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60))))
def test_the_runs_of_a_snippet_add_up_to_the_text_whatever_the_highlights(text, highlights):
    together = "".join(run.text for run in snippet(text, highlights, limit_chars=1_000))
    assert one_line(together) == one_line(text)


@given(PLAIN, st.integers(0, 400), st.integers(0, 400))
def test_a_highlight_is_exactly_the_span_that_was_asked_for(text, start, length):
    text = text * 5
    hits = [run.text for run in snippet(text, [(start, start + length)], limit_chars=10_000) if run.hit]
    assert one_line("".join(hits)) == one_line(text[start : start + length])


def test_overlapping_highlights_become_one():
    runs = snippet("North Korea sends", [(6, 11), (0, 8)])
    assert [(run.text, run.hit) for run in runs] == [("North Korea", True), (" sends", False)]


def test_a_highlight_far_behind_the_beginning_is_still_shown():
    text = "word " * 300 + "Pyongyang " + "tail " * 300
    runs = snippet(text, [(1_500, 1_509)])
    assert [run.text for run in runs if run.hit] == ["Pyongyang"]
    assert runs[0].text.startswith("… ")
    assert runs[-1].text.endswith("…")
    assert sum(len(run.text) for run in runs) < 320


def test_a_long_snippet_ends_between_words():
    runs = snippet("counting " * 100, [])
    assert runs[-1].text.endswith(" counting…")


@given(st.text(st.characters(categories=("L", "Zs"))))
def test_a_wrapped_paragraph_keeps_its_words_and_its_width(text):
    lines = wrap(text, indent="  ").splitlines()
    assert " ".join(lines).split() == text.split()
    assert all(columns(line) <= TEXT_COLUMNS or len(line.split()) == 1 for line in lines)


def test_korean_is_wrapped_by_its_width_not_by_its_letters():
    lines = wrap("북한군 " * 40).splitlines()
    assert max(len(line) for line in lines) < 45
    assert max(columns(line) for line in lines) > 60


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JAVASCRIPT://courier.example/%0aalert(1)", "data:text/html,x", "//courier.example/", "",
     "https:", "ftp://courier.example/", "java\nscript:alert(1)", "http://[::1", "mailto:all@courier.example",
     f"https://courier.example/{'k' * 2_000}"],
)  # fmt: skip
def test_an_address_that_a_browser_should_not_follow_is_dropped(url):
    assert web_address(url) == ""


def test_a_web_address_cannot_end_its_attribute_or_its_line():
    assert (
        web_address('https://courier.example/"><b>\r\nBcc: x') == "https://courier.example/%22%3E%3Cb%3E%20%20Bcc:%20x"
    )
