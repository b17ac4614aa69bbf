"""Feeds in every encoding, and what they and their servers wrongly say that it is."""

from __future__ import annotations

import pytest

from tests.contract.sources.test_feed_oddities import read, rss


@pytest.mark.parametrize(
    "codec",
    ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-32-be", "euc-kr", "cp949", "utf-8-sig"],
    ids=lambda codec: f"bytes-{codec}",
)
@pytest.mark.parametrize("declared", ["utf-8", "euc-kr", "iso-8859-1", "utf-16", "no-such-code"])
def test_korean_is_read_right_whatever_encoding_is_declared(codec, declared):
    item = "<title>북한이 러시아에 병력을 보냈다</title><description>평양에서 전했다.</description>"
    data = rss(item, prolog=f'<?xml version="1.0" encoding="{declared}"?>').decode().encode(codec)
    assert read(data, content_type="text/xml; charset=iso-8859-1").title == "북한이 러시아에 병력을 보냈다"


def test_one_broken_byte_does_not_spoil_a_feed():
    good = rss(
        "<title>북한이 러시아에 병력을 보냈다</title><description>평양에서 기자들에게 전한 말이다.</description>"
    )
    article = read(good.replace("전".encode(), b"\xec\xa0", 1))
    assert article.title == "북한이 러시아에 병력을 보냈다"


def test_nul_bytes_are_dropped_from_a_feed_that_is_otherwise_sound():
    article = read(rss("<title>One\0 two</title>\0<description>Three\0.</description>"))
    assert (article.title, article.summary) == ("One two", "Three.")


@pytest.mark.parametrize(
    ("codec", "declared", "words"),
    [
        ("shift_jis", "Shift_JIS", "東京で地震があった"),
        ("euc_jp", "EUC-JP", "東京で地震があった"),
        ("gb18030", "gb2312", "北京发生地震"),
        ("big5", "Big5", "臺北發生地震"),
        ("koi8-r", "KOI8-R", "Землетрясение в Москве"),
        ("cp1251", "windows-1251", "Землетрясение в Москве"),
        ("cp1252", "ISO-8859-1", "“Café” – déjà vu"),
        ("cp1252", "utf-8", "“Café” – déjà vu"),
        ("iso8859-15", "iso-8859-15", "100 €"),
        ("iso8859-2", "iso-8859-2", "Zażółć gęślą"),
        ("cp1253", "windows-1253", "Σεισμός"),
        ("cp874", "tis-620", "แผ่นดินไหว"),
    ],
)
@pytest.mark.parametrize("header", ["", "text/xml", "text/xml; charset=iso-8859-1", "application/octet-stream"])
def test_words_of_every_script_are_read_in_the_encoding_that_the_feed_declares(codec, declared, words, header):
    data = rss(f"<title>{words}</title>", prolog=f'<?xml version="1.0" encoding="{declared}"?>').decode().encode(codec)
    assert read(data, content_type=header).title == words


def test_a_headers_encoding_comes_before_the_documents():
    data = rss("<title>Землетрясение</title>", prolog="").decode().encode("koi8-r")
    assert read(data, content_type="application/xml; charset=koi8-r").title == "Землетрясение"


def test_text_that_was_encoded_twice_is_decoded_twice():
    twice = "Café déjà vu".encode().decode("latin-1")
    assert read(rss(f"<title>{twice}</title>")).title == "Café déjà vu"
