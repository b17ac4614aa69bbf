"""`tocsin topics import` and `check` over files: every fault is told with its place, nothing is stored by halves."""

from __future__ import annotations

import json

import pytest

FINE = "- {slug: fine, name: Fine, query: storm, must_match: [A storm], must_not_match: [A calm]}\n"
OPEN = '- {slug: open, name: Open, query: "storm (russia"}\n'
LOST = '- {slug: lost, name: Lost, query: "@nowhere"}\n'
WRONG = (
    "- {slug: wrong, name: Wrong, query: storm NOT film, must_match: [A storm film], must_not_match: [A storm rose]}\n"
)


@pytest.fixture(scope="module")
def house(make_module_installation):
    house = make_module_installation()
    house.migrated()
    return house


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "1.yaml").write_text(FINE + OPEN)
    (tmp_path / "2.yaml").write_text(LOST + WRONG)
    return tmp_path


def test_an_import_tells_every_fault_of_all_files_with_carets_and_stores_nothing(house, folder):
    before = house.rows()
    complaint = house.tocsin("topics", "import", folder).complaint
    errors = [line.removeprefix(f"error: {folder}/") for line in complaint.splitlines() if line.startswith("error: ")]
    assert [error.rpartition(", topic")[0] for error in errors] == [
        "1.yaml, entry 2",
        "2.yaml, entry 1",
        "2.yaml, entry 2",
        "2.yaml, entry 2",
    ]
    assert "query: this bracket is never closed at offset 6 (write ) where" in errors[0]
    assert "query: there is no topic @nowhere at offset 0" in errors[1]
    assert errors[2].endswith("and does not: it has film, which the query rules out")
    assert errors[3].endswith("must_not_match 1: must not match 'A storm rose', but finds storm")
    assert complaint.splitlines()[1:3] == ["  storm (russia", "        ^"]
    assert house.rows() == before


def test_a_check_of_files_needs_no_database_and_fails_with_what_was_found(house, folder, tmp_path):
    done = house.tocsin("--home", tmp_path / "nothing", "topics", "check", folder)
    assert done.status == 1
    assert "must not match 'A storm rose', but finds storm" in done.out
    assert "4 faults; 3 of 4 topics fail" in done.err
    assert not (tmp_path / "nothing").exists()


def test_a_check_as_json_has_a_line_for_every_topic(house, folder):
    done = house.tocsin("topics", "check", folder, "--json")
    told = {line["id"]: line for line in map(json.loads, done.out.splitlines())}
    assert {slug: line["holds"] for slug, line in told.items()} == {
        "fine": True,
        "open": False,
        "lost": False,
        "wrong": False,
    }
    assert told["open"]["faults"][0]["offset"] == 6
    assert [fault["found"] for fault in told["wrong"]["faults"]] == [["film"], ["storm"]]


def test_an_import_tells_what_became_of_each_topic(house, tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text(FINE.replace("fine", "told-once"))
    assert house.tocsin("topics", "import", file).err == "1 added\n"
    assert house.tocsin("topics", "import", file).err == "1 unchanged\n"
    file.write_text(FINE.replace("fine", "told-once").replace("query: storm", "query: storm OR gale"))
    assert house.tocsin("topics", "import", file).err == "1 changed\n  told-once: version 1 -> 2\n"
    assert house.tocsin("topics", "check").status == 0
