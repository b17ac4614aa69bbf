"""New, update or copy, and the sentence that says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake import wire
from worker.intake.decide import Candidate, Decision, Incoming, Known, decide
from worker.intake.fingerprint import compared, fingerprint, wording_of
from worker.intake.places import place
from worker.model import ArticleId, Novelty, ParsedArticle, Severity

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STORY = ParsedArticle(
    guid="s-1",
    url="https://gull.example/strait",
    title="Veldania summons ambassador over strait",
    summary="Two patrol boats, four hours, one agreement.",
    body=wire.AGENCY,
    author="Lena Okafor",
    tags=("Straits",),
    updated_at=NOON,
)


def judge(
    article: ParsedArticle, *, known: ParsedArticle | None = None, others: tuple[ParsedArticle, ...] = ()
) -> Decision:
    candidates = [
        Candidate(
            article_id=ArticleId(7 + n), title=other.title, place=place(other.url), wording=compared(wording_of(other))
        )
        for n, other in enumerate(others)
    ]
    had = Known(article_id=ArticleId(12), article=known) if known else None
    return decide(Incoming(article=article, fingerprint=fingerprint(article)), had, candidates)


def test_what_nobody_has_told_us_is_new():
    assert judge(STORY) == Decision(novelty=Novelty.NEW, reason="not seen before", material=True)


def test_the_same_item_again_is_unchanged():
    decision = judge(STORY, known=STORY)
    assert decision == Decision(
        novelty=Novelty.DUPLICATE, reason="unchanged, same item as article 12", material=False, same_as=ArticleId(12)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"title": "  Veldania summons\nambassador over strait "},
        {"url": "https://GULL.example/strait/?utm_source=rss"},
        {"guid": "s-1b"},
        {"updated_at": datetime(2026, 11, 23, 13, tzinfo=UTC)},
        {"published_at": NOON},
        {"source": "The Gull, again"},
    ],
)
def test_white_space_tracking_and_the_clock_change_nothing(change):
    assert judge(replace(STORY, **change), known=STORY).novelty is Novelty.DUPLICATE


@pytest.mark.parametrize(
    ("change", "changed", "material"),
    [
        ({"title": "Ostrau rejects protest over strait"}, "title", True),
        ({"title": "Veldania Summons Ambassador Over Strait!"}, "title", False),
        ({"body": wire.AGENCY.replace("nineteen", "twenty")}, "body", False),
        ({"body": wire.ANOTHER_REPORT}, "body", True),
        ({"summary": "None."}, "summary", False),
        ({"author": "Tom Reyes"}, "author", False),
        ({"section": "World"}, "section", False),
        ({"lang": "en"}, "lang", False),
        ({"tags": ("Straits", "Grain")}, "tags", False),
        ({"url": "https://gull.example/strait-2"}, "address", False),
        ({"severity": Severity.BREAKING}, "severity", True),
        ({"title": "Ostrau replies", "body": wire.ANOTHER_REPORT, "tags": ()}, "title, body and tags", True),
    ],
)
def test_a_changed_item_is_an_update_that_names_what_changed(change, changed, material):
    decision = judge(replace(STORY, **change), known=STORY)
    assert decision.novelty is Novelty.UPDATE
    assert decision.reason == f"same item as article 12 with a changed {changed}"
    assert (decision.material, decision.same_as, decision.copy_of) == (material, ArticleId(12), None)


def test_a_short_item_with_another_number_in_it_is_a_material_update():
    short = ParsedArticle(title="Quake in Akita", body="Three people were hurt by falling crockery.")
    assert judge(replace(short, body="Thirty people were hurt by falling crockery."), known=short).material


def test_a_feed_that_lacks_an_editors_urgency_does_not_take_it_back():
    decision = judge(STORY, known=replace(STORY, severity=Severity.BREAKING))
    assert decision.novelty is Novelty.DUPLICATE


def test_a_cached_older_version_does_not_undo_an_update():
    older = replace(STORY, title="Veldania calls in ambassador", updated_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
    decision = judge(older, known=STORY)
    assert decision.novelty is Novelty.DUPLICATE
    assert decision.reason == "same item as article 12, in a version older than ours"


@pytest.mark.parametrize("body", [wire.TRIMMED, wire.WITH_A_TAIL])
def test_another_outlets_copy_of_the_wire_is_a_duplicate_with_its_share(body):
    other = ParsedArticle(url="https://ledger.example/1", title="Boats raise tempers", body=body)
    decision = judge(other, others=(STORY,))
    assert (decision.novelty, decision.copy_of, decision.material) == (Novelty.DUPLICATE, ArticleId(7), False)
    assert decision.reason.startswith("copy of article 7: ")
    assert decision.reason.endswith(" % of its wording")


def test_a_copy_word_for_word_is_called_so():
    other = ParsedArticle(url="https://ledger.example/1", title="Boats raise tempers", body=wire.AGENCY.upper())
    assert judge(other, others=(STORY,)).reason == "copy of article 7: word for word"


def test_a_copy_is_of_the_first_article_that_had_the_words():
    other = ParsedArticle(title="Boats raise tempers", body=wire.TRIMMED)
    assert judge(other, others=(replace(STORY, body=wire.ANOTHER_REPORT), STORY, STORY)).copy_of == ArticleId(8)


def test_another_report_on_the_same_event_is_new():
    other = ParsedArticle(title="Veldania summons ambassador over strait", body=wire.ANOTHER_REPORT)
    assert judge(other, others=(STORY,)).novelty is Novelty.NEW


def test_a_long_piece_around_a_short_report_is_new():
    other = ParsedArticle(title="The strait, at night", body=wire.INSIDE_A_LONGER_PIECE)
    assert judge(other, others=(replace(STORY, body=wire.TRIMMED),)).novelty is Novelty.NEW


def test_a_short_report_cut_from_a_long_piece_is_a_copy():
    long = replace(STORY, body=wire.INSIDE_A_LONGER_PIECE)
    assert judge(ParsedArticle(title="In short", body=wire.TRIMMED), others=(long,)).copy_of == ArticleId(7)


def test_short_texts_are_copies_only_word_for_word():
    one = ParsedArticle(title="Fog holds the ferries", summary="No boat left Marlow before noon.")
    assert judge(replace(one, guid="x"), others=(one,)).reason == "copy of article 7: word for word"
    assert judge(replace(one, title="Fog holds the ferry"), others=(one,)).novelty is Novelty.NEW


def test_a_title_that_every_day_has_makes_no_copy():
    one = ParsedArticle(title="Live updates", url="https://gull.example/1")
    assert judge(replace(one, url="https://gull.example/2"), others=(one,)).novelty is Novelty.NEW


def test_the_same_page_under_the_same_title_is_one_item_whatever_brought_it():
    pushed = replace(STORY, guid="", body="", url="https://gull.example/strait?utm_medium=push")
    assert judge(pushed, others=(STORY,)).reason == "same address and title as article 7"


def test_two_items_that_link_to_one_page_are_two_items():
    other = ParsedArticle(title="Listen live to the harbour concert", url=STORY.url)
    assert judge(other, others=(STORY,)).novelty is Novelty.NEW


_ARTICLES = st.builds(
    ParsedArticle,
    title=st.sampled_from(["", "Fog", "Fog holds the ferries", STORY.title]),
    body=st.sampled_from(["", "No boat left.", wire.AGENCY, wire.TRIMMED, wire.KOREAN, wire.ANOTHER_REPORT]),
    url=st.sampled_from(["", "https://gull.example/a", "https://gull.example/b", "no address"]),
    updated_at=st.sampled_from([None, NOON]),
    severity=st.sampled_from(list(Severity)),
)


@given(_ARTICLES, st.none() | _ARTICLES, st.lists(_ARTICLES, max_size=3))
def test_a_decision_always_hangs_together(article, known, others):
    decision = judge(article, known=known, others=tuple(others))
    assert decision.reason
    assert (decision.novelty is Novelty.NEW) == (decision.same_as is None and decision.copy_of is None)
    assert decision.same_as is None or known is not None
    assert decision.material or decision.novelty is not Novelty.NEW
    assert not (decision.material and decision.novelty is Novelty.DUPLICATE)


@given(_ARTICLES)
def test_what_is_decided_on_the_same_article_is_never_an_update(article):
    assert judge(article, known=article).novelty is Novelty.DUPLICATE
