"""Which pictures a mail may show, and which are there to count readers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import pictures
from worker.model import Picture

HOST = "https://img.courier.example"


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/2026/quake.jpg",
        f"{HOST}/photos/google-pixel-9-review.png",
        f"{HOST}/tracking-the-storm.gif",
        f"{HOST}/1x1-840/quake.jpg",
        f"{HOST}/1x1.jpg",
        f"{HOST}/beacon-hill.jpg",
        "https://pixel.courier.example/imgs/quake.jpg",
        "http://img.courier.example/quake",
        "https://93.184.215.14/quake.webp",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/quake.webp",
        "https://사진.example/quake.jpg",
        f"{HOST}/quake.jpg?width=1200&format=svg",
    ],
)
def test_a_photograph_is_shown(url):
    assert pictures.fault(Picture(url=url)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "quake.jpg",
        "//img.courier.example/quake.jpg",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "cid:picture",
        "https:///quake.jpg",
        "https://img.courier.example:0/quake.jpg",
        "https://img.courier.example:99999/quake.jpg",
        "https://[::1/quake.jpg",
        "https://me:secret@courier.example/quake.jpg",
        "https://me@courier.example/quake.jpg",
        f"{HOST}/qua ke.jpg",
        f"{HOST}/qua\nke.jpg",
        f"{HOST}/qua\u202eke.jpg",
        f"{HOST}/" + "a" * 2_000,
        "https://localhost/quake.jpg",
        "https://printer/quake.jpg",
        "https://nas.local./quake.jpg",
        "https://db.internal/quake.jpg",
        "https://127.0.0.1/quake.jpg",
        "https://127.1/quake.jpg",
        "https://2130706433/quake.jpg",
        "https://0x7f.0x1/quake.jpg",
        "https://0177.0.0.1/quake.jpg",
        "https://10.1.2.3/quake.jpg",
        "https://169.254.169.254/latest/meta-data/photo.jpg",
        "https://[::1]/quake.jpg",
        "https://[::ffff:10.0.0.1]/quake.jpg",
        "https://[fe80::1%25eth0]/quake.jpg",
        f"{HOST}/map.svg",
        f"{HOST}/map.SVG?x=1",
        f"{HOST}/map%2Esvg",
        f"{HOST}/video.mp4",
    ],
)
def test_what_is_no_picture_on_the_web_is_not_shown(url):
    assert pictures.fault(Picture(url=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://ad.doubleclick.net/ddm/trackimp/x.jpg",
        "http://feeds.feedburner.com/~r/courier/~4/AbC",
        "https://media.courier.example/include/npr-rss-pixel.png",
        f"{HOST}/pixel.gif",
        f"{HOST}/pixel",
        f"{HOST}/1x1.gif",
        f"{HOST}/1x1.png?u=7",
        f"{HOST}/spacer.gif",
        f"{HOST}/count.gif",
        f"{HOST}/track/open?id=7",
        f"{HOST}/beacon/9.jpg",
        "https://pixel.courier.example/seen?id=9",
    ],
)
def test_a_beacon_is_not_shown(url):
    assert "counts readers" in pictures.fault(Picture(url=url))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 0), (0, 2), (600, 1), (-1, 5), (30_000, 5)])
def test_sizes_of_beacons_and_bombs_are_not_shown(width, height):
    assert pictures.fault(Picture(url=f"{HOST}/quake.jpg", width=width, height=height))


def test_the_best_picture_is_sharp_and_no_larger_than_need_be():
    def chosen(*widths: int) -> int | None:
        found = pictures.best(Picture(url=f"{HOST}/{width}.jpg", width=width) for width in widths)
        return found.width if found else None

    assert chosen(140, 700, 1_240, 4_000) == 1_240
    assert chosen(140, 0, 300) == 0
    assert chosen(140, 300) == 300
    assert chosen(1, 2) is None


@given(st.text(max_size=80) | st.text(alphabet="htps:/@.[]%\\?#0x7f1localhost \t", max_size=60))
def test_any_text_is_judged_and_what_is_fit_is_a_web_address(url):
    if not pictures.fault(Picture(url=url)):
        assert url.lower().startswith(("http://", "https://"))
        assert "@" not in url.partition("//")[2].partition("/")[0].partition("?")[0].partition("#")[0]
    pictures.pixels(url)
