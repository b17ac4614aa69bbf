"""Lists of readers: what a line means, and how a mistake is told by line and column."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.model import Cadence
from worker.signup.importing import Faulty, Line, Rules, read_lines

HEADER = "email,name,locale,timezone,topics,cadence,at\n"
RULES = Rules(topics={"north-korea", "russia", "oman"}, timezone="Europe/London")


def read(text, rules=RULES):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_lines(io.BytesIO(data), rules))


def mistakes(text):
    return [str(mistake) for line in read(text) if isinstance(line, Faulty) for mistake in line.mistakes]


def test_a_line_becomes_a_wish():
    [line] = read(HEADER + 'Jo@example.org,"Jo, O\'Neil",ko,Asia/Seoul,north-korea; russia,daily,18:30;7:00\n')
    assert isinstance(line, Line)
    assert (line.number, line.address.text, line.wish.name) == (2, "Jo@example.org", "Jo, O'Neil")
    assert [follow.topic for follow in line.wish.follows] == ["north-korea", "russia"]
    assert {follow.rhythm.times for follow in line.wish.follows} == {("07:00", "18:30")}


def test_blank_cells_stand_for_the_house_rules():
    [line] = read(HEADER + "jo@example.org,,,,,,\n")
    assert (line.wish.locale, line.wish.timezone, line.wish.follows) == ("en", "Europe/London", ())


def test_columns_may_stand_in_any_order_and_case():
    [line] = read("AT,cadence,topics,timezone,locale,name,Email\n,immediate,oman,UTC,en,Jo,jo@example.org\n")
    assert line.wish.follows[0].rhythm.cadence is Cadence.IMMEDIATE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_and_line_ends_do_not_matter(mark, end):
    text = mark + (HEADER + "jo@example.org,조,ko,Asia/Seoul,oman,daily,07:00\n").replace("\n", end)
    assert read(text)[0].wish.name == "조"


def test_blank_lines_are_skipped_and_still_counted():
    lines = read(HEADER + "\n\njo@example.org,,,,,,\n\n")
    assert [line.number for line in lines] == [4]


def test_a_line_that_goes_on_after_a_line_break_is_told_by_its_first():
    text = HEADER + 'jo@example.org,"Jo\nSmith",en,UTC,,,\nnobody,,,,,,\n'
    assert mistakes(text) == ["line 4, email: 'nobody' has no @ (write it as name@example.org)"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nobody,,,,,,", "line 2, email: 'nobody' has no @"),
        (",,,,,,", "line 2, email: there is no address"),
        ("jo@x.org,,,Mars/Olympus,,,", "line 2, timezone: 'Mars/Olympus' is not a time zone"),
        ("jo@x.org,,!,,,,", "line 2, locale: '!' is not a language"),
        ("jo@x.org,,,,nort-korea,,", "line 2, topics: there is no topic 'nort-korea' (did you mean north-korea?)"),
        ("jo@x.org,,,,,often,", "line 2, cadence: 'often' is not a cadence (write one of immediate, hourly, daily"),
        ("jo@x.org,,,,,,7pm", "line 2, at: '7pm' is not a time of day"),
        (f"jo@x.org,{'x' * 201},,,,,", "line 2, name: "),
        ("jo@x.org,,,,", "line 2: 5 cells instead of 7"),
        ("jo@x.org,,,,,,,", "line 2: 8 cells instead of 7"),
    ],
)
def test_a_mistake_names_line_and_column(line, told):
    [only] = mistakes(HEADER + line + "\n")
    assert only.startswith(told)


def test_every_mistake_of_a_line_is_told():
    assert len(mistakes(HEADER + "nobody,,?,Nowhere,atlantis,never,late\n")) == 6


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "line 1: there is no header"),
        (b"\n", "line 1: there is no header"),
        (b"email,name\n", "line 1: the header lacks locale, timezone, topics, cadence, at"),
        (
            b"e-mail,name,locale,timezone,topics,cadence,at\n",
            "line 1: there is no column 'e-mail' (did you mean email?)",
        ),
        (HEADER.strip().encode() + b",shoes\n", "line 1: there is no column 'shoes'"),
        (HEADER.strip().encode() + b",email\n", "line 1: the column 'email' stands there twice"),
        (HEADER.encode("utf-16"), "the file is in UTF-16"),
        (HEADER.encode() + b"jo@x.org,a\0b,,,,,\n", "line 2: there is a NUL byte"),
        (HEADER.encode() + "jo@x.org,Zoë,,,,,\n".encode("latin-1"), "line 2: byte 12 is not UTF-8"),
        (HEADER.encode() + b'jo@x.org,"Jo,,,,,\n', "line 2: the line cannot be read"),
        (HEADER.encode() + b"jo@x.org,J\ro,,,,,\n", "line 2: the line cannot be read"),
        (b"x" * 2_000_000, "line 1: the line is longer than 1 MB"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_in_one_line(data, told):
    with pytest.raises(InputError) as refused:
        read(data)
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


def test_the_exports_status_is_read_and_checked():
    text = HEADER.strip() + ",status\njo@x.org,,,,,,,left\nal@x.org,,,,,,,gone\nbo@x.org,,,,,,,\n"
    left, gone, blank = read(text)
    assert left.status == "left"
    assert "'gone' is not a status" in str(gone.mistakes[0])
    assert blank.status is None


@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_more_than_be_refused(data):
    with suppress(InputError):
        read(HEADER.encode() + data)
