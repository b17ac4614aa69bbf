"""Who this process is, in words that another process on the same machine can check for life.

A lease names its holder; when that holder is a dead process of this very machine and boot, nobody needs to wait for the
lease to run out. Reads the operating system, decides nothing. The store and the delivery room call it.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import uuid
from pathlib import Path

import psutil


@functools.cache
def boot_id() -> str:
    """Return what tells one run of one machine (or container) from every other.

    The process-id namespace is part of it: two containers share a kernel's boot id, but not their process ids.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux: host and start of the machine
        return f"{uuid.getnode():x}/{socket.gethostname()}/{int(psutil.boot_time())}"


def process_name() -> str:
    """Return this process's name: process id and start, since ids are used again."""
    return f"{os.getpid()}@{_started(os.getpid())}"


def is_gone(name: str) -> bool:
    """Tell whether the process that called itself `name` on this boot has certainly ended.

    >>> is_gone(process_name())
    False
    >>> is_gone("1@0.00")
    True
    """
    pid, _, started = name.partition("@")
    if not pid.isdecimal():
        return False
    if not psutil.pid_exists(int(pid)):
        return True
    present = _started(int(pid))
    return present is not None and present != started


def _started(pid: int) -> str | None:
    """Return what tells this run of a process id from others; "" when it has ended, None when nobody may know.

    Linux counts it in ticks since boot: psutil's times move with every correction of the wall clock, and would declare
    a living process dead. A zombie has ended: only its parent has not looked yet.
    """
    try:
        if sys.platform != "linux":
            process = psutil.Process(pid)
            return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
        status, *others = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (psutil.NoSuchProcess, ProcessLookupError):
        return ""
    except (psutil.AccessDenied, OSError):  # also a process that is not ours, where /proc hides those
        return None
    return "" if status in {b"Z", b"X"} else others[18].decode()  # starttime, the 22nd field: see proc(5)
