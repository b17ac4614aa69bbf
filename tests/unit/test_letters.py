"""One reader's copy: the shared content with this reader's links, which lead where they should and nowhere else."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import content
from tests.thorough import thorough
from worker.content import AlertContent
from worker.errors import AddressError
from worker.letters import CONFIRM_WITHIN, Letters
from worker.model import DeliveryId, EditionKind, Form, Lane, Severity, StoryId
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.counted import UNCOUNTED
from worker.store.copies import DueDelivery
from worker.tokens import Purpose, Tokens

PLANNED = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TOKENS = Tokens(["a key of more than thirty-two characters"])
NEWSROOM = samples.newsroom("en")


@pytest.fixture(scope="module")
def letters() -> Letters:
    return Letters(renderer=Renderer(newsroom=NEWSROOM), tokens=TOKENS, newsroom=NEWSROOM)


def due(kind: EditionKind) -> DueDelivery:
    return DueDelivery(
        id=DeliveryId(77),
        edition_id=5,
        edition_kind=kind,
        severity=Severity.NORMAL,
        lane=Lane.ALERTS,
        expires_at=PLANNED + timedelta(hours=6),
        planned_at=PLANNED,
        attempts=0,
        content_id=1,
        content=content(kind, StoryId(3), Severity.NORMAL).model_dump_json(),
        subscriber_id=9,
        recipient="ada@readers.example",
        domain="readers.example",
        name="Ada",
        message_id="5.9.1795676400@courier.example",
        in_reply_to="",
        confirmations=2,
        provider="",
        code=None,
        avoid="",
    )


def content_of(data: bytes, subtype: str) -> str:
    body = email.message_from_bytes(data, policy=email.policy.default).get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def links(data: bytes) -> dict[str, str]:
    """Return the token of each kind of link in a message's text and headers."""
    text = content_of(data, "plain") + str(email.message_from_bytes(data)["List-Unsubscribe"] or "")
    return dict(re.findall(rf"{re.escape(NEWSROOM.base_url)}/(\w+)/([\w.-]+)", text))


KINDS = [EditionKind.ALERT, EditionKind.DIGEST, EditionKind.CONFIRMATION]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_delivery_makes_the_same_bytes_on_every_try(letters, kind):
    first, later = letters.write(due(kind)), letters.write(due(kind)._replace(attempts=3))
    assert first == later
    assert (first.delivery_id, first.recipient) == (77, "ada@readers.example")
    assert first.message_id.encode() in first.data


EVIL = st.sampled_from(
    ["a" * 260, "\r\n.\r\n", "\r", "\n", ".", "=?utf-8?q?=0ABcc:?=", "북한", '"', "\\", "<", ">", ",", "@", "\x00"]
)
HOSTILE = st.lists(EVIL | st.text(max_size=9), max_size=6).map("".join)


@thorough(many=200)
@given(kind=st.sampled_from(KINDS), name=HOSTILE, local=st.just("ada") | HOSTILE, domain=st.just("b.example") | HOSTILE)
def test_whatever_people_write_a_transport_need_not_look_through_a_message(letters, kind, name, local, domain):
    """`OutgoingMessage` promises so: nothing to stuff or mend, one header above the body, and ASCII where it says."""
    row = due(kind)._replace(name=name, recipient=f"{local}@{domain}")
    try:
        message = letters.write(row)
    except AddressError:
        return
    assert message.is_clean
    assert message.is_ascii <= message.data.isascii()
    assert message.is_ascii or not row.recipient.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|^\.|\n\.|\x00", message.data)
    assert message.data.endswith(b"\r\n")
    assert max(map(len, message.data.split(b"\r\n"))) <= 998
    assert list(email.message_from_bytes(message.data)) == list(email.message_from_bytes(letters.write(due(kind)).data))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bounce_names_its_delivery_and_nobodys_address(letters, kind):
    message = letters.write(due(kind))
    local, _, domain = message.envelope_from.rpartition("@")
    assert domain == "courier.example"
    assert len(local) <= 64  # RFC 5321, 4.5.3.1.1
    assert "ada" not in local
    assert TOKENS.delivery_of(message.envelope_from) == 77


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_writes_mime_itself_is_given_the_same_copy_in_parts(letters, kind):
    whole, message = letters.write(due(kind)), letters.write(due(kind), Form.PARTS)
    assert message._replace(parts=None, data=whole.data) == whole
    assert message.data == b""
    assert message.parts is not None
    assert (message.parts.text, message.parts.html) == (content_of(whole.data, "plain"), content_of(whole.data, "html"))
    assert dict(message.parts.headers)["Feedback-ID"] == f"5:{kind}:tocsin:courier.example"


