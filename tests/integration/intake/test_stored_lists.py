"""Lists of sources, and what is done to single ones, on both databases."""

from __future__ import annotations

from collections import Counter

from worker.feeds import SourceState
from worker.intake import run_sources
from worker.intake.listing.entries import Entry, Fate, Listed
from worker.intake.run_lists import export_entries, import_list
from worker.intake.run_sources import Adding
from worker.model import SourceId
from worker.store import sources, watching


def listed(*entries: Entry) -> Listed:
    return Listed(entries=entries, format="YAML")


def many(count: int) -> Listed:
    return listed(
        *(Entry(url=f"https://paper{number}.example/feed", name=f"Paper {number:04}") for number in range(count))
    )


def test_a_long_list_is_stored_in_one_go_and_progress_is_told(database):
    told: list[int] = []
    imported = import_list(database, many(1_200), actor="a test", progress=told.append)
    assert imported.fates == Counter({Fate.NEW: 1_200})
    assert told == [0, 500, 1_000, 1_200]
    with database.write() as conn:
        rows = sources.every(conn)
        assert len(rows) == 1_200
        assert {(row.kind, row.state, row.outlet, row.house, row.failures) for row in rows} == {
            ("feed", SourceState.ACTIVE, "", False, 0)
        }
        assert rows[7].host == "paper7.example"
        assert len(sources.due(conn)) == 1_200
    assert import_list(database, many(1_200), actor="a test").fates == Counter({Fate.KNOWN: 1_200})


def test_a_list_pauses_and_begins_again_what_it_says_and_revives_what_was_removed(database):
    urls = [f"https://{name}.example/feed" for name in ("a", "b", "c")]
    import_list(database, listed(*(Entry(url=url, name=url) for url in urls)), actor="a test")
    a, b, c = (SourceId(row.id) for row in export_rows(database))
    run_sources.pause(database, b, actor="a test")
    run_sources.remove(database, c, actor="a test")
    wanted = (Entry(url=urls[0], paused=True), Entry(url=urls[1], paused=False), Entry(url=urls[2], house=True))
    assert import_list(database, listed(*wanted), actor="a test", dry_run=True).fates == Counter({Fate.CHANGED: 3})
    assert [row.id for row in export_rows(database)] == [a, b]
    import_list(database, listed(*wanted), actor="a test")
    rows = export_rows(database)
    assert [(row.id, row.state, row.next_poll_at is None) for row in rows] == [
        (a, SourceState.PAUSED, True),
        (b, SourceState.ACTIVE, False),
        (c, SourceState.ACTIVE, False),
    ]
    assert [entry.paused for entry in export_entries(database)] == [True, None, None]
    assert rows[2].house


def export_rows(database):
    with database.read() as conn:
        return sources.every(conn)


def test_a_source_is_added_removed_and_added_again_under_its_number(database):
    first = run_sources.add(database, Entry(url="http://wire.example/rss"), actor="a test")
    assert (first.came, first.row.name) == (Adding.NEW, "wire.example")
    source_id = SourceId(first.row.id)
    known = run_sources.add(database, Entry(url="https://wire.example/rss/", name="Other"), actor="a test")
    assert (known.came, known.row.id, known.row.name) == (Adding.KNOWN, source_id, "wire.example")
    assert run_sources.remove(database, source_id, actor="a test") == 0
    again = run_sources.add(database, Entry(url="https://wire.example/rss", name="Wire"), actor="a test")
    assert (again.came, again.row.id, again.row.url) == (Adding.AGAIN, source_id, "https://wire.example/rss")
    assert (again.row.state, again.row.name, again.row.next_poll_at is None) == (SourceState.ACTIVE, "Wire", False)


def test_a_page_of_sources_is_told_by_number(database):
    import_list(database, many(5), actor="a test")
    with database.write() as conn:
        ids = [SourceId(row.id) for row in sources.every(conn)]
        sources.change(conn, ids[1], failures=2)
        watching.remove(conn, ids[2], reason="")
        page = watching.listed(conn, after=ids[0], limit=2)
        assert [row.id for row in page] == [ids[1], ids[3]]
        assert [row.id for row in watching.listed(conn, after=0, limit=9, failing=True)] == [ids[1]]
        assert len(watching.listed(conn, after=0, limit=9, failing=False, held=False, state=SourceState.ACTIVE)) == 3
