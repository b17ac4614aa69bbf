"""What every transport must do: the receipts, the three exits, and the exact border of doubt."""

from __future__ import annotations

import pytest

from tests.contract.transports.scripted_server import (
    REPLIES,
    Act,
    Fault,
    Script,
    ScriptedServer,
    Slow,
    Step,
    letter,
    run,
    send,
)
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt, Sighting

QUICK = "connect_s=0.3&command_s=0.3&data_s=0.3&final_dot_s=0.3"
BREAKS = (Fault.DROP, Fault.HANG_UP, Fault.STALL)
GARBAGE = "I am not a mail server"
HUGE = b"Subject: long\r\n\r\n" + b"x" * 998 + b"\r\n" + (b"y" * 998 + b"\r\n") * 16_000  # more than sockets buffer


def patience(act: Act) -> str:
    """Wait little for an answer that will not come, and long enough for others on a busy machine."""
    return QUICK if act is Fault.STALL else ""


def test_a_receipt_tells_code_text_and_queue_id(make):
    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port)
            receipt = await send(transport, letter())
            await transport.close()
        assert receipt == Receipt(
            provider="relay",
            code=250,
            enhanced="2.0.0",
            text="Ok: queued as 4F1B2C3D",
            provider_message_id="4F1B2C3D",
        )
        assert server.conversations[0].commands == [
            "EHLO news.test",
            f"MAIL FROM:<bounce+1@news.test> SIZE={len(letter().data)}",
            "RCPT TO:<reader@example.org>",
            "DATA",
            "QUIT",
        ]

    run(test())


def test_the_message_arrives_byte_for_byte(make):
    data = b".first\r\nSubject: dots\r\n\r\n.\r\n..\r\n.end\r\nline\r\n"

    async def test():
        async with ScriptedServer() as server:
            transport = make(server.port)
            await send(transport, letter(data=data))
            await transport.close()
        assert server.messages == [data]

    run(test())


def test_slow_answers_are_waited_for(make):
    script: Script = {step: Slow(0.02) for step in (*REPLIES, Step.EHLO)}

    async def test():
        async with ScriptedServer(script) as server:
            transport = make(server.port, "command_s=5&data_s=5&final_dot_s=5")
            assert (await send(transport, letter())).code == 250
            await transport.close()

    run(test())


REFUSALS: list[tuple[Step, str, bool, Blame]] = [
    (Step.MAIL, "451 4.3.0 try later", False, Blame.US),
    (Step.MAIL, "550 5.7.1 sender not allowed", True, Blame.US),
    (Step.MAIL, "550 5.1.1 no such sender", True, Blame.US),
    (Step.RCPT, "450 4.7.1 greylisted", False, Blame.US),
    (Step.RCPT, "452 4.2.2 mailbox full", False, Blame.RECIPIENT),
    (Step.RCPT, "552 5.2.2 mailbox full", False, Blame.RECIPIENT),
    (Step.RCPT, "550 5.1.1 no such user", True, Blame.RECIPIENT),
    (Step.RCPT, "550-5.1.1 no such user,\n550 5.1.1 see our page", True, Blame.RECIPIENT),
    (Step.RCPT, "556 5.1.10 null MX", True, Blame.RECIPIENT),
    (Step.RCPT, "550 5.2.1 disabled", True, Blame.RECIPIENT),
    (Step.RCPT, "550 no such user here", True, Blame.RECIPIENT),
    (Step.RCPT, "553 no such mailbox", True, Blame.RECIPIENT),
    (Step.RCPT, "550 5.7.1 blocked", True, Blame.US),
    (Step.RCPT, "554 relay denied", True, Blame.US),
    (Step.DATA, "451 4.3.2 not now", False, Blame.US),
    (Step.DATA, "554 no valid recipients", True, Blame.US),
    (Step.DOT, "452 4.3.1 disk full", False, Blame.US),
    (Step.DOT, "550 5.7.515 your domain fails our rules", True, Blame.US),
    (Step.DOT, "550 looks like spam", True, Blame.US),
    (Step.DOT, "550 5.1.1 no such user", True, Blame.RECIPIENT),
]


@pytest.mark.parametrize(("step", "reply", "permanent", "blame"), REFUSALS)
def test_a_refusal_says_whether_to_retry_and_whom_it_is_about(make, step, reply, permanent, blame):
    async def test():
        async with ScriptedServer({step: reply}, {}) as server:
            transport = make(server.port)
            with pytest.raises(SendError) as caught:
                await send(transport, letter())
            await transport.close()
        error = caught.value
        assert (error.permanent, error.blame) == (permanent, blame)
        assert error.code == int(reply[:3])
        assert error.enhanced == (reply[4:].split()[0] if reply[5] == "." else "")

    run(test())


def test_a_refused_message_leaves_the_connection_fit_for_the_next(make):
    async def test():
        async with ScriptedServer({Step.DATA: "451 4.3.0 not this one"}) as server:
            transport = make(server.port)
            for number in range(3):
                with pytest.raises(SendError):
                    await send(transport, letter(number))
            await transport.close()
        assert len(server.conversations) == 1
        assert server.conversations[0].verbs == ["EHLO", *["MAIL", "RCPT", "DATA", "RSET"] * 3, "QUIT"]

    run(test())


KNOWN_UNSENT: list[tuple[Step, Act]] = [
    *((Step.BANNER, act) for act in (*BREAKS, GARBAGE, "554 5.3.2 closed", "421 4.3.2 busy")),
    *((Step.EHLO, act) for act in (*BREAKS, GARBAGE, "421 4.3.2 busy")),
    *((step, act) for step in (Step.MAIL, Step.RCPT, Step.DATA) for act in (*BREAKS, GARBAGE)),
    *((step, "354 more?") for step in (Step.MAIL, Step.RCPT)),
    (Step.DATA, "250 not what was asked"),
    *((step, "421 4.3.2 closing") for step in (Step.MAIL, Step.RCPT, Step.DATA, Step.DOT)),
]


