from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import ConfigurationError
from worker.rendering.colour import DARK_TINT, LIGHT_TINT, Palette, contrast

PARTS = st.integers(0, 255)


def rgb(colour):
    return tuple(int(part, 16) for part in re.findall(r"[0-9a-f]{2}", colour))


@given(PARTS, PARTS, PARTS)
def test_any_accent_is_readable_by_day_and_by_night(red, green, blue):
    palette = Palette.of(f"#{red:02x}{green:02x}{blue:02x}")
    assert contrast(rgb(palette.accent), rgb(LIGHT_TINT)) >= 4.5
    assert contrast(rgb(palette.accent_dark), rgb(DARK_TINT)) >= 4.5


def test_white_words_are_readable_on_any_accent():
    assert contrast(rgb(Palette.of("#ffcc00").accent), (255, 255, 255)) >= 4.5


def test_a_readable_accent_is_left_as_the_newsroom_chose_it():
    assert Palette.of("#0A3D91").accent == "#0a3d91"


@pytest.mark.parametrize("accent", ["", "red", "#12", "#1234", "#8a1c1c;}", "8a1c1c", "#８a1c1c"])
def test_what_is_no_colour_stops_the_start(accent):
    with pytest.raises(ConfigurationError, match="#8a1c1c"):
        Palette.of(accent)
