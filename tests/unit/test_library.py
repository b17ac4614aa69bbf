"""Topics from files: what is refused, and how the refusal names the place."""

import json
from pathlib import Path

import pytest

from worker.errors import InputError, ManyFaultsError, QueryError
from worker.matching.holding import check, check_topics
from worker.matching.library import TopicDraft, read, read_topics
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
    assert len(drafts) >= 90
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
    with pytest.raises(ManyFaultsError, match="circle: @war -> @peace -> @war"):
        check_topics([draft("war", "@peace x"), draft("peace", "@war y")], {})


def test_a_stored_topic_that_is_refused_today_keeps_nobody_from_storing_others():
    assert check_topics([draft()], {"broken": "((("})


def test_examples_are_checked():
    with pytest.raises(InputError, match="must match 'Moscow speaks' and does not: looked for russia"):
        check_topics([draft(must_match=("Moscow speaks",))], {})
    with pytest.raises(InputError, match="must not match 'Russia speaks', but finds Russia"):
        check_topics([draft(must_not_match=("Russia speaks",))], {})
    assert check_topics([draft(must_match=("Russia speaks",), must_not_match=("Prussia",))], {})


def test_all_faults_of_all_files_are_told_together_in_reading_order(tmp_path):
    written(
        tmp_path,
        "- {slug: a, name: A, query: a, colour: red, must_match: no}\n- {slug: b, name: B, query: b}",
        "1.yaml",
    )
    written(tmp_path, "- {slug: b, name: B, query: b}\n- {slug: C!, name: C, query: c}", "2.yaml")
    written(tmp_path, "- {", "3.yaml")
    with pytest.raises(ManyFaultsError) as refused:
        read_topics([tmp_path])
    told = [str(error).removeprefix(str(tmp_path)) for error in refused.value.errors]
    assert [line.split(": ")[0] for line in told] == [
        "/1.yaml, entry 1",
        "/1.yaml, entry 1",
        "/2.yaml, entry 1",
        "/2.yaml, entry 2",
        "/3.yaml, line 1",
    ]
    assert {"must_match", "colour"} == {line.split(": ")[1] for line in told[:2]}
    assert "stands also in" in told[2]


def test_what_can_be_read_is_read_however_much_is_wrong(tmp_path):
    file = written(tmp_path, "- {slug: a, name: A, query: a}\n- nonsense\n- {slug: c, name: C, query: c}")
    assert [one.slug for one in read([file]).drafts] == ["a", "c"]


def test_every_fault_of_every_topic_is_found():
    drafts = [
        draft("open", "(russia"),
        draft("uses-open", "@open storm"),
        draft("lost", "@nowhere"),
        draft("uses-lost", "@lost storm"),
        draft("wrong", "russia NOT film", must_match=("Moscow", "A Russia film"), must_not_match=("Russia speaks",)),
        draft("good", "peace"),
    ]
    checked = check(drafts, {})
    assert [one.slug for one in checked.drafts] == ["good"]
    assert [(fault.slug, fault.field) for fault in checked.faults] == [
        ("open", "query"),
        ("lost", "query"),
        ("wrong", "must_match 1"),
        ("wrong", "must_match 2"),
        ("wrong", "must_not_match 1"),
    ]
    assert [fault.found for fault in checked.faults[2:]] == [(), ("film",), ("Russia",)]
    assert "it has film, which the query rules out" in checked.faults[3].message


def test_a_missing_word_is_told_with_what_was_looked_for_but_not_with_hundreds_of_words():
    query = " OR ".join(f"word{number}" for number in range(100))
    (fault,) = check([draft(query=query, must_match=("nothing",))], {}).faults
    assert "looked for word0, word1" in fault.message
    assert fault.message.endswith("and 92 more")


def test_every_topic_is_reported_done_once():
    done: list[int] = []
    check([draft("a", "a"), draft("b", "(")], {}, on_done=lambda: done.append(1))
    assert len(done) == 2


def test_lines_with_a_version_as_the_list_command_prints_them_are_read(tmp_path):
    line = json.dumps({"id": "russia", "name": "Russia", "query": "russia", "version": 7})
    assert [one.slug for one in read_topics([written(tmp_path, line, "topics.jsonl")])] == ["russia"]
