"""`tocsin subscribers` and `tocsin newsletters`, as an operator types them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.builders import news
from worker.resources import seeds_dir
from worker.store import mutes, people
from worker.store.schema import Subscriber

LIST = "email,name,locale,timezone,topics,cadence,at\njo@example.org,Jo,ko,Asia/Seoul,oman;russia,daily,07:00;18:30\n"


def test_readers_come_in_and_go_out(tocsin, write_list):
    code, out, err = tocsin("subscribers", "import", write_list(LIST), "--confirmed")
    assert (code, out) == (0, "")
    assert "1 lines, stored: 1 new" in err
    code, out, _ = tocsin("subscribers", "export")
    assert code == 0
    assert list(csv.DictReader(io.StringIO(out))) == [
        {**row, "status": "active"} for row in csv.DictReader(io.StringIO(LIST))
    ]


def test_a_list_without_consent_is_asked(tocsin, write_list):
    code, _, err = tocsin("subscribers", "import", write_list(LIST))
    assert code == 0
    assert "1 asked" in err
    assert tocsin.rung == ["sweep_planning"]
    assert ",pending" in tocsin("subscribers", "export")[1]


def test_a_dry_run_stores_nothing(tocsin, write_list):
    assert "nothing stored" in tocsin("subscribers", "import", write_list(LIST), "--confirmed", "--dry-run")[2]
    assert tocsin("subscribers", "export")[1].count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LIST.replace("jo@", "jo"), "readers.csv, line 2, email: 'joexample.org' has no @"),
        (
            LIST.replace("Asia/Seoul", "Mars/Olympus"),
            "readers.csv, line 2, timezone: 'Mars/Olympus' is not a time zone",
        ),
        (LIST.replace("oman", "omann"), "readers.csv, line 2, topics: there is no topic 'omann' (did you mean oman?)"),
        (LIST.replace("Jo", "J\0o"), "readers.csv, line 2: there is a NUL byte"),
    ],
)
def test_a_wrong_line_is_one_clear_line_and_exit_status_2(tocsin, write_list, text, told):
    code, out, err = tocsin("subscribers", "import", write_list(text), "--confirmed")
    assert (code, out) == (2, "")
    assert err.strip().splitlines() == [err.strip()]
    assert told in err
    assert tocsin("subscribers", "export")[1].count("\n") == 1


def test_one_reader_is_shown_however_the_address_is_spelt(tocsin, write_list):
    tocsin("subscribers", "import", write_list(LIST), "--confirmed")
    code, out, _ = tocsin("subscribers", "show", "JO@Example.ORG", "--json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["email"], shown["status"], shown["timezone"]) == ("jo@example.org", "active", "Asia/Seoul")
    assert [(follow["follows"], follow["at"]) for follow in shown["follows"]] == [
        ("oman", ["07:00", "18:30"]),
        ("russia", ["07:00", "18:30"]),
    ]
    assert shown["follows"][0]["next_due_at"].endswith("Z")
    assert shown["consent"]["given"][0]["how"] == "imported by the operator, with consent"
    assert "oman" in tocsin("subscribers", "show", "jo@example.org")[1]


def test_a_readers_own_terms_are_shown_where_they_are_set(tocsin, write_list, database):
    tocsin("subscribers", "import", write_list(LIST), "--confirmed")
    bare = json.loads(tocsin("subscribers", "show", "jo@example.org", "--json")[1])
    names = ("quiet", "alert_budget", "digest_floor", "below_floor", "paused_at", "paused_until")
    assert [bare[name] for name in names] == [None, None, 1, "merge", None, None]
    assert not any(name in tocsin("subscribers", "show", "jo@example.org")[1] for name in names)
    wishes = ("--quiet", "22:00-07:00", "--budget", "0", "--floor", "3", "--below", "skip")
    assert tocsin("subscribers", "set", "jo@example.org", *wishes)[0] == 0
    since, until = datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2040, 1, 2, tzinfo=UTC)
    with database.write() as conn:
        conn.execute(sa.update(Subscriber).values(paused_at=since, paused_until=until))
    shown = json.loads(tocsin("subscribers", "show", "jo@example.org", "--json")[1])
    told = ["22:00-07:00", 0, 3, "skip", "2026-11-20T09:00:00Z", "2040-01-02T00:00:00Z"]
    assert [shown[name] for name in names] == told
    text = tocsin("subscribers", "show", "jo@example.org")[1]
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if line.strip().startswith(names))
    assert [lines[name].strip() for name in names] == [str(one) for one in told]


def test_what_a_reader_has_muted_is_shown(tocsin, write_list, database):
    tocsin("subscribers", "import", write_list(LIST), "--confirmed")
    assert "muted stories" not in tocsin("subscribers", "show", "jo@example.org")[1]
    with database.write() as conn:
        jo = conn.execute(sa.select(Subscriber.id).where(Subscriber.email == "jo@example.org")).scalar_one()
        story = news(conn, title="Dhow sinks")
        until = datetime(2040, 1, 2, tzinfo=UTC)
        mutes.mute_story(conn, jo, story, until=until)
        for one in people.followings(conn, jo):
            mutes.mute_topic(conn, one.id, until=until)
    shown = json.loads(tocsin("subscribers", "show", "jo@example.org", "--json")[1])
    assert [one["title"] for one in shown["muted_stories"]] == ["Dhow sinks"]
    assert {one["muted_until"] for one in shown["follows"]} == {"2040-01-02T00:00:00Z"}
    assert "Dhow sinks" in tocsin("subscribers", "show", "jo@example.org")[1]


def test_a_stranger_is_not_shown(tocsin):
    code, out, err = tocsin("subscribers", "show", "nobody@example.org")
    assert (code, out) == (2, "")
    assert "there is no reader nobody@example.org" in err


def test_a_suppressed_address_stays_out(tocsin, write_list):
    assert tocsin("subscribers", "suppress", "JO@example.org", "--reason", "asked by phone")[0] == 0
    assert "1 suppressed" in tocsin("subscribers", "import", write_list(LIST), "--confirmed")[2]
    assert "asked by phone" in tocsin("subscribers", "show", "jo@example.org")[2]
    assert tocsin("subscribers", "suppress", "nobody")[0] == 2


def test_newsletters_are_imported_and_listed(tocsin, write_list):
    text = (seeds_dir() / "newsletters.yaml").read_text()
    code, _, err = tocsin("newsletters", "import", write_list(text, "n.yaml"))
    assert code == 2
    assert "there is no topic" in err
    plain = "- {slug: top, name: Top, sender: {name: C, address: c@x.org}, schedule: FREQ=DAILY, timezone: UTC}"
    assert "1 newsletters added" in tocsin("newsletters", "import", write_list(plain, "n.yaml"))[2]
    [listed] = [json.loads(line) for line in tocsin("newsletters", "list", "--json")[1].splitlines()]
    assert (listed["slug"], listed["schedule"]) == ("top", "FREQ=DAILY")
    assert "top" in tocsin("newsletters", "list")[1]


def test_another_houses_lists_are_shown_before_anything_is_stored(tocsin, write_list):
    there = write_list('Email Address,TAGS\njo@example.org,"""Asia desk"""\nal@example.org,\n', "subscribed_1.csv")
    code, out, err = tocsin("subscribers", "import", there, "--from", "mailchimp", "--dry-run", "--map", "*=topic:oman")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["*", "2", "topic:oman/daily"] in lines
    assert ["Asia", "desk", "1", "--map", '"Asia', 'desk=..."'] in lines
    assert ["asked", "2"] in lines
    assert "2 lines, nothing stored; would be: 2 asked" in err
    code, _, err = tocsin("subscribers", "import", there, "--from", "mailchimp", "--confirmed")
    assert code == 2
    assert "it is not said what its lists become" in err
    assert tocsin("subscribers", "export")[1].count("\n") == 1
