"""Who this process is, in words that another process on the same machine can check for life.

A lease names its holder; when that holder is a dead process of this very machine and boot, nobody needs to wait for the
lease to run out. Reads the operating system, decides nothing. The store and the delivery room call it.
"""

from __future__ import annotations

import functools
import os
import socket
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
    """Return this process's name: process id and start time, since ids are used again."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}"


def is_gone(name: str) -> bool:
    """Tell whether the process that called itself `name` on this boot has certainly ended.

    >>> is_gone(process_name())
    False
    >>> is_gone("1@0.00")
    True
    """
    pid, _, started = name.partition("@")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != started
    except psutil.NoSuchProcess:
        return True
    except (psutil.AccessDenied, ValueError):
        return False
