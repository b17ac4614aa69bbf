"""What every HTTP transport must send, against a provider played from its own documentation on a real socket."""

from __future__ import annotations

import dataclasses
import functools
import html
from collections.abc import Sequence

import pytest

from tests.contract.transports.parts import KOREA, TRUMP, Sent, meant, message
from tests.contract.transports.playing import Play, request, transport_of
from tests.contract.transports.scripted_server import run
from tests.hostile import Source, forged, source
from worker.adapters.transports.http_wire import Posting
from worker.errors import Blame, SendError
from worker.model import OutgoingMessage, Receipt
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.mail import CompiledMail


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
        # The stand-ins know the house's From; a newsletter has one of its own.
        parts = dataclasses.replace(
            compiled.parts(personal), from_name="The Harbour Courier", from_address="news@courier.example"
        )
        return message(number)._replace(parts=parts)

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


SEEDS = 12
THEIR_WORDS = (
    "{{ 7 * 7 }} {% if x %} {# x {{{ %recipient.delivery% %unsubscribe_url% 5%recipient.percent% -tocsin.t_view-"
)


@functools.cache
def attacks() -> tuple[OutgoingMessage, ...]:
    """Write mails whose every word is somebody's attack, to addresses that are merely odd."""
    titled = source("alert", "en", {("content", "card", "title"): THEIR_WORDS})
    return tuple(_attack(number, one) for number, one in enumerate([*map(forged, range(SEEDS)), titled]))


def _attack(number: int, one: Source) -> OutgoingMessage:
    # The stand-ins know the house's From and Reply-To.
    parts = dataclasses.replace(
        one.compiled().parts(one.personal),
        from_name="The Harbour Courier",
        from_address="news@courier.example",
        reply_to="desk@courier.example",
    )
    return message(number, recipient=one.personal.recipient)._replace(parts=parts)


def shown(sent: Sent) -> Sent:
    """Return what a reader gets, however the HTML spells it."""
    return dataclasses.replace(sent, html=html.unescape(sent.html))


def test_hostile_mails_arrive_word_for_word_too(provider):
    async def test():
        play, messages = Play(provider), attacks()
        async with play.server as server:
            transport = transport_of(provider, server.url)
            answers = await transport.send(request(*messages))
            await transport.close()
        assert all(isinstance(answer, Receipt) for answer in answers), answers
        if not provider.whole_mime:
            told = {one.delivery: shown(one) for one in play.accepted}
            assert told == {str(one.delivery_id): shown(meant(one)) for one in messages}

    run(test())


def test_a_message_of_which_no_request_can_be_made_keeps_no_other_back(provider, monkeypatch):
    async def test():
        play, messages = Play(provider), letters(5)
        async with play.server as server:
            transport = transport_of(provider, server.url)
            build = transport.build

            def choosy(some: Sequence[OutgoingMessage], key: str) -> Posting:
                if messages[3] in some:
                    raise ValueError("odd")
                return build(some, key)

            monkeypatch.setattr(transport, "build", choosy)
            answers = await transport.send(request(*messages))
            await transport.close()
        assert [isinstance(answer, Receipt) for answer in answers] == [True, True, True, False, True]
        assert len(play.accepted) == 4

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
