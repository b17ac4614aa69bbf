"""A newsletter is looked over before it goes: what would do harm holds it, until it is mended or let go as it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests import builders
from tests.builders import time_of
from tests.integration.planning.conftest import POLICY
from tests.integration.planning.drafting import LETTER, drafted
from tests.integration.preflight.servers import serving
from worker.model import EditionId, EditionStatus
from worker.planning.run import plan
from worker.rehearsal import Rehearsal
from worker.store import editions, issues, preflights
from worker.store.database import Database
from worker.store.schema import Article, Audit
from worker.wiring import house

GATED = replace(POLICY, preflight_patience=timedelta(minutes=5))
BAD = "subject: News %(topic)s\n"
HARM = "words: the subject has a place that no value was put into: “%(topic)s”"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"TOCSIN_{name.upper()}", value)

    change(preflight="hold", spam_check="off")
    return change


@pytest.fixture
def issue(database: Database, tocsin, settings, tmp_path: Path, request) -> int:
    """A draft of an issue of three stories, which one reader follows, due in half an hour."""
    assert settings
    at = time_of(database) + timedelta(minutes=30)
    approval, timing = getattr(request, "param", ("automatic", "newsroom"))
    at += timedelta(hours=14) * (timing == "reader")  # then it is due when the first of all zones has that time
    letter = LETTER.format(hour=at.hour, minute=at.minute, approval=approval) + f"  timing: {timing}\n"
    return drafted(database, GATED, tocsin, tmp_path, letter)


@pytest.fixture
def rehearsal(issue, monkeypatch) -> Iterator[Rehearsal]:
    """What looks over mail, and asks nobody on the web."""
    assert issue
    home = house()
    found = home.rehearsal
    look_over = found.look_over
    monkeypatch.setattr(found, "look_over", lambda edition, **_: look_over(edition, offline=True))
    yield found
    home.close()


def status_of(database: Database, issue: int) -> tuple[EditionStatus, str]:
    with database.read() as conn:
        [found] = editions.listed(conn, edition_id=EditionId(issue), limit=1)
    return found["status"], found["reason"]


def audited(database: Database) -> list[str]:
    with database.read() as conn:
        return list(conn.execute(sa.select(Audit.action).order_by(Audit.id)).scalars())


@pytest.fixture
def choose(tocsin, issue, tmp_path) -> Callable[[str], str]:
    """Choose what YAML says for the issue, and return what the command says."""

    def choose(words: str) -> str:
        (tmp_path / "c.yaml").write_text(words)
        code, _, err = tocsin("editions", "choose", issue, "--file", tmp_path / "c.yaml")
        assert code == 0, err
        return str(err)

    return choose


@pytest.fixture
def bad(choose) -> Callable[[str], str]:
    """Choose a subject that holds an issue; and let words be chosen in its place."""
    choose(BAD)
    chosen: Callable[[str], str] = choose
    return chosen


def be_due(database: Database) -> None:
    builders.set_clock(database, ahead=timedelta(minutes=31))


def shown(tocsin, issue: int) -> Any:
    return tocsin.ask("editions", "show", issue)[0]


def test_an_issue_that_was_looked_over_and_is_well_goes_when_it_is_due(database, issue, rehearsal, tocsin):
    assert rehearsal.sweep() == 1
    assert rehearsal.sweep() == 0
    be_due(database)
    assert plan(database, GATED).deliveries == 1
    looked = shown(tocsin, issue)["preflight"]
    assert (looked["held_by"], looked["result"]) == ("", "warning")
    assert {one["check"] for one in looked["findings"]} >= {"subject", "links", "unsubscribe"}


def test_an_issue_that_nobody_has_looked_over_waits_for_it_fixed(database, issue, rehearsal):
    be_due(database)
    assert plan(database, GATED).deliveries == 0
    assert status_of(database, issue) == (EditionStatus.DRAFT, "is looked over")
    with database.write() as conn:
        builders.news(conn, builders.topic(conn, "bay", en="Bay"), title="Docks", outlet="Paper of Docks")
    assert rehearsal.sweep() == 1
    assert plan(database, GATED).deliveries == 1
    assert status_of(database, issue)[0] is EditionStatus.PLANNED


def test_an_issue_that_nobody_comes_to_look_at_goes_after_a_while(database, issue):
    be_due(database)
    assert plan(database, GATED).deliveries == 0
    builders.set_clock(database, ahead=timedelta(minutes=37))
    assert plan(database, GATED).deliveries == 1
    assert status_of(database, issue)[0] is EditionStatus.PLANNED


@pytest.mark.usefixtures("issue")
def test_an_issue_whose_stories_change_after_every_look_does_not_wait_for_ever(database, rehearsal):
    be_due(database)
    assert plan(database, GATED).deliveries == 0
    for minutes in range(32, 36):
        assert rehearsal.sweep() == 1
        assert rehearsal.sweep() == 0  # nobody looks again until something else would go
        with database.write() as conn:
            conn.execute(sa.update(Article).values(title=Article.title + "!"))
        builders.set_clock(database, ahead=timedelta(minutes=minutes))
        assert plan(database, GATED).deliveries == 0
    builders.set_clock(database, ahead=timedelta(minutes=37))
    assert plan(database, GATED).deliveries == 1


@pytest.mark.usefixtures("bad")
def test_an_issue_that_was_held_has_its_whole_time_again_when_it_is_mended(database, issue, rehearsal, choose):
    be_due(database)
    plan(database, GATED)
    rehearsal.sweep()
    assert status_of(database, issue)[0] is EditionStatus.HELD
    builders.set_clock(database, ahead=timedelta(minutes=50))
    choose("subject: News of the Gulf\n")
    assert plan(database, GATED).deliveries == 0  # nobody has looked at that
    assert rehearsal.sweep() == 1
    assert plan(database, GATED).deliveries == 1


def test_what_would_do_harm_holds_an_issue_visibly_until_it_is_mended(database, issue, rehearsal, tocsin, bad):
    rehearsal.sweep()
    assert status_of(database, issue)[0] is EditionStatus.DRAFT
    assert f"edition {issue} will be held when it is due: {HARM}" in tocsin("doctor", "--no-dns")[1]
    be_due(database)
    for _ in range(2):
        assert plan(database, GATED).deliveries == 0
        assert status_of(database, issue) == (EditionStatus.HELD, f"held by its preflight: {HARM}")
    with database.write() as conn:
        editions.finish_settled(conn)
    assert f"edition {issue} is held by its preflight: {HARM}" in tocsin("doctor", "--no-dns")[1]
    assert (shown(tocsin, issue)["status"], shown(tocsin, issue)["preflight"]["held_by"]) == ("held", HARM)
    code, _, err = tocsin("editions", "send", issue)
    assert (code, "is not sent" in err) == (1, True)
    assert "it is a draft again" in bad("subject: News of the gulf\n")
    rehearsal.sweep()
    assert plan(database, GATED).deliveries == 1
    assert {"hold", "let go"} <= set(audited(database))


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("words", [("send", "--anyway"), ("resume",)])
def test_a_held_issue_is_let_go_as_it_is(database, issue, rehearsal, tocsin, words):
    rehearsal.sweep()
    be_due(database)
    plan(database, GATED)
    assert status_of(database, issue)[0] is EditionStatus.HELD
    assert tocsin("editions", words[0], issue, *words[1:])[0] == 0
    assert tocsin.rung[-1] == "sweep_planning"
    assert status_of(database, issue)[0] is EditionStatus.DRAFT
    rehearsal.sweep()
    assert plan(database, GATED).deliveries == 1
    assert "at the command line" in shown(tocsin, issue)["preflight"]["waived_by"]


@pytest.mark.usefixtures("bad")
def test_a_held_issue_that_nobody_lets_go_outlives_its_time(database, issue, rehearsal):
    rehearsal.sweep()
    be_due(database)
    plan(database, GATED)
    builders.set_clock(database, ahead=timedelta(hours=13))
    plan(database, GATED)
    status, reason = status_of(database, issue)
    assert (status, reason.endswith("nobody let it go in time")) == (EditionStatus.FINISHED, True)


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("command", ["skip", "cancel"])
def test_a_held_issue_is_stopped_for_good(database, issue, rehearsal, tocsin, command):
    rehearsal.sweep()
    be_due(database)
    plan(database, GATED)
    assert tocsin("editions", command, issue)[0] == 0
    assert plan(database, GATED).deliveries == 0
    assert status_of(database, issue)[0] in {EditionStatus.FINISHED, EditionStatus.CANCELLED}


@pytest.mark.parametrize("issue", [("required", "newsroom")], indirect=True)
def test_sending_looks_first_and_refuses_what_has_a_problem(database, issue, tocsin, bad):
    assert bad
    code, _, err = tocsin("editions", "send", issue)
    assert code == 1
    assert "a place that no value was put into" in err
    assert "--anyway" in err
    with database.read() as conn:
        found = issues.issue(conn, EditionId(issue))
    assert found is not None
    assert found.approved_at is None
    assert tocsin("editions", "send", issue, "--anyway", "--now")[0] == 0
    assert plan(database, GATED).deliveries == 1


@pytest.mark.parametrize("issue", [("automatic", "reader")], indirect=True)
def test_an_issue_by_readers_clocks_is_held_and_its_readers_wait(database, issue, rehearsal, tocsin, bad):
    assert bad
    rehearsal.sweep()
    be_due(database)
    assert plan(database, GATED).deliveries == 0
    builders.set_clock(database, ahead=timedelta(hours=14, minutes=40))
    for _ in range(2):
        assert plan(database, GATED).deliveries == 0
    assert status_of(database, issue)[0] is EditionStatus.HELD
    assert tocsin("editions", "resume", issue)[0] == 0
    assert plan(database, GATED).deliveries == 1


def test_preflight_prints_a_table_and_says_by_its_status_whether_there_is_a_problem(issue, tocsin, request):
    code, out, _ = tocsin("editions", "preflight", issue, "--offline")
    assert code == 0
    assert "3 stories, each told once" in out
    request.getfixturevalue("bad")
    code, out, _ = tocsin("editions", "preflight", issue, "--offline", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [one["found"] for one in lines if one["holds"]] == [HARM.removeprefix("words: ")]
    assert set(lines[0]) == {"check", "result", "found", "advice", "holds"}
    assert tocsin("editions", "preflight", 9_999)[0] == 2


def test_what_was_sent_can_be_looked_over_too(database, issue, tocsin):
    be_due(database)
    plan(database, POLICY)
    assert status_of(database, issue)[0] is EditionStatus.PLANNED
    code, out, _ = tocsin("editions", "preflight", issue, "--offline")
    assert (code, "3 stories, each told once" in out) == (0, True)
    with database.read() as conn:
        assert preflights.of(conn, EditionId(issue)) is None  # nobody asked for it before it went


# Modes ---------------------------------------------------------------------------------------------------------------

GONE = "note: Read [on]({}/404).\n"


@pytest.mark.parametrize(("mode", "status"), [("hold", EditionStatus.PLANNED), ("strict", EditionStatus.HELD)])
def test_a_broken_link_is_told_and_holds_an_issue_only_where_the_house_is_strict(
    *, database, issue, settings, choose, tocsin, mode, status
):
    settings(preflight=mode, allow_private="true")
    with serving() as web, closing(house()) as home:
        choose(GONE.format(web.url))
        home.rehearsal.sweep()
        be_due(database)
        plan(database, home.planning_policy)
        assert ("GET", "/404") in web.asked
    assert status_of(database, issue)[0] is status
    [broken] = [one for one in shown(tocsin, issue)["preflight"]["findings"] if one["result"] == "problem"]
    assert (broken["check"], broken["found"].endswith("/404 answers 404")) == ("links", True)


def test_where_findings_only_warn_nothing_is_held_and_where_none_are_wished_nobody_looks(
    database, issue, settings, bad, tocsin
):
    assert bad
    settings(preflight="off")
    with closing(house()) as home:
        assert home.rehearsal.sweep() == 0
    settings(preflight="warn")
    with closing(house()) as home:
        assert home.rehearsal.sweep() == 1
        be_due(database)
        assert plan(database, home.planning_policy).deliveries == 1
    looked = shown(tocsin, issue)["preflight"]
    assert (looked["result"], looked["held_by"]) == ("problem", "")


def test_a_sweep_is_a_thread_of_its_own_that_says_when_it_is_done(issue, rehearsal):
    assert issue
    done = threading.Event()
    rehearsal.begin_sweep(then=done.set)
    assert done.wait(60)
    rehearsal._thread.join()
    done.clear()
    rehearsal.begin_sweep(then=done.set)  # nothing waits any more
    assert not rehearsal._thread.is_alive()
    assert not done.is_set()


def test_a_look_that_fails_holds_nothing_and_is_tried_again(database, issue, rehearsal, monkeypatch, caplog):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no letters today")

    monkeypatch.setattr(rehearsal, "look_over", fail)
    be_due(database)
    plan(database, GATED)
    assert rehearsal.sweep() == 0
    assert "no letters today" in caplog.text
    with database.read() as conn:
        assert preflights.waiting(conn, stale=time_of(database), held_stale=time_of(database)) == [issue]
    builders.set_clock(database, ahead=timedelta(minutes=37))
    assert plan(database, GATED).deliveries == 1


def test_two_houses_never_look_at_one_issue_at_once(database, issue):
    with database.write() as conn:
        assert preflights.claim(conn, EditionId(issue), for_s=60)
        assert not preflights.claim(conn, EditionId(issue), for_s=60)
    builders.set_clock(database, ahead=timedelta(minutes=2))
    with database.write() as conn:
        assert preflights.claim(conn, EditionId(issue), for_s=60)
