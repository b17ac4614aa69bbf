"""Everything that can go wrong around a send into a relay, in the middle of it: the books hold, and nobody is lost.

A relay cannot be asked what it has, so that a message in doubt stays "unknown" (at most once), or is sent again when it
is breaking (at least once): within the stated window. The short ones run with all tests, the rest by `make drill`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest
import redis

from tests.acceptance.drilling import DURABLE, VICTIMS, WINDOW, Drill, Stage, kill_every_second, seed
from tests.acceptance.houses import STOP_WITHIN_S, CommandLine, until
from tests.databases import Cluster
from tests.relays import SmtpSink, StandIn
from worker.lifecycle import State

SHORT: Final = 2_000
LONG: Final = int(os.environ.get("DRILL_READERS", "20000"))
MINUTE_S: Final = 60
FAULT_S: Final = 20  # a sink that is changed cannot be reached for a moment, and is then left alone for ten seconds
MOODS: Final = ("--soft", "0.03", "--hard", "0.03", "--hang-up", "0.01", "--forget", "0.01")


@pytest.fixture
def stage(tmp_path: Path, command_line: CommandLine) -> Iterator[Stage]:
    with Stage(tmp_path, command_line) as stage:
        yield stage


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that waits for its disk, as a newsroom's would."""
    cluster = Cluster(**DURABLE)
    try:
        yield cluster
    finally:
        cluster.stop()


