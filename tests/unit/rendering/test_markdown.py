from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader

from tests.hostile import source
from worker.content import NewsletterContent
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.markdown import words_of
from worker.rendering.prose import columns
from worker.rendering.words import Listing, Paragraph, Picture, Quote, Span
from worker.resources import templates_dir

TAGS = {"p", "b", "i", "a", "ul", "ol", "li", "blockquote", "img", "div"}
# What Markdown is made of, and what it is attacked with.
HOSTILE = st.lists(
    st.sampled_from([
        "*", "**", "_", "[", "]", "(", ")", "!", "<", ">", "> ", "- ", "1. ", "2026. ", "\n", "\n\n", "    ", "\t",
        "\\", "`", "#", "&amp;", "&#x3c;", "word", "북한", "سيول", "https://a.example/x", "javascript:alert(1)",
        "mailto:desk@courier.example", "<script>", "<img src=x onerror=alert(1)>", "\u202e", "\x00", "\ud800", "\r",
        "[a](https://a.example)", "![a](https://a.example/i.png)", "![a](http://a.example/i.png)", "<https://a.example>",
    ]),
    max_size=40,
).map("".join)  # fmt: skip


def read(text):
    return words_of(text, limit_chars=16_000)


def spans(text):
    (block,) = read(text).blocks
    assert isinstance(block, Paragraph)
    return block.spans


def issue(note):
    content = samples.content("newsletter", "en")
    assert isinstance(content, NewsletterContent)
    return content.model_copy(update={"note": note, "notes": ((content.cards[0].story_id, note),)})


