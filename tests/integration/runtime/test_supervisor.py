"""The supervisor: starts in order, restarts, gives up where there is no point, and stops everything in time."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from worker.errors import ConfigurationError
from worker.runtime.child import Child, ChildState, ChildStatus
from worker.runtime.logs import TURN_OVER_AT_BYTES
from worker.runtime.restarts import FAILED_STARTS
from worker.runtime.supervisor import Supervisor

FAMILY = Path(__file__).with_name("family.py")
SLEEP = "import time; time.sleep(60)"


def python(code, **options):
    return Child(name=options.pop("name", "child"), argv=[sys.executable, "-c", code], **options)


class Observed(Supervisor):
    def __init__(self, children, *, log_directory):
        self.changes: list[ChildStatus] = []
        super().__init__(children, log_directory=log_directory, on_change=self.changes.append)


@pytest.fixture
def supervise(tmp_path):
    """Return a supervisor of the children that remembers their changes."""
    return lambda *children: Observed(children, log_directory=tmp_path / "logs")


def states(supervisor, name):
    return [change.state.value for change in supervisor.changes if change.name == name]


def test_a_killed_child_is_started_again(supervise, until):
    with supervise(python(SLEEP)) as supervisor:
        (before,) = supervisor.status()
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].pid, within_s=2)
        (after,) = supervisor.status()
        assert after.pid != before.pid
        assert after.state is ChildState.RUNNING
        assert after.since > before.since
    assert states(supervisor, "child") == ["running", "restarting", "running", "stopping", "stopped"]


def test_a_child_that_is_killed_again_and_again_as_it_starts_is_no_failure_to_start(supervise, until):
    with supervise(python(SLEEP)) as supervisor:
        for killed in range(1, FAILED_STARTS + 2):
            os.kill(supervisor.status()[0].pid, signal.SIGKILL)
            until(
                lambda killed=killed: supervisor.status()[0].restarts == killed and supervisor.status()[0].pid,
                within_s=5,
            )
        supervisor.raise_if_failed()


def test_a_killed_broker_is_started_again_while_the_family_goes_on(small_up, until):
    up = small_up("--children", "1")
    wrapper, family = up.pid("broker"), up.pid("family")
    os.kill(wrapper, signal.SIGKILL)
    until(lambda: up.pid("broker") != wrapper and up.events()[-1]["state"] == "running", within_s=5)
    assert up.pid("family") == family


def test_children_start_in_order_when_those_before_them_are_ready(supervise, tmp_path):
    first = tmp_path / "first"
    children = [
        python(
            f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(first)!r}).touch(); time.sleep(60)",
            name="first",
            ready=first.exists,
        ),
        python(f"import time, pathlib; assert pathlib.Path({str(first)!r}).exists(); time.sleep(60)", name="second"),
    ]
    with supervise(*children) as supervisor:
        assert [status.state for status in supervisor.status()] == [ChildState.RUNNING] * 2
    order = [(change.name, change.state.value) for change in supervisor.changes]
    assert order[:3] == [("first", "starting"), ("first", "running"), ("second", "running")]


def test_what_must_stop_last_stops_when_the_others_are_gone(supervise):
    with supervise(python(SLEEP, name="broker", stops_last=True), python(SLEEP, name="worker")) as supervisor:
        pass
    stops = [change.name for change in supervisor.changes if change.state in {"stopping", "stopped"}]
    assert stops == ["worker", "worker", "broker", "broker"]


def test_ctrl_c_stops_everything_within_10_s_though_a_child_ignores_sigterm(small_up, gone):
    up = small_up("--children", "2", "--stubborn")
    everybody = up.everybody()
    assert len(everybody) == 5

    pressed_s = time.monotonic()
    os.killpg(up.process.pid, signal.SIGINT)  # as the terminal does it, to the whole foreground group
    assert up.process.wait(timeout=11) == 0

    assert time.monotonic() - pressed_s < 10
    assert gone(*everybody)
    assert up.errors() == ""
    assert "SIGINT" not in (up.home / "family.txt").read_text(), "only the supervisor decides"


def test_sigterm_during_the_start_stops_everything(small_up, until, gone):
    up = small_up("--children", "1", wait=False)
    until(lambda: any(event.get("name") == "broker" for event in up.events()), within_s=5)
    everybody = up.everybody()
    up.process.terminate()
    up.process.wait(timeout=5)
    assert gone(*everybody)


def test_a_second_ctrl_c_kills_at_once(small_up, until, gone):
    up = small_up("--children", "1", "--stubborn")
    everybody = up.everybody()
    up.process.send_signal(signal.SIGINT)
    until(lambda: {"name": "family", "state": "stopping", "pid": up.pid("family")} in up.events(), within_s=2)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(timeout=2) == 0
    assert gone(*everybody)


def test_what_a_child_leaves_behind_is_stopped_too(supervise, tmp_path, until, gone):
    report = tmp_path / "pid"
    leaves = (
        "import subprocess, sys, time, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        f"pathlib.Path({str(report)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)"
    )
    with supervise(python(leaves, ready=lambda: report.exists() and bool(report.read_text()))):
        left = int(report.read_text())
        assert psutil.pid_exists(left)
    until(lambda: gone(left), within_s=2)


def test_a_child_that_never_starts_ends_the_supervisor_with_its_own_line(supervise, gone):
    line = "TOCSIN_DATABASE_URL must begin with sqlite: or postgresql:"
    wrong = f"import sys; print('noise', flush=True); print({line!r}); sys.exit(2)"
    supervisor = supervise(python(SLEEP, name="healthy"), python(wrong, name="web"))
    with pytest.raises(ConfigurationError) as raised, supervisor:
        supervisor.run_forever()
    assert str(raised.value) == f"web does not start (exit status 2): {line}"
    assert states(supervisor, "web").count("running") == 3
    assert gone(*[change.pid for change in supervisor.changes if change.pid])


def test_a_child_that_crashes_at_its_start_is_quoted_with_some_context(supervise):
    crash = python("print('one'); print('two'); raise SystemExit(1)", ready=lambda: False)
    with pytest.raises(ConfigurationError) as raised, supervise(crash):
        pass
    assert str(raised.value) == "child does not start (exit status 1)\n  one\n  two"


def test_a_child_that_is_never_ready_is_not_waited_for_for_ever(supervise):
    child = python(SLEEP, ready=lambda: False, ready_within_s=0.5)
    with (
        pytest.raises(ConfigurationError, match=r"^child is not ready after 0\.5 s; its log is .+child\.log$"),
        supervise(child),
    ):
        pass


def test_a_program_that_does_not_exist_is_one_line(supervise):
    with (
        pytest.raises(ConfigurationError, match=r"^child cannot be run: .*no-such-program"),
        supervise(Child(name="child", argv=["/no-such-program"])),
    ):
        pass


def test_a_child_that_has_worked_is_started_for_ever(supervise, tmp_path, until):
    once = tmp_path / "once"
    code = f"import pathlib, time; pathlib.Path({str(once)!r}).open('x'); time.sleep(60)"
    with supervise(python(code, ready=once.exists)) as supervisor:
        os.kill(supervisor.status()[0].pid, signal.SIGKILL)
        once.chmod(0o400)
        until(lambda: supervisor.status()[0].restarts == 4, within_s=8)
        supervisor.raise_if_failed()


def test_a_port_in_use_ends_a_whole_start_with_one_line(small_up):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        up = small_up(port=port, wait=False)
        assert up.process.wait(timeout=10) == 2
    assert up.errors().startswith(
        "broker does not start (exit status 2): "
        f"the embedded broker cannot listen on port {port} of 127.0.0.1: it is in use by "
    )
    assert up.errors().count("\n") == 1


def test_a_large_log_is_turned_over_at_the_next_start(supervise, tmp_path):
    log = tmp_path / "logs" / "child.log"
    log.parent.mkdir()
    log.write_bytes(b"old\n" * (TURN_OVER_AT_BYTES // 4 + 1))
    with supervise(python("print('new', flush=True); " + SLEEP, ready=lambda: log.exists() and log.stat().st_size > 0)):
        assert log.read_text() == "new\n"
    assert log.with_name("child.log.1").read_bytes().startswith(b"old\n")


def test_the_handlers_of_before_are_back_afterwards(supervise):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with supervise(python(SLEEP)):
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
