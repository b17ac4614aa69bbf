"""Many awaited calls, few transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.grouped import Grouped


def doubled(groups: list[int], *, gate: Callable[[], Awaitable[object]] | None = None) -> Grouped[int, int]:
    """Answer each number with its double; note the size of every group."""

    async def work(items: Sequence[int]) -> Sequence[int]:
        groups.append(len(items))
        await (gate() if gate else asyncio.sleep(0))
        if any(item < 0 for item in items):
            raise ValueError("a negative number")
        return [2 * item for item in items]

    return Grouped(work)


@given(st.lists(st.integers(min_value=0), min_size=1, max_size=30))
def test_everybody_gets_the_answer_to_their_own_item(items):
    async def scenario() -> list[int]:
        call = doubled([])
        return await asyncio.gather(*(call(item) for item in items))

    assert asyncio.run(scenario()) == [2 * item for item in items]


def test_what_comes_in_while_a_group_is_worked_on_makes_the_next_group():
    async def scenario() -> list[int]:
        groups: list[int] = []
        opened = asyncio.Event()
        call = doubled(groups, gate=opened.wait)
        calls = [asyncio.create_task(call(0))]
        await asyncio.sleep(0.01)
        calls += [asyncio.create_task(call(item)) for item in range(5)]
        await asyncio.sleep(0.01)
        opened.set()
        await asyncio.gather(*calls)
        assert await call(7) == 14  # and it starts again when it has been idle
        return groups

    assert asyncio.run(scenario()) == [1, 5, 1]


def test_a_groups_error_reaches_all_of_its_group_and_nobody_else():
    async def scenario() -> list[object]:
        call = doubled([])
        mixed = await asyncio.gather(call(1), call(-1), return_exceptions=True)
        return [*mixed, await call(2)]

    first, second, third = asyncio.run(scenario())
    assert isinstance(first, ValueError)
    assert isinstance(second, ValueError)
    assert third == 4


def test_who_stops_waiting_does_not_spoil_it_for_the_others():
    async def scenario() -> int:
        opened = asyncio.Event()
        call = doubled([], gate=opened.wait)
        impatient, patient = asyncio.create_task(call(1)), asyncio.create_task(call(2))
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.sleep(0)
        opened.set()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return await patient

    assert asyncio.run(scenario()) == 4
