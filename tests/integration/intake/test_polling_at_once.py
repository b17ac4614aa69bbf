"""Many sources at once: what one server, feed or poller does to itself, it does to nobody else."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from tests.contract.sources.scripted_web import Answer, Request, ScriptedWeb, reply, scripted_web
from tests.integration.intake.test_taking_in import intake, rss  # noqa: F401  a fixture
from tests.readers import KeptReaders
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.resolving import Resolver
from worker.errors import ConfigurationError
from worker.intake import run_visits
from worker.intake.pace import Pace
from worker.intake.run import Intake
from worker.intake.run_polling import Poller
from worker.intake.run_turns import Report
from worker.model import ArticleId, SourceId
from worker.store import sources, websub
from worker.store.database import Database, now
from worker.store.schema import Source

FEED: Final = rss(("1", "First"))


@contextmanager
def serving(answers: dict[str, Answer]) -> Iterator[ScriptedWeb]:
    """Run a scripted server in a thread, as others' servers are: it goes on whatever a poller does."""
    begun, ended = threading.Event(), threading.Event()
    found: list[ScriptedWeb] = []

    async def serve() -> None:
        async with scripted_web() as web:
            web.answers = answers
            found.append(web)
            begun.set()
            await asyncio.to_thread(ended.wait)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    begun.wait(10)
    try:
        yield found[0]
    finally:
        ended.set()
        thread.join()


async def never(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)


async def drop_by_drop(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"<")
        await writer.drain()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"<item/>" * 10_000)
        await writer.drain()


STALLING: Final[dict[str, Answer]] = {
    "never": never,
    "drop-by-drop": drop_by_drop,
}
ANSWERING: Final[dict[str, Answer]] = {
    "endless": endless,
    "loop": reply(302, Location="/loop"),
    "large": reply(200, b" " * 11_000_000),
    "bomb": reply(200, gzip.compress(b" " * 1_000_000) * 100, Content_Encoding="gzip"),
    "nobody": reply(404),
}


@pytest.fixture
def hangs() -> Iterator[threading.Event]:
    """What a name server that never answers waits for."""
    event = threading.Event()
    yield event
    event.set()


def resolver(hangs: threading.Event) -> Resolver:
    """All names are this machine, but for those whose name servers never answer."""

    def look_up(host: str, _port: int) -> Sequence[str]:
        if host.startswith("lost-"):
            hangs.wait()
        return ["127.0.0.1"]

    return Resolver(look_up, given_up_s=60.0)


@pytest.fixture
def make_poller(
    database: Database,
    intake: Intake,  # noqa: F811  the fixture
    hangs: threading.Event,
    kept_readers: KeptReaders,
) -> Iterator[Callable[..., Poller]]:
    made: list[Poller] = []
    usual = {"user_agent": "test", "pace": Pace(), "allow_private": True, "readers": lambda: kept_readers}

    def make(**values: object) -> Poller:
        given = usual | {"resolver": resolver(hangs)} | values
        made.append(Poller(database, intake, **given))  # type: ignore[arg-type]  # a test's own words
        return made[-1]

    yield make
    for poller in made:
        poller.close()


def watch(database: Database, web: ScriptedWeb, host: str, path: str = "/") -> SourceId:
    port = web.url.rpartition(":")[2]
    with database.write() as conn:
        return sources.put(conn, kind="feed", name=host, url=f"http://{host}.example:{port}{path}")


def errors(database: Database) -> dict[str, str]:
    with database.read() as conn:
        return {row.name: row.last_error for row in conn.execute(sa.select(Source.name, Source.last_error))}


