"""Hostile feeds, all the way: bytes, article, card, mail. A feed gives a mail words, and none of its markup."""

from __future__ import annotations

import html as entities
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chromium import CHROMIUM, MISSING
from tests.databases import SqliteTemplate, opened
from tests.integration.intake.hostile import CASES, Case, rss
from worker.adapters.sources.files import read_feed
from worker.content import AlertContent, Reason, StoryCard
from worker.facts import Telling
from worker.intake.run import Intake
from worker.intake.validate import validate
from worker.model import ParsedArticle, Severity, StoryId
from worker.planning.cards import told_card
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.language import direction_of
from worker.store import articles
from worker.store.tellings import tellings

AT: Final = datetime(2026, 11, 23, 7, tzinfo=UTC)
FOLLOWED: Final = Reason(topic="Oman", slug="oman", words=())
SENTENCE: Final = "Nobody was hurt in the harbour"

Element = tuple[str, tuple[str, ...]]


@cache
def renderer() -> Renderer:
    return Renderer(newsroom=samples.newsroom("en"))


def card_of(article: ParsedArticle) -> StoryCard:
    """Tell an article that has gone through intake's checks, as planning would."""
    fit = validate(article, now=AT).article
    telling = Telling(
        article_id=1,
        story_id=StoryId(1),
        revision=1,
        title=fit.title,
        summary=fit.summary,
        body=fit.body,
        url=fit.url,
        outlet=fit.source,
        house=False,
        lang=fit.lang,
        author=fit.author,
        section=fit.section,
        severity=Severity.NORMAL,
        published_at=AT,
        seen_at=AT,
        is_copy=False,
        image=fit.image,
    )
    return told_card([telling], reasons=(FOLLOWED,))


class Mail:
    """The alert of a story, and its harmless twin: the same, with other words."""

    def __init__(self, card: StoryCard) -> None:
        self.card = card
        self.subject, self.html, self.text = self._rendered(card)
        self.twin = self._rendered(_twin(card))[1]

    @staticmethod
    def _rendered(card: StoryCard) -> tuple[str, str, str]:
        mail = renderer().compile(AlertContent(locale="en", card=card))
        reader = samples.personal("alert", "en")
        return mail.subject(reader), mail.html(reader), mail.text(reader)


def _twin(card: StoryCard) -> StoryCard:
    word = "שלום" if direction_of(card.title) == "rtl" else "x"
    image = card.image and card.image.model_copy(
        update={"url": "https://a.example/x.jpg", "alt": "y" if card.image.alt else ""}
    )
    words = {name: word for name in ("title", "summary", "author", "section", "source") if getattr(card, name)}
    url = "https://a.example/x" if card.url else ""
    return card.model_copy(update={**words, "url": url, "image": image})


def read(feed: bytes) -> ParsedArticle:
    [article] = read_feed(feed, url="https://feed.example/rss.xml", content_type="").articles
    return article


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.addresses: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "background"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def reading(markup: str) -> _Reading:
    found = _Reading()
    found.feed(markup)
    found.close()
    return found


def assert_harmless(mail: Mail) -> None:
    seen, twin = reading(mail.html), reading(mail.twin)
    assert seen.elements == twin.elements, "nothing of the markup is the feed's"
    assert_addresses(seen.addresses)
    assert not any(name.startswith("on") for _, names in seen.elements for name in names)
    assert "script" not in {tag for tag, _ in seen.elements}
    assert "\n" not in mail.subject


def assert_addresses(addresses: Iterable[str]) -> None:
    for address in addresses:
        assert urlsplit(address).scheme in {"http", "https", "mailto"}, address


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_item_is_told_in_its_words_and_in_our_markup(case: Case):
    article = read(case.feed)
    mail = Mail(card_of(article))
    assert_harmless(mail)
    assert case.told in mail.subject
    for shown in (words("".join(reading(mail.html).words)), words(mail.text)):
        assert case.told in shown or case.told[:40] in shown
        assert case.says in shown
    assert mail.card.url == case.url
    assert (mail.card.image.url if mail.card.image else "") == case.image
    assert "alert(1)" not in mail.text or "alert(1)" in case.told


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory, sqlite_template: SqliteTemplate) -> Iterator[Sequence[Mail]]:
    """Every case through a real database: taken in, stored, read back as planning does, and rendered."""
    with opened(sqlite_template.copy(tmp_path_factory.mktemp("hostile") / "tocsin.db")) as database:
        intake = Intake(database, age_limit=timedelta(hours=24))
        mails = []
        for number, case in enumerate(CASES):
            added = intake.add(read(case.feed), kind="file", outlet=f"Gull {number}")
            with database.read() as conn:
                stored = articles.by_id(conn, added.id)
                assert stored is not None
                told = [one for one in tellings(conn, [stored.story_id]) if one.article_id == added.id]
            mails.append(Mail(told_card(told, reasons=(FOLLOWED,))))
        yield mails