def test_who_sends_is_told_to_gmail_in_fifteen_characters_however_long_the_domain():
    house = NEWSROOM.model_copy(update={"from_address": "a@news.the-harbour-courier.example"})
    letters = Letters(renderer=Renderer(newsroom=house), tokens=TOKENS, newsroom=house)
    message = email.message_from_bytes(letters.write(due(EditionKind.DIGEST)).data)
    campaign, kind, program, sender = message["Feedback-ID"].split(":")
    assert (campaign, kind, program) == ("5", "digest", "tocsin")
    assert 5 <= len(sender) <= 15
    other = email.message_from_bytes(letters.write(due(EditionKind.ALERT)).data)["Feedback-ID"]
    assert other.endswith(f":{sender}")


@pytest.fixture
def counting():
    class Counting(Renderer):
        compiled = 0

        def compile(self, content, counted=UNCOUNTED):
            self.compiled += 1
            return super().compile(content, counted)

    return Counting(newsroom=NEWSROOM)


def test_a_content_is_compiled_once_for_all_its_readers(counting):
    letters = Letters(renderer=counting, tokens=TOKENS, newsroom=NEWSROOM)
    row = due(EditionKind.DIGEST)
    ada, bo = (letters.write(row._replace(recipient=f"{name}@readers.example"), Form.PARTS) for name in ("ada", "bo"))
    assert ada.parts
    assert bo.parts
    assert ada.parts.composition is bo.parts.composition
    for number in range(100):
        letters.write(due(EditionKind.ALERT)._replace(content_id=number))
    assert counting.compiled == 101


def test_a_content_whose_id_was_given_anew_is_never_mailed_to_the_next_one_s_readers(letters):
    erased = due(EditionKind.ALERT)
    other = AlertContent(locale="en", card=samples.cards_of("en")[1])
    assert letters.write(erased).data == letters.write(erased).data
    fresh = letters.write(erased._replace(content=other.model_dump_json()))
    assert other.card.title.encode() in fresh.data


@pytest.mark.parametrize("kind", [EditionKind.ALERT, EditionKind.DIGEST])
def test_each_link_is_good_for_its_own_purpose(letters, kind):
    found = links(letters.write(due(kind)).data)
    read = {
        "preferences": (Purpose.PREFERENCES, (9,)),
        "unsubscribe": (Purpose.UNSUBSCRIBE, (9, 77)),
        "m": (Purpose.VIEW, (77,)),
    }
    assert read.keys() <= found.keys()
    assert "confirm" not in found
    for path, (purpose, numbers) in read.items():
        assert TOKENS.read(purpose, found[path], now=PLANNED + timedelta(days=3650)) == numbers


def test_a_question_can_be_answered_for_three_days(letters):
    token = links(letters.write(due(EditionKind.CONFIRMATION)).data)["confirm"]
    last = PLANNED + CONFIRM_WITHIN
    assert TOKENS.read(Purpose.CONFIRM, token, now=last - timedelta(seconds=1)) == (9, 2)
    with pytest.raises(Exception, match="expired"):
        TOKENS.read(Purpose.CONFIRM, token, now=last)
