"""How every transport with connections keeps, reuses, retires and closes them."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.transports.scripted_server import (
    Fault,
    OneLetter,
    ScriptedServer,
    Slow,
    Step,
    letter,
    run,
    send,
)
from worker.errors import SendError


def test_one_connection_serves_one_message_after_another(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port, "connections=5")
            for number in range(7):
                await send(transport, letter(number))
            await transport.close()
        assert len(server.conversations) == 1
        assert server.conversations[0].verbs[-1] == "QUIT"
        assert len(server.messages) == 7

    run(test())


def test_more_sends_than_connections_wait_their_turn(make):
    async def test():
        async with ScriptedServer({Step.DOT: Slow(0.01)}) as server:
            transport = make(server.port, "connections=3")
            assert transport.connections == 3
            await asyncio.gather(*(send(transport, letter(number)) for number in range(12)))
            await transport.close()
        assert server.most_open == len(server.conversations) == 3
        assert sorted(server.messages) == sorted(letter(number).data for number in range(12))

    run(test())


def test_a_connection_retires_after_its_number_of_messages(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port, "messages=2")
            for number in range(5):
                await send(transport, letter(number))
            await transport.close()
        assert [len(conversation.messages) for conversation in server.conversations] == [2, 2, 1]
        assert {conversation.verbs[-1] for conversation in server.conversations} == {"QUIT"}

    run(test())


def test_an_idle_connection_is_closed_with_a_goodbye(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port, "idle_s=0.05")
            await send(transport, letter())
            await server.conversations[0].ended.wait()
            assert server.conversations[0].verbs[-1] == "QUIT"
            await send(transport, letter(2))
            await transport.close()
        assert len(server.conversations) == 2

    run(test())


def test_the_clock_of_an_idle_connection_stops_while_it_works(make):
    async def test():
        async with ScriptedServer({Step.DOT: Slow(0.1)}) as server:
            transport = make(server.port, "idle_s=0.05")
            await send(transport, letter(1))
            assert (await send(transport, letter(2))).code == 250
            await transport.close()
        assert server.conversations[0].verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]

    run(test())


@pytest.mark.parametrize("act", [Fault.DROP, Fault.HANG_UP, "421 4.4.2 idle too long"])
def test_a_connection_that_died_while_idle_costs_no_message(make, act):
    async def test():
        async with ScriptedServer({Step.AFTER: act}, {}) as server:
            transport = make(server.port)
            await send(transport, letter(1))
            await (server.conversations[0].ended.wait() if isinstance(act, Fault) else server.reached(Step.AFTER))
            assert (await send(transport, letter(2))).code == 250
            await transport.close()
        assert [len(conversation.messages) for conversation in server.conversations] == [1, 1]

    run(test())


def test_a_server_that_is_gone_by_the_next_message_is_reported_once(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port)
            await send(transport, letter(1))
        with pytest.raises(SendError) as caught:
            await send(transport, letter(2))
        await transport.close()
        assert not caught.value.permanent

    run(test())


def test_close_then_send_again(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port)
            await transport.close()
            await send(transport, letter(1))
            await transport.close()
            await send(transport, letter(2))
            await transport.close()
        assert [conversation.verbs[-1] for conversation in server.conversations] == ["QUIT", "QUIT"]

    run(test())


def test_close_leaves_a_message_under_way_alone(make):
    async def test():
        async with ScriptedServer({Step.DOT: Slow(0.1)}) as server:
            transport = make(server.port)
            sending = asyncio.create_task(send(transport, letter()))
            await server.reached(Step.DOT)
            await transport.close()
            assert (await sending).code == 250
            await server.conversations[0].ended.wait()
        assert server.conversations[0].verbs[-1] == "QUIT"

    run(test())


def test_a_cancelled_send_does_not_harm_the_next(make):
    async def test():
        async with ScriptedServer({Step.RCPT: Fault.STALL}, {}) as server:
            transport = make(server.port, "connections=1")
            sending = asyncio.create_task(send(transport, letter(1)))
            await server.reached(Step.RCPT)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert (await send(transport, letter(2))).code == 250
            await transport.close()
        assert server.messages == [letter(2).data]

    run(test())


def test_a_greeting_in_other_letters_can_be_kept_and_logged(make):
    """EUC-KR and Latin-1 are no UTF-8: what cannot be stored would stop every other message too."""

    async def test():
        async with ScriptedServer({Step.BANNER: "554 5.7.1 zur\udcfcckgewiesen\x00\x07 hier"}) as server:
            transport = make(server.port)
            with pytest.raises(SendError, match="554") as refused:
                await transport.work(OneLetter(letter()))
            await transport.close()
            assert refused.value.text.isprintable()
            assert refused.value.text.endswith("554 5.7.1 zur\ufffdckgewiesen hier")

    run(test())
