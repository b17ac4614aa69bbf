"""What every HTTP transport must do, against a provider played from its own documentation on a real socket."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import socket
import traceback

import pytest

from tests.contract.transports.parts import KOREA, TRUMP, meant, message
from tests.contract.transports.playing import PROVIDERS, Play, WholeErrand, request, transport_of
from tests.contract.transports.provider_server import Act, Fault, ProviderServer, Reply, replied
from tests.contract.transports.providers.provider import Provider
from tests.contract.transports.scripted_server import run
from tests.contract.transports.test_smtp_security import ELSEWHERE, LOOPBACK, Authority
from worker.adapters.transports import http
from worker.adapters.transports.http_replies import UnwillingError
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Form, OutgoingMessage, Receipt, Sighting
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.mail import CompiledMail

BROKEN_OFF = (Fault.RESET, Fault.CLOSE, Fault.HALF, Fault.NONSENSE)
SLOW = (Fault.HANG, Fault.DRIP)
QUICK = "connect_s=2&reply_s=0.2"


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture(autouse=True)
def _repeats_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REPEAT_AFTER_S", (0.0, 0.0))


def letters(count: int) -> list[OutgoingMessage]:
    """Write copies of two contents, in turn."""
    return [message(number, KOREA if number % 3 == 2 else TRUMP) for number in range(count)]


def test_every_reader_gets_exactly_their_own_copy(provider):
    async def test():
        play, messages = Play(provider), letters(7)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*messages))
            await transport.close()
        for answer in answers:
            assert isinstance(answer, Receipt), answer
            assert (answer.provider, answer.code // 100) == ("way", 2)
            assert bool(answer.provider_message_id) is provider.says_ids
        if not provider.whole_mime:
            by_reader = {sent.recipient: sent for sent in play.accepted}
            for one in messages:
                assert by_reader[one.recipient] == meant(one)
        assert sorted(sent.delivery for sent in play.accepted) == sorted(str(one.delivery_id) for one in messages)

    run(test())


@functools.cache
def rendered(kind: str, locale: str) -> CompiledMail:
    newsroom = samples.newsroom("en").model_copy(update={"reply_to": "desk@courier.example"})
    return Renderer(newsroom=newsroom).compile(samples.content(kind, locale))


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_mails_as_they_are_rendered_arrive_word_for_word(provider, kind, locale):
    compiled = rendered(kind, locale)

    def copy(number: int) -> OutgoingMessage:
        personal = samples.personal(kind, locale)._replace(
            recipient=f"reader{number}@example.org", unsubscribe=f"tok{number}", view=f"v{number}"
        )
        return dataclasses.replace(message(number), parts=compiled.parts(personal))

    async def test():
        play, messages = Play(provider), [copy(number) for number in range(3)]
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*messages))
            await transport.close()
        assert all(isinstance(answer, Receipt) for answer in answers), answers
        if not provider.whole_mime:
            assert {one.recipient: one for one in play.accepted} == {one.recipient: meant(one) for one in messages}

    run(test())


def test_nobody_is_in_a_request_too_many(provider):
    async def test():
        play = Play(provider)
        async with play.server as server:
            transport = transport_of(provider, server.url, "batch=3" if provider.most > 1 else "")
            answers = await transport.send(request(*(message(number) for number in range(7))))
            await transport.close()
        assert all(isinstance(answer, Receipt) for answer in answers)
        assert max(len(provider.read(posted)) for posted in server.posted) == min(3, provider.most)
        assert len(server.posted) == (3 if provider.most > 1 else 7)
        assert transport.window == transport.connections * transport.batch

    run(test())


def test_a_request_that_would_be_too_large_is_split(provider, monkeypatch):
    async def test():
        play = Play(provider)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            one = len(transport.build([message(0)], "k").content)
            monkeypatch.setattr(type(transport), "most_bytes", one + 300)
            answers = await transport.send(request(*(message(number) for number in range(4))))
            monkeypatch.setattr(type(transport), "most_bytes", one // 2)
            (refused,) = await transport.send(request(message(5)))
            await transport.close()
        assert all(isinstance(answer, Receipt) for answer in answers)
        assert len(play.accepted) == 4
        assert isinstance(refused, SendError)
        assert (refused.permanent, refused.blame) == (True, Blame.US)

    run(test())


def test_one_address_twice_gets_both_messages(provider):
    async def test():
        play = Play(provider)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            twice = [message(number, recipient="same@example.org") for number in range(2)]
            answers = await transport.send(request(*twice))
            await transport.close()
        assert all(isinstance(answer, Receipt) for answer in answers)
        assert sorted(sent.delivery for sent in play.accepted) == ["1000", "1001"]

    run(test())


@pytest.mark.parametrize("wrong", [{0}, {2}, {1, 4}, {0, 1, 2, 3, 4}])
def test_who_is_refused_takes_nobody_else_along(provider, wrong):
    async def test():
        messages = [message(number) for number in range(5)]
        play = Play(provider, refused={messages[place].recipient for place in wrong})
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*messages))
            await transport.close()
        for place, answer in enumerate(answers):
            if place in wrong:
                assert isinstance(answer, SendError), answer
                assert (answer.permanent, answer.blame) == (True, Blame.RECIPIENT)
            else:
                assert isinstance(answer, Receipt), answer
        accepted = [sent.recipient for sent in play.accepted]
        assert sorted(accepted) == [one.recipient for place, one in enumerate(messages) if place not in wrong]

    run(test())


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
