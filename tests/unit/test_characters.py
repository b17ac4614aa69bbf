from __future__ import annotations

import sys
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import NAMES
from worker.characters import boundary, visible
from worker.rendering.prose import one_line, shorten, snippet

WORDS = st.lists(st.sampled_from(NAMES) | st.text(st.characters(exclude_categories=()), max_size=9), max_size=9).map(
    "".join
)
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
CHARACTERS = [
    "👩\u200d👩\u200d👧",
    "❤\ufe0f\u200d🔥",
    "👍🏽",
    "🇰🇷",
    SCOTLAND,
    "e\u0301",
    "각",
    "क्षि",
    "กำ",
    "שָׁ",
    "葛\U000e0100",
]


@pytest.mark.parametrize("word", [*CHARACTERS, "नमस्ते", "می\u200cخواهم"])
def test_what_people_write_is_left_alone(word):
    assert one_line(f"a {word} {word}b") == f"a {word} {word}b"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\u200b\u2060\ufeff\u00ad\u034f\u180e\u3164\uffa0\u115f\u2063", ""),
        ("\u200d\u200d \u200e\ufe0f \u200c", ""),
        ("V\u200bi\u00ada\u2060g\u034fra", "Viagra"),
        ("a\u200d\u200d\u200db\u200e\u200fc", "a\u200db\u200ec"),
        ("x\ufe0f\ufe0f\ufe0e", "x\ufe0f"),
        ("Z" + "\u0335\u0301" * 40, "Z" + "\u0335\u0301" * 4),
        ("Z" + "\u0301\u200d" * 40 + "!", "Z" + "\u0301\u200d" * 4 + "!"),
        ("Seoul\U000e0073\U000e0065 🏴\U000e0067" + "\U000e0062" * 50, "Seoul 🏴"),
        ("\u2800a\u2800\u2800b", "a b"),
        ("a\ufffeb\uffff\ufdd0\U0010ffff", "ab"),
        ("\ud800a\udfff", "a"),
        ("ភាសា\u200bខ្មែរ x\u200by", "ភាសា\u200bខ្មែរ xy"),
        ("\u202eabc\u2066d", "abcd"),
        ("a\u00a0\u3000b\u2009c", "a b c"),
    ],
)
def test_what_nobody_sees_is_taken_out(text, seen):
    assert one_line(text) == seen


@given(WORDS)
def test_cleaning_once_is_enough_and_a_line_that_shows_nothing_is_empty(text):
    line = one_line(text)
    assert one_line(line) == line
    assert all(regex.search(r"[^\p{Default_Ignorable_Code_Point}\s]", word) for word in line.split())


@given(WORDS, st.integers(1, 60))
def test_nothing_is_cut_through_the_middle_of_a_character(text, limit_chars):
    line = one_line(text)
    clusters = regex.findall(r"\X", line)
    for cut in (line[: boundary(line, limit_chars)], shorten(line, limit_chars).removesuffix("…")):
        whole = regex.findall(r"\X", cut)
        assert whole == clusters[: len(whole)]


@pytest.mark.parametrize("word", CHARACTERS)
def test_no_shortening_parts_what_belongs_together(word):
    text = word * 60
    for limit_chars in range(2, 40):
        kept = shorten(text, limit_chars).removesuffix("…")
        assert kept == word * (len(kept) // len(word))
        (run,) = snippet(text, [], limit_chars=limit_chars)
        assert run.text.removesuffix("…") == word * ((len(run.text) - 1) // len(word))


def test_every_mark_is_looked_at():
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in {"Mn", "Me"}]
    assert len(marks) > 1_900
    flooded = [mark for mark in marks if visible(f"a{mark * 20}") == f"a{mark * 20}"]
    assert not regex.findall(r"[\p{Mn}\p{Me}]", "".join(flooded))  # newer versions of Unicode call a few something else
