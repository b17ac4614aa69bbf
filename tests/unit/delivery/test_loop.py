"""An event loop that outlives the tasks that use it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from worker.delivery.loop import LoopThread


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()
    assert "delivery" not in [one.name for one in threading.enumerate()]


async def where() -> tuple[int, str]:
    return id(asyncio.get_running_loop()), threading.current_thread().name


def test_every_call_runs_on_the_same_loop_in_its_own_thread(loop):
    first, second = loop.run(where()), loop.run(where())
    assert first == second
    assert first[1] == "delivery" != threading.current_thread().name


def test_what_a_coroutine_raises_reaches_the_caller_and_the_loop_goes_on(loop):
    async def stumble() -> None:
        raise KeyError("headline")

    with pytest.raises(KeyError, match="headline"):
        loop.run(stumble())
    assert loop.run(where())


def test_a_caller_need_not_wait_for_ever(loop):
    with pytest.raises(TimeoutError):
        loop.run(asyncio.sleep(30), timeout_s=0.01)
    assert loop.run(where())


def test_stopping_ends_what_still_runs():
    thread = LoopThread()
    begun, ended = threading.Event(), threading.Event()

    async def wait_for_ever() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(thread.run, wait_for_ever())
        assert begun.wait(5)
        thread.stop()
        with pytest.raises(CancelledError):
            waiting.result(5)
    assert ended.is_set()


def test_calls_from_several_threads_run_side_by_side(loop):
    meet = threading.Barrier(2)

    async def both_there() -> bool:
        await asyncio.to_thread(meet.wait, 5)
        return True

    others: list[bool] = []
    other = threading.Thread(target=lambda: others.append(loop.run(both_there())))
    other.start()
    assert loop.run(both_there())
    other.join()
    assert others == [True]
