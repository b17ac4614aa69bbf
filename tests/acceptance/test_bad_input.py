"""Wrong input on the command line: one clear line, exit status 2, and not a row more or less than before."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Done, Installation, own_ports

PASSWORD = "s3cret-pa55word"
HEADER = "email,name,locale,timezone,topics,cadence,at\n"
GOOD_READER = "good@reader.example,Good,en,Europe/Berlin,,daily,07:00\n"
GOOD_TOPIC = "- slug: good\n  name: {en: Good}\n  query: russia\n"
FIVE_MEGABYTES = "Title\n\n" + "word " * 1_000_000
GOOD_ARTICLE = "A good title\n\nA good body."


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Installation:
    """An installation with one topic, one reader and one article; nothing runs."""
    house = make_module_installation()
    house.migrated()
    for name, text in (("t.yaml", GOOD_TOPIC), ("r.csv", HEADER + GOOD_READER), ("a.txt", GOOD_ARTICLE)):
        (house.folder / name).write_text(text, encoding="utf-8")
    house.told("topics", "import", "t.yaml")
    house.told("subscribers", "import", "r.csv", "--confirmed")
    house.told("articles", "add", "a.txt")
    return house


def reader(email: str = "new@reader.example", timezone: str = "Europe/Berlin", at: str = "07:00") -> str:
    return f"{email},New,en,{timezone},,daily,{at}\n"


def topic(query: str) -> str:
    return f"- slug: fine\n  name: {{en: Fine}}\n  query: storm\n- slug: bad\n  name: {{en: Bad}}\n  query: '{query}'\n"


REFUSED = {
    "a feed that is no XML": ("sources parse {}", "This is not a feed, dear reader.", "no feed"),
    "a feed that is a page": ("sources parse {}", "<!doctype html><title>Hello</title><p>No feed", "no feed"),
    "a feed of 5 MB of nothing": ("sources parse {}", "x" * 5_000_000, "no feed"),
    "an article of 5 MB": ("articles add {}", FIVE_MEGABYTES, "5.0 MB"),
    "an article of 5 MB in JSON": ("articles add {}", json.dumps({"title": "T", "body": "word " * 1_000_000}), "MB"),
    "an article with a NUL byte": ("articles add {}", "A title\n\nA body with \0 in it.", "NUL"),
    "an article with an escaped NUL": ("articles add {}", '{"title": "A \\u0000 title", "body": "x"}', "NUL"),
    "an article of nothing": ("articles add {}", "", "input"),
    "JSON that is cut off": ("articles add {}", '{"title": "x", "body": ', "input"),
    "an address without @": ("subscribers import {} --confirmed", HEADER + reader("nobody"), "'nobody' has no @"),
    "an unknown time zone": ("subscribers import {} --confirmed", HEADER + reader(timezone="Mars/Base"), "'Mars/Base'"),
    "an impossible time": ("subscribers import {} --confirmed", HEADER + reader(at="25:00"), "25:00"),
    "a list without a header": ("subscribers import {} --confirmed", reader(), "the columns are"),
    "a list with a NUL byte": ("subscribers import {} --confirmed", HEADER + reader("a\0b@reader.example"), "NUL"),
    "a query of nothing": ("topics import {}", topic(""), "topic bad"),
    "topics that are no YAML": ("topics import {}", "- slug: [", "input"),
    "topics that are a poem": ("topics import {}", "roses are red", "input"),
    "newsletters that are no YAML": ("newsletters import {}", "- slug: [", "input"),
    "a list of feeds that is cut off": ("sources import {}", "<opml><body><outline text='a'>", "line 1, column"),
    "a list of feeds with a slip": ("sources import {}", "- {url: https://a.example/, nmae: A}", "did you mean name?"),
    "a feed address that is none": ("sources add gopher://news.example/feed", "", "gopher://news.example/feed"),
    "a file that is not there": ("articles add nowhere.txt", "", "nowhere.txt"),
    "a folder in a file's place": ("articles add .", "", "directory"),
    "an address of an article that is none": ("articles add {} --url javascript:alert(1)", GOOD_ARTICLE, "url"),
    "an article that there is not": ("articles show 999", "", "999"),
    "an edition that there is not": ("editions show 999", "", "999"),
    "a delivery that there is not": ("deliveries show 999", "", "999"),
    "a reader that there is not": ("subscribers show nobody@reader.example", "", "nobody@reader.example"),
    "an address to suppress without @": ("subscribers suppress nobody", "", "nobody"),
    "a queue that there is not": ("worker --queues alerts,bulky", "", "bulky"),
}


@pytest.mark.parametrize(("command", "given", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_leaves_nothing_behind(house, tmp_path, command, given, said):
    file = tmp_path / "input"
    file.write_text(given, encoding="utf-8")
    before = house.rows()
    done = house.tocsin(*(word.format(file) for word in command.split()))
    assert said in done.refusal, done
    assert house.rows() == before


@pytest.mark.parametrize("bad", ["nul", "missing", "huge"])
def test_of_several_articles_none_is_stored_when_one_is_refused(house, tmp_path, bad):
    (tmp_path / "good.txt").write_text("Another good title\n\nAnother good body.")
    (tmp_path / "nul").write_text('{"title": "A \\u0000 title", "body": "x"}')
    (tmp_path / "huge").write_text(FIVE_MEGABYTES)
    before = house.rows()
    assert bad in house.tocsin("articles", "add", tmp_path / "good.txt", tmp_path / bad).refusal
    assert house.rows() == before


def test_an_article_on_standard_input_is_measured_too(house):
    before = house.rows()
    assert "5.0 MB" in house.tocsin("articles", "add", "-", given=FIVE_MEGABYTES.encode()).refusal
    assert house.rows() == before


def test_of_a_list_of_readers_every_mistake_is_told_and_nobody_is_stored(house, tmp_path):
    file = tmp_path / "readers.csv"
    lines = [reader(), reader("nobody"), reader("late@reader.example", timezone="Europe/Nowhere")]
    file.write_text(HEADER + "".join(lines))
    before = house.rows()
    complaint = house.tocsin("subscribers", "import", file, "--confirmed").complaint
    assert "line 3, email" in complaint
    assert "line 4, timezone" in complaint
    assert complaint.count("\n") == 3
    assert house.rows() == before


def test_explain_shows_where_a_bracket_was_opened(house):
    done = house.tocsin("topics", "explain", "north (korea OR russia")
    assert "bracket" in done.complaint
    assert done.err.splitlines()[1:] == ["  north (korea OR russia", "        ^"]


def test_explain_of_another_topic_reads_it_from_the_database(house):
    done = house.tocsin("topics", "explain", "@good AND ukraine")
    assert (done.status, done.err) == (0, "")
    assert "russia" in done.out


# Feeds ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_feed() -> Iterator[str]:
    """A web server that says something, but no feed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.end_headers()
            self.wfile.write(b"We are rebuilding our site. Come back soon!")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed"
        finally:
            server.shutdown()
            thread.join()


