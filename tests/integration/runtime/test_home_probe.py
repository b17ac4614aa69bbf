"""The home directory: looked at by every process of an installation, often at the same moment."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker.errors import ConfigurationError
from worker.foundation import Foundation
from worker.settings import Settings


def test_processes_that_start_together_do_not_take_each_others_probe_for_a_broken_home(tmp_path):
    settings = Settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        homes = set(pool.map(lambda _: Foundation(settings).home, range(2_000)))
    assert homes == {tmp_path / "home"}
    assert list((tmp_path / "home").iterdir()) == []


def test_a_home_below_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=f"{os.sep}home cannot be written to"):
        _ = Foundation(Settings(home=tmp_path / "file" / "home")).home
