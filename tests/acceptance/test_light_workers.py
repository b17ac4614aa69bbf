"""Workers that send mail never load the matching engine, nor what compiles it: seconds, and hundreds of megabytes.

Each process says itself what it imports, early or late (PYTHONPROFILEIMPORTTIME), while a house does all its work. And
where they are asked to, those that send keep each to one core.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import until
from worker.model import Lane

pytestmark = pytest.mark.slow

HEAVY: Final = {"numba", "llvmlite", "numpy", "worker.matching.engine", "worker.matching.run", "worker.intake.run"}
TOPICS: Final = "- {slug: lava, name: {en: Lava}, query: lava}\n- {slug: rain, name: {en: Rain}, query: rain}\n"
READERS: Final = """email,name,locale,timezone,topics,cadence,at
vera@reader.example,Vera,en,UTC,lava,immediate,
"""


def imported(log: Path) -> set[str]:
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", log.read_text(errors="replace"), re.MULTILINE))


def cores_of(main: psutil.Process) -> list[set[int]]:
    """Return the cores that each thread of a worker's children may use, but for the second: it watches their parent."""
    threads = [
        sorted(Path(f"/proc/{child.pid}/task").iterdir(), key=lambda one: int(one.name)) for child in main.children()
    ]
    return [os.sched_getaffinity(int(one.name)) for found in threads for one in (found[0], *found[2:])]


@pytest.fixture(scope="module")
def cores() -> dict[str, list[set[int]]]:
    """Filled by `logs` while its house still runs."""
    return {}


@pytest.fixture(scope="module")
def logs(make_module_installation: MakeInstallation, cores: dict[str, list[set[int]]]) -> Iterator[dict[str, Path]]:
    """What each kind of worker has said, after an alert has gone its whole way."""
    house = make_module_installation(TOCSIN_DELIVERY_ONE_CORE="on")
    house.followed(TOPICS, READERS)
    house.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    with house.up() as running, house.start("worker", "--queues", "alerts,bulk") as both:
        until(lambda: "worker.delivery.run" in both.said, within_s=30, what="the second worker is there")
        for number in range(6):  # so that each of the two that could send them has had one, most likely
            assert house.post(
                "/api/v1/articles", {"title": f"Lava {number}", "url": f"https://c.example/{number}"}
            ).is_success
        until(lambda: len(house.mails_to("vera@reader.example")) == 6, within_s=30, what="alerts", tell=house.logs)
        cores |= {lane: cores_of(running.children()[f"worker --queues {lane}"]) for lane in Lane}
        found = {f"worker-{lane}": house.home / "logs" / f"worker-{lane}.log" for lane in Lane}
        yield found | {"both": both.log}


@pytest.mark.parametrize("name", ["worker-alerts", "worker-bulk", "both"])
def test_a_worker_that_sends_has_loaded_nothing_heavy(name, logs):
    found = imported(logs[name])
    assert "worker.delivery.run" in found
    assert not found & HEAVY


def test_the_worker_that_matches_has(logs):
    assert {"worker.matching.engine", "worker.matching.run"} <= imported(logs["worker-control"])


@pytest.mark.usefixtures("logs")
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="a process cannot choose its cores here")
def test_each_that_sends_keeps_to_one_core_and_who_matches_may_use_all(cores):
    ours = os.sched_getaffinity(0)
    assert [core for core in cores["bulk"] if core != {max(ours)}] == []
    assert [core for core in cores["alerts"] if core != {min(ours)}] == []
    assert [core for core in cores["control"] if core != ours] == []
    assert len(cores["alerts"]) > 2  # its event loop and its SQL have threads of their own
