"""The command line as an operator types it, in this process, on the test's own database."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.readers import KeptReaders
from worker.cli import main
from worker.store.database import Database
from worker.wiring import House

SUPPRESSION_KEY = "a-key-that-hashes-addresses-in-tests"


@dataclass
class Tocsin:
    """Runs commands; `rung` has the tasks that they rang for."""

    database: Database
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    home: Path
    rung: list[str] = field(default_factory=list)
    opened: list[Database] = field(default_factory=list)

    def __call__(self, *words: object) -> tuple[int, str, str]:
        """Run a command; give its exit status, standard output and standard error."""
        self.monkeypatch.setattr(sys, "argv", ["tocsin", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        while self.opened:  # as the end of a process does
            self.opened.pop().close()
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int | None)
        return ended.value.code or 0, out, err

    def ask(self, *words: object) -> list[Any]:
        """Run a command that must do well, and give its JSON lines."""
        status, out, err = self(*words, "--json")
        assert status == 0, err
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="session")
def kept_readers() -> Iterator[KeptReaders]:
    """Readers of feeds for all pollers of the session that need none of their own."""
    readers = KeptReaders(most=1)
    yield readers
    readers.end()


@pytest.fixture
def tocsin(
    database: Database,  # what a test's own folder puts into it is there
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tocsin:
    """The command line, on the test's database and in a home of its own."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    tocsin = Tocsin(database, monkeypatch, capsys, tmp_path / "home")

    class Recorded(Database):
        """A database that can be closed by whoever did not open it."""

        def __init__(self, url: str) -> None:
            super().__init__(url)
            tocsin.opened.append(self)

    monkeypatch.setenv("TOCSIN_HOME", str(tocsin.home))
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TOCSIN_SECRET_KEYS", "a-key-that-signs-links-in-tests-only")
    monkeypatch.setenv("TOCSIN_SUPPRESSION_KEY", SUPPRESSION_KEY)
    monkeypatch.setenv("TOCSIN_PREFLIGHT", "off")  # who tests it turns it on
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("worker.foundation.Database", Recorded)
    monkeypatch.setattr(House, "ring", lambda _house, task, *_arguments: tocsin.rung.append(task))
    return tocsin
