"""What the analyser makes of text: MATCHING.md's "Words" and those of its settled points that are about words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.matching.analyser import ArticleText, Token, analyse
from worker.matching.folding import fold, normalise
from worker.matching.hangul import PARTICLES, stems
from worker.matching.leaves import is_capitals
from worker.matching.words import words
from worker.model import Field


def keys(text: str) -> list[str]:
    return list(words(text).keys)


def body(text: str) -> list[Token]:
    fields = analyse(ArticleText(body=text)).fields
    return list(fields[Field.BODY].tokens()) if Field.BODY in fields else []


def cut(text: str) -> list[str]:
    """Return what the tokens cover in the original."""
    return [text[token.start : token.end] for token in body(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Envoys met in Geneva on Tuesday.", ["envoys", "met", "in", "geneva", "on", "tuesday"]),
        ("북한이 미사일을 쐈다고 합참이 밝혔다.", ["북한이", "미사일을", "쐈다고", "합참이", "밝혔다"]),
        ("朝鲜发射导弹。", list("朝鲜发射导弹")),
        ("日本のミサイル防衛", list("日本のミサイル防衛")),
        ("Россия перебросила войска, й и ё", ["россия", "перебросила", "воиска", "и", "и", "е"]),
        ("L’armée française à Séoul", ["l", "armee", "francaise", "a", "seoul"]),
        ("Die Straßen von Köln über Österreich", ["die", "strassen", "von", "koln", "uber", "osterreich"]),
        ("وصل الوفد إلى مُوسْكُو اليوم", ["وصل", "الوفد", "الى", "موسكو", "اليوم"]),
        ("שָׁלוֹם עולם", ["שלום", "עולם"]),
        ("Η Αθήνα και ο ΔΡΌΜΟΣ", ["η", "αθηνα", "και", "ο", "δρομοσ"]),
        ("मौसम की ख़बर", ["मौसम", "की", "ख़बर"]),
    ],
    ids=["en", "ko", "zh", "ja", "ru", "fr", "de", "ar", "he", "el", "hi"],
)
def test_each_language_is_read_into_its_words(text, expected):
    assert keys(text) == [unicodedata.normalize("NFKC", key) for key in expected]


@pytest.mark.parametrize(
    "dash", ["-", "\u2010", "\u2011", "\u2012", "–", "—", "\u2212", "\u00a0", "/", "·", "_", "\u3000"]
)
def test_dashes_spaces_slashes_dots_and_underscores_separate_words(dash):
    assert keys(f"Kim Jong{dash}un") == ["kim", "jong", "un"]


def test_three_ways_to_write_a_name_have_the_same_keys():
    assert keys("Kim Jong-un") == keys("Kim Jong Un") == keys("KIM JONG‑UN")


@pytest.mark.parametrize(
    "text", ["North Korea's", "North Korea’s", "NORTH KOREA'S", "North “Korea”’s", "North Koreaʼs"]
)
def test_a_possessive_is_dropped(text):
    assert keys(text) == ["north", "korea"]


def test_a_possessive_is_not_part_of_the_span():
    assert cut("North Korea’s envoy") == ["North", "Korea", "envoy"]


@pytest.mark.parametrize(
    ("text", "key"),
    [("U.S.", "us"), ("U. S.", "us"), ("U.S", "us"), ("D.P.R.K.", "dprk"), ("С.Ш.А.", "сша"), ("U.\nS.", "us")],
)
def test_a_dotted_acronym_is_one_word_in_capitals(text, key):
    (token,) = body(f"{text}")
    assert token.key == key
    assert is_capitals(token.surface, token.key)
    assert (token.start, token.end) == (0, len(text))


@pytest.mark.parametrize("text", ["u.s.", "a.m.", "p.m", "z. b."])
def test_dotted_lower_case_joins_without_being_an_acronym(text):
    (token,) = body(text)
    assert token.key == text.replace(".", "").replace(" ", "")
    assert not is_capitals(token.surface, token.key)


def test_a_single_dotted_initial_stays_a_word():
    assert keys("N. Korea and S.Korea") == ["n", "korea", "and", "s", "korea"]


def test_an_initial_at_the_end_of_a_sentence_does_not_join_the_acronym_after_it():
    assert keys("Plan B. U.S. troops") == ["plan", "b", "us", "troops"]


def test_an_acronym_does_not_reach_into_the_next_paragraph():
    assert keys("Vitamin B.\n\nC. Lee") == ["vitamin", "b", "c", "lee"]


@pytest.mark.parametrize("text", ["U.S.-led", "U.S.’s led", "U.S., led", "U.S./led"])
def test_what_follows_an_acronym_is_a_word_of_its_own(text):
    assert keys(text) == ["us", "led"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O’Brien O'Brien", ["o'brien", "o'brien"]),
        ("don't", ["don't"]),
        ("AT&T", ["at", "t"]),
        ("3.5 1,000 10.000,50", ["3.5", "1,000", "10.000,50"]),
        ("3, 5. 7", ["3", "5", "7"]),
        ("COVID-19", ["covid", "19"]),
        ("l'Ukraine d’accord all'ONU", ["l", "ukraine", "d", "accord", "all", "onu"]),
        ("l'O.N.U.", ["l", "onu"]),
        ("D'Souza", ["d'souza"]),
        ("Łódź øl ığdır đ", ["łodz", "øl", "ıgdır", "đ"]),
    ],
)
def test_apostrophes_numbers_and_letters_of_their_own(text, expected):
    assert keys(text) == expected


@pytest.mark.parametrize("invisible", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\ufe0f"])
def test_what_is_never_seen_is_dropped_inside_a_word(invisible):
    text = f"The mis{invisible}sile"
    assert keys(text) == ["the", "missile"]
    assert cut(text) == ["The", f"mis{invisible}sile"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("US가", ["us", "가"]),
        ("G7이", ["g7", "이"]),
        ("제3차 3.5배", ["제", "3", "차", "3.5", "배"]),
        ("북한軍", ["북한", "軍"]),
        ("Korea's는", ["korea", "는"]),
        ("7日", ["7", "日"]),
    ],
)
def test_a_change_of_script_separates_hangul_and_han(text, expected):
    assert keys(text) == expected


def test_kana_voicing_marks_stay_and_half_width_kana_are_the_same():
    assert keys("が") == keys("か\u3099") == ["が"]
    assert keys("ｶﾞ") == ["ガ"]
    assert keys("あ\u3099") == ["あ\u3099"]
    assert cut("ｶﾞｽ") == ["ｶﾞ", "ｽ"]


def test_composed_and_decomposed_text_have_the_same_keys_and_each_its_own_offsets():
    composed, decomposed = "북한이 é", unicodedata.normalize("NFD", "북한이 é")
    assert keys(composed) == keys(decomposed)
    assert cut(decomposed) == [unicodedata.normalize("NFD", part) for part in ("북한이", "é")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("İzmir ½ ﬁn", ["İzmir", "½", "½", "ﬁn"]),
        ("Tocsin™ x", ["Tocsin", "™", "x"]),
        ("㈜한화는", ["㈜", "한화는"]),
        ("ﷺ ﳲ", ["ﷺ"] * 4),
        ("ＵＳ　ok", ["ＵＳ", "ok"]),
        ("e\u0301te\u0301!", ["e\u0301te\u0301"]),
    ],
)
def test_offsets_count_in_the_original_whatever_folding_makes_of_it(text, parts):
    assert cut(text) == parts


def test_half_is_three_code_points_in_nfkc_and_two_words():
    assert normalise("½").text.strip() == "1⁄2"
    assert keys("½") == ["1", "2"]


def test_a_hangul_word_answers_to_the_word_before_its_particle():
    found = analyse(ArticleText(body="북한이 북한의 북한에서는 북한산 북한강 월북한")).fields[Field.BODY].positions
    assert found["북한"] == [0, 1, 2]


def test_no_position_is_listed_twice_when_stems_are_words_of_the_text_too():
    found = analyse(ArticleText(body="북한에서는 북한에서 북한")).fields[Field.BODY].positions
    assert found["북한"] == [0, 1, 2]
    assert found["북한에서"] == [0, 1]


@pytest.mark.parametrize("particle", sorted(PARTICLES))
def test_every_particle_of_the_closed_list_is_left_over(particle):
    assert "서울" in stems(f"서울{particle}")


def test_a_stem_has_at_least_two_syllables():
    assert stems("이는") == ()
    assert stems("러시아는") == ("러시아",)


def test_a_paragraph_ends_at_a_blank_line_and_neither_takes_a_position():
    tokens = body("one\ntwo\n \t\nthree\r\n\r\nfour\u2029five")
    assert [(token.key, token.position, token.paragraph) for token in tokens] == [
        ("one", 0, 0),
        ("two", 1, 0),
        ("three", 2, 1),
        ("four", 3, 2),
        ("five", 4, 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "Rus\0sia",
        "\ud800",
        "a\udfffb",
        "\u0301",
        "'s",
        "’’’",
        "1\u20e3",
        "\U0010ffff",
        " \u2028\u2029 ",
        "́\u0345",
    ],
)
def test_odd_characters_are_read_without_complaint(text):
    for token in body(text):
        assert 0 <= token.start < token.end <= len(text)


def test_a_field_without_words_is_not_there():
    assert analyse(ArticleText(title="…", body="x")).fields.keys() == {Field.BODY}


_LENGTH = 200_000  # what grows with the square of the length would take hours


_HOSTILE = (
    "a", "a'", "a.", "a. ", "1,", "\n ", "\r\n", "é\u0301", "e\u0301\u0301", "क\u093e", "\u1112\u1161\u11ab", "a\u00ad",
    "\0", "\ud800", "'s", "l'", "한'", "가a", "北", "\u0301", "½", "x \u00a0", "한'l'", "é'", "é.", "가",
)  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", _HOSTILE)
def test_reading_is_linear_on_hostile_text(unit):
    text = unit * (_LENGTH // len(unit))
    found = words(text)
    assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))


def test_an_article_of_five_megabytes_is_read():
    text = "Envoys met in Geneva on Tuesday.\n\n" * (5_000_000 // 34)
    assert len(analyse(ArticleText(body=text)).fields[Field.BODY].words.keys) == 6 * (5_000_000 // 34)


ODD = (
    "abUSlLdDśsSŚ'’.,*- 0³½™éÉßẞİıŉ북한이가\u1112\u1161\u11ab北か\u3099ｶﾞ\u0301\u093e\u0915\u00ad\u200b\u0345ǅ"
    "\u13a0\u13a1\uab70ЖжΣσςﬃ①\n\r\u2029·/_&"
)
texts = st.one_of(st.text(max_size=20), st.text(alphabet=ODD, max_size=16))


@given(texts)
def test_folding_a_key_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@thorough(many=400)
@given(texts)
def test_every_word_lies_in_the_text_in_order_and_its_key_reads_as_itself(text):
    found = words(text)
    assert list(found.starts) == sorted(found.starts)
    for key, start, end in zip(found.keys, found.starts, found.ends, strict=True):
        assert 0 <= start < end <= len(text)
        assert keys(key) == [key]


@given(texts)
def test_composed_and_decomposed_text_read_alike(text):
    assert keys(unicodedata.normalize("NFC", text)) == keys(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("text", "surfaces"),
    [("U.S.us", ["U.S.", "us"]), ("U.S.. ", ["U.S."]), ("A. B. ", ["A. B."]), ("N. N.\n", ["N. N."])],
)
def test_an_acronym_ends_where_its_last_letter_does_by_every_python(text, surfaces):
    """Before 3.11.5 a possessive group keeps what its last, vain try has read (CPython's issue 106052)."""
    assert list(words(text).surfaces) == surfaces