class Slowly:
    """A server that has been asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await asyncio.to_thread(self.go_on.wait)
        await reply(200, FEED)(request, writer)


def until(true: Callable[[], bool], within_s: float = 60.0) -> None:
    give_up_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_s, "waited for nothing"
        time.sleep(0.02)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_servers_that_stall_hold_up_nobody_and_are_told_of_each_by_itself(database, make_poller, monkeypatch):
    for limit in ("FETCH_S", "HEAD_S", "ENDS_WITHIN_S"):  # however slow this machine is: nobody is given up
        monkeypatch.setattr(f"worker.intake.run_visits.{limit}", 600.0)
    answers = {f"/{name}": answer for name, answer in (STALLING | ANSWERING).items()} | {"/": reply(200, FEED)}
    reports: dict[SourceId, Report] = {}

    def note(report: Report) -> None:
        reports[report.source_id] = report

    with serving(answers) as web:
        stalling = [watch(database, web, name, f"/{name}") for name in STALLING]
        stalling += [watch(database, web, f"lost-{number}") for number in range(20)]
        bad = [watch(database, web, name, f"/{name}") for name in ANSWERING]
        well = [watch(database, web, f"well-{number}") for number in range(20)]
        poller = make_poller(at_once=len(stalling) + 2)
        polling = threading.Thread(target=poller.poll_now, args=([*stalling, *bad, *well], note))
        polling.start()
        until(lambda: reports.keys() >= {*bad, *well})  # with two places between them
        assert not reports.keys() & {*stalling}
        poller.close()
        polling.join()
    told = errors(database)
    assert {name for name, error in told.items() if error} == ANSWERING.keys()
    assert "redirects in a circle" in told["loop"]
    assert "answers 404" in told["nobody"]
    assert all("larger than 10000000 bytes" in told[name] for name in ("endless", "large", "bomb"))


def test_a_host_is_asked_for_one_document_at_a_time_and_others_meanwhile(database, make_poller):
    under_way: dict[str, int] = {}
    most: dict[str, int] = {}
    together = [0]

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        host = request.headers["host"]
        under_way[host] = under_way.get(host, 0) + 1
        most[host] = max(most.get(host, 0), under_way[host])
        together[0] = max(together[0], sum(under_way.values()))
        await asyncio.sleep(0.02)
        under_way[host] -= 1
        await reply(200, FEED)(request, writer)

    with serving({"/a": answer, "/b": answer, "/c": answer}) as web:
        ids = [watch(database, web, f"host-{number}", path) for number in range(4) for path in ("/a", "/b", "/c")]
        reports: list[Report] = []
        assert make_poller().poll_now(ids, reports.append) == []
    assert sorted(report.source_id for report in reports) == sorted(ids)
    assert set(most.values()) == {1}
    assert together[0] > 1


def test_a_worker_polls_what_is_due_without_another_ring_and_gives_everything_back_at_its_end(
    database, make_poller, tmp_path
):
    found: list[ArticleId] = []
    with serving({"/": reply(200, FEED), "/never": never}) as web:
        first = watch(database, web, "first")
        poller = make_poller(lock=tmp_path / "lock")
        assert poller.ring(found.extend)
        until(lambda: len(found) == 1)
        assert not make_poller(lock=tmp_path / "lock").ring(found.extend), "one process of a home polls"
        stalling = watch(database, web, "stalling", "/never")
        watch(database, web, "third")
        until(lambda: len(found) == 2)
        until(lambda: _source(database, stalling).claimed_until is not None)
        poller.close()
        assert _source(database, stalling).claimed_until is None
        assert _source(database, stalling).failures == 0, "nobody has let it end"
        assert _source(database, first).next_poll_at > _source(database, first).last_ok_at
        other = make_poller(lock=tmp_path / "lock")
        assert other.ring(found.extend), "the lock is free again"


def test_a_source_that_is_deleted_or_paused_while_it_is_fetched_stays_so(database, make_poller):
    slow = Slowly()
    with serving({"/": slow.answer}) as web:
        deleted, paused = watch(database, web, "deleted"), watch(database, web, "paused")
        poller = make_poller()
        polling = threading.Thread(target=poller.poll_now, args=([deleted, paused],))
        polling.start()
        slow.asked.wait(30)
        until(lambda: len(web.requests) == 2)
        with database.write() as conn:
            conn.execute(sa.delete(Source).where(Source.id == deleted))
            sources.change(conn, paused, state="paused", claimed_until=None)
        slow.go_on.set()
        polling.join()
    with database.read() as conn:
        assert sources.by_id(conn, deleted) is None
    assert _source(database, paused).state == "paused"


def _source(database: Database, source_id: SourceId) -> sa.Row[tuple[object, ...]]:
    with database.read() as conn:
        found = sources.by_id(conn, source_id)
    assert found is not None
    return found


def test_what_is_wished_for_while_a_source_is_fetched_is_polled_again(database, make_poller):
    slow = Slowly()
    with serving({"/": slow.answer}) as web:
        source_id = watch(database, web, "pushed")
        polling = threading.Thread(target=make_poller().poll_now, args=([source_id],))
        polling.start()
        slow.asked.wait(30)
        with database.write() as conn:  # a hub says that there is something new, and what is fetched may be older
            wished = now(conn)
            websub.poll_soon(conn, source_id, at=wished)
        slow.go_on.set()
        polling.join()
    after = _source(database, source_id)
    assert (after.claimed_until, after.next_poll_at) == (None, wished)
    assert after.last_ok_at is not None


# What is read in other processes -------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_read_again_but_by_another_version_of_the_program(
    database, make_poller, monkeypatch
):
    read: list[bytes] = []

    class Counting(ReaderPool):
        def read(self, what, data, **words):
            read.append(data)
            return super().read(what, data, **words)

    with serving({"/": reply(200, FEED)}) as web:
        source_id = watch(database, web, "same")
        poller = make_poller(readers=Counting)
        assert len(poller.poll(source_id)) == 1
        assert poller.poll(source_id) == []
        assert read == [FEED]
        monkeypatch.setattr("worker.intake.run_visits.__version__", "9.9")
        assert poller.poll(source_id) == []
    assert read == [FEED, FEED]


# While the database is away -------------------------------------------------------------------------------------------


def test_while_the_database_is_away_nobody_is_blamed_and_afterwards_polling_goes_on(database, make_poller, monkeypatch):
    found: list[ArticleId] = []
    is_away = threading.Event()
    connect = Database._connect

    @contextmanager
    def connect_unless_away(self: Database) -> Iterator[sa.Connection]:
        if is_away.is_set() and threading.current_thread().name.startswith("polling"):
            raise ConfigurationError("cannot open the database")
        with connect(self) as conn:
            yield conn

    monkeypatch.setattr(Database, "_connect", connect_unless_away)
    monkeypatch.setattr("worker.intake.run_turns._AWAY_S", 0.01)
    monkeypatch.setattr("worker.intake.run_visits._SPARED", timedelta(0))
    slow = Slowly()
    with serving({"/": slow.answer}) as web:
        source_id = watch(database, web, "courier")
        poller = make_poller()
        poller.ring(found.extend)
        slow.asked.wait(30)
        is_away.set()
        slow.go_on.set()
        until(lambda: len(web.requests) == 1)
        is_away.clear()
        until(lambda: len(found) == 1)
        until(lambda: _source(database, source_id).last_ok_at is not None)
        assert (_source(database, source_id).failures, _source(database, source_id).last_error) == (0, "")
        poller.close()


class Stumbling:
    """Hubs' signs that nobody can read, for a while."""

    def __init__(self) -> None:
        self.broken = True

    def after_poll(self, *_: object, **__: object) -> None:
        pass

    def pushes_of(self, *_: object, **__: object) -> dict[SourceId, object]:
        if self.broken:
            raise ProgrammingError("SELECT", {}, OSError("no such table"))
        return {}


