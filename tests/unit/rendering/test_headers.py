"""DELIVERABILITY.md's table "Every message", on the bytes of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from tests.unit.rendering.test_mails import Page
from worker.content import AlertContent, CorrectionContent, UpdateNote
from worker.rendering import samples
from worker.rendering.compile import Renderer


def message(renderer, kind, locale="en", **changes):
    personal = samples.personal(kind, locale)._replace(**changes)
    return message_from_bytes(renderer.compile(samples.content(kind, locale)).fill(personal), policy=policy.default)


@pytest.mark.parametrize("kind", samples.LISTED)
def test_a_mail_to_a_subscriber_can_be_left_with_one_click(renderer, kind):
    mail = message(renderer, kind)
    assert mail["List-Unsubscribe"] == "<https://news.courier.example/unsubscribe/x7Qm2VbT9sKd4Lw>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == f"Topics you follow <{kind}.courier.example>"
    assert mail["List-Help"] == "<https://news.courier.example/preferences/x7Qm2VbT9sKd4Lw>"
    archive = "newsletters/top-10-stories" if kind == "newsletter" else "topics"
    assert mail["List-Archive"] == f"<https://news.courier.example/{archive}>"


@pytest.mark.parametrize("kind", ["confirmation", "goodbye", *samples.LETTERS])
def test_a_confirmation_and_a_letter_are_on_no_list_and_repeat_nobody_s_words(renderer, kind):
    mail = message(renderer, kind, name="WIN BITCOIN at evil.example")
    assert [header for header in mail if header.startswith("List-")] == []
    assert mail["To"] == "mina@reader.example"
    assert "BITCOIN" not in mail.as_string()


@pytest.mark.parametrize(
    ("kind", "automatic"),
    [
        ("alert", "auto-generated"),
        ("breaking", "auto-generated"),
        ("rolling", "auto-generated"),
        ("correction", "auto-generated"),
        ("confirmation", "auto-generated"),
        ("moved", "auto-generated"),
        ("welcome", "auto-generated"),
        ("changed", "auto-generated"),
        ("goodbye", "auto-generated"),
        ("digest", None),
        ("away", None),
    ],
)
def test_nobody_s_holiday_reply_comes_back_for_what_came_by_itself(renderer, kind, automatic):
    assert message(renderer, kind)["Auto-Submitted"] == automatic


@pytest.mark.parametrize("kind", ["update", "correction", "retraction"])
def test_a_mail_about_an_earlier_one_answers_it(renderer, kind):
    mail = message(renderer, kind)
    assert mail["In-Reply-To"] == mail["References"] == "<sample-alert-en@courier.example>"
    parts = renderer.compile(samples.content(kind, "en")).parts(samples.personal(kind, "en"))
    told = dict(parts.headers)
    assert told["In-Reply-To"] == told["References"] == "<sample-alert-en@courier.example>"


@pytest.mark.parametrize("kind", ["alert", "digest", "rolling", "confirmation"])
def test_a_mail_that_tells_something_new_answers_none(renderer, kind):
    mail = message(renderer, kind, in_reply_to="1.2.3@courier.example")
    assert mail["In-Reply-To"] is mail["References"] is None


@pytest.mark.parametrize(
    "earlier", ["1.2@courier.example>\r\nBcc: eve@evil.example", "a b@courier.example", "é@courier.example"]
)
def test_no_message_id_adds_a_header(renderer, earlier):
    with pytest.raises(ValueError, match="In-Reply-To"):
        message(renderer, "correction", in_reply_to=earlier)


def hostile() -> list[AlertContent | CorrectionContent]:
    words = "Wrong\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>"
    card = samples.cards_of("en")[0]
    updated = card.model_copy(update={"update": UpdateNote(note=words, at=card.published_at)})
    return [
        AlertContent(locale="en", card=updated, threaded=True),
        CorrectionContent(locale="en", retracted=False, title=words, note=words, card=card),
    ]


@pytest.mark.parametrize("content", hostile(), ids=lambda content: content.kind)
def test_no_editor_s_word_adds_a_header_or_markup(renderer, content):
    mail, personal = renderer.compile(content), samples.personal("correction", "en")
    assert message_from_bytes(mail.fill(personal), policy=policy.default)["Bcc"] is None
    assert Page(mail.html(personal)).scripts == 0


@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_mail_says_who_when_what_and_in_which_language(renderer, kind):
    mail = message(renderer, kind, "ko", sent_at=datetime(2026, 11, 23, 7, 0, 5, tzinfo=UTC))
    sender = ("항구일보", "top10") if kind == "newsletter" else ("The Harbour Courier", "news")  # it has its own
    assert str(mail["From"]) == "{} <{}@courier.example>".format(*sender)
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


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_the_page_in_a_browser_shows_what_the_mail_shows_in_the_language_that_both_name(kind, locale):
    personal = samples.personal(kind, locale)
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    assert mail.html(personal) == mail.mailed_html(personal)
    language = message_from_bytes(mail.fill(personal))["Content-Language"]
    assert f'<html lang="{language}" dir="ltr"' in mail.mailed_html(personal)
