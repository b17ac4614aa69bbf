"""Mails whose clicks and opens are counted: what changes in them, and that no reader is told by it."""

from __future__ import annotations

import email
import email.policy
import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.content import AlertContent, AnyContent, DigestContent, Section, edition_kind_of
from worker.errors import TokenError
from worker.letters import Letters
from worker.measures import MEASURED_KINDS, TRAP, Measure
from worker.model import DeliveryId, EditionKind, Form, Lane, Severity
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.fitting import MAX_HTML_BYTES
from worker.store.copies import DueDelivery
from worker.tokens import Purpose, Tokens

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TOKENS = Tokens(["a key of more than thirty-two characters"])
NEWSROOM = samples.newsroom("en")
RENDERER = Renderer(newsroom=NEWSROOM)


_HIDDEN = r'style="[^"]*display:\s?none"'


def letters(*measures: Measure) -> Letters:
    return Letters(renderer=RENDERER, tokens=TOKENS, newsroom=NEWSROOM, measures=measures)


PLAIN, COUNTED = letters(), letters(*Measure)


def due(content: AnyContent, *, edition: int = 5, reader: int = 9) -> DueDelivery:
    return DueDelivery(
        id=DeliveryId(100 * edition + reader),
        edition_id=edition,
        edition_kind=edition_kind_of(content),
        severity=Severity.NORMAL,
        lane=Lane.BULK,
        expires_at=NOW + timedelta(hours=6),
        planned_at=NOW,
        attempts=0,
        content_id=int(content.digest()[:12], 16),
        content=content.model_dump_json(),
        subscriber_id=reader,
        recipient="ada@readers.example",
        domain="readers.example",
        name="Ada",
        message_id=f"{edition}.{reader}@courier.example",
        in_reply_to="1.1@courier.example",
        confirmations=1,
        provider="",
        code=None,
        avoid="",
    )


def part(data: bytes, subtype: str) -> str:
    body = email.message_from_bytes(data, policy=email.policy.default).get_body((subtype,))
    assert body is not None
    return str(body.get_content())


def counted_links(markup: str) -> list[tuple[int, ...]]:
    """Return what links say that people see."""
    tokens = re.findall(rf'href="{re.escape(NEWSROOM.base_url)}/c/([^"]+)"(?! {_HIDDEN})', markup)
    return [TOKENS.read(Purpose.CLICK, token, now=NOW) for token in tokens]


def traps(markup: str) -> list[tuple[int, ...]]:
    hidden = rf'<a href="{re.escape(NEWSROOM.base_url)}/c/([^"]+)" {_HIDDEN} aria-hidden="true" tabindex="-1"></a>'
    return [TOKENS.read(Purpose.CLICK, token, now=NOW) for token in re.findall(hidden, markup)]


def pixels(markup: str) -> list[tuple[int, ...]]:
    tokens = re.findall(rf'<img src="{re.escape(NEWSROOM.base_url)}/o/([^"]+)\.gif"', markup)
    return [TOKENS.read(Purpose.OPEN, token, now=NOW) for token in tokens]


def stories_linked(markup: str, content: AnyContent) -> set[str]:
    hrefs = {html.unescape(href) for href in re.findall(r'href="([^"]+)"', markup)}
    return hrefs & {card.url for card in content.all_cards()}


NEWS = [kind for kind in samples.EDITORIAL if samples.content(kind, "en").all_cards()]


@pytest.mark.parametrize("kind", NEWS)
@pytest.mark.parametrize("locale", samples.LOCALES)
def test_links_of_news_lead_by_way_of_us_and_the_text_part_says_where_they_go(kind, locale):
    content = samples.content(kind, locale)
    plain, counted = PLAIN.write(due(content)).data, COUNTED.write(due(content)).data
    was, markup = part(plain, "html"), part(counted, "html")
    assert stories_linked(was, content)
    assert stories_linked(markup, content) == set()
    articles = {card.article_id for card in content.all_cards() if card.url in stories_linked(was, content)}
    assert set(counted_links(markup)) == {(5, article) for article in articles}
    assert pixels(markup) == [(5,)]
    assert traps(markup) == [(5, TRAP)]
    assert part(counted, "plain") == part(plain, "plain")