def test_a_poller_that_cannot_keep_its_books_ends_and_begins_anew(database, make_poller, caplog):
    signs = Stumbling()
    with serving({"/": reply(200, FEED)}) as web:
        source_id = watch(database, web, "courier")
        poller = make_poller(signs=signs)
        poller.ring(lambda _: None)
        until(lambda: "polling has stopped" in caplog.text)
        until(lambda: _source(database, source_id).claimed_until is None)  # others may have it
        signs.broken = False
        until(lambda: poller.ring(lambda _: None) and _source(database, source_id).last_ok_at is not None)
        poller.close()


class Slow(Stumbling):
    """Hubs' signs that take longer than a source may take to be fetched and read: our storing, when it is busy."""

    def after_poll(self, *_: object, **__: object) -> None:
        time.sleep(run_visits.ENDS_WITHIN_S + 1)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_source_is_to_blame_for_how_long_its_articles_take_to_be_stored(database, make_poller, monkeypatch):
    monkeypatch.setattr(run_visits, "ENDS_WITHIN_S", 20.0)
    signs = Slow()
    signs.broken = False
    with serving({"/": reply(200, FEED)}) as web:
        source_id = watch(database, web, "courier")
        assert make_poller(signs=signs).poll(source_id)
    assert (_source(database, source_id).failures, _source(database, source_id).last_error) == (0, "")