def test_a_watched_feed_that_is_none_is_noted_at_its_source(house, no_feed):
    before = house.rows()
    assert "no feed: this looks like plain text" in house.tocsin("sources", "add", no_feed).refusal
    house.told("sources", "add", no_feed, "--name", "The Builders", "--no-check")
    (polled,) = [row for row in house.ask("sources", "poll", "--now") if row["source"] == "The Builders"]
    assert polled["changed"] == 0
    assert "no feed" in polled["error"]
    (listed,) = [row for row in house.ask("sources", "list") if row["name"] == "The Builders"]
    assert (listed["failures"], listed["last_error"], listed["last_ok_at"]) == (1, polled["error"], None)
    assert listed["next_poll_at"]
    assert house.rows() == {**before, "source": before["source"] + 1, "audit": before["audit"] + 1}


# Settings ------------------------------------------------------------------------------------------------------------


def test_all_wrong_settings_are_told_at_once_each_with_an_example(house):
    wrong = {"TOCSIN_WEB_PORT": "eighty", "TOCSIN_FROM": "nobody", "TOCSIN_TIMEZONE": "Mars", "TOCSIN_GATHER_S": "-1"}
    wrong |= {"TOCSIN_DATABASE_URL": f"mysql://u:{PASSWORD}@h/x", "TOCSIN_BROKER_URL": f"carrier://:{PASSWORD}@pigeon"}
    complaint = house.tocsin("config", **wrong).complaint
    head, *lines = complaint.splitlines()
    assert head == "tocsin: the settings are wrong:"
    assert sorted(line.split(":")[0].strip() for line in lines) == sorted(wrong)
    assert all("for example TOCSIN_" in line for line in lines)
    assert PASSWORD not in complaint


