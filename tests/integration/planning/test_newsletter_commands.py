"""`tocsin newsletters` and `tocsin editions`, as an editor types them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests import builders
from tests.integration.planning.drafting import LETTER, READERS, drafted
from worker.planning.run import Policy, plan
from worker.store.database import Database


@pytest.fixture
def issue(database: Database, policy: Policy, tocsin, tmp_path: Path, request) -> int:
    """A draft of an issue of three stories, which one reader follows, due in half an hour."""
    at = builders.time_of(database) + timedelta(minutes=30)
    approval = getattr(request, "param", "required")
    letter = LETTER.format(hour=at.hour, minute=at.minute, approval=approval)
    return drafted(database, policy, tocsin, tmp_path, letter)


def preview(tocsin, issue: int):
    code, out, _ = tocsin("editions", "preview", issue, "--json")
    assert code == 0
    return json.loads(out)


def test_a_newsletter_is_listed_with_its_next_issue_and_readers(tocsin, issue):
    [letter] = [json.loads(line) for line in tocsin("newsletters", "list", "--json")[1].splitlines()]
    assert (letter["slug"], letter["readers"], letter["approval"]) == ("top-10", 1, "required")
    assert letter["next_due_at"].endswith("Z")
    listed = [json.loads(line) for line in tocsin("editions", "list", "--json")[1].splitlines()]
    assert [(one["id"], one["kind"], one["status"]) for one in listed] == [(issue, "newsletter", "draft")]


def test_what_a_list_brings_in_goes_out_again(tocsin, issue):
    assert issue
    code, out, _ = tocsin("subscribers", "export")
    assert code == 0
    assert "newsletter:top-10" in out
    shown = json.loads(tocsin("subscribers", "show", "ada@readers.example", "--json")[1])
    assert [one["follows"] for one in shown["follows"]] == ["top-10"]


def test_a_reader_is_let_follow_and_leave(tocsin, issue):
    assert issue
    words = ("top-10", "ADA@readers.example")
    assert "follows top-10 no more" in tocsin("newsletters", "unfollow", *words)[2]
    assert "did not follow top-10" in tocsin("newsletters", "unfollow", *words)[2]
    assert json.loads(tocsin("newsletters", "list", "--json")[1])["readers"] == 0
    assert tocsin("newsletters", "follow", *words)[0] == 0
    assert json.loads(tocsin("newsletters", "list", "--json")[1])["readers"] == 1
    code, _, err = tocsin("newsletters", "follow", "top-11", "ada@readers.example")
    assert code == 2
    assert "did you mean top-10?" in err


def test_who_has_not_confirmed_follows_nothing(tocsin, issue, tmp_path):
    assert issue
    (tmp_path / "more.csv").write_text(READERS.replace("ada@", "ben@").replace("newsletter:top-10", "gulf"))
    assert tocsin("subscribers", "import", tmp_path / "more.csv")[0] == 0
    code, _, err = tocsin("newsletters", "follow", "top-10", "ben@readers.example")
    assert code == 2
    assert "this reader gets no mail" in err


def test_an_unknown_newsletter_on_a_list_is_told_by_its_line(tocsin, issue, tmp_path):
    assert issue
    (tmp_path / "wrong.csv").write_text(READERS.replace("top-10", "top-11"))
    code, _, err = tocsin("subscribers", "import", tmp_path / "wrong.csv", "--confirmed")
    assert code == 2
    assert "line 2, topics" in err
    assert "did you mean newsletter:top-10?" in err


def test_an_issue_is_previewed_chosen_and_sent(tocsin, issue, database, policy, tmp_path):
    shown = preview(tocsin, issue)
    assert [story["title"] for story in shown["stories"]] == ["Cranes", "Boats", "Anchors"]
    code, out, _ = tocsin("editions", "preview", issue, "--out", tmp_path / "out")
    assert code == 0
    assert "Cranes" in out
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert files == [f"edition-{issue}.{form}" for form in ("eml", "html", "txt")]
    (tmp_path / "c.yaml").write_text(f"pins: [{shown['stories'][2]['story']}]\nnote: Good morning.\nsubject: A day\n")
    assert tocsin("editions", "choose", issue, "--file", tmp_path / "c.yaml")[0] == 0
    chosen = preview(tocsin, issue)
    assert (chosen["subject"], chosen["stories"][0]["title"]) == ("A day", "Anchors")
    code, out, err = tocsin("editions", "send", issue, "--json")
    assert code == 0
    assert json.loads(out)["changed"] is True
    assert "is approved: it goes out at" in err
    assert tocsin("editions", "choose", issue, "--file", tmp_path / "c.yaml")[0] == 1
    assert "it goes out now" in tocsin("editions", "send", issue, "--now")[2]
    assert tocsin.rung[-1] == "sweep_planning"
    assert plan(database, policy).deliveries == 1
    code, _, err = tocsin("editions", "send", issue)
    assert code == 1
    assert "already" in err


@pytest.mark.parametrize("issue", ["automatic"], indirect=True)
def test_what_needs_no_word_goes_at_once_when_it_is_sent(tocsin, issue, database, policy):
    assert "it goes out now" in tocsin("editions", "send", issue)[2]
    assert plan(database, policy).deliveries == 1


def test_an_issue_is_tried_out_and_skipped(tocsin, issue):
    code, _, err = tocsin("editions", "test-send", issue, "nobody@readers.example")
    assert code == 2
    assert "there is no reader" in err
    assert tocsin("editions", "test-send", issue, "ada@readers.example")[0] == 0
    assert tocsin.rung[-1] == "sweep_deliveries"
    assert tocsin("editions", "skip", issue, "--reason", "a holiday")[0] == 0
    listed = [json.loads(line) for line in tocsin("editions", "list", "--json")[1].splitlines()]
    assert [(one["kind"], one["status"], one["reason"]) for one in listed] == [
        ("system", "planned", ""),
        ("newsletter", "finished", "a holiday"),
    ]
    assert tocsin("editions", "skip", issue)[0] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pin: [1]", "c.yaml, pin: "),
        ("pins: [x]", "c.yaml, pins.0: "),
        ("pins: [999999]", "c.yaml, pins: nothing tells the story 999999"),
        ("- [", "c.yaml: not YAML"),
    ],
)
def test_wrong_choices_are_one_clear_line(tocsin, issue, tmp_path, text, told):
    (tmp_path / "c.yaml").write_text(text)
    code, _, err = tocsin("editions", "choose", issue, "--file", tmp_path / "c.yaml")
    assert code == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_what_is_no_issue_has_no_preview(tocsin):
    code, _, err = tocsin("editions", "preview", 999)
    assert code == 2
    assert "edition 999 is no newsletter's issue" in err
