"""kill -9 in the middle of telling: everything is told at least once, under one id, and soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from worker.model import SubscriberId
from worker.store import outbox
from worker.tidings import Tiding

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_whoever_is_killed_in_mid_post_nothing_is_lost_and_ids_stay(house, readers, database_url):
    house.adds()
    reader_id = readers.joins("jo@example.org", "oman")
    with house.database.write() as conn:
        for number in range(60):
            outbox.tell(conn, Tiding.CONFIRMED, SubscriberId(reader_id + number))
    wanted = {row.message_id: row.data for row in house.messages()}
    house.receiver.delay_s = 0.02
    program = str(Path(__file__).with_name("one_sweep.py"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for reached in (5, 45):  # in the first round, and after one is recorded
        process = subprocess.Popen([sys.executable, program, database_url], cwd=ROOT, env=environment)
        try:
            give_up_s = time.monotonic() + 60
            while len(house.receiver.posts) < reached:
                assert process.poll() is None
                assert time.monotonic() < give_up_s
                time.sleep(0.005)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert "delivered" in house.states()
    assert "pending" in house.states()
    house.receiver.delay_s = 0
    assert house.sweeps() == 1  # at once: the holder of the lease is dead
    assert set(house.states()) == {"delivered"}
    times = Counter(house.receiver.ids)
    assert set(times) == set(wanted)
    assert sum(times.values()) <= len(wanted) + 2 * 16  # only what was on the wire has come twice
    told = {post.id: post.told["data"] for post in house.receiver.posts}
    assert told == wanted
