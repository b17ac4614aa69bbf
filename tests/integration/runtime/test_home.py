"""The home: one `tocsin up` at a time, and one clear line when it cannot be used."""

import os

import pytest

from worker.errors import ConfigurationError
from worker.runtime.home import HomeLock


def test_a_home_is_made_and_is_private(tmp_path):
    home = tmp_path / "new" / "home"
    with HomeLock(home):
        assert home.stat().st_mode & 0o777 == 0o700
        assert (home / "lock").read_text() == str(os.getpid())


def test_a_home_can_be_locked_again_after_its_release(tmp_path):
    with HomeLock(tmp_path):
        pass
    with HomeLock(tmp_path):
        pass


def test_a_second_tocsin_on_one_home_is_one_line_that_names_the_first(tmp_path, small_up):
    home = tmp_path / "home"
    first = small_up(home=home)
    second = small_up(home=home, wait=False)
    assert second.process.wait(timeout=5) == 2
    assert second.errors() == (
        f"the home {home} is in use by another tocsin (process {first.process.pid}):"
        " stop it, or set TOCSIN_HOME to another\n"
    )
    assert second.events() == []
    assert first.is_up()


def test_a_home_whose_tocsin_was_killed_can_be_used_at_once(tmp_path, small_up):
    home = tmp_path / "home"
    first = small_up(home=home)
    first.process.kill()
    assert small_up(home=home).is_up()


def test_a_file_in_the_place_of_the_home_is_one_line(tmp_path):
    home = tmp_path / "home"
    home.write_text("a letter")
    with pytest.raises(ConfigurationError) as raised:
        HomeLock(home).acquire()
    reason = "a file is in the place of a directory"
    assert str(raised.value) == f"cannot use {home}: {reason}; set TOCSIN_HOME to a directory that you may write to"
    assert home.read_text() == "a letter"


def test_a_file_in_the_place_of_a_parent_directory_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="a file is in the place of a directory; set TOCSIN_HOME"):
        HomeLock(tmp_path / "file" / "home").acquire()
