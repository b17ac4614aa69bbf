"""Readers in processes of their own: what hangs, grows or breaks costs its document alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final

import psutil
import pytest

from tests.integration.intake.test_taking_in import rss
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.reader_wire import What
from worker.errors import FeedError, InputError
from worker.feeds import ParsedFeed

SMALL: Final = rss(("1", "First"))
LARGE: Final = rss(*((str(number), "A title " + "of many words " * 20) for number in range(4_900)))


@pytest.fixture
def make_pool() -> Iterator[Callable[..., ReaderPool]]:
    made: list[ReaderPool] = []

    def make(**limits: Any) -> ReaderPool:
        made.append(ReaderPool(most=1, **limits))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def begin(pool: ReaderPool, data: bytes, *, is_doubtful: bool = False) -> Future[ParsedFeed]:
    url = "https://gazette.example/feed.xml"
    return pool.read(What.FEED, data, url=url, content_type="text/xml", is_doubtful=is_doubtful)


def titles(feed: ParsedFeed) -> list[str]:
    return [article.title for article in feed.articles]


def test_a_document_is_read_elsewhere_as_it_would_be_here_and_refused_in_the_same_words(make_pool):
    pool = make_pool()
    for _ in range(3):
        assert titles(begin(pool, SMALL).result()) == ["First"]
    (process,) = pool.processes
    assert process != os.getpid()
    with pytest.raises(FeedError, match="no feed: this is a PDF file"):
        begin(pool, b"%PDF-1.7 and so on").result()


def test_what_takes_too_long_is_ended_and_given_up_and_its_neighbours_are_read(make_pool):
    pool = make_pool(quickly_s=0.02, slowly_s=0.02)
    slow = begin(pool, LARGE)
    with pytest.raises(InputError, match=r"takes more than 0\.02 s"):
        slow.result()
    pool = make_pool(quickly_s=0.02)
    assert len(begin(pool, LARGE).result().articles) == 4_900, "with more time it is read"


def test_what_takes_too_much_memory_is_given_up_and_its_neighbours_are_read(make_pool):
    pool = make_pool()
    begin(pool, SMALL).result()
    idle_bytes = psutil.Process(pool.processes[0]).memory_info().vms
    pool = make_pool(memory_bytes=idle_bytes + 8_000_000)
    with pytest.raises(InputError, match=r"more memory than it may|takes more than"):
        begin(pool, LARGE + b" " * 7_000_000).result()
    assert titles(begin(pool, SMALL).result()) == ["First"]


def test_a_reader_that_is_killed_is_replaced(make_pool):
    pool = make_pool()
    begin(pool, SMALL).result()
    (process,) = pool.processes
    os.kill(process, signal.SIGKILL)
    assert titles(begin(pool, SMALL).result()) == ["First"]
    assert process not in pool.processes


def test_a_doubtful_document_keeps_nobody_else_waiting(make_pool):
    pool = make_pool()
    doubtful = [begin(pool, LARGE, is_doubtful=True) for _ in range(3)]
    assert titles(begin(pool, SMALL).result()) == ["First"]
    assert not doubtful[-1].done()


def test_at_the_end_no_reader_is_left_even_in_the_middle_of_a_document(make_pool):
    pool = make_pool()
    begin(pool, SMALL).result()
    processes = pool.processes
    begin(pool, LARGE)
    pool.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
