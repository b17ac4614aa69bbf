"""Workers that send mail never load the matching engine, nor what compiles it: seconds, and hundreds of megabytes.

Each process says itself what it imports, early or late (PYTHONPROFILEIMPORTTIME), while a house does all its work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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


@pytest.fixture(scope="module")
def logs(make_module_installation: MakeInstallation) -> Iterator[dict[str, Path]]:
    """What each kind of worker has said, after an alert has gone its whole way."""
    house = make_module_installation()
    house.followed(TOPICS, READERS)
    house.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    with house.up(), house.start("worker", "--queues", "alerts,bulk") as both:
        until(lambda: "worker.delivery.run" in both.said, within_s=30, what="the second worker is there")
        for number in range(6):  # so that each of the two that could send them has had one, most likely
            assert house.post(
                "/api/v1/articles", {"title": f"Lava {number}", "url": f"https://c.example/{number}"}
            ).is_success
        until(lambda: len(house.mails_to("vera@reader.example")) == 6, within_s=30, what="alerts", tell=house.logs)
        found = {f"worker-{lane}": house.home / "logs" / f"worker-{lane}.log" for lane in Lane}
        yield found | {"both": both.log}


@pytest.mark.parametrize("name", ["worker-alerts", "worker-bulk", "both"])
def test_a_worker_that_sends_has_loaded_nothing_heavy(name, logs):
    found = imported(logs[name])
    assert "worker.delivery.run" in found
    assert not found & HEAVY


def test_the_worker_that_matches_has(logs):
    assert {"worker.matching.engine", "worker.matching.run"} <= imported(logs["worker-control"])
