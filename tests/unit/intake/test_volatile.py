"""What a text is compared without is found by its traces first: nothing may be missed that way."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.volatile import _TRACE, _VOLATILE, _folded, without_stamps

TEXTS = """
Updated|last MODIFIED|Poſted|publİshed|modıfied:|12|1,204|3.4K|views|viewS|liKes|reads|comments:|shares (| ago|an hour|
5 minutes|just now|on 3 May|2026-11-23|14:05 KST|조회 1,024|댓글|3분| 전|업데이트|최종 수정|
2026.11.23. 오후 4:05|.|(|dead
"""
PARTS = st.sampled_from([*TEXTS.replace("\n", "").split("|"), " ", "|", "\n"])


@given(st.lists(PARTS, max_size=9), st.sampled_from(["", " "]))
def test_a_text_in_which_no_trace_is_found_has_no_stamp(parts, between):
    text = between.join(parts)
    assert without_stamps(text) == " ".join(_VOLATILE.sub(" ", text).split())


def test_each_letter_that_counts_as_another_one_in_a_stamp_is_that_when_folded():
    any_letter = re.compile("[a-z]", re.IGNORECASE)
    odd = [one for one in map(chr, range(0x110000)) if not one.isascii() and any_letter.fullmatch(one)]
    assert odd
    for one in odd:
        (letter,) = (each for each in map(chr, range(97, 123)) if re.fullmatch(each, one, re.IGNORECASE))
        assert _folded(one) == letter


def test_most_texts_have_no_trace():
    assert not _TRACE.search(_folded("19 dead, 3 hours on: readers like to read 200 pages. Views differ, shares fall."))