# Short ---------------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_kill_9_of_every_part_in_turn_in_one_send(stage: Stage) -> None:
    random = Random(seed())
    drill = stage.drill(SmtpSink(), readers=SHORT)
    drill.begin()
    victims = [*VICTIMS, VICTIMS[0]]
    random.shuffle(victims)
    for number, victim in enumerate(victims, 1):
        drill.wait_until_sent(number / (len(victims) + 2))
        drill.kill_as_soon_as_there(victim)
    assert drill.left(), "the send was over before everything was killed"
    account = drill.settle()
    account.check()
    assert account.refused == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "severity", [pytest.param("normal", marks=pytest.mark.slow), pytest.param("breaking", marks=pytest.mark.drill)]
)
def test_a_relay_that_refuses_hangs_up_and_stalls_at_random(stage: Stage, severity: str) -> None:
    check_moody_relay(stage, readers=SHORT // 4, severity=severity)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_postgresql_crashes_in_mid_send(cluster: Cluster, stage: Stage) -> None:
    check_postgresql_restarts(stage, cluster, readers=SHORT // 4, crashes=[True])


# Long: what is killed ------------------------------------------------------------------------------------------------


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victims", [*((one,) for one in VICTIMS), VICTIMS], ids=[*VICTIMS, "any"])
def test_kill_9_every_second_for_a_minute(stage: Stage, victims: tuple[str, ...]) -> None:
    random = Random(seed())
    drill = stage.drill(SmtpSink(), readers=LONG)
    drill.begin(part=0.01)
    hits = kill_every_second(drill, victims, random, seconds=MINUTE_S)
    assert sum(hits.values()) >= MINUTE_S // 6  # what is dead just now cannot be killed
    drill.settle().check()


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_kill_9_at_random_on_postgresql_with_breaking_news(cluster: Cluster, stage: Stage) -> None:
    random = Random(seed())
    drill = stage.drill(SmtpSink(), readers=LONG, cluster=cluster)
    drill.begin(part=0.01, severity="breaking")
    kill_every_second(drill, VICTIMS, random, seconds=MINUTE_S)
    account = drill.settle(again=True)
    account.check(again=True)
    assert (account.accepted, account.unknown) == (LONG, 0)


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_flushall_every_second(stage: Stage) -> None:
    drill = stage.drill(SmtpSink(), readers=LONG)
    drill.begin(part=0.01)
    with redis.Redis(port=drill.house.port("BROKER")) as broker:
        for _ in range(MINUTE_S // 2):
            broker.flushall()
            time.sleep(1)
    assert drill.left(), "the send was over before the last FLUSHALL"
    check_that_all_got_it(drill)


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_two_beats_and_two_of_each_worker(stage: Stage) -> None:
    drill = stage.drill(SmtpSink(), readers=LONG)
    drill.up()
    with contextlib.ExitStack() as others:
        for words in (("beat",), ("worker", "--queues", "alerts"), ("worker", "--queues", "control")):
            others.callback(drill.house.start(*words).stop, signal.SIGKILL)
        drill.begin()
        check_that_all_got_it(drill)
        assert len(drill.books.ask("SELECT id FROM edition")) == 1


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_sigterm_again_and_again_leaves_nothing_in_doubt(stage: Stage) -> None:
    drill = stage.drill(SmtpSink(), readers=LONG)
    drill.begin(part=0.05)
    for part in (0.2, 0.4, 0.6):
        up = drill.up()
        drill.wait_until_sent(part)
        assert up.stop(signal.SIGTERM) < STOP_WITHIN_S
        assert up.process.returncode == 0, up.said
        assert drill.in_doubt() == 0, drill.states()
        assert drill.states()[State.ACCEPTED] == drill.relay.progress()
        assert drill.left()
    drill.up()
    check_that_all_got_it(drill)


# Long: the relay -----------------------------------------------------------------------------------------------------


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize("severity", ["normal", "breaking"])
def test_a_moody_relay_and_twenty_thousand_readers(stage: Stage, severity: str) -> None:
    check_moody_relay(stage, readers=LONG, severity=severity)


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_the_relay_drops_the_connection_after_the_final_dot(stage: Stage) -> None:
    sink = SmtpSink()
    drill = stage.drill(sink, readers=LONG)
    drill.begin()
    swallowed = sink.change("-q", ".")
    until(lambda: sink.came_into(swallowed).total(), within_s=120, what="it swallows something", tell=drill.tell)
    time.sleep(3)
    sink.change()
    drill.excused = sink.came_into(swallowed).total() + 2 * WINDOW  # with what each change of the sink has cut off
    account = drill.settle()
    account.check()
    assert account.unknown_that_came >= 1


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", ["-r RCPT", "-f RCPT", "-r MAIL", "-Q MAIL", "-q DATA", "-q CONNECT", "-A 0"])
def test_the_relay_refuses_everything_for_a_while(stage: Stage, fault: str) -> None:
    sink = SmtpSink()
    drill = stage.drill(sink, readers=SHORT)
    drill.begin()
    sink.change(*fault.split())
    time.sleep(FAULT_S)
    sink.change()
    drill.excused = 2 * WINDOW
    drill.settle().check()


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_the_relay_stalls_for_a_while(stage: Stage) -> None:
    sink = SmtpSink()
    drill = stage.drill(sink, readers=SHORT)
    drill.begin()
    sink.change("-w", "5")
    time.sleep(FAULT_S)
    sink.change()
    drill.excused = 2 * WINDOW
    drill.settle().check()


# Long: what a house stands on ----------------------------------------------------------------------------------------


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_postgresql_is_restarted_and_crashes_again_and_again(cluster: Cluster, stage: Stage) -> None:
    check_postgresql_restarts(stage, cluster, readers=LONG, crashes=[False, True, False, True])


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_the_wall_clock_steps_by_an_hour_to_and_fro(stage: Stage, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    drill = stage.drill(SmtpSink(), readers=LONG, settings=under_a_clock(clock))
    drill.begin(part=0.05)
    for number, step in enumerate(("+1h", "+0", "-1h", "+0", "+2h", "+1h")):
        before = drill.relay.progress()
        clock.write_text(step)
        time.sleep(5)
        assert step == "-1h" or drill.relay.progress() > before, f"nothing was sent after step {number}, {step}"
    check_that_all_got_it(drill)


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_the_disk_is_full_for_a_while(stage: Stage, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, megabytes=64):
        drill = stage.drill(SmtpSink(), readers=LONG, home=disk / "home")
        try:
            drill.begin()
            for _ in range(3):
                filler = fill_up(disk)
                time.sleep(5)
                before = drill.relay.progress()
                time.sleep(2)
                assert drill.relay.progress() - before <= WINDOW, "mail was sent that could not be written down"
                filler.unlink()
                drill.wait_for_more(before + WINDOW)
            drill.excused = 3 * WINDOW
            drill.settle().check()
        finally:
            drill.stop()


# How -----------------------------------------------------------------------------------------------------------------


def check_that_all_got_it(drill: Drill) -> None:
    account = drill.settle()
    account.check()
    assert (account.accepted, account.doubted) == (drill.readers, 0), account


def check_moody_relay(stage: Stage, *, readers: int, severity: str) -> None:
    chance = seed()
    # Each costs a connection half a minute, or everybody half of the rate: as many of them, however long the send is.
    slow = str(5 / readers)
    relay = StandIn(*MOODS, "--busy", slow, "--stall", slow, "--round-trip-s", "0.02", "--seed", str(chance))
    drill = stage.drill(relay, readers=readers, delay_s=0)
    drill.begin(severity=severity)
    again = severity == "breaking"
    drill.wait_until_settled(again=again)
    drill.excused = relay.fates()["hang_up"] + relay.fates()["forget"]
    account = drill.settle()
    account.check(again=again)
    assert account.refused > 0
    if again:
        assert account.accepted + account.refused == readers, account


def check_postgresql_restarts(stage: Stage, cluster: Cluster, *, readers: int, crashes: list[bool]) -> None:
    drill = stage.drill(SmtpSink(), readers=readers, cluster=cluster)
    drill.begin()
    for number, crash in enumerate(crashes, 1):
        drill.wait_until_sent(0.1 + 0.8 * number / (len(crashes) + 1))
        cluster.restart(crash=crash, away_s=1.0)
    assert drill.left(), "the send was over before PostgreSQL was gone"
    drill.excused = WINDOW * len(crashes)
    account = drill.settle()
    account.check()


def under_a_clock(clock: Path) -> dict[str, str]:
    """Return settings under which the wall clock of all processes is as a file says, and the monotonic one is true.

    libfaketime 0.9.10 spoils clock_nanosleep when it leaves the monotonic clock alone: Python must sleep otherwise.
    """
    found = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("there is no libfaketime here: install Debian's package `faketime`")
    sleeping = clock.with_name("sleeping")
    sleeping.mkdir()
    code = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    (sleeping / "sitecustomize.py").write_text(code)
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(sleeping), os.environ.get("PYTHONPATH")])),
        "LD_PRELOAD": str(found[-1]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_CACHE_DURATION": "1",
    }


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    """Mount a file system of its own there."""
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(folder)]
    if not shutil.which(mount[0]) or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nobody may mount a small file system here: run as root")
    try:
        yield
    finally:
        subprocess.run([*as_root, "umount", "--lazy", str(folder)], check=True)


def fill_up(disk: Path) -> Path:
    """Write until nothing more fits."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as output:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while output.write(bytes(size)):
                    pass
    return filler
