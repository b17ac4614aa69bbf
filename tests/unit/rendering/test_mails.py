from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from worker.content import AlertContent, DigestContent, Section
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.fitting import MAX_HTML_BYTES
from worker.rendering.holes import marks
from worker.rendering.prose import columns

EACH = pytest.mark.parametrize(("kind", "locale"), [(k, loc) for k in samples.KINDS for loc in samples.LOCALES])


def digest(sections, cards, *, url="https://courier.example/story"):
    card = samples.cards_of("en")[0].model_copy(
        update={"summary": "A long story. " * 100, "highlights": (), "url": url}
    )

    def story(s, c):
        return card.model_copy(update={"story_id": 100 * s + c, "title": f"Story {s}-{c}"})

    return DigestContent(
        locale="en",
        day=samples.DAY,
        sections=tuple(
            Section(topic=f"Topic {s}", slug=f"topic-{s}", cards=tuple(story(s, c) for c in range(cards)))
            for s in range(sections)
        ),
    )


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.open, self.links, self.scripts = [], [], 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@EACH
def test_the_same_content_and_reader_give_the_same_bytes_from_another_renderer(kind, locale):
    made = [
        Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale)).fill(personal)
        for personal in [samples.personal(kind, locale)] * 2
    ]
    assert made[0] == made[1]


def test_a_story_that_other_mails_have_told_before_is_told_the_same_way():
    """Its piece is rendered once, for its own values and size and language, not for its id."""
    personal, renderer = samples.personal("digest", "en"), Renderer(newsroom=samples.newsroom("en"))
    first, other = samples.cards_of("en")[:2]
    changed = first.model_copy(update={"title": "Corrected"})
    for cards in [(first, other), (other, first), (changed, other), (first,)]:
        for locale in ("en", "ko"):
            content = DigestContent(
                locale=locale, day=samples.DAY, sections=(Section(topic="Topic", slug="topic", cards=cards),)
            )
            fresh = Renderer(newsroom=samples.newsroom("en")).compile(content)
            assert renderer.compile(content).fill(personal) == fresh.fill(personal)


@EACH
def test_no_mark_of_a_hole_is_left_in_a_filled_mail(renderer, kind, locale):
    content, personal = samples.content(kind, locale), samples.personal(kind, locale)
    mail = renderer.compile(content)
    for face in (mail.html(personal), mail.text(personal), mail.subject(personal)):
        assert content.digest()[:16] not in face


def test_a_title_that_imitates_a_hole_stays_a_title(renderer):
    mark = marks("0123456789abcdef", "https://news.courier.example")["unsubscribe_url"]
    title = f"{mark} {{{{ hole.unsubscribe_url }}}} %(title)s %s"
    card = samples.cards_of("en")[0].model_copy(update={"title": title})
    mail = renderer.compile(AlertContent(locale="en", card=card))
    assert mail.subject(samples.personal("alert", "en")) == title


@EACH
def test_a_mail_is_sound_html_without_scripts_and_links_only_to_the_web(renderer, kind, locale):
    page = Page(renderer.compile(samples.content(kind, locale)).html(samples.personal(kind, locale)))
    assert page.open == []
    assert page.scripts == 0
    assert all(link.startswith("https://") for link in page.links)


def test_what_a_feed_or_a_link_says_is_text_never_markup(renderer):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    card = samples.cards_of("en")[0].model_copy(
        update={
            **dict.fromkeys(("title", "summary", "author", "source", "section"), evil),
            "lang": '"><b>',
            "url": f"https://courier.example/{evil}",
            "also_in": (evil,),
            "highlights": ((0, 5),),
            "reasons": (samples.cards_of("en")[0].reasons[0].model_copy(update={"topic": evil, "words": (evil,)}),),
        }
    )
    personal = samples.personal("alert", "en")
    section = Section(topic=evil, slug="evil", cards=(card,))
    for changed in (
        AlertContent(locale="en", card=card),
        DigestContent(locale="en", day=samples.DAY, sections=(section,)),
    ):
        page = Page(renderer.compile(changed).html(personal))
        assert page.scripts == 0
        assert page.open == []


def test_an_unsafe_link_is_not_a_link_but_the_story_is_still_told(renderer):
    card = samples.cards_of("en")[0].model_copy(update={"url": "javascript:alert(1)"})
    mail = renderer.compile(AlertContent(locale="en", card=card))
    personal = samples.personal("alert", "en")
    assert "javascript" not in mail.html(personal) + mail.text(personal)
    assert card.title in mail.html(personal)


def test_dark_mode_survives_the_inlining(renderer):
    source = renderer.compile(samples.content("digest", "en")).html(samples.personal("digest", "en"))
    assert "@media (prefers-color-scheme: dark)" in source
    assert '<meta name="color-scheme" content="light dark">' in source
    assert "<!--[if mso]>" in source


