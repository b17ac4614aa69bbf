"""The embedded broker: persistent, alone on its directory, and gone with its wrapper."""

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from redis import Redis

from worker.errors import ConfigurationError
from worker.runtime.broker import PID_NAME, end_stale_server, running_server, server_command
from worker.runtime.broker_child import broker_child, broker_url, is_ready
from worker.runtime.ports import free_port, wait_until_listening


@pytest.fixture
def home(tmp_path):
    return tmp_path / "소식 home"  # a space and Hangul in the path, as on a person's own machine


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def client(port):
    with Redis.from_url(broker_url(port), decode_responses=True) as connected:
        yield connected


@pytest.fixture
def start(home, port, until):
    """Start the wrapper by hand, as the supervisor does; wait until Valkey answers."""
    started = []

    def begin(*, wait=True):
        child = broker_child(home=home, port=port)
        wrapper = subprocess.Popen(child.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(wrapper)
        if wait:
            until(child.ready, within_s=10)
        return wrapper

    yield begin
    for wrapper in started:
        wrapper.terminate()
        wrapper.communicate(timeout=5)


@pytest.fixture
def lone_server(home, port):
    """A Valkey that has outlived its wrapper, as it may on macOS."""
    (home / "broker").mkdir(parents=True)
    server = subprocess.Popen(server_command(home / "broker", port, home / "valkey.log"))
    assert wait_until_listening("127.0.0.1", port, timeout_s=10)
    yield server
    server.kill()
    server.wait(timeout=5)


def valkey_of(home):
    server = running_server(home / "broker")
    assert server is not None
    return server


def test_keys_survive_an_orderly_restart_which_says_nothing(start, client):
    first = start()
    client.set("bell", "rung")
    first.terminate()
    output, _ = first.communicate(timeout=5)
    assert (first.returncode, output) == (0, "")
    start()
    assert client.get("bell") == "rung"


def test_keys_survive_a_valkey_that_is_killed(start, home, client):
    wrapper = start()
    client.set("bell", "rung")
    valkey_of(home).kill()
    output, _ = wrapper.communicate(timeout=5)
    assert wrapper.returncode == 1
    assert output.startswith("Valkey ended with status -9: ")
    assert output.count("\n") == 1
    start()
    assert client.get("bell") == "rung"


def test_it_never_evicts_and_never_snapshots(start, client):
    start()
    assert client.config_get("maxmemory-policy", "save", "appendfsync", "bind") == {
        "maxmemory-policy": "noeviction",
        "save": "",
        "appendfsync": "everysec",
        "bind": "127.0.0.1",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_valkey_dies_with_a_wrapper_that_is_killed(start, home, until, gone):
    wrapper = start()
    server = valkey_of(home)
    wrapper.kill()
    until(lambda: gone(server.pid), within_s=2)
    start()


def test_a_stale_valkey_of_this_directory_is_ended_by_the_next_start(lone_server, start, home):
    start()
    assert lone_server.wait(timeout=5) == 0
    assert valkey_of(home).pid != lone_server.pid


def test_a_stale_valkey_that_hangs_is_killed(lone_server, home):
    os.kill(lone_server.pid, signal.SIGSTOP)
    end_stale_server(home / "broker", patience_s=0.3)
    assert lone_server.wait(timeout=5) == -signal.SIGKILL


def test_a_process_that_merely_got_a_stale_id_is_left_alone(start, home):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (home / "broker").mkdir(parents=True)
    (home / "broker" / PID_NAME).write_text(str(stranger.pid))
    try:
        start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(timeout=5)


def test_a_valkey_whose_wrapper_lives_is_left_alone(start, home):
    start()
    server = valkey_of(home)
    with pytest.raises(
        ConfigurationError, match=rf"is in use by another broker \(process {server.pid}\); stop that first"
    ):
        end_stale_server(home / "broker", patience_s=0.2)
    assert server.is_running()


def test_a_port_in_use_is_one_line_and_status_2(start, port):
    with socket.create_server(("127.0.0.1", port)):
        wrapper = start(wait=False)
        output, _ = wrapper.communicate(timeout=5)
    assert wrapper.returncode == 2
    assert output.startswith(f"the embedded broker cannot listen on port {port} of 127.0.0.1: it is in use by ")
    assert output.endswith("; choose another with TOCSIN_BROKER_PORT\n")
    assert output.count("\n") == 1


def test_a_directory_that_cannot_be_made_is_one_line_and_status_2(start, home):
    home.write_text("a letter")
    wrapper = start(wait=False)
    output, _ = wrapper.communicate(timeout=5)
    assert wrapper.returncode == 2
    assert output == (
        f"cannot use {home / 'broker'}: a file is in the place of a directory;"
        " set TOCSIN_HOME to a directory that you may write to\n"
    )


def test_a_damaged_file_is_one_line_that_quotes_valkey(start, home, client):
    wrapper = start()
    client.set("bell", "rung")
    wrapper.terminate()
    wrapper.wait(timeout=5)
    manifest = next((home / "broker" / "appendonlydir").glob("*.manifest"))
    manifest.write_text("nonsense\n")
    again = start(wait=False)
    output, _ = again.communicate(timeout=5)
    assert again.returncode == 1
    assert "manifest" in output
    assert output.count("\n") == 1


@pytest.mark.usefixtures("lone_server")
def test_a_server_on_the_port_that_we_did_not_start_is_not_our_broker(port):
    assert not is_ready(port)


def test_ctrl_c_ends_it_in_order(start, home):
    wrapper = start()
    server = valkey_of(home)
    wrapper.send_signal(signal.SIGINT)
    assert wrapper.wait(timeout=5) == 0
    assert not psutil.pid_exists(server.pid)
