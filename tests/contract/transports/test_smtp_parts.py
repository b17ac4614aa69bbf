"""The pure parts of the SMTP transport: replies, queue ids, envelopes."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.transports.scripted_server import letter, run
from worker.adapters.transports.smtp_envelope import Offers, seal, stuff
from worker.adapters.transports.smtp_replies import Reply, Stage, queue_id, refusal
from worker.adapters.transports.smtp_wire import Wire
from worker.errors import Blame, SendError

ANSWERS = {
    "2.0.0 Ok: queued as 4XyZ12ab": "4XyZ12ab",
    "Ok: queued as ABCDEF.": "ABCDEF",
    "2.0.0 OK id=1rABcD-00000001abC-1XyZ": "1rABcD-00000001abC-1XyZ",
    "2.0.0 41NHsJ2x012345 Message accepted for delivery": "41NHsJ2x012345",
    "2.0.0: 1a2b3c4d Message accepted for delivery": "1a2b3c4d",
    "2.0.0 OK  1700000000 d9-20020a05si1234567wrb.123 - gsmtp": "d9-20020a05si1234567wrb.123",
    "2.6.0 <1@a> [InternalId=1234567, Hostname=AM1.test] 9 bytes in 0.1 Queued mail for delivery": "1234567",
    "Ok 0102018b2f3c4d5e-abcdef01-2345-6789-000000": "0102018b2f3c4d5e-abcdef01-2345-6789-000000",
    "ok 1700000000 qp 4242": "4242",
    "Message Queued (0F1E2D3C-1.1)": "0F1E2D3C-1.1",
    "2.0.0 Ok": "",
    "Great success": "",
    "": "",
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.items())
def test_the_queue_id_is_found_in_the_usual_answers(answer, expected):
    assert queue_id(Reply.of(250, [answer]).text) == expected


def test_an_enhanced_code_of_another_class_is_text():
    assert Reply.of(250, ["5.1.1 is what I would have said"]).enhanced == ""


def test_a_reply_is_one_printable_line():
    assert Reply.of(550, ["5.7.1 a\x1b[31mb", "5.7.1 c"]).text == "a [31mb c"


@settings(deadline=None)
@given(code=st.integers(400, 599), text=st.text(max_size=60), stage=st.sampled_from(Stage))
def test_only_a_dead_address_is_ever_blamed_for_good(code, text, stage):
    reply = Reply.of(code, [text])
    error = refusal(reply, stage)
    if error.permanent and error.blame is Blame.RECIPIENT:
        assert stage is not Stage.MAIL
        assert reply.enhanced in {"5.1.1", "5.1.10", "5.2.1"} or (stage is Stage.RCPT and code in {550, 553})


@settings(deadline=None)
@given(st.lists(st.sampled_from([b".", b"..", b"a", b"", b". ", b"x" * 998]), max_size=8))
def test_stuffing_is_undone_by_any_server(lines):
    data = b"".join(line + b"\r\n" for line in lines) or b"\r\n"
    stuffed = stuff(data)
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed
    assert b"".join(line.removeprefix(b".") for line in stuffed.splitlines(keepends=True)) == data


@pytest.mark.parametrize("data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n", b"a\r\r\n", b"\n"])
def test_a_bare_line_end_is_never_sent(data):
    with pytest.raises(SendError) as caught:
        seal(letter(data=data), Offers())
    assert (caught.value.permanent, caught.value.blame) == (True, Blame.US)


def test_eight_bit_content_needs_the_extension():
    message = letter(data="Subject: x\r\n\r\n소식\r\n".encode())
    assert seal(message, Offers(eight_bit=True)).mail.endswith(b" BODY=8BITMIME\r\n")
    with pytest.raises(SendError):
        seal(message, Offers())


def test_a_sender_beyond_ascii_needs_the_extension_whoever_is_written_to():
    message = letter(data="From: 미나@news.test\r\n\r\nHello\r\n".encode())
    assert seal(message, Offers(utf8=True, eight_bit=True)).mail.endswith(b" BODY=8BITMIME SMTPUTF8\r\n")
    with pytest.raises(SendError) as caught:
        seal(message, Offers(eight_bit=True))
    assert (caught.value.permanent, caught.value.blame, caught.value.enhanced) == (True, Blame.US, "5.6.7")


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "@host", "a@", "a@b\r\nRCPT TO:<c@d>", "a@b> SIZE=1", "a b@c", "a@b\0", "a@-독.kr", "a@\u202e.kr"],
)
def test_what_would_break_out_of_the_envelope_is_refused(address):
    with pytest.raises(SendError) as caught:
        seal(letter(recipient=address), Offers(utf8=True))
    assert (caught.value.permanent, caught.value.blame) == (True, Blame.RECIPIENT)
    assert not address or address not in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_command_is_always_one_line(address):
    try:
        envelope = seal(letter(recipient=f"{address}@example.org"), Offers(utf8=True))
    except SendError:
        return
    assert envelope.rcpt.startswith(b"RCPT TO:<")
    assert envelope.rcpt.index(b"\r") == len(envelope.rcpt) - 2
    assert envelope.rcpt.index(b">") == len(envelope.rcpt) - 3


def test_nothing_of_a_message_is_shown_where_it_is_printed():
    message = letter()._replace(recipient="mina@reader.example", data=b"Subject: secret\r\n\r\nsecret\r\n")
    shown = repr([message, seal(message, Offers())])
    assert shown.count(message.message_id) == 2
    assert not any(word in shown for word in ("secret", "mina", message.envelope_from))


def test_the_null_sender_is_an_envelope_sender():
    envelope = seal(letter()._replace(envelope_from=""), Offers())
    assert envelope.mail == b"MAIL FROM:<>\r\n"


def test_a_size_without_a_number_is_no_limit():
    assert Offers.of({"size": ""}) == Offers(says_size=True)
    assert Offers.of({"size": "0"}) == Offers(says_size=True)


def test_what_is_written_has_left_this_process():
    """Less than asyncio's own idea of a full buffer may not stay behind: the final dot is the next thing written."""

    async def test():
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        wire = Wire(transport)
        await wire.drain(b"x" * 1000, 1)
        with pytest.raises(TimeoutError):
            await wire.drain(b"x" * 40_000, 0.05)
        wire.abort()
        await wire.wait_closed()
        theirs.close()

    run(test())
