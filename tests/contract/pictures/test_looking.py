"""What a picture is, is told by its bytes alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.pictures.samples import avif, gif, jpeg, png, webp
from worker.adapters.pictures.looking import media_type

KINDS = {
    "image/png": png,
    "image/gif": gif,
    "image/jpeg": jpeg,
    "image/webp": webp,
    "image/avif": avif,
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_known_by_its_bytes_with_its_size(kind):
    make = KINDS[kind]
    assert media_type(make(640, 400)) == kind
    assert media_type(make(3, 3)) == kind
    for width, height in ((1, 1), (640, 2), (2, 400)):
        assert media_type(make(width, height)) == "", "it counts readers"
    assert media_type(make(16_000, 16_000)) == "", "it bursts whoever opens it"


@pytest.mark.parametrize("form", [b"VP8X", b"VP8L", b"VP8 "])
def test_each_form_of_webp_is_measured(form):
    assert media_type(webp(640, 400, form)) == "image/webp"
    assert media_type(webp(1, 400, form)) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"GIF89a/*\x01\0*/=alert(1)"[:9],
        b"BM" + bytes(60),
        b"%PDF-1.7",
        b"\0\0\0\x20ftypisom" + bytes(60),
        b"RIFF\0\0\0\0WAVE" + bytes(60),
    ],
)
def test_what_is_no_picture_is_none(data):
    assert media_type(data) == ""


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 60), st.binary(max_size=40))
def test_cut_off_and_damaged_pictures_are_judged_without_an_error(kind, at, junk):
    assert media_type(KINDS[kind]()[:at] + junk) in {kind, ""}


@given(st.binary(max_size=200))
def test_any_bytes_after_a_jpegs_first_are_judged(junk):
    assert media_type(b"\xff\xd8\xff" + junk) in {"image/jpeg", ""}
