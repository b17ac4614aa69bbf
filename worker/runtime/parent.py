"""A child never outlives its parent.

A process that was killed with -9 cannot tidy up, so every child watches its parent and ends by itself: gracefully where
it can, within eight and a half seconds in any case. Called first thing by every Python process that `tocsin up` starts,
and by Celery's pool children, whose parent is their worker. Starts nothing and restarts nothing.

Two means, since neither is enough alone. Linux can send a signal at the parent's death (PR_SET_PDEATHSIG), also to a
process that is stuck in C code; macOS cannot. Asking for the parent's id four times a second works everywhere.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from threading import Thread, main_thread
from typing import Final

PARENT_VARIABLE: Final = "TOCSIN_PARENT_PID"
"""Names the process that a child must not outlive; set by the supervisor, passed on by `watch_parent`."""

GRACE_S: Final = 8.0
LOOK_EVERY_S: Final = 0.25

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>
_PR_GET_PDEATHSIG: Final = 2
# Loaded now, because `signal_at_parents_end` also runs between fork and exec, where loading a library is not safe.
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

_log = logging.getLogger(__name__)


def watch_parent(*, grace_s: float = GRACE_S) -> None:
    """End this process when its parent is gone: SIGTERM at once, SIGKILL after `grace_s`.

    Does nothing to a process that nobody supervises (the variable is unset). Either way the processes that this one
    forks or starts from now on have it as their parent: they need only call this function too. A second call in one
    process does nothing.
    """
    parent, own = os.environ.get(PARENT_VARIABLE), str(os.getpid())
    if parent == own:
        return
    os.environ[PARENT_VARIABLE] = own
    if parent is None:
        return
    # In this order: a parent that dies after the kernel was asked is noticed by the kernel, one that died before, here.
    kernel_tells = signal_at_parents_end(signal.SIGTERM) and _is_parent(parent)
    Thread(target=_outlive_by, args=(parent, grace_s, kernel_tells), name="parent-watch", daemon=True).start()


def signal_at_parents_end(number: signal.Signals) -> bool:
    """Ask the kernel for a signal at the end of the thread that started this process; False where it cannot (macOS).

    The thread, not the process: whoever starts children must do so from a thread that lives as long as they may. A
    signal that was asked for before stays: Celery asks for SIGKILL in its pool children.
    """
    if _LIBC is None:
        return False
    asked = ctypes.c_int(0)
    _LIBC.prctl(_PR_GET_PDEATHSIG, ctypes.byref(asked))
    return bool(asked.value) or _LIBC.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number)) == 0


def _is_parent(pid: str) -> bool:
    # An orphan is handed to process 1 or to a subreaper, so its parent's id changes; ids need not be compared in time.
    return str(os.getppid()) == pid


def _outlive_by(parent: str, grace_s: float, kernel_tells: bool) -> None:
    while _is_parent(parent):
        time.sleep(LOOK_EVERY_S)
    _log.warning("the parent, process %s, is gone: ending", parent)
    if not kernel_tells and (main := main_thread().ident) is not None:
        signal.pthread_kill(main, signal.SIGTERM)  # to the main thread, so that a blocking call in it is interrupted
    time.sleep(grace_s)
    _kill_all_of_us()


def _kill_all_of_us() -> None:
    # The leader of a group takes its own children along: each would otherwise have a time of grace after ours.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
