from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from worker.rendering.holes import Hole, Skeleton, marks

KEY = "0123456789abcdef"
FILLING = dict.fromkeys(Hole, "")


@given(st.lists(st.sampled_from(list(Hole)), max_size=6), st.text())
def test_a_skeleton_is_filled_where_its_marks_were(order, filler):
    text = filler.join(["", *(marks(KEY)[hole] for hole in order), ""])
    filled = Skeleton.cut(text, key=KEY).fill({hole: f"<{hole}>" for hole in Hole}, str)
    assert filled == filler.join(["", *(f"<{hole}>" for hole in order), ""])


def test_a_value_is_escaped_and_never_searched_for_marks():
    skeleton = Skeleton.cut(f"[{marks(KEY)['recipient']}]", key=KEY)
    value = f"<b>{marks(KEY)['view_url']}"
    assert skeleton.fill({**FILLING, Hole.RECIPIENT: value}, html.escape) == f"[&lt;b&gt;{marks(KEY)['view_url']}]"


def test_the_size_counts_bytes_and_holes():
    assert Skeleton.cut(f"한{marks(KEY)['view_url']}", key=KEY).size_bytes(hole_bytes=100) == 103
