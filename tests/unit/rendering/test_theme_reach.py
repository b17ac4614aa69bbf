"""No template of a theme runs a program, reads a file or changes what others share, however it spells that."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from worker.rendering.theme_check import check
from worker.rendering.theme_files import read_theme


def told(tmp_path, subject):
    file = tmp_path / "theme" / "mail" / "alert" / "subject.txt.j2"
    file.parent.mkdir(parents=True)
    file.write_text(subject, encoding="utf-8")
    return [str(fault) for fault in check(read_theme(tmp_path / "theme")) if fault.stops]


class Mine:
    """Leaves a file where it is unpickled, and so shows that somebody's own program ran."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.mark.parametrize(
    "reach",
    [
        "newsroom | attr('parse_raw')",
        "[newsroom][0]['parse_raw']",
        "(newsroom | list | first | attr('no')) or newsroom.model_construct",
    ],
)
def test_no_template_reaches_what_runs_programs_however_it_spells_it(tmp_path, reach):
    left = tmp_path / "left"
    pickled = json.dumps(pickle.dumps(Mine(left), protocol=0).decode("latin-1"))
    call = f"{{{{ ({reach})({pickled}, content_type='a/pickle', allow_pickle=True) }}}}"
    assert told(tmp_path, call)
    assert not left.exists()


@pytest.mark.parametrize(
    "reach",
    [
        "newsroom | attr('parse_file')",
        "language | attr('catalogue')",
        "[language][0].locale",
        "[language][0].of",
        "dict.fromkeys",
        "self | attr('_TemplateReference__context')",
    ],
)
def test_no_template_reaches_what_reads_files_or_changes_what_others_share(tmp_path, reach):
    faults = told(tmp_path, f"{{% set found = {reach} %}}{{{{ found.x }}}}")
    assert any("is unsafe" in fault or "not for templates" in fault for fault in faults), faults