@pytest.fixture(scope="module")
def told():
    """Return the blocks of a mail that an editor's words have become, as HTML."""
    environment = Environment(
        loader=FileSystemLoader(templates_dir()), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    source = '{% import "mail/blocks/words.html.j2" as editors %}{{ editors.told(words, "said") }}'
    template = environment.from_string(source)

    def tell(words):
        return template.render(words=words)

    return tell


@pytest.mark.parametrize("note", [
    "Good morning.",
    "Two lines\nof one.",
    "One.\n\nTwo.",
    "5 < 6 & 7 > 2, AT&T, &amp; and &lt;b&gt;",
    "2026. 11. 23. 월요일입니다.",
    "1998) was a year.",
    "A # and a ## here, `code`, ~~no~~, https://courier.example/x_y_z and snake_case_words, 2 * 3 * 4.",
    "| a | b |",
    "<b>bold</b> and <!-- a remark -->",
    "Read [this] (not a link), or [that][1].",
    "    Indented as a letter is.",
])  # fmt: skip
def test_a_note_in_plain_words_is_what_it_was_before_there_was_markdown(note):
    before = [" ".join(part.split()) for part in note.split("\n\n")]
    blocks = read(note).blocks
    assert [block.spans for block in blocks if isinstance(block, Paragraph)] == [(Span(text=part),) for part in before]


def test_words_are_marked_and_linked():
    assert spans("**No** change, *yet*: [the report](https://courier.example/r).") == (
        Span(text="No", strong=True),
        Span(text=" change, "),
        Span(text="yet", emphasis=True),
        Span(text=": "),
        Span(text="the report", url="https://courier.example/r"),
        Span(text="."),
    )
    assert spans("<https://courier.example/r>")[0].url == "https://courier.example/r"
    assert spans("[us](mailto:desk@courier.example)")[0].url == "mailto:desk@courier.example"


@pytest.mark.parametrize("note", [
    "[x](javascript:alert(1))",
    "[x](javascript&colon;alert)",
    "[x](data:text/html,y)",
    "[x](/relative)",
    "[x](mailto:a@b.example?bcc=all@c.example)",
    "![x](http://courier.example/i.png)",
    "![x](data:image/png;base64,AA)",
    "<javascript:alert(1)>",
    "<desk@courier.example>",
])  # fmt: skip
def test_what_may_not_be_a_link_or_a_picture_is_shown_as_it_was_written(note):
    assert spans(note) == (Span(text=note),) or spans(note)[0].url == "mailto:desk@courier.example"


def test_lists_quotes_and_pictures_stand_on_their_own():
    note = "- one\n- two\n  - three\n\n1. first\n\n> said\n> **so**\n\n![Snow](https://img.courier.example/s.png)"
    bullets, numbers, quote, picture = read(note).blocks
    assert isinstance(bullets, Listing)
    assert isinstance(bullets.items[1][1], Listing)
    assert isinstance(numbers, Listing)
    assert (bullets.numbered, numbers.numbered) == (False, True)
    assert isinstance(quote, Quote)
    assert quote.blocks == (Paragraph(spans=(Span(text="said "), Span(text="so", strong=True))),)
    assert picture == Picture(url="https://img.courier.example/s.png", alt="Snow")


def test_plain_text_is_written_from_the_same_pieces():
    note = (
        "Read [the report](https://courier.example/report), *please*.\n\n- one\n- a list whose second item is so long "
        "that it needs two lines\n  1. deeper\n\n> They said\n>\n> so.\n\n![Snow](https://img.courier.example/s.png)"
    )
    assert read(note).written("Note:", "  ", width=50) == (
        "  Note: Read the report\n  <https://courier.example/report>, *please*.\n\n"
        "  - one\n  - a list whose second item is so long that it\n    needs two lines\n\n    1. deeper\n\n"
        "  > They said\n  >\n  > so.\n\n"
        "  [Snow] <https://img.courier.example/s.png>"
    )


@given(HOSTILE)
def test_no_word_of_a_note_is_lost(note):
    wanted = re.findall(r"word|북한|سيول", note)
    shown = read(note)
    assert re.findall(r"word|북한|سيول", shown.plain) == wanted
    assert re.findall(r"word|북한|سيول", shown.written()) == wanted


@given(HOSTILE)
def test_text_is_clean_and_wrapped(note):
    for line in read(note).written(indent="  ").split("\n"):
        assert line.isprintable()
        assert columns(line) <= 72 or len(line.split()) <= 3
    assert not set("\u202e\x00\ud800") & set(read(note).plain)


class Tags(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.names, self.attributes = set(), []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes += attrs


@given(HOSTILE)
def test_hostile_words_never_become_markup_of_their_own(told, note):
    source = told(read(note))
    found = Tags(source)
    assert found.names <= TAGS
    assert {name for name, _ in found.attributes} <= {"class", "dir", "href", "src", "alt", "border"}
    links = [value for name, value in found.attributes if name == "href"]
    assert all(link.startswith(("https://", "http://", "mailto:")) for link in links)
    assert all(value.startswith("https://") for name, value in found.attributes if name == "src")
    # The second wall: a sanitiser of HTML finds nothing to take away.
    attributes = {"*": {"class", "dir"}, "a": {"href"}, "img": {"src", "alt", "border"}}
    cleaned = nh3.clean(
        source, tags=TAGS, attributes=attributes, url_schemes={"https", "http", "mailto"}, link_rel=None
    )
    assert Tags(cleaned).attributes == found.attributes


@pytest.mark.parametrize("part", ["*", "[", "![[", "> ", "- ", "**a ", "<", "[a](b", "\\", "1. ", "](("])
def test_a_note_that_is_all_punctuation_is_read_in_no_time_and_kept(part):
    note = part * (5_000 // len(part))
    assert len("".join(read(note).written().split())) >= len("".join(note.split())) // 2


def test_what_is_too_long_ends_with_an_ellipsis():
    shown = words_of("word " * 500 + "\n\nmore", limit_chars=100)
    assert len(shown.plain) <= 100
    assert shown.plain.endswith("word…")


@pytest.mark.parametrize("kind", ["newsletter", "correction"])
@pytest.mark.parametrize("part", ["- a\n", "> a\n\n", "[a](https://x.yz/a) ", "![a](https://x.yz/a.png)\n\n"])
def test_no_note_of_a_thousand_little_things_makes_a_mail_too_long(kind, part):
    mail = source(kind, "en", {("content", "note"): part * (20_000 // len(part))}).compiled()
    assert len(mail.mailed_html(samples.personal(kind, "en")).encode()) < 102 * 1024


def test_what_is_too_long_is_cut_in_a_list_and_in_a_quote_too():
    shown = words_of("- word\n" * 500, limit_chars=300)
    assert 5 < len(shown.plain.split()) < 20
    assert shown.plain.endswith("…")
    assert words_of("> " + "word " * 500, limit_chars=300).plain.endswith("word…")


def test_an_issue_tells_its_editors_words_in_both_parts():
    note = "Hello **you**.\n\n- a [map](https://courier.example/m)\n\n> said"
    mail = Renderer(newsroom=samples.newsroom("en")).compile(issue(note))
    personal = samples.personal("newsletter", "en")
    page, text = mail.mailed_html(personal), mail.text(personal)
    assert page.count("<b>you</b>") == page.count("<blockquote") == page.count('href="https://courier.example/m"') == 2
    assert "\n- a map <https://courier.example/m>\n\n> said\n" in text
    assert "\n  Editor’s note: Hello *you*.\n\n  - a map <https://courier.example/m>\n\n  > said\n" in text
    assert '<div class="preheader"' in page
    assert "**" not in page + text
