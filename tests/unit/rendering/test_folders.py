"""Every kind of mail has a folder of its own, and all that a mail needs in it."""

from __future__ import annotations

import pytest

from worker.rendering import samples
from worker.rendering.folders import folder_of
from worker.resources import templates_dir

_FILES = {"subject.txt.j2", "html.j2", "text.txt.j2"}


@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_mail_is_written_by_a_folder_that_has_all_its_parts(kind):
    folder = templates_dir() / folder_of(samples.content(kind, "en"))
    assert {file.name for file in folder.iterdir()} >= _FILES


@pytest.mark.parametrize(
    "kind",
    [
        "alert",
        "breaking",
        "rolling",
        "digest",
        "away",
        "newsletter",
        "correction",
        "confirmation",
        "welcome",
        "changed",
        "goodbye",
    ],
)
def test_a_kind_of_mail_has_a_folder_of_its_own(kind):
    assert folder_of(samples.content(kind, "en")) == f"mail/{kind}"


def test_a_new_story_in_an_alert_that_goes_on_is_written_by_the_plain_alert_s_folder():
    assert folder_of(samples.content("update", "en")) == "mail/alert"


def test_there_is_no_folder_that_no_mail_is_written_by():
    used = {folder_of(samples.content(kind, "en")) for kind in samples.KINDS}
    kept = {f"mail/{path.name}" for path in (templates_dir() / "mail").iterdir() if (path / "html.j2").is_file()}
    assert kept == used
