"""Copies share keys and wording; reports on the same event do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake import wire
from worker.intake.fingerprint import fingerprint, wording_of
from worker.intake.wordings import Wordings
from worker.model import ParsedArticle
from worker.sameness import BANDS, MIN_CONTAINMENT, MIN_JACCARD, MIN_WORDS
from worker.wording import overlap, shingles, words


def article(body: str, *, title: str = "A title of this desk's own") -> ParsedArticle:
    return ParsedArticle(title=title, body=body)


@pytest.mark.parametrize("edited", [wire.TRIMMED, wire.WITH_A_TAIL])
def test_a_desks_edit_of_an_agency_report_is_found_and_is_a_copy(edited):
    original, copy = article(wire.AGENCY), article(edited)
    assert set(fingerprint(original).bands) & set(fingerprint(copy).bands)
    shared = overlap(shingles(wording_of(copy)), shingles(wording_of(original)))
    assert shared.containment >= MIN_CONTAINMENT or shared.jaccard >= MIN_JACCARD


def test_a_report_inside_a_longer_piece_is_found():
    assert set(fingerprint(article(wire.TRIMMED)).bands) & set(fingerprint(article(wire.INSIDE_A_LONGER_PIECE)).bands)


def test_two_reports_on_one_event_share_no_wording_to_speak_of():
    shared = overlap(shingles(words(wire.ANOTHER_REPORT)), shingles(words(wire.AGENCY)))
    assert shared.containment < MIN_CONTAINMENT / 2
    assert shared.jaccard < MIN_JACCARD / 2


def test_korean_copies_are_found_by_their_words():
    original, copy = article(wire.KOREAN), article(wire.KOREAN_EDITED)
    assert set(fingerprint(original).bands) & set(fingerprint(copy).bands)
    assert overlap(shingles(wording_of(copy)), shingles(wording_of(original))).containment >= MIN_CONTAINMENT


def test_japanese_is_compared_by_characters():
    assert len(words(wire.JAPANESE)) >= MIN_WORDS
    assert len(fingerprint(article(wire.JAPANESE)).bands) == BANDS


def test_markup_case_quotes_and_widths_do_not_change_a_fingerprint():
    shouted = wire.AGENCY.upper().replace('"', "”").replace(" ", "\u00a0").replace("\n", " ")
    assert fingerprint(article(wire.AGENCY)) == fingerprint(article(shouted))


def test_a_title_does_not_change_the_fingerprint_of_a_long_text():
    assert fingerprint(article(wire.AGENCY, title="One")) == fingerprint(article(wire.AGENCY, title="Two"))


def test_a_short_text_is_known_by_all_of_it_and_has_no_bands():
    short = article("Fog held the ferries.", title="Fog")
    assert fingerprint(short).bands == ()
    assert fingerprint(short).exact != fingerprint(article("Fog held the ferries.", title="Ferries")).exact
    assert fingerprint(ParsedArticle()).exact


def test_a_long_summary_stands_in_for_a_missing_body():
    assert fingerprint(ParsedArticle(summary=wire.AGENCY)) == fingerprint(article(wire.AGENCY))


def test_bands_fit_a_signed_bigint_and_never_change():
    bands = fingerprint(article(wire.AGENCY)).bands
    assert len(set(bands)) == BANDS
    assert all(-(2**63) <= band < 2**63 for band in bands)
    # Stored bands outlive releases: a change here makes every copy of a stored article invisible.
    assert bands[:2] == (-9187416038220355950, -9090426863515044217)


@given(st.lists(st.integers(0, 30), max_size=40), st.lists(st.integers(0, 30), max_size=40))
def test_overlap_is_a_share_and_symmetric_where_it_should_be(first, second):
    one, other = frozenset(first), frozenset(second)
    there, back = overlap(one, other), overlap(other, one)
    assert 0 <= there.jaccard <= there.containment <= 1 or not one
    assert there.jaccard == back.jaccard
    assert overlap(one, one).containment == (1 if one else 0)


@given(st.text(max_size=300))
def test_any_text_has_a_fingerprint(text):
    assert len(fingerprint(article(text)).exact) == 32


def test_wordings_are_remembered_by_their_hash_and_the_longest_unasked_are_forgotten():
    told = [ParsedArticle(title=f"{n}", body=" ".join(f"w{n}x{at}" for at in range(60))) for n in range(4)]
    hashes = [fingerprint(one).exact for one in told]
    kept = Wordings(most_pieces=3 * (58 + 10))
    found = [kept.of(one, exact) for one, exact in zip(told[:3], hashes, strict=False)]
    assert kept.of(ParsedArticle(title="not read"), hashes[0]) is found[0]
    kept.of(told[3], hashes[3])
    assert kept.unknown(hashes) == {hashes[1]}


def test_a_hash_that_stands_for_another_wording_is_not_remembered_for_it():
    kept = Wordings()
    told = ParsedArticle(title="Fees agreed in the port")
    assert kept.of(told, "edited by hand").exact == fingerprint(told).exact
    assert kept.find("edited by hand") is None
