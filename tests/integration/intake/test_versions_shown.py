"""An article's versions, as an operator and a program see them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tests.integration.intake.test_taking_in import told
from worker.intake.run import Intake
from worker.intake.run_edits import Edit, edit
from worker.store.schema import ArticleVersion


def revised(database) -> int:
    intake = Intake(database, age_limit=timedelta(hours=24))
    first = intake.add(told(title="Ports agree", summary="Twelve dead."), kind="push", outlet="Courier")
    intake.add(told(title="Ports agree", summary="Nineteen dead.", tags=("ports",)), kind="push", outlet="Courier")
    edit(database, first.id, Edit(title="Ports \x1b[31magree"))
    return first.id


def test_a_terminal_shows_what_each_version_changed_word_by_word(database, tocsin):
    number = revised(database)
    status, out, _ = tocsin("articles", "show", number, "--versions")
    assert status == 0
    lines = [line.strip() for line in out.splitlines()]
    start = next(at for at, line in enumerate(lines) if line.startswith("revision 1 ·"))
    assert lines[start + 1] == "not seen before"
    assert lines[start + 2].startswith("revision 2 · ")
    assert lines[start + 2].endswith(" · a touch-up")
    assert lines[start + 3 : start + 5] == [
        f"same item as article {number} with a changed summary and tags",
        "summary: [-Twelve-]{+Nineteen+} dead.",
    ]
    assert lines[start + 6] == "an editor has changed its title"
    assert "\x1b" not in out


def test_programs_get_when_and_why_and_which_fields(database, tocsin):
    (row,) = tocsin.ask("articles", "show", revised(database), "--versions")
    assert [(one["revision"], one["changed"], one["material"]) for one in row["versions"]] == [
        (1, [], True),
        (2, ["summary", "tags"], False),
        (3, ["title"], None),
    ]
    assert row["versions"][2]["reason"] == "an editor has changed its title"
    (without,) = tocsin.ask("articles", "show", row["id"])
    assert "versions" not in without


def test_a_version_of_which_nobody_noted_the_change_is_compared_by_its_texts(database, tocsin):
    number = revised(database)
    with database.write() as conn:
        conn.execute(sa.update(ArticleVersion).values(changed=sa.null(), material=None))
    (row,) = tocsin.ask("articles", "show", number, "--versions")
    assert [one["changed"] for one in row["versions"]] == [[], ["summary"], ["title"]]
