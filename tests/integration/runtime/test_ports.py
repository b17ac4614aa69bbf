"""One clear line for a port that cannot be had."""

import errno
import os
import socket
import threading
import time

import pytest

from worker.errors import ConfigurationError
from worker.runtime.ports import _reason, ensure_free, free_port, is_listening, wait_until_listening


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_free_port_is_free():
    ensure_free("127.0.0.1", free_port(), "the pages", "TOCSIN_WEB_PORT")


def test_a_port_in_use_is_one_line_that_names_everything(listener):
    port = listener.getsockname()[1]
    with pytest.raises(ConfigurationError) as raised:
        ensure_free("127.0.0.1", port, "the pages", "TOCSIN_WEB_PORT")
    line = str(raised.value)
    assert line.startswith(f"the pages cannot listen on port {port} of 127.0.0.1: it is in use by ")
    assert line.endswith("; choose another with TOCSIN_WEB_PORT")
    assert "\n" not in line
    assert f"(process {os.getpid()})" in line or "another program" in line


def test_a_port_that_is_released_in_time_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Timer(0.3, server.close).start()
        ensure_free("127.0.0.1", port, "the pages", "TOCSIN_WEB_PORT", wait_s=5)


def test_an_address_of_another_machine_is_one_line():
    with pytest.raises(
        ConfigurationError, match=r"port 8025 of 192\.0\.2\.1: this machine has no such address; choose"
    ):
        ensure_free("192.0.2.1", 8025, "the pages", "TOCSIN_WEB_HOST")


def test_a_host_without_an_address_is_one_line():
    with pytest.raises(
        ConfigurationError, match=r"^the pages cannot listen on port 8025 of no\.such\.invalid: .+; choose"
    ):
        ensure_free("no.such.invalid", 8025, "the pages", "TOCSIN_WEB_HOST")


def test_a_port_that_is_for_root_is_said_to_be_so():
    # Not tried for real: whether 81 may be had depends on who runs the test, and on which system.
    assert _reason(PermissionError(errno.EACCES, "Permission denied"), 81) == "ports below 1024 are for root"


def test_waiting_for_a_listener_ends_when_it_listens(listener):
    assert wait_until_listening("127.0.0.1", listener.getsockname()[1], 5)
    assert is_listening("127.0.0.1", listener.getsockname()[1])


def test_waiting_for_a_listener_that_never_comes_ends_in_time():
    started_s = time.monotonic()
    assert not wait_until_listening("127.0.0.1", free_port(), 0.3)
    assert time.monotonic() - started_s < 2
