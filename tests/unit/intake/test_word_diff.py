"""What went and what came between two versions of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.word_diff import Fate, Piece, shortened, word_diff

_TEXTS = st.text(alphabet="ab 가\n.", max_size=40) | st.lists(st.sampled_from(["fog", "quay ", "\n", "배 ", ", "])).map(
    "".join
)


@given(_TEXTS, _TEXTS)
def test_what_was_kept_and_went_is_the_old_text_and_what_was_kept_and_came_the_new(old, new):
    pieces = word_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.fate is not Fate.NEW) == old
    assert "".join(piece.text for piece in pieces if piece.fate is not Fate.GONE) == new
    assert all(piece.text for piece in pieces)
    assert old != new or [piece.fate for piece in pieces] == [Fate.KEPT] * bool(old)


def test_words_that_were_replaced_together_are_shown_together():
    assert [(piece.fate, piece.text) for piece in word_diff("Fog holds the ferries", "Storm sinks the ferries")] == [
        (Fate.GONE, "Fog holds"),
        (Fate.NEW, "Storm sinks"),
        (Fate.KEPT, " the ferries"),
    ]


def test_of_long_unchanged_text_only_the_ends_are_shown():
    long = "No boat left Marlow. " * 30
    one, middle, last = shortened(
        [Piece(fate=Fate.NEW, text="A"), Piece(fate=Fate.KEPT, text=long), Piece(fate=Fate.GONE, text="B")]
    )
    assert (one.text, last.text) == ("A", "B")
    assert middle.text == f"{long[:60]} […] {long[-60:]}"


def test_a_paragraph_of_three_novels_is_not_compared_word_by_word():
    old, new = "fog " * 500_000, "gale " * 400_000
    assert [piece.fate for piece in word_diff(old, new)] == [Fate.GONE, Fate.NEW]
