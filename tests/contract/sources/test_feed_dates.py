"""Dates in every dialect and zone that newspapers write, and what is no date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.sources.dates import parse_date

_MIDNIGHT = """\
Mon, 23 Nov 2026 09:00:00 +0900
Mon, 23 Nov 2026 09:00:00 KST
Mon, 23 Nov 2026 09:00:00 (KST)
Mon, 23 Nov 2026 00:00:00 GMT
Mon, 23 Nov 2026 00:00:00 UTC
Mon, 23 Nov 2026 00:00:00 UT
Mon, 23 Nov 2026 00:00:00 Z
Mon, 23 Nov 2026 00:00:00 A
Mon, 23 Nov 2026 00:00:00 -0000
Mon, 23 Nov 2026 00:00:00 +0000 (UTC)
Mon, 23 Nov 2026 00:00
Mon, 23 Nov 2026 0:0:0 GMT
Sun, 22 Nov 2026 24:00:00 GMT
Sun, 22 Nov 2026 19:00:00 EST
Sun, 22 November 2026 19:00 EST
23 Nov 26 00:00:00 GMT
23-Nov-2026 00:00:00
Mon,23 Nov 2026 01:00:00 CET
Mon, 23 Nov 2026 02:00:00 GMT+2
Mon, 23 Nov 2026 05:30:00 IST
Mon Nov 23 00:00:00 2026
Mon Nov 23 00:00:00 UTC 2026
Nov 23, 2026 00:00:00 GMT
Nov 23, 2026 12:00 AM
November 23, 2026 at 9:00 AM KST
Nov 22, 2026 7:00 PM EST
Monday, November 23, 2026 - 00:00
2026-11-23T00:00:00Z
2026-11-23T00:00Z
2026-11-23T09:00:00+09:00
2026-11-23T09:00:00+0900
2026-11-22T20:30:00.000-03:30
2026-11-22T24:00:00Z
2026-11-23 00:00:00
2026-11-23 09:00:00 +0900
2026-11-23T00:00:00 GMT
20261123T000000Z
2026-11-23
2026-W48-1
2026W481T090000+0900
2026-W48-1T09:00+09:00
2026-327
2026327T000000Z
2026/11/23 00:00:00
23.11.2026 00:00
23/11/2026 00:00
11/23/2026 12:00:00 AM
1795392000
1795392000000
2026년 11월 23일 09:00
2026년 11월 23일 (월) 오전 9시
2026-11-23 오전 9:00:00
2026. 11. 23. 오전 9:00
2026年11月23日 9時00分
2026年11月23日 午前9時
2026年11月23日 上午8:00
2026年11月23日 星期一 上午8点
Mo, 23 Nov 2026 01:00:00 +0100
Montag, 23. November 2026, 0:00 Uhr
23. Nov. 2026
lun., 23 nov. 2026 01:00:00 +0100
lundi 23 novembre 2026 à 0h00
Пн, 23 ноя 2026 03:00:00 +0300
23 ноября 2026 г. 03:00 MSK
23 de noviembre de 2026
23 Kasım 2026
Δευ, 23 Νοε 2026 02:00:00 EET
23 نوفمبر 2026
"""
_MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr, short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "el": "Ιαν Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκ",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
}
_NONE = """\
soon
Mon, 31 Nov 2026 09:00:00 GMT
Mon, 23 Foo 2026 00:00:00 GMT
Mon, 23 Nov 2026 09:00:00 XYZ
03/04/2026
2026-02-30
2026-13-45
2026-366
2026-W54-1
2026-11-23T25:00:00Z
2026-11-23T24:30:00Z
2026-11-23T09:00:00+25:00
0001-01-01T00:00:00Z
Nov 23, 2026 3:77 PM
23 lipca 2026
32.01.2026
99999999999
25:00
jui 2026
"""


@pytest.mark.parametrize("date", _MIDNIGHT.splitlines())
def test_a_date_is_read_in_its_dialect_and_zone(date):
    assert parse_date(date) == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("language", _MONTHS)
def test_the_months_of_a_language_are_told_apart(language):
    read = [parse_date(f"23 {month} 2026 12:00:00 +0000") for month in _MONTHS[language].split()]
    assert read == [datetime(2026, month, 23, 12, tzinfo=UTC) for month in range(1, 13)]


@pytest.mark.parametrize("date", ["", *_NONE.splitlines()])
def test_what_is_no_date_or_might_be_two_is_none(date):
    assert parse_date(date) is None


@given(
    moment=st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1)),  # noqa: DTZ001  the zone is drawn beside it
    minutes=st.integers(-12 * 60, 14 * 60),
)
def test_iso_and_rfc_dates_mean_the_same_moment(moment, minutes):
    moment = moment.replace(microsecond=0)
    sign, size = ("-" if minutes < 0 else "+"), abs(minutes)
    zone = f"{sign}{size // 60:02}{size % 60:02}"
    meant = moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert parse_date(f"{moment:%Y-%m-%dT%H:%M:%S}{zone}") == meant
    assert parse_date(f"{moment:%a, %d %b %Y %H:%M:%S} {zone}") == meant
    assert parse_date(f"{moment:%d %B %Y, %H:%M:%S} {zone}") == meant


@given(st.text(alphabet="0123456789 -/.:,TZW+()년月abnovgmtапр\u0660", max_size=60))
def test_no_text_breaks_the_reading_of_dates(text):
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() == timedelta(0)