TRANSPORTS = {
    "port": f"smtp://user:{PASSWORD}@relay.example:99999",
    "option": f"smtp://user:{PASSWORD}@relay.example?colour=red",
    "value": f"smtp://user:{PASSWORD}@relay.example?tls=perhaps",
    "slash": f"smtp://user:{PASSWORD}/x@relay.example",
    "no host": f"smtp://user:{PASSWORD}@",
    "scheme": f"pigeon://{PASSWORD}@relay.example",
    "no scheme": f"smtp//user:{PASSWORD}@relay.example",
}


@pytest.mark.parametrize("dsn", TRANSPORTS.values(), ids=TRANSPORTS.keys())
def test_a_wrong_transport_is_refused_without_its_password(house, dsn):
    refusal = house.tocsin("worker", TOCSIN_TRANSPORTS=f"inbox://127.0.0.1:2525?maildir=/tmp/inbox {dsn}").refusal
    assert "transport 2" in refusal
    assert PASSWORD not in refusal


@pytest.mark.parametrize("command", ["up", "worker", "worker --queues alerts"])
def test_a_key_that_cannot_sign_ends_a_mail_worker_before_its_first_task(house, tmp_path, command):
    key = tmp_path / "dkim.pem"
    key.write_text("no key")
    key.chmod(0o600)
    refusal = house.tocsin(*command.split(), TOCSIN_DKIM_SELECTOR="s1", TOCSIN_DKIM_KEY_FILE=str(key)).refusal
    assert f"TOCSIN_DKIM_KEY_FILE={key}: this is no private key in PEM" in refusal


@pytest.mark.parametrize("command", ["sources list", "up", "db upgrade", "web", "worker", "articles add a.txt"])
def test_a_database_out_of_reach_is_told_without_its_password(house, command):
    url = f"postgresql://tocsin:{PASSWORD}@127.0.0.1:1/tocsin"
    keys = {"TOCSIN_SECRET_KEYS": "k" * 32, "TOCSIN_SUPPRESSION_KEY": "s" * 32}
    refusal = house.tocsin(*command.split(), TOCSIN_DATABASE_URL=url, **keys).refusal
    assert "cannot open the database" in refusal
    assert PASSWORD not in refusal


def test_config_shows_what_is_in_force_and_no_secret(house):
    secrets = {
        "TOCSIN_DATABASE_URL": f"postgresql://tocsin:{PASSWORD}-1@db/tocsin",
        "TOCSIN_BROKER_URL": f"redis://:{PASSWORD}-2@broker:6379/0",
        "TOCSIN_REDIS_URL": f"redis://:{PASSWORD}-3@broker:6379/1",
        "TOCSIN_TRANSPORTS": f"smtp://user:{PASSWORD}-4@relay.example:587",
        "TOCSIN_SECRET_KEYS": f"{PASSWORD}-5-0123456789abcdef {PASSWORD}-6-0123456789abcdef",
        "TOCSIN_SUPPRESSION_KEY": f"{PASSWORD}-7-0123456789abcdef",
        "TOCSIN_API_KEY": f"{PASSWORD}-8-0123456789abcdef",
    }
    for options in ((), ("--json",)):
        done = house.tocsin("config", *options, TOCSIN_NEWSROOM="The Evening Kite", **secrets)
        assert done.status == 0, done
        assert "The Evening Kite" in done.out
        assert all(name in done.out for name in secrets)
        assert PASSWORD not in done.out + done.err


