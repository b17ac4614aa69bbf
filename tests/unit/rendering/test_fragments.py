"""Mails put together of fragments that earlier mails have left, beside the same mails made from nothing."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from css_inline import CSSInliner
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.content import AnyContent, DigestContent, NewsletterContent, RollingContent, Section
from worker.rendering import samples
from worker.rendering.compile import Renderer

CARDS = {
    locale: [
        card.model_copy(
            update={"story_id": number, "title": f"{card.title} {number}", "section": "Abroad" * (number % 2)}
        )
        for number, card in enumerate(samples.cards_of(locale) * 3)
    ]
    for locale in samples.LOCALES
}
ONES = st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True)


def sections(locale: str, chosen: list[list[int]]) -> tuple[Section, ...]:
    return tuple(
        Section(topic=f"Abroad {number}", slug="abroad", cards=tuple(CARDS[locale][one] for one in ones))
        for number, ones in enumerate(chosen)
    )


@st.composite
def contents(draw: st.DrawFn) -> AnyContent:
    locale = draw(st.sampled_from(samples.LOCALES))
    chosen = draw(st.lists(ONES, min_size=1, max_size=3))
    match draw(st.sampled_from(["digest", "rolling", "newsletter"])):
        case "digest":
            return DigestContent(
                locale=locale, day=samples.DAY, sections=sections(locale, chosen), away=draw(st.booleans())
            )
        case "rolling":
            burst = samples.content("rolling", locale)
            assert isinstance(burst, RollingContent)
            return burst.model_copy(update={"sections": sections(locale, chosen)})
        case _:
            issue = samples.content("newsletter", locale)
            assert isinstance(issue, NewsletterContent)
            cards = tuple(CARDS[locale][one] for one in chosen[0])
            notes = tuple((one, "“Read this.”") for one in chosen[0][::2])
            return issue.model_copy(update={"cards": cards, "notes": notes})


@given(st.lists(contents(), min_size=1, max_size=4))
@settings(max_examples=15)
def test_a_mail_put_together_of_fragments_is_byte_for_byte_the_one_made_from_nothing(mails):
    warm = Renderer(newsroom=samples.newsroom("en"))
    personal = samples.personal("digest", "en")
    for content in mails:
        ours = warm.compile(content)
        cold = Renderer(newsroom=samples.newsroom("en")).compile(content)
        assert ours.fill(personal) == cold.fill(personal)
        assert (ours.html(personal), ours.parts(personal)) == (cold.html(personal), cold.parts(personal))
        message = message_from_bytes(ours.fill(personal), policy=policy.default)
        bodies = [message.get_body((subtype,)) for subtype in ("plain", "html")]
        read = [body.get_content().replace("\r\n", "\n") for body in bodies if body]
        assert read == [ours.text(personal), ours.mailed_html(personal)]


class NoInliner:
    def inline(self, page: str) -> str:
        return page

    def inline_fragment(self, fragment: str, _styles: str) -> str:
        return fragment


@pytest.mark.parametrize("kind", ["digest", "rolling", "newsletter"])
def test_a_fragment_is_styled_as_it_would_be_within_its_mail(kind, monkeypatch):
    renderer, unstyled = (Renderer(newsroom=samples.newsroom("ko")) for _ in range(2))
    monkeypatch.setattr(unstyled._fragments, "_inliner", NoInliner())
    content, personal = samples.content(kind, "ko"), samples.personal(kind, "ko")
    whole = CSSInliner(minify_css=True, load_remote_stylesheets=False).inline(unstyled.compile(content).html(personal))
    assert renderer.compile(content).html(personal) == whole


def test_a_story_is_made_once_however_many_mails_tell_it():
    renderer = Renderer(newsroom=samples.newsroom("en"))
    digests = [
        DigestContent(locale="en", day=samples.DAY, sections=sections("en", [[first, second], [third]]))
        for first in range(4)
        for second in range(4, 8)
        for third in range(8, 12)
    ]
    assert len({renderer.compile(digest).composition.key for digest in digests}) == 64
    # 12 stories as text; in HTML four as a lead, and eight as others; and the styles of the head.
    assert renderer._fragments.leaf.cache_info().currsize == 12 + 4 + 8 + 1


def test_a_title_that_looks_like_a_mark_stays_a_title():
    renderer = Renderer(newsroom=samples.newsroom("en"))
    card = CARDS["en"][0].model_copy(update={"title": "slot0123456789abcdef0slot hole0123456789abcdefviewhole"})
    digest = DigestContent(
        locale="en", day=samples.DAY, sections=(Section(topic="Marks", slug=None, cards=(card, CARDS["en"][1])),)
    )
    mail = renderer.compile(digest)
    assert card.title in mail.html(samples.personal("digest", "en"))
    assert card.title in mail.text(samples.personal("digest", "en"))
