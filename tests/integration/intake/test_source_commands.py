"""What is watched, as an operator sees and steers it at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.integration.intake.test_taking_in import rss, served
from worker.cli.source_tables import span
from worker.feeds import SourceCondition
from worker.intake.rhythm import Rhythm
from worker.model import SourceId
from worker.store import house, source_health, sources, websub
from worker.store.database import now

FEED = rss(("1", "One"), ("2", "Two"))
OPML = """<opml version="1.0"><body>
<outline text="World"><outline text="The Wire" xmlUrl="feed://wire.example/rss"/></outline>
<outline text="The Ledger" xmlUrl="https://ledger.example/feed" htmlUrl="https://ledger.example/"/>
<outline text="The Wire again" xmlUrl="https://wire.example/rss/"/>
<outline text="Only words"/></body></opml>"""


@pytest.fixture
def database_url(make_url):
    """SQLite is enough for what commands do; test_stored_lists knows both databases."""
    return make_url("sqlite")


@pytest.fixture(autouse=True)
def own_network(monkeypatch, tocsin):  # noqa: ARG001  after it, which forgets all settings
    monkeypatch.setenv("TOCSIN_ALLOW_PRIVATE", "true")


@contextmanager
def site(**pages: bytes | int) -> Iterator[str]:
    """Serve pages by their names with "_" for "/" and "__" for "."; a number is a status."""

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        page = pages.get(request.path.lstrip("/").replace(".", "__").replace("/", "_") or "home", 404)
        return (200, page) if isinstance(page, bytes) else (page, b"")

    with served(answer) as url:
        yield url.removesuffix("/feed.xml")


def watched(database) -> list[tuple[str, str | None]]:
    with database.read() as conn:
        return [(row.name, row.url) for row in sources.every(conn)]


def told(tocsin, *words):
    """Run a command that must do well, and give what it says to people."""
    status, _, err = tocsin(*words)
    assert status == 0, err
    return err


def refused(tocsin, *words, status: int = 2):
    """Run a command that must refuse, and give why."""
    ended, out, err = tocsin(*words)
    assert (ended, out) == (status, ""), err
    return err


# Lists ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def opml(tmp_path):
    file = tmp_path / "feeds.opml"
    file.write_text(OPML)
    return file


def test_a_list_is_imported_once_and_then_known(database, tocsin, opml):
    (counts,) = tocsin.ask("sources", "import", opml)
    assert counts == {
        "format": "OPML",
        "new": 2,
        "changed": 0,
        "known": 0,
        "repeated": 1,
        "without_feed": 1,
        "stored": True,
    }
    assert watched(database) == [("The Ledger", "https://ledger.example/feed"), ("The Wire", "http://wire.example/rss")]
    assert tocsin.rung == ["sweep_sources"]
    rows = {row["name"]: row for row in tocsin.ask("sources", "list")}
    assert (rows["The Wire"]["folder"], rows["The Ledger"]["homepage"]) == ("World", "https://ledger.example/")
    assert rows["The Wire"]["next_poll_at"]
    assert "0 new, 2 known, 0 changed" in told(tocsin, "sources", "import", opml)
    opml.write_text(OPML.replace("The Ledger", "The Northfield Ledger"))
    said = told(tocsin, "sources", "import", opml)
    assert "0 new, 1 known, 1 changed" in said
    assert "1 stand in the list before, and are passed over: line 4" in said
    assert watched(database)[0][0] == "The Northfield Ledger"


def test_a_dry_run_counts_and_stores_nothing(database, tocsin, opml):
    assert "nothing stored; would be: 2 new, 0 known, 0 changed" in told(tocsin, "sources", "import", opml, "--dry-run")
    assert (watched(database), tocsin.rung) == ([], [])


def test_of_a_list_that_is_wrong_somewhere_nothing_is_stored(database, tocsin, tmp_path):
    file = tmp_path / "feeds.yaml"
    file.write_text("- {url: https://a.example/}\n- {url: b.example, nmae: B}\n")
    said = refused(tocsin, "sources", "import", file)
    assert f"error: {file}, line 2, url: 'b.example' is no feed address (write https://b.example)" in said
    assert f"error: {file}, line 2, nmae: no such field (did you mean name?)" in said
    assert watched(database) == []
    assert "cannot be read: No such file" in refused(tocsin, "sources", "import", tmp_path / "none.opml")


def test_an_export_imports_as_the_same_elsewhere(tocsin, tmp_path, opml):
    told(tocsin, "sources", "import", opml)
    first = tocsin.ask("sources", "list")[0]["id"]
    told(
        tocsin, "sources", "change", first, "--every", "15m", "--house", "--pages", "--lang", "ko", "--outlet", "한 <&>"
    )
    told(tocsin, "sources", "pause", first)
    files = {form: tmp_path / f"exported.{form}" for form in ("opml", "yaml")}
    for form, file in files.items():
        file.write_text(tocsin("sources", "export", "--format", form)[1])
        assert "0 new, 2 known, 0 changed" in told(tocsin, "sources", "import", file, "--dry-run")
    told(
        tocsin, "sources", "change", first, "--every", "auto", "--no-house", "--no-pages", "--lang", "", "--outlet", ""
    )
    told(tocsin, "sources", "resume", first)
    for file in files.values():
        assert "0 new, 1 known, 1 changed" in told(tocsin, "sources", "import", file, "--dry-run")
    told(tocsin, "sources", "import", files["opml"])
    assert tocsin("sources", "export", "--format", "yaml")[1] == files["yaml"].read_text()


# Adding --------------------------------------------------------------------------------------------------------------


def test_a_feed_that_is_there_is_told_and_watched(tocsin):
    hub = b'<channel><link xmlns="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/>'
    with site(rss=FEED.replace(b"<channel>", hub)) as url:
        (added,) = tocsin.ask("sources", "add", f"{url}/rss", "--every", "15m", "--pages", "--lang", "en")
        assert (added["status"], added["url"], added["title"]) == ("new", f"{url}/rss", "Courier feed")
        assert (added["items"], added["newest_at"], added["hub"]) == (2, None, "https://hub.example/")
        (row,) = tocsin.ask("sources", "list")
        assert (row["name"], row["outlet"], row["every_s"], row["pages"]) == ("Courier feed", "", 900.0, True)
        assert tocsin.rung == ["sweep_sources"]
        said = told(tocsin, "sources", "add", f"feed:{url}/rss/", "--name", "Another")
        assert said.startswith(f"source {added['id']}, Courier feed, is this address already: {url}/rss; nothing is")
        assert len(tocsin.ask("sources", "list")) == 1


def test_of_a_page_the_feed_that_it_names_is_watched(tocsin):
    page = b"""<!doctype html><title>Paper</title><base href="/world/">
    <link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
    <link rel="alternate" type="application/json" href="/wp-json/posts/7">
    <link rel="alternate" type="application/atom+xml" href="none.xml">
    <link rel="alternate" type="application/rss+xml" href="rss.xml"><p>Hello"""
    with site(home=page, world_rss__xml=FEED, comments_feed=FEED) as url:
        (added,) = tocsin.ask("sources", "add", url)
        assert (added["url"], added["also"]) == (f"{url}/world/rss.xml", [f"{url}/comments/feed"])


def test_what_is_no_feed_is_refused_with_what_was_tried(database, tocsin):
    page = b'<!doctype html><title>Paper</title><link rel=alternate type="application/rss+xml" href="/gone"><p>Hello'
    with site(home=page, words=b"We are rebuilding. Come back soon!", gone=410) as url:
        said = refused(tocsin, "sources", "add", url)
        assert f"{url}: no feed: this looks like an HTML page (tried {url}/gone: answers 410; --guess and" in said
        assert "no feed: this looks like plain text (it names no feed" in refused(
            tocsin, "sources", "add", f"{url}/words"
        )
        said = refused(tocsin, "sources", "add", f"{url}/nowhere", status=1)
        assert "answers 404; nothing is watched (--no-check watches it all the same)" in said
        assert watched(database) == []
        told(tocsin, "sources", "add", f"{url}/words", "--no-check")
        assert watched(database) == [("127.0.0.1", f"{url}/words")]


def test_common_places_and_robots_are_looked_at_only_when_somebody_asks(tocsin):
    robots = b"User-agent: *\nDisallow:\nSitemap: /all.xml\nsitemap: /news.xml\n"
    with site(
        home=b"<!doctype html><title>Paper</title><p>Hello", feed=FEED, robots__txt=robots, news__xml=FEED
    ) as url:
        refused(tocsin, "sources", "add", url)
        assert tocsin.ask("sources", "add", url, "--guess")[0]["url"] == f"{url}/feed"
        assert tocsin.ask("sources", "add", url, "--sitemaps")[0]["url"] == f"{url}/news.xml"
        assert tocsin.ask("sources", "add", f"{url}/nowhere", "--guess")[0]["status"] == "known"


def test_a_page_leads_to_no_private_network(tocsin, monkeypatch):
    monkeypatch.delenv("TOCSIN_ALLOW_PRIVATE")
    with site(rss=FEED) as url:
        assert "not on the public internet" in refused(tocsin, "sources", "add", f"{url}/rss", status=1)


@pytest.mark.parametrize("address", ["gopher://news.example/feed", "news.example/feed", "", "https://"])
def test_an_address_that_is_none_is_refused_before_anybody_is_asked(tocsin, address):
    assert "is no feed address (write https://" in refused(tocsin, "sources", "add", address)


# Steering ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def wire(tocsin) -> SourceId:
    return SourceId(tocsin.ask("sources", "add", "https://wire.example/rss", "--no-check", "--name", "Wire")[0]["id"])


def columns(database, source_id, *names):
    with database.read() as conn:
        row = sources.by_id(conn, source_id)
    assert row is not None
    return tuple(getattr(row, name) for name in names)


def test_a_paused_source_is_not_polled_until_it_is_resumed(database, tocsin, wire):
    assert "is paused" in told(tocsin, "sources", "pause", wire, "--reason", "they are moving")
    assert columns(database, wire, "state", "state_reason", "next_poll_at") == ("paused", "they are moving", None)
    assert tocsin.ask("sources", "poll", "--now") == []
    assert f"`tocsin sources resume {wire}`" in refused(tocsin, "sources", "poll", wire)
    assert "is polled again" in told(tocsin, "sources", "resume", wire)
    assert columns(database, wire, "state", "state_reason") == ("active", "")
    assert columns(database, wire, "next_poll_at") != (None,)


def test_a_source_that_is_gone_is_resumed_too(database, tocsin, wire):
    with database.write() as conn:
        sources.change(conn, wire, state="gone", failures=3, last_error="answers 410", next_poll_at=None)
    (row,) = tocsin.ask("sources", "list", "--gone")
    assert (row["gone"], row["failing"]) == (True, False)
    told(tocsin, "sources", "resume", wire)
    assert columns(database, wire, "state", "failures", "last_error") == ("active", 0, "")
    assert tocsin.ask("sources", "list", "--gone") == []


def test_a_removed_source_is_seen_no_more_and_is_itself_when_it_is_added_again(database, tocsin):
    with site(rss=FEED) as url:
        source_id = tocsin.ask("sources", "add", f"{url}/rss")[0]["id"]
        assert tocsin.ask("sources", "poll")[0]["changed"] == 2
        assert f"source {source_id} is watched no more; its 2 articles stay" in told(
            tocsin, "sources", "remove", source_id
        )
        assert (watched(database), tocsin.ask("sources", "poll", "--now")) == ([], [])
        assert len(tocsin.ask("articles", "list")) == 2
        for command in ("show", "pause", "resume", "remove", "change"):
            assert f"there is no source {source_id}" in refused(
                tocsin, "sources", command, source_id, *(["--name", "x"] if command == "change" else [])
            )
        (again,) = tocsin.ask("sources", "add", f"{url}/rss")
        assert (again["id"], again["status"]) == (source_id, "again")
        assert tocsin.ask("sources", "poll", source_id)[0]["changed"] == 0


def test_at_another_address_a_source_begins_anew(database, tocsin, wire):
    other = tocsin.ask("sources", "add", "https://ledger.example/rss", "--no-check")[0]["id"]
    with database.write() as conn:
        sources.change(conn, wire, etag='"v1"', failures=4, last_error="x", next_poll_at=now(conn) + timedelta(days=1))
    refusal = refused(tocsin, "sources", "change", wire, "--url", "http://ledger.example/rss/")
    assert f"url: this is the address of source {other}, ledger.example" in refusal
    (row,) = tocsin.ask("sources", "change", wire, "--url", "https://new.example/rss", "--name", "New Wire")
    assert (row["url"], row["host"], row["name"]) == ("https://new.example/rss", "new.example", "New Wire")
    assert (row["etag"], row["failures"], row["last_error"]) == ("", 0, "")
    with database.read() as conn:
        at = now(conn)
    assert columns(database, wire, "next_poll_at")[0] <= at
    assert "nothing to change" in refused(tocsin, "sources", "change", wire)


def test_what_was_done_to_a_source_is_written_down(database, tocsin, wire):
    with database.write() as conn:
        sources.change(conn, wire, manners={"every_s": 3600.0, "skip_days": [6]}, published_lately=[1, 2])
    told(tocsin, "sources", "change", wire, "--every", "2h")
    told(tocsin, "sources", "pause", wire)
    told(tocsin, "sources", "pause", wire)
    (row,) = tocsin.ask("sources", "show", wire)
    assert [one["did"] for one in row["history"]] == ["add", "change", "pause"]
    assert (row["history"][1]["every_s"], row["articles"]) == (7200.0, 0)
    status, out, _ = tocsin("sources", "show", wire)
    assert (status, "https://wire.example/rss" in out, "paused" in out, "skip_days" in out) == (0, True, True, True)
    with database.read() as conn:
        assert len(house.notes(conn, f"source {wire}")) == 3


def test_where_articles_are_handed_in_nothing_is_polled(tocsin, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("Ferry sails\n\nIt did.")
    tocsin.ask("articles", "add", file)
    (row,) = tocsin.ask("sources", "list")
    for command in ("pause", "resume", "remove"):
        assert "is not polled" in refused(tocsin, "sources", command, row["id"])


# Looking -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ill(database) -> dict[str, SourceId]:
    """Five sources, each with a trouble of its own."""
    with database.write() as conn:
        at = now(conn)
        troubles: dict[str, dict[str, Any]] = {
            "well": {"format": "rss20"},
            "failing": {"failures": 3, "last_error": "answers 503\x1b[2J"},
            "silent": {"last_news_at": at - timedelta(days=30)},
            "held": {"held_since": at, "held_reason": "all its 12 items were new at once"},
            "gone": {"state": "gone", "state_reason": "answers 410", "next_poll_at": None},
        }
        ids = {
            name: sources.put(conn, kind="feed", name=f"The {name} Post", url=f"https://{name}.example/rss")
            for name in troubles
        }
        for name, values in troubles.items():
            sources.change(conn, ids[name], **{"last_ok_at": at, **values})
        lively = Rhythm(
            articles=90, lag_p50_s=250.0, longest_gap_s=36_000.0, tells_at_weekends=True, span_s=9e5
        ).stored()
        known = {"condition": SourceCondition.OK, "since": at, "reason": "", "rhythm": lively, "measured_at": at}
        source_health.keep(conn, ids["silent"], before=None, **known)
    return ids


def test_the_list_tells_those_that_want_attention_apart(tocsin, ill):
    for kind in ("failing", "silent", "held", "gone"):
        assert [row["id"] for row in tocsin.ask("sources", "list", f"--{kind}")] == [ill[kind]]
    assert len(tocsin.ask("sources", "list", "--failing", "--gone")) == 2
    assert len(tocsin.ask("sources", "list")) == 5


@pytest.mark.usefixtures("ill")
def test_people_get_a_table_in_the_order_of_their_questions(tocsin):
    status, out, err = tocsin("sources", "list")
    assert (status, err) == (0, "5 sources: 1 failing, 1 silent, 1 held, 1 gone\n")
    head = " ".join(out.splitlines()[0].split())
    assert head == "ID Name State Format Last news Lag Failures Next poll What is wrong"
    assert "\x1b" not in out
    (failing,) = [line for line in out.splitlines() if "The failing Post" in line]
    assert failing.split()[4] == "failing"
    assert failing.rstrip().endswith("3 polls have failed: answers 503\ufffd[2J")
    (silent,) = [line for line in out.splitlines() if "The silent Post" in line]
    assert " ".join(silent.split()[4:]) == (
        "silent – 30 d ago 4 min – now nothing new for 30 days; its longest pause of late was 10 hours"
    )
    assert "all its 12 items were new at once" in out


@pytest.mark.usefixtures("ill")
def test_a_narrow_terminal_gets_what_matters_most(tocsin, monkeypatch):
    heads = {}
    for columns in (72, 160):
        monkeypatch.setattr("worker.cli.source_tables._width", lambda wide=columns: wide)
        _, out, _ = tocsin("sources", "list")
        heads[columns] = " ".join(out.splitlines()[0].split())
        assert max(map(len, out.splitlines())) <= columns
    assert heads[72] == "ID Name State Last news Next poll What is wrong"
    assert heads[160] == "ID Name State Format Last news Lag Failures Next poll What is wrong"


def test_people_are_shown_a_source_in_moments_and_words(database, tocsin):
    source_id = tocsin.ask("sources", "add", "https://wire.example/rss", "--no-check")[0]["id"]
    with database.write() as conn:
        sources.change(conn, SourceId(source_id), published_lately=[1_795_961_523])
        hub, topic = "https://hub.example/", "https://wire.example/rss"
        websub.want(conn, SourceId(source_id), hub=hub, topic=topic, base_url="https://a.example", signing_key="k")
    _, out, _ = tocsin("sources", "show", source_id)
    shown = {words[0]: " ".join(words[1:]) for line in out.splitlines() if (words := line.split())}
    assert shown["published_lately"] == "2026-11-29T14:12:03Z"
    assert (shown["websub_hub"], shown["websub_state"]) == (hub, "wanted")
    assert "datetime" not in out
    (row,) = tocsin.ask("sources", "show", source_id)
    assert (row["published_lately"], row["websub"]["topic"]) == (["2026-11-29T14:12:03Z"], topic)


def test_folders_narrow_a_list(tocsin, opml):
    told(tocsin, "sources", "import", opml)
    assert [row["name"] for row in tocsin.ask("sources", "list", "--folder", "World")] == ["The Wire"]
    assert tocsin.ask("sources", "list", "--folder", "Wor") == []


def test_only_named_sources_are_polled_due_or_not(tocsin):
    with site(a=FEED, b=FEED) as url:
        first = tocsin.ask("sources", "add", f"{url}/a", "--name", "A")[0]["id"]
        tocsin.ask("sources", "add", f"{url}/b", "--name", "B")
        assert [row["changed"] for row in tocsin.ask("sources", "poll", first, first)] == [2]
        assert [row["changed"] for row in tocsin.ask("sources", "poll", first)] == [0]
        assert [row["source"] for row in tocsin.ask("sources", "poll")] == ["B"]
    assert "there is no source 99" in refused(tocsin, "sources", "poll", 99)
    code, out, _ = tocsin("sources", "poll", first, "--json")  # nobody serves it any more
    assert (code, bool(json.loads(out)["error"])) == (1, True)


def test_parsing_says_what_a_feed_says_of_itself_to_people_only(tocsin, tmp_path):
    file = tmp_path / "feed.xml"
    file.write_bytes(FEED.replace(b"<title>Courier feed</title>", b"<title>Courier feed</title><ttl>60</ttl>"))
    _, out, err = tocsin("sources", "parse", file)
    assert ("2 articles" in out, '"Courier feed"' in err) == (True, True)
    _, out, err = tocsin("sources", "parse", file, "--json")
    assert (len([json.loads(line) for line in out.splitlines()]), err) == (2, "")


def test_a_table_says_how_long_in_one_unit():
    assert [span(timedelta(minutes=minutes)) for minutes in (0, 59, 60, 1440)] == ["0 s", "59 min", "1 h", "1 d"]


def test_a_password_is_kept_and_exported_and_shown_nowhere_else(tocsin, database):
    address = "https://desk:hush@wire.example/rss"
    said = tocsin("sources", "add", address, "--no-check", "--json")
    said += tocsin("sources", "list", "--json") + tocsin("sources", "show", "1", "--json")
    said += tocsin("sources", "add", address)
    assert "hush" not in "".join(map(str, said))
    assert "https://desk:***@wire.example/rss" in said[1]
    assert address in tocsin("sources", "export")[1]
    assert [url for _, url in watched(database)] == [address]
