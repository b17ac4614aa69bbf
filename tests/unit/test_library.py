"""Topics from files: what is refused, and how the refusal names the place."""

import json
from pathlib import Path

import pytest

from worker.errors import InputError, QueryError
from worker.matching.library import TopicDraft, check_topics, read_topics
from worker.resources import seeds_dir


def written(folder: Path, text: str, name: str = "topics.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def draft(
    slug: str = "russia",
    query: str = "russia",
    *,
    must_match: tuple[str, ...] = (),
    must_not_match: tuple[str, ...] = (),
) -> TopicDraft:
    return TopicDraft(
        where="topics.yaml, entry 1",
        slug=slug,
        name={"en": slug},
        description={},
        query=query,
        must_match=must_match,
        must_not_match=must_not_match,
    )


def test_the_seeds_are_read_and_hold():
    drafts = read_topics([seeds_dir() / "topics"])
    assert len(drafts) >= 20
    assert all(checked.canonical for checked in check_topics(drafts, {}))


def test_json_lines_as_the_list_command_prints_them_are_read(tmp_path):
    line = json.dumps({"id": "north-korea", "name": "North Korea", "query": 'dprk OR "n korea"'})
    (read,) = read_topics([written(tmp_path, line + "\n", "topics.jsonl")])
    assert (read.slug, read.name) == ("north-korea", {"en": "North Korea"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- {slug: Russia!, name: Russia, query: russia}", "entry 1: slug: "),
        ("- {slug: russia, query: russia}", "entry 1: name: field required"),
        ("- {slug: russia, name: Russia, query: russia, colour: red}", "entry 1: colour: "),
        ("slug: russia", "is not a list of topics"),
        ("- {slug: russia", "line "),
        ("- just a word", "entry 1: "),
        ("- {slug: a, name: A, query: a}\n- {slug: a, name: A, query: a}", "the slug a stands also in "),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(tmp_path, text, complaint):
    file = written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_topics([file])
    assert str(refused.value).startswith(str(file))
    assert complaint in str(refused.value)


def test_a_file_that_is_not_utf_8_or_not_there_is_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("- {slug: é}".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8 at byte 9"):
        read_topics([tmp_path / "latin.yaml"])
    with pytest.raises(InputError, match="cannot be read"):
        read_topics([tmp_path / "missing.yaml"])


def test_an_unclosed_bracket_is_refused_with_topic_and_offset():
    with pytest.raises(QueryError) as refused:
        check_topics([draft(query="(russia OR moscow")], {})
    assert "topic russia, query" in str(refused.value)
    assert refused.value.offset == 0


def test_topics_may_refer_to_stored_ones_and_to_each_other_but_not_in_a_circle():
    checked = check_topics(
        [draft("war", "@russia missile*"), draft("both", "@war OR @stored")], {"russia": "russia", "stored": "x1"}
    )
    assert [one.slug for one in checked] == ["war", "both"]
    with pytest.raises(QueryError, match="war"):
        check_topics([draft("war", "@peace x"), draft("peace", "@war y")], {})


def test_a_stored_topic_that_is_refused_today_keeps_nobody_from_storing_others():
    assert check_topics([draft()], {"broken": "((("})


def test_examples_are_checked():
    with pytest.raises(InputError, match="must match 'Moscow speaks' and does not"):
        check_topics([draft(must_match=("Moscow speaks",))], {})
    with pytest.raises(InputError, match="must not match 'Russia speaks', but finds Russia"):
        check_topics([draft(must_not_match=("Russia speaks",))], {})
    assert check_topics([draft(must_match=("Russia speaks",), must_not_match=("Prussia",))], {})
