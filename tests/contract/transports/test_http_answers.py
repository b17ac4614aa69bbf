"""What every HTTP transport makes of answers, of lost ones too, and what it repeats."""

from __future__ import annotations

import pytest

from tests.contract.transports.parts import message
from tests.contract.transports.playing import Play, request, transport_of
from tests.contract.transports.provider_server import Fault, Reply, replied
from tests.contract.transports.scripted_server import run
from worker.adapters.transports.http_replies import UnwillingError
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt

BROKEN_OFF = (Fault.RESET, Fault.CLOSE, Fault.HALF, Fault.NONSENSE)
SLOW = (Fault.HANG, Fault.DRIP)
QUICK = "connect_s=2&reply_s=0.2"


def test_a_rate_limit_is_temporary_about_us_and_says_how_long_to_wait(provider):
    async def test():
        play = Play(provider, provider.limited)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*(message(number) for number in range(5))))
            await transport.close()
        assert len(server.posted) == 1
        assert play.accepted == []
        for answer in answers:
            assert isinstance(answer, UnwillingError)
            assert (answer.permanent, answer.blame, answer.reached) == (False, Blame.US, True)
            assert answer.retry_after_s == (provider.limited_s and pytest.approx(provider.limited_s, rel=0.1))

    run(test())


def test_a_wrong_key_is_for_the_operator_to_mend_and_costs_nobody_their_mail(provider):
    async def test():
        play = Play(provider, provider.unauthorised)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            (answer, _) = await transport.send(request(message(1), message(2)))
            await transport.close()
        assert isinstance(answer, UnwillingError)
        assert (answer.permanent, answer.blame, answer.code) == (False, Blame.US, provider.unauthorised.status)
        assert str(answer.code) in answer.text

    run(test())


def test_a_fault_of_our_request_is_ours(provider):
    async def test():
        play = Play(provider, *[provider.ours] * 9)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(message(1), message(2)))
            await transport.close()
        for answer in answers:
            assert isinstance(answer, SendError)
            assert (answer.permanent, answer.blame) == (True, Blame.US)

    run(test())


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_fault_of_theirs_is_doubtful_unless_they_say_that_nothing_was_sent(provider, status):
    async def test():
        play = Play(provider, *[Reply(status=status, headers={"Retry-After": "3"}, body=b"<h1>Oops</h1>")] * 3)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            (answer,) = await transport.send(request(message(1)))
            await transport.close()
        if status in provider.unsent:
            assert isinstance(answer, UnwillingError)
            assert (answer.permanent, answer.retry_after_s) == (False, 3)
        else:
            assert isinstance(answer, OutcomeUnknown)
            assert str(status) in str(answer)
        assert len(server.posted) == (3 if provider.key_of and status not in provider.unsent else 1)

    run(test())


@pytest.mark.parametrize("fault", [*BROKEN_OFF, *SLOW])
def test_a_lost_answer_is_doubtful(provider, fault):
    async def test():
        play = Play(provider, *[fault] * 3, deaf=True)
        async with play.server as server:
            transport = transport_of(provider, server.url, QUICK if fault in SLOW else "")
            answers = await transport.send(request(message(1)))
            await transport.close()
        assert [type(answer) for answer in answers] == [OutcomeUnknown]
        assert len(server.posted) == (3 if provider.key_of else 1)
        assert len(play.accepted) == 1

    run(test())


@pytest.mark.parametrize("fault", BROKEN_OFF)
def test_where_keys_are_honoured_a_lost_answer_is_asked_for_again(provider, fault):
    async def test():
        play = Play(provider, fault, deaf=True)
        messages = [message(number) for number in range(3)]
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*messages))
            await transport.close()
        if provider.key_of:
            assert transport.keys_honoured_s > 600
            assert all(isinstance(answer, Receipt) for answer in answers), answers
        else:
            assert transport.keys_honoured_s == 0
        counted = [sent.recipient for sent in play.accepted]
        assert len(counted) == len(set(counted))
        assert server.posted[0].body == server.posted[-1].body or not provider.key_of or provider.most == 1

    run(test())


def test_after_a_crash_the_same_request_is_repeated_without_a_second_mail(provider):
    async def test():
        play = Play(provider)
        messages = [message(number) for number in range(3)]
        async with play.server as server:
            first, second = transport_of(provider, server.url), transport_of(provider, server.url)
            await first.send(request(*messages))
            await first.close()
            answers = await second.repeat(request(*messages))
            await second.close()
        assert all(isinstance(answer, Receipt) for answer in answers)
        assert len(play.accepted) == (3 if provider.key_of else 6)  # which is why the others are never repeated

    run(test())


def test_what_is_left_of_a_request_never_goes_out_as_a_new_one(provider):
    """A message of it has meanwhile gone another way: the others meet the key of the whole, or their own."""

    async def test():
        play = Play(provider)
        messages = [message(number) for number in range(3)]
        async with play.server as server:
            transport = transport_of(provider, server.url)
            await transport.send(request(*messages))
            left = messages[1:] if transport.keys_honoured_s else []
            answers = await transport.repeat(request(*left))
            await transport.close()
        assert [type(answer) for answer in answers] == [OutcomeUnknown if provider.most > 1 else Receipt] * len(left)
        assert len(play.accepted) == 3

    run(test())


def test_what_is_refused_in_a_repeat_may_have_been_accepted_before(provider):
    async def test():
        for act in (provider.limited, provider.unauthorised, provider.ours):
            play = Play(provider, *[act] * 9)
            async with play.server as server:
                transport = transport_of(provider, server.url)
                answers = await transport.repeat(request(message(1), message(2)))
                await transport.close()
            assert [type(answer) for answer in answers] == [OutcomeUnknown] * 2

    run(test())


@pytest.mark.parametrize(
    "answer",
    [
        Reply(body=b"not JSON"),
        Reply(body=b""),
        Reply(body=b"[1, 2"),
        replied(200, {"what": "is this"}),
        replied(200, []),
        replied(200, "Queued"),
        Reply(body=b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}),
        Reply(body=b"[" + b" " * 9_000_000 + b"]"),
    ],
    ids=["text", "empty", "broken", "other", "none", "string", "packed", "huge"],
)
def test_an_acceptance_that_nobody_understands_is_doubtful(provider, answer):
    async def test():
        play = Play(provider, answer)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            (got,) = await transport.send(request(message(1)))
            await transport.close()
        assert isinstance(got, OutcomeUnknown if provider.reads_answer else Receipt), got

    run(test())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(provider, status):
    async def test():
        async with Play(provider).server as elsewhere:
            play = Play(provider, Reply(status=status, headers={"Location": elsewhere.url + "/there"}))
            async with play.server as server:
                transport = transport_of(provider, server.url)
                (answer,) = await transport.send(request(message(1)))
                await transport.close()
        assert isinstance(answer, SendError)
        assert (answer.permanent, answer.blame) == (False, Blame.US)
        assert (len(server.posted), len(elsewhere.posted)) == (1, 0)

    run(test())