@pytest.mark.parametrize(("step", "act"), KNOWN_UNSENT)
def test_what_breaks_before_the_final_dot_is_known_unsent(make, step, act):
    async def test():
        async with ScriptedServer({step: act}, {}) as server:
            transport = make(server.port, patience(act))
            with pytest.raises(SendError) as caught:
                await send(transport, letter())
            assert (await send(transport, letter())).code == 250  # over a new connection
            await transport.close()
        assert (caught.value.permanent, caught.value.blame) == (False, Blame.US)
        assert len(server.conversations) == 2
        assert not {"RSET", "QUIT"} & set(server.conversations[0].verbs)  # there is nobody to say it to

    run(test())


@pytest.mark.parametrize("act", Fault)
def test_what_breaks_in_the_middle_of_the_content_is_known_unsent(make, act):
    async def test():
        async with ScriptedServer({Step.BODY: act}, {}, small_buffer=True) as server:
            transport = make(server.port, patience(act))
            with pytest.raises(SendError) as caught:
                await send(transport, letter(data=HUGE))
            await transport.close()
        assert (caught.value.permanent, caught.value.blame) == (False, Blame.US)
        assert server.messages == []

    run(test())


@pytest.mark.parametrize("act", [*BREAKS, GARBAGE, "354 more?"])
def test_what_breaks_after_the_final_dot_is_unknown(make, act):
    async def test():
        async with ScriptedServer({Step.DOT: act}, {}) as server:
            transport = make(server.port, patience(act))
            with pytest.raises(OutcomeUnknown):
                await send(transport, letter())
            assert (await send(transport, letter(2))).code == 250
            await transport.close()
        assert len(server.conversations) == 2
        assert server.messages[0] == letter().data

    run(test())


def test_a_short_message_is_unknown_even_when_the_server_dropped_it_in_the_middle(make):
    """All of it, dot included, was with the operating system when the reset came: nobody here knows how far it got."""

    async def test():
        async with ScriptedServer({Step.BODY: Fault.DROP}) as server:
            transport = make(server.port)
            with pytest.raises(OutcomeUnknown):
                await send(transport, letter())
            await transport.close()

    run(test())


def test_a_server_that_answers_too_early_is_not_spoken_to_again(make):
    """Its answer to one command would pass for the answer to the next."""

    async def test():
        async with ScriptedServer({Step.BODY: "552 5.3.4 too long", Step.DOT: "500 5.5.2 what?"}, {}) as server:
            transport = make(server.port)
            with pytest.raises(SendError) as caught:
                await send(transport, letter(1, data=HUGE))
            assert (caught.value.permanent, caught.value.enhanced) == (True, "5.3.4")
            assert (await send(transport, letter(2))).code == 250
            await transport.close()
        assert [len(conversation.messages) for conversation in server.conversations] == [1, 1]

    run(test())


def test_a_dead_port_is_a_passing_trouble_of_ours(make):
    async def test():
        async with ScriptedServer() as server:
            port = server.port
        transport = make(port)
        with pytest.raises(SendError) as caught:
            await send(transport, letter())
        await transport.close()
        assert (caught.value.permanent, caught.value.blame) == (False, Blame.US)

    run(test())


def test_a_message_that_the_server_finds_too_big_is_never_begun(make):
    async def test():
        async with ScriptedServer(extensions=["SIZE 50"]) as server:
            transport = make(server.port)
            with pytest.raises(SendError) as caught:
                await send(transport, letter())
            await transport.close()
        assert (caught.value.permanent, caught.value.blame, caught.value.enhanced) == (True, Blame.US, "5.3.4")
        assert server.conversations[0].verbs == ["EHLO", "QUIT"]

    run(test())


def test_a_korean_local_part_needs_a_server_that_offers_smtputf8(make):
    message = letter(recipient="독자@메일.kr")

    async def test():
        async with ScriptedServer(extensions=["SMTPUTF8"]) as server:
            transport = make(server.port)
            await send(transport, message)
            await transport.close()
        assert "RCPT TO:<독자@xn--h32bq4v.kr>" in server.conversations[0].commands
        assert "MAIL FROM:<bounce+1@news.test> SMTPUTF8" in server.conversations[0].commands
        async with ScriptedServer(extensions=["SIZE"]) as server:
            transport = make(server.port)
            with pytest.raises(SendError) as caught:
                await send(transport, message)
            await transport.close()
        assert (caught.value.permanent, caught.value.blame) == (True, Blame.RECIPIENT)

    run(test())


def test_a_korean_domain_needs_nothing(make):
    async def test():
        async with ScriptedServer(extensions=["SIZE"]) as server:
            transport = make(server.port)
            await send(transport, letter(recipient="reader@메일.kr"))
            await transport.close()
        assert "RCPT TO:<reader@xn--h32bq4v.kr>" in server.conversations[0].commands

    run(test())


def test_a_server_older_than_ehlo_is_greeted_with_helo(make):
    async def test():
        async with ScriptedServer({Step.EHLO: "500 what?"}) as server:
            transport = make(server.port)
            await send(transport, letter())
            await transport.close()
        assert server.conversations[0].commands[:3] == [
            "EHLO news.test",
            "HELO news.test",
            "MAIL FROM:<bounce+1@news.test>",
        ]

    run(test())


def test_where_there_is_nobody_to_ask_a_look_up_cannot_tell(make):
    async def test():
        assert await make(1).look_up("<1@news.test>") is Sighting.CANNOT_TELL

    run(test())
