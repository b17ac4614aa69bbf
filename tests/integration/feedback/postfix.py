"""A real Postfix that bounces: set up as docs/returned-mail.md says, on a free port; it ends with the test.

One domain of its own, where only return paths have a mailbox, and one that it cannot reach and gives up at once.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.runtime.ports import free_port

_START_S: Final = 30.0
_MAIN: Final = r"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = /tmp
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.courier.example
mydestination = courier.example, localhost
local_recipient_maps =
alias_maps = texthash:{folder}/aliases
alias_database =
virtual_alias_maps = regexp:{folder}/returned
transport_maps = inline:{{ unreachable.example=smtp:[127.0.0.1]:1 }}
maximal_queue_lifetime = 0
import_environment = MAIL_CONFIG
"""
_MASTER: Final = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A running server. `maildir` is where its bounces come in."""

    port: int
    maildir: Path


@contextmanager
def running_postfix() -> Iterator[Postfix]:
    """Start a server and wait until it listens. Needs root, as Postfix does."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-postfix-", dir="/tmp"))
    folder.chmod(0o755)
    server = Postfix(port=free_port(), maildir=folder / "maildir")
    _prepare(folder, server)
    process = subprocess.Popen(["postfix", "-c", str(folder / "conf"), "start-fg"])
    try:
        _wait(server, process, folder)
        yield server
    finally:
        subprocess.run(["postfix", "-c", str(folder / "conf"), "stop"], check=False, capture_output=True)
        process.wait(20)
        shutil.rmtree(folder)


def _prepare(folder: Path, server: Postfix) -> None:
    for name in ("conf", "queue", "data", "maildir/tmp", "maildir/new", "maildir/cur"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    for path in (server.maildir, *server.maildir.iterdir()):
        shutil.chown(path, "nobody")
    (folder / "conf" / "main.cf").write_text(_MAIN.format(folder=folder))
    (folder / "conf" / "master.cf").write_text(_MASTER.format(port=server.port))
    (folder / "aliases").write_text(f"returned {server.maildir}/\n")
    (folder / "returned").write_text("/^b\\..+@courier\\.example$/    returned@localhost\n")


def _wait(server: Postfix, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _START_S
    while not _listens(server.port):
        if process.poll() is not None or time.monotonic() > until:
            log = folder / "log"
            raise AssertionError(log.read_text() if log.exists() else "Postfix does not start")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def can_run() -> bool:
    """Tell whether this machine has Postfix, and lets us start it."""
    return os.getuid() == 0 and shutil.which("postfix", path="/usr/sbin:/usr/bin") is not None
