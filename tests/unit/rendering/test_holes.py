from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.rendering.holes import Hole, cut, joined, marks, size_bytes

KEY = "0123456789abcdef"
BASE = "https://news.courier.example"
MARKS = marks(KEY, BASE)
LINKS = {
    "preferences_url": "preferences",
    "unsubscribe_url": "unsubscribe",
    "view_url": "m",
    "confirm_url": "confirm",
    "my_url": "my",
}


@given(st.lists(st.sampled_from(sorted(MARKS)), max_size=6), st.text())
def test_a_text_is_filled_where_its_marks_were(order, filler):
    text = filler.join(["", *(MARKS[name] for name in order), ""])
    filled = cut(text, key=KEY).fill({hole: f"<{hole}>" for hole in Hole})
    shown = {name: f"{BASE}/{path}/<{name.removesuffix('_url')}>" for name, path in LINKS.items()}
    assert filled == filler.join(["", *({"recipient": "<recipient>", **shown}[name] for name in order), ""])


def test_a_value_is_never_searched_for_marks():
    value = f"<b>{MARKS['view_url']}"
    assert cut(f"[{MARKS['recipient']}]", key=KEY).fill({Hole.RECIPIENT: value}) == f"[{value}]"


@given(st.lists(st.text(max_size=5) | st.sampled_from(Hole), max_size=8))
def test_what_is_joined_is_filled_in_its_order(parts):
    values: dict[str, str] = {hole: f"<{hole}>" for hole in Hole}
    expected = "".join(values[part] if isinstance(part, Hole) else part for part in parts)
    assert joined(parts).fill(values) == expected
    assert joined([joined(parts[:3]), joined(parts[3:])]) == joined(parts)


def test_the_size_counts_bytes_and_holes():
    assert size_bytes(cut(f"한{MARKS['recipient']}", key=KEY), hole_bytes=100) == 103