def test_config_tells_of_a_variable_that_is_no_setting(house):
    assert "did you mean TOCSIN_WEB_PORT?" in house.tocsin("config", TOCSIN_WEBPORT="1").err


# Homes, databases, ports ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["up", "demo --once", "db upgrade", "sources list", "web", "inbox"])
def test_a_file_in_the_place_of_the_home_is_told(tmp_path, command_line, command):
    home = tmp_path / "home"
    home.write_text("a file")
    refusal = Installation(home, command_line, own_ports()).tocsin(*command.split()).refusal
    assert str(home) in refusal
    assert home.read_text() == "a file"


def test_fresh_does_not_wipe_a_file(tmp_path, command_line):
    home = tmp_path / "home"
    home.write_text("a file")
    assert str(home) in Installation(home, command_line, {}).tocsin("demo", "--once", "--fresh").refusal
    assert home.read_text() == "a file"


@pytest.mark.parametrize("command", ["up", "db upgrade", "sources list", "web", "worker", "beat", "articles add a.txt"])
def test_a_database_of_a_newer_version_is_left_alone(make_installation, command):
    house: Installation = make_installation()
    (house.folder / "a.txt").write_text(GOOD_ARTICLE)
    house.migrated()
    with sqlite3.connect(house.home / "tocsin.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = house.rows()
    refusal = house.tocsin(*command.split()).refusal
    assert "version 9999" in refusal
    assert "newer Tocsin" in refusal
    assert house.rows() == before


@pytest.mark.parametrize("command", ["up", "db upgrade", "sources list", "doctor"])
def test_a_file_that_is_no_database_is_told_and_left_alone(make_installation, command):
    house: Installation = make_installation()
    house.home.mkdir()
    file = house.home / "tocsin.db"
    file.write_bytes(b"the minutes of the chess club, " * 500)
    done = house.tocsin(*command.split())
    told = done.out if command == "doctor" else done.refusal
    assert "file is not a database" in told
    assert done.status == (1 if command == "doctor" else 2)
    assert file.read_bytes() == b"the minutes of the chess club, " * 500


@pytest.mark.parametrize("command", ["sources list", "web", "worker", "beat"])
def test_an_empty_database_is_told_with_its_place_and_what_to_do(make_installation, command):
    house: Installation = make_installation()
    refusal = house.tocsin(*command.split()).refusal
    assert str(house.home) in refusal
    assert "tocsin db upgrade" in refusal


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("up", "TOCSIN_WEB_PORT"),
        ("up", "TOCSIN_BROKER_PORT"),
        ("up", "TOCSIN_INBOX_PORT"),
        ("demo", "TOCSIN_WEB_PORT"),
        ("web", "TOCSIN_WEB_PORT"),
        ("inbox", "TOCSIN_INBOX_PORT"),
    ],
)
def test_a_port_in_use_is_told_with_its_user_and_its_variable(house, tmp_path, taken, command, variable):
    place = {"TOCSIN_HOME": str(tmp_path / "demo")} if command == "demo" else {}
    refusal = house.tocsin(command, within_s=8, **{variable: str(taken)}, **place).refusal.splitlines()[-1]
    assert f"port {taken} " in refusal
    assert f"process {os.getpid()}" in refusal
    assert variable in refusal


# Output --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["topics list --json", "topics list", "--help"])
def test_a_reader_of_our_output_that_goes_away_is_no_failure(house, command):
    assert house.speak_to_nobody(*command.split()) == Done(status=0, out="", err="")


def test_a_full_disk_under_our_output_is_told(house):
    with Path("/dev/full").open("wb") as full:
        done = house.speak_into(full, "topics", "list", "--json")
    assert done.status == 1
    assert done.err.startswith("tocsin: ")
    assert done.err.count("\n") == 1
