"""DELIVERABILITY.md's table "Every message", on the bytes of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from worker.rendering import samples
from worker.rendering.compile import Renderer

EDITORIAL = [kind for kind in samples.KINDS if kind != "confirmation"]


def message(renderer, kind, locale="en", **changes):
    personal = samples.personal(kind, locale)._replace(**changes)
    return message_from_bytes(renderer.compile(samples.content(kind, locale)).fill(personal), policy=policy.default)


@pytest.mark.parametrize("kind", EDITORIAL)
def test_an_editorial_mail_can_be_left_with_one_click(renderer, kind):
    mail = message(renderer, kind)
    assert mail["List-Unsubscribe"] == "<https://news.courier.example/unsubscribe/x7Qm2VbT9sKd4Lw>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == f"Topics you follow <{kind}.courier.example>"
    assert mail["List-Help"] == "<https://news.courier.example/preferences/x7Qm2VbT9sKd4Lw>"
    assert mail["List-Archive"] == "<https://news.courier.example/topics>"


def test_a_confirmation_is_on_no_list_and_repeats_no_stranger_s_words(renderer):
    mail = message(renderer, "confirmation", name="WIN BITCOIN at evil.example")
    assert [header for header in mail if header.startswith("List-")] == []
    assert mail["To"] == "mina@reader.example"
    assert "BITCOIN" not in mail.as_string()


@pytest.mark.parametrize(
    ("kind", "automatic"),
    [("alert", "auto-generated"), ("breaking", "auto-generated"), ("confirmation", "auto-generated"), ("digest", None)],
)
def test_nobody_s_holiday_reply_comes_back_for_an_alert_or_a_confirmation(renderer, kind, automatic):
    assert message(renderer, kind)["Auto-Submitted"] == automatic


@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_mail_says_who_when_what_and_in_which_language(renderer, kind):
    mail = message(renderer, kind, "ko", sent_at=datetime(2026, 11, 23, 7, 0, 5, tzinfo=UTC))
    assert str(mail["From"]) == "The Harbour Courier <news@courier.example>"
    assert mail["Reply-To"].addresses[0].addr_spec == "readers@courier.example"
    assert mail["Date"] == "Mon, 23 Nov 2026 07:00:05 +0000"
    assert mail["Message-ID"] == f"<sample-{kind}-ko@courier.example>"
    assert mail["Feedback-ID"] == f"{kind}:sample:1:courier"
    assert mail["Content-Language"] == "ko"


@pytest.mark.parametrize("kind", samples.KINDS)
def test_text_comes_first_and_html_last(renderer, kind):
    mail = message(renderer, kind)
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in mail.iter_parts()} == {"utf-8"}


def test_a_house_without_a_reply_address_has_no_reply_to():
    house = samples.newsroom("en").model_copy(update={"reply_to": "", "from_name": "Straße & Söhne, “Kurier”"})
    mail = message(Renderer(newsroom=house), "alert")
    assert "Reply-To" not in mail
    assert mail["From"].addresses[0].display_name == "Straße & Söhne, “Kurier”"
