"""kill -9 in the middle of taking mail in: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from .test_mailbox_intake import bounce

MAILS = 600
KILLS = 3


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_an_intake_that_is_killed_loses_nothing_and_counts_nothing_twice(tmp_path):
    home, maildir = tmp_path / "home", tmp_path / "in"
    for name in ("tmp", "new", "cur"):
        (maildir / name).mkdir(parents=True)
    for number in range(MAILS):
        mail = bounce(recipient=f"r{number}@example.org", status="5.2.2")
        (maildir / "new" / f"{number:04}").write_bytes(mail)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    tocsin = [sys.executable, "-m", "worker", "--home", str(home)]
    subprocess.run([*tocsin, "db", "upgrade"], check=True, env=environment, capture_output=True)

    for kill in range(1, KILLS + 1):
        process = subprocess.Popen([*tocsin, "feedback", "ingest", str(maildir)], env=environment)
        while len(names(maildir / "cur")) < kill * MAILS // (KILLS + 2) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL, "it was done before it could be killed"
    subprocess.run([*tocsin, "feedback", "ingest", str(maildir)], check=True, env=environment, capture_output=True)

    assert names(maildir / "new") == []
    assert names(maildir / "cur") == [f"{number:04}:2,S" for number in range(MAILS)]
    with sqlite3.connect(home / "tocsin.db") as database:
        counted = database.execute("SELECT count(*), count(DISTINCT provider_event_id), count(settled_at) FROM event")
        assert counted.fetchone() == (MAILS, MAILS, MAILS)
    database.close()
