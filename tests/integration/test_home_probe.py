"""The home directory: looked at by every process of an installation, often at the same moment."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest

from worker.errors import ConfigurationError
from worker.foundation import Foundation
from worker.settings import load


def look(home, times):
    """Look at a home again and again, as a process does that has just started."""
    return {Foundation(load(home=home)).home for _ in range(times)}


def test_processes_that_start_together_do_not_take_each_others_probe_for_a_broken_home(tmp_path):
    home = tmp_path / "home"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(partial(look, home), [60] * 4)) == [{home}] * 4
    assert list(home.iterdir()) == []


def test_a_home_below_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=f"{os.sep}home cannot be written to"):
        _ = Foundation(load(home=tmp_path / "file" / "home")).home