def test_a_hostile_item_is_the_same_out_of_the_database(taken_in):
    for case, mail in zip(CASES, taken_in, strict=True):
        assert_harmless(mail)
        assert case.told in mail.subject, case.name
        assert mail.card.url == case.url


IN_THE_BROWSER: Final = """mails => mails.map(mail => {
  const page = new DOMParser().parseFromString(mail, 'text/html');
  const all = [...page.querySelectorAll('*')];
  return {
    elements: all.map(one => [one.localName, ...one.getAttributeNames()].join(' ')),
    addresses: all.flatMap(one => ['href', 'src', 'action', 'background'].filter(n => one.hasAttribute(n))
      .map(n => one.getAttribute(n))),
    words: page.body.textContent,
  };
})"""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING)
def test_a_browser_finds_no_element_and_no_attribute_of_a_feeds(browser, taken_in):
    page = browser.new_page()
    seen = page.evaluate(IN_THE_BROWSER, [mail.html for mail in taken_in])
    twins = page.evaluate(IN_THE_BROWSER, [mail.twin for mail in taken_in])
    page.close()
    for case, mail, twin in zip(CASES, seen, twins, strict=True):
        assert mail["elements"] == twin["elements"], case.name
        assert case.told[:40] in words(mail["words"]), case.name
        assert_addresses(mail["addresses"])


# Whole pieces of markup, none of which hides what stands beside it.
PIECES: Final = (
    "<b>", "</b>", "<p>", "</p>", "<br>", "<i>x</i>", "</div>", "<td>", "</table>", "&amp;", "&lt;",
    "&amp;lt;b&amp;gt;",
    "<script>evil()</script>", "<style>p { x: evil() }</style>", "<svg onload=evil()></svg>", "<!-- evil() -->",
    "<!--[if mso]><p>evil()</p><![endif]-->", "<img src=x onerror=evil()>", '<a href="javascript:evil()">', "</a>",
    '<a href="data:text/html,evil()">', "<iframe srcdoc='evil()'></iframe>", "<object data=evil()></object>",
    "<math><mi>evil()</mi></math>", '<p style="x:expression(evil())" onclick=evil()>', "<?php evil() ?>", "\u202e",
    "\u200b", " ", "\n", "<o:p></o:p>", "&nbsp;", "&#8217;", "&copy;", "<video src=x onerror=evil()></video>",
)  # fmt: skip
around = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def in_cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', '')}]]>"


@given(around, around, st.sampled_from([in_cdata, entities.escape]), st.booleans())
@settings(max_examples=60)
def test_whatever_markup_stands_around_a_sentence_the_sentence_is_told_and_no_markup(before, after, write, in_title):
    told = write(f"{before}<p>{SENTENCE}.</p>{after}")
    article = read(rss(f"<title>{told}</title>") if in_title else rss("<title>Quake</title>", told))
    assert SENTENCE in (article.title if in_title else article.summary)
    mail = Mail(card_of(article))
    assert_harmless(mail)
    assert SENTENCE in words("".join(reading(mail.html).words))
    assert "evil()" not in mail.subject + mail.text


@given(
    st.text(alphabet="<>/!?[]-=\"'&;#x0alerton jvsrip:t()\u202e\u200b\ud800{}%", max_size=120),
    st.sampled_from([in_cdata, entities.escape]),
)
@settings(max_examples=80)
def test_soup_of_markup_makes_no_markup_in_a_mail(soup, write):
    soup = soup.encode("utf-8", "ignore").decode()
    assert_harmless(Mail(card_of(read(rss(f"<title>a {write(soup)}</title>", write(soup), link=soup)))))


def test_a_flood_of_any_size_takes_no_time():
    for flood in ("\u200b" * 100_000, "\u0301\u0316" * 50_000, "<b>" * 25_000, "&amp;" * 25_000, "<" * 100_000):
        assert_harmless(Mail(card_of(read(rss(f"<title>Quake {in_cdata(flood)}</title>", in_cdata(flood))))))