@pytest.mark.parametrize(("sections", "cards"), [(1, 60), (6, 10), (60, 1)])
def test_a_digest_of_sixty_long_stories_fits_into_what_gmail_shows(renderer, sections, cards):
    content = digest(sections, cards, url="https://courier.example/" + "k" * 300)
    personal = samples.personal("digest", "en")
    mail = renderer.compile(content)
    size_bytes = len(mail.mailed_html(personal).encode())
    assert MAX_HTML_BYTES * 0.75 < size_bytes < 102 * 1024
    shown = set(re.findall(r"Story \d+-\d+", mail.mailed_html(personal)))
    waiting = [
        int(n)
        for n in re.findall(
            r"(\d+) (?:more|story on your other topics,|stories on your other topics,) on the web",
            mail.mailed_html(personal),
        )
    ]
    assert len(shown) + sum(waiting) == 60
    assert len(shown) >= 22  # each with a picture, and the long link twice
    assert len(set(re.findall(r"Story \d+-\d+", mail.html(personal)))) == 60
    assert set(re.findall(r"Story \d+-\d+", mail.text(personal))) == shown


def test_a_cut_mail_names_where_the_rest_is(renderer):
    personal = samples.personal("digest", "en")
    mail = renderer.compile(digest(1, 90))
    (link,) = re.findall(r'href="([^"]+)"[^>]*>and \d+ more on the web', mail.mailed_html(personal))
    assert link == f"https://news.courier.example/m/{personal.view}"
    assert "more on the web" not in mail.html(personal)


@EACH
def test_the_text_part_is_wrapped_and_tells_every_link(renderer, kind, locale):
    content, personal = samples.content(kind, locale), samples.personal(kind, locale)
    text = renderer.compile(content).text(personal)
    assert all(columns(line) <= 72 or line.strip().startswith(("https://", "<https://")) for line in text.splitlines())
    assert "\n\n\n" not in text
    assert not re.search(r"<(?!https://)", text)
    wanted = {"confirmation": {"confirm"}, "taken": set(), "goodbye": {"unsubscribe"}}.get(kind, {"my"})
    if kind in samples.LISTED:
        wanted = {"preferences", "unsubscribe"} | ({"m"} if kind in samples.EDITORIAL else set())
    assert set(re.findall(r"^https://news\.courier\.example/(\w+)/x7Qm2VbT9sKd4Lw$", text, re.MULTILINE)) == wanted


def test_a_reader_of_an_unknown_language_gets_english(renderer):
    content = samples.content("alert", "en").model_copy(update={"locale": "tlh"})
    assert renderer.compile(content).language == "en"


def test_a_regional_locale_gets_its_language(renderer):
    content = samples.content("alert", "ko").model_copy(update={"locale": "ko_KR"})
    mail = renderer.compile(content)
    assert mail.language == "ko"
    assert '<html lang="ko" dir="ltr"' in mail.html(samples.personal("alert", "ko"))


def test_a_korean_digest_is_dated_and_counted_in_korean(renderer):
    mail = renderer.compile(samples.content("digest", "ko"))
    personal = samples.personal("digest", "ko")
    assert mail.subject(personal) == "외교부, 북한군 파병에 러시아 대사 불러 항의 외 5건"
    assert "2026년 11월 23일 월요일" in mail.html(personal)


@pytest.mark.parametrize(("cards", "subject"), [
    (1, "Story 0-0"), (2, "Story 0-0, and 1 more story"), (3, "Story 0-0, and 2 more stories")
])  # fmt: skip
def test_a_subject_counts_as_english_does(renderer, cards, subject):
    assert renderer.compile(digest(1, cards)).subject(samples.personal("digest", "en")) == subject


def test_a_breaking_alert_says_so_at_once(renderer):
    mail, personal = renderer.compile(samples.content("breaking", "en")), samples.personal("breaking", "en")
    assert mail.subject(personal).startswith("Breaking: ")
    assert ">Breaking</td>" in mail.html(personal)
    assert "\nBREAKING\n" in mail.text(personal)


def test_a_story_without_a_title_is_called_by_its_summary(renderer):
    card = samples.cards_of("en")[0].model_copy(
        update={"title": " \n", "published_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)}
    )
    mail = renderer.compile(AlertContent(locale="en", card=card))
    assert mail.subject(samples.personal("alert", "en")).startswith("The foreign ministry called in")


@pytest.mark.parametrize("kind", ["alert", "digest", "rolling", "newsletter", "away"])
def test_every_story_has_its_readers_own_link_to_hear_less_like_it(kind):
    content = samples.content(kind, "en")
    personal = samples.personal(kind, "en")._replace(preferences="reader-s-own")
    mail = Renderer(newsroom=samples.newsroom("en")).compile(content)
    page = Page(mail.html(personal))
    base = f"{samples.newsroom('en').base_url}/preferences/reader-s-own/not-this/"
    found = [link.removeprefix(base) for link in page.links if link.startswith(base)]
    assert sorted(map(int, found)) == sorted(card.story_id for card in content.all_cards())


@pytest.mark.parametrize("kind", ["correction", "confirmation"])
def test_what_is_no_news_has_no_such_link(kind):
    mail = Renderer(newsroom=samples.newsroom("en")).compile(samples.content(kind, "en"))
    assert "not-this" not in mail.html(samples.personal(kind, "en"))
