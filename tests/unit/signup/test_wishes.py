"""Which wishes make sense, and when two of them are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from worker.errors import InputError, QueryError
from worker.model import Cadence
from worker.signup.wishes import Follow, Rhythm, Wish, read_cadence, read_locale, read_name, read_times, read_zone


@given(st.lists(st.times().map(lambda time: time.strftime("%H:%M")), max_size=12))
def test_times_come_out_sorted_unique_and_stable(times):
    read = read_times(times)
    assert list(read) == sorted(set(times))
    assert read_times(read) == read


@pytest.mark.parametrize("time", ["24:00", "7", "07:60", "7 o'clock", "07:00:00", "-1:00", "٠٧:٠٠"])
def test_what_is_no_time_of_day_is_refused(time):
    with pytest.raises(InputError, match="not a time of day"):
        read_times([time])


def test_thirteen_times_a_day_are_too_many():
    with pytest.raises(InputError, match="too many"):
        read_times([f"{hour}:00" for hour in range(13)])


def test_equal_rhythms_are_equal_values():
    assert Rhythm(cadence=Cadence.IMMEDIATE, times=("07:00",), weekday=3) == Rhythm(cadence=Cadence.IMMEDIATE)
    assert Rhythm(cadence=Cadence.DAILY, weekday=3) == Rhythm(cadence=Cadence.DAILY, times=("07:00",))
    assert Rhythm(cadence=Cadence.WEEKLY).weekday == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"locale": "klingon!"},
        {"name": "x" * 201},
        {"colour": "red"},
        {"follows": ({"topic": "russia", "query": "russia"},)},
        {"follows": ({},)},
        {"follows": ({"query": "om\0an"},)},
        {"follows": ({"topic": "No Such Slug"},)},
        {"follows": ({"topic": "russia", "rhythm": {"weekday": 8, "cadence": "weekly"}},)},
        {"follows": tuple({"topic": f"t{number}"} for number in range(201))},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Wish.model_validate(wrong)


def test_what_two_wishes_both_follow_has_the_later_rhythm():
    first = Wish(follows=(Follow(topic="russia"), Follow(topic="oman")), name="Jo")
    later = Wish(follows=(Follow(topic="russia", rhythm=Rhythm(cadence=Cadence.WEEKLY)),), timezone="Asia/Seoul")
    merged = first.merged(later)
    assert [follow.topic for follow in merged.follows] == ["russia", "oman"]
    assert merged.follows[0].rhythm.cadence is Cadence.WEEKLY
    assert (merged.timezone, merged.name) == ("Asia/Seoul", "Jo")


def test_queries_are_judged_by_whoever_knows_the_language():
    wish = Wish(follows=(Follow(query=" Oman  -women "), Follow(topic="russia")))
    assert [follow.canonical for follow in wish.checked(lambda query: query.strip().lower()).follows] == [
        "oman  -women",
        "",
    ]

    def refuse(query):
        raise QueryError("an open bracket", offset=len(query))

    with pytest.raises(QueryError):
        wish.checked(refuse)


def test_cells_are_read_as_people_write_them():
    assert read_cadence(" WEEKLY ") is Cadence.WEEKLY
    assert read_zone(" Asia/Seoul ") == "Asia/Seoul"
    assert read_locale("ko_KR") == "ko-KR"
    assert read_name("\tZoë\x00 \x1b[31mW.\n") == "Zoë [31mW."
    with pytest.raises(InputError, match="hourly"):
        read_cadence("sometimes")
