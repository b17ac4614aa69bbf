"""What the acceptance tests share: a command line, installations, and the certainty that nothing is left running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.houses import BRISK, MARK, CommandLine, Installation, own_ports

MakeInstallation = Callable[..., Installation]


@pytest.fixture(scope="session")
def command_line() -> Iterator[CommandLine]:
    """Runs commands."""
    commands = CommandLine()
    yield commands
    commands.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """What the tests of a file start, they end."""
    yield
    left = [process for process in psutil.process_iter() if _is_of_a_house(process)]
    commands = [" ".join(process.cmdline()) for process in left if process.is_running()]
    for process in left:
        process.kill()
    assert not commands, "left behind"


@pytest.fixture(scope="module")
def make_module_installation(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> MakeInstallation:
    """Make an installation that the tests of a file share."""

    def make(name: str = "home", **settings: str) -> Installation:
        folder = tmp_path_factory.mktemp("house")
        return Installation(folder / name, command_line, {**own_ports(), **BRISK, **settings})

    return make


@pytest.fixture
def make_installation(tmp_path: Path, command_line: CommandLine) -> MakeInstallation:
    """Make an installation of the test's own."""

    def make(name: str = "home", **settings: str) -> Installation:
        return Installation(tmp_path / name, command_line, {**own_ports(), **BRISK, **settings})

    return make


def _is_of_a_house(process: psutil.Process) -> bool:
    try:
        return process.environ().items() >= MARK.items()
    except psutil.Error:  # somebody else's, a zombie, or gone
        return False
