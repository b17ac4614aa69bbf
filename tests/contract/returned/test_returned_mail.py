"""Returned mail in the dialects of many systems, a file each: `expected.jsonl` says what each must be understood as.

The samples are made by hand in the shapes that these systems write; addresses and hosts are invented.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.feedback.mail.classify import findings
from worker.feedback.mail.verdict import Kind, Reason

HERE = Path(__file__).parent
SAMPLES = [json.loads(line) for line in (HERE / "expected.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["file"]))
def test_a_returned_mail_is_understood(sample):
    found = [
        [one.kind, one.recipient, one.status, one.hard, one.reason]
        for one in findings((HERE / sample["file"]).read_bytes())
    ]
    assert found == sample["findings"], sample["dialect"]


def test_every_sample_is_listed_once_and_there_are_many():
    assert sorted(sample["file"] for sample in SAMPLES) == sorted(path.name for path in HERE.glob("*.eml"))
    assert len(SAMPLES) >= 150


def test_the_samples_know_every_kind_and_nearly_every_reason():
    told = [finding for sample in SAMPLES for finding in sample["findings"]]
    assert {finding[0] for finding in told} == set(Kind)
    assert set(Reason) - {finding[4] for finding in told} <= {Reason.CONTENT, Reason.SYSTEM}


def test_a_policy_and_a_full_mailbox_are_never_hard():
    for sample in SAMPLES:
        for _, _, status, hard, reason in sample["findings"]:
            assert not (hard and (status.startswith(("4.", "5.7.")) or reason == "mailbox_full")), sample["file"]
            assert hard or status not in {"5.1.1", "5.1.10", "5.2.1"} or "delayed" in sample["dialect"], sample["file"]


def parse(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "worker", "feedback", "parse", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def test_the_command_prints_a_line_a_recipient_with_the_names_of_the_contract():
    files = [str(HERE / name) for name in ("postfix-mixed.eml", "human-reply.eml", "empty.eml")]
    ran = parse(*files, "--json")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0, ran.stderr
    assert [line["file"] for line in lines] == [files[0]] * 3 + files[1:]
    assert list(lines[0]) == ["file", "kind", "recipient", "status", "hard", "reason"]
    assert lines[0] | {"file": ""} == {
        "file": "", "kind": "bounce", "recipient": "jo@example.org", "status": "5.1.1", "hard": True,
        "reason": "user_unknown",
    }  # fmt: skip
    assert lines[-1]["kind"] == "other"


def test_the_command_reads_standard_input():
    ran = parse("-", "--json", stdin=(HERE / "arf-rfc5965.eml").read_bytes())
    assert json.loads(ran.stdout)["kind"] == "complaint"


def test_a_file_that_is_not_there_is_named_in_one_line(tmp_path):
    ran = parse(str(tmp_path / "none.eml"), "--json")
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert b"none.eml" in ran.stderr
