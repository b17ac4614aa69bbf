"""What every HTTP transport does with its connections, with errands over them, and with its key."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback

import pytest

from tests.contract.transports.parts import message
from tests.contract.transports.playing import Play, WholeErrand, request, transport_of
from tests.contract.transports.provider_server import Act, Fault, ProviderServer, Reply
from tests.contract.transports.scripted_server import run
from tests.contract.transports.test_smtp_security import ELSEWHERE, LOOPBACK, Authority
from worker.adapters.transports.http_replies import UnwillingError
from worker.errors import Blame, SendError
from worker.model import Form, Receipt, Sighting

QUICK = "connect_s=2&reply_s=0.2"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("where", ["http://127.0.0.1:{}", "https://127.0.0.1:{}", "https://nowhere.invalid"])
def test_a_provider_that_cannot_be_reached_has_been_sent_nothing(provider, where):
    async def test():
        transport = transport_of(provider, where.format(closed_port()), "connect_s=5")
        answers = await transport.send(request(message(1), message(2)))
        await transport.close()
        for answer in answers:
            assert isinstance(answer, UnwillingError)
            assert (answer.permanent, answer.blame, answer.reached) == (False, Blame.US, False)

    run(test())


def test_a_connection_that_never_comes_about_has_sent_nothing(provider):
    async def test():
        with socket.socket() as full:  # its queue is taken, so that the handshake of TCP or TLS never ends
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            url = f"https://127.0.0.1:{full.getsockname()[1]}"
            transport = transport_of(provider, url, "connect_s=0.2")
            (answer,) = await transport.send(request(message(1)))
            await transport.close()
        assert isinstance(answer, UnwillingError)
        assert not answer.reached

    run(test())


def test_a_certificate_that_does_not_hold_ends_it_before_anything_is_sent(provider, tmp_path):
    authority = Authority(tmp_path)

    async def test():
        for names, options in (([LOOPBACK], ""), ([ELSEWHERE], f"ca={authority.file}")):
            async with ProviderServer(lambda _: Reply(), tls=authority.server_context(*names)) as server:
                transport = transport_of(provider, server.url, options)
                (answer,) = await transport.send(request(message(1)))
                await transport.close()
            assert isinstance(answer, UnwillingError)
            assert not answer.reached
            assert server.posted == []

    run(test())


def test_a_certificate_of_the_authority_that_is_named_holds(provider, tmp_path):
    authority = Authority(tmp_path)

    async def test():
        play = Play(provider, tls=authority.server_context(LOOPBACK))
        async with play.server as server:
            transport = transport_of(provider, server.url, f"ca={authority.file}")
            (answer,) = await transport.send(request(message(1)))
            await transport.close()
        assert isinstance(answer, Receipt)

    run(test())


def test_an_errand_is_worked_off_over_no_more_connections_than_allowed(provider):
    async def test():
        play, messages = Play(provider), [message(number) for number in range(40)]
        errand = WholeErrand(messages)
        async with play.server as server:
            transport = transport_of(provider, server.url, "connections=3&" + ("batch=5" if provider.most > 1 else ""))
            await asyncio.gather(*(transport.work(errand) for _ in range(transport.connections)))
            await transport.close()
            assert server.connections <= 3
        assert len(errand.settled) == 40
        assert all(isinstance(answer, Receipt) for answer in errand.settled.values())
        assert errand.returned == []

    run(test())


def test_an_errand_to_a_provider_that_is_away_comes_back_whole(provider):
    async def test():
        errand = WholeErrand([message(number) for number in range(3)])
        transport = transport_of(provider, f"http://127.0.0.1:{closed_port()}")
        with pytest.raises(SendError) as caught:
            await transport.work(errand)
        await transport.close()
        assert (caught.value.permanent, caught.value.blame) == (False, Blame.US)
        assert errand.settled == {}
        assert len(errand.returned) == (3 if provider.most > 1 else 1)

    run(test())


def test_an_errand_to_a_provider_that_wants_nothing_now_is_left_at_once(provider):
    async def test():
        play = Play(provider, provider.limited)
        errand = WholeErrand([message(number) for number in range(3)])
        async with play.server as server:
            transport = transport_of(provider, server.url, "batch=2" if provider.most > 1 else "")
            with pytest.raises(SendError):
                await transport.work(errand)
            await transport.close()
        assert len(server.posted) == 1
        assert len(errand.settled) == min(2, provider.most)

    run(test())


def test_a_transport_may_be_used_again_after_it_was_closed(provider):
    async def test():
        async with Play(provider).server as server:
            transport = transport_of(provider, server.url)
            for number in range(2):
                (answer,) = await transport.send(request(message(number), key=f"k{number}"))
                assert isinstance(answer, Receipt)
                await transport.close()
                await transport.close()
            assert await transport.look_up("1@news.test") is Sighting.CANNOT_TELL
            assert transport.form is (Form.MIME if provider.whole_mime else Form.PARTS)

    run(test())


def told_of(error: BaseException) -> list[str]:
    """Return all that a report of an error may hold: its words, its causes' words, our own functions' variables."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if "/worker/" in frame.filename]
    return [repr(error), str(error), *told.format_exception_only(), *(str(frame.locals) for frame in ours)]


def test_the_key_shows_nowhere_whatever_fails(provider, caplog, capfd):
    told = f"you said {' and '.join(provider.secrets)}".encode()
    acts: list[Act] = [
        *Fault,
        provider.limited,
        provider.unauthorised,
        provider.ours,
        Reply(status=500, body=told),
        Reply(status=400, body=told),
        Reply(status=200, body=told),
    ]
    shown: list[str] = []

    async def test():
        for act in acts:
            play = Play(provider, *[act] * 3)
            async with play.server as server:
                transport = transport_of(provider, server.url, QUICK)
                errand = WholeErrand([message(1)])
                try:
                    await transport.work(errand)
                except SendError as error:
                    shown.extend(told_of(error))
                await transport.close()
                shown.extend([repr(transport), repr(transport.spec), repr(vars(transport))])
                for answer in errand.settled.values():
                    shown.extend(told_of(answer) if isinstance(answer, BaseException) else [repr(answer)])

    caplog.set_level(logging.DEBUG)
    run(test())
    out, err = capfd.readouterr()
    assert len(shown) > len(acts)
    everything = "\n".join([*shown, caplog.text, out, err])
    assert [secret for secret in provider.secrets if secret in everything] == []