@pytest.mark.parametrize("kind", sorted({*samples.KINDS} - {*NEWS}))
def test_letters_and_retractions_of_nothing_to_follow_have_no_counted_link(kind):
    content = samples.content(kind, "en")
    data = COUNTED.write(due(content)).data
    assert counted_links(part(data, "html")) == []
    if edition_kind_of(content) not in MEASURED_KINDS:
        assert data == PLAIN.write(due(content)).data


def test_an_issue_that_an_editor_tries_out_is_not_counted():
    tried = due(samples.content("newsletter", "en"))._replace(edition_kind=EditionKind.SYSTEM)
    assert COUNTED.write(tried).data == PLAIN.write(tried).data


@pytest.mark.parametrize("measure", Measure)
def test_only_what_is_asked_for_is_in_the_mail(measure):
    markup = part(letters(measure).write(due(samples.content("digest", "en"))).data, "html")
    assert bool(counted_links(markup)) == (measure is Measure.CLICKS)
    assert bool(traps(markup)) == (measure is Measure.CLICKS)
    assert bool(pixels(markup)) == (measure is Measure.OPENS)


def test_all_readers_of_an_edition_have_the_same_links_and_image():
    content = samples.content("digest", "en")
    ada, bo = (part(COUNTED.write(due(content, reader=reader)).data, "html") for reader in (9, 10))
    assert counted_links(ada) == counted_links(bo)
    ours = rf'{re.escape(NEWSROOM.base_url)}/[co]/[^"]+'
    assert re.findall(ours, ada) == re.findall(ours, bo)


def test_two_editions_of_one_content_are_counted_apart_and_never_sent_for_one_another():
    content = samples.content("digest", "en")
    one, other = (COUNTED.write(due(content, edition=edition), Form.PARTS).parts for edition in (5, 6))
    again = COUNTED.write(due(content, edition=5, reader=10), Form.PARTS).parts
    assert one
    assert other
    assert again
    assert {edition for edition, _ in counted_links(one.html)} == {5}
    assert {edition for edition, _ in counted_links(other.html)} == {6}
    assert one.composition.key != other.composition.key
    assert one.composition is again.composition


def test_a_long_mail_stays_below_where_it_would_be_clipped_with_its_longer_links():
    cards = tuple(
        card.model_copy(update={"story_id": number, "article_id": number, "url": f"https://a.example/{number}"})
        for number, card in enumerate(samples.cards_of("en") * 20)
    )
    content = DigestContent(locale="en", day=NOW.date(), sections=(Section(topic="All", slug="all", cards=cards),))
    markup = part(COUNTED.write(due(content)).data, "html")
    assert 0.8 * MAX_HTML_BYTES < len(markup.encode()) < 102_000


def test_an_address_that_is_not_safe_to_follow_is_not_counted_either():
    card = samples.cards_of("en")[0].model_copy(update={"url": "javascript:alert(1)"})
    markup = part(COUNTED.write(due(AlertContent(locale="en", card=card))).data, "html")
    assert counted_links(markup) == []
    assert "javascript" not in markup


@settings(max_examples=25)
@given(st.integers(1, 2**40), st.integers(1, 2**40), st.integers(1, 2**40))
def test_no_link_of_an_edition_says_another_edition_or_an_article_that_is_not_in_it(edition, other, article):
    card = samples.cards_of("en")[0].model_copy(update={"article_id": article})
    content = AlertContent(locale="en", card=card)
    markup = part(COUNTED.write(due(content, edition=edition)).data, "html")
    assert set(counted_links(markup)) == {(edition, article)}
    token = re.findall(r"/c/([\w.-]+)", markup)[0]
    ours, signature = token.rsplit(".", 1)
    forged = TOKENS.sign(Purpose.CLICK, other, article).rsplit(".", 1)[0]
    if forged != ours:
        with pytest.raises(TokenError):
            TOKENS.read(Purpose.CLICK, f"{forged}.{signature}", now=NOW)
