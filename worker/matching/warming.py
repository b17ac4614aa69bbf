"""Gets the kernels compiled in good time, and keeps the result for the next process.

Decides when that is worth it: when it costs next to nothing because an earlier process has left the result, or when
interpreting has cost more than a second in all. The compiling itself, some twenty seconds, is done by a process of its
own, at low priority, so that it takes neither the interpreter's lock nor the processor from an alert. The engine calls
`interpreted_for`, a worker `warm_up` when it starts; `python -m worker.matching.warming` compiles for an image.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import tempfile
import threading
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

from worker.matching.compiled import runtime

log = logging.getLogger(__name__)

PATIENCE_S: Final = 1.0
_NICENESS: Final = 5  # a quarter of a processor that is busy with alerts
_SWITCH_S: Final = 1e-4
"""How long a busy thread may keep the interpreter to itself meanwhile. Importing numba reads thousands of small files,
and after each of them this thread waits for its turn: at Python's 5 ms, that came to half a minute."""
_WITH_PARENT: Final = "--with-parent"
_READY: Final = "ready"  # a file that says that everything has been compiled

_spent_s = 0.0
_begun = threading.Lock()  # taken once and never given back: one attempt a process


def cache_folder() -> Path:
    """Return the folder for compiled kernels: below XDG_CACHE_HOME, ~/.cache, or else where temporary files go."""
    asked = os.environ.get("XDG_CACHE_HOME")
    base = Path(asked) if asked else Path.home() / ".cache"
    folder = base / "tocsin"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"tocsin-{os.getuid()}"
    return folder


def warm_up() -> threading.Thread | None:
    """Have the kernels ready soon if that is quick; returns the thread that sees to it, None if there is nothing to do.

    Otherwise nothing happens until interpreting has become a burden.
    """
    return _begin() if _is_ready() else None


def interpreted_for(seconds: float) -> None:
    """Take note of time that interpreting has cost; past `PATIENCE_S` the kernels are compiled in the background."""
    global _spent_s  # noqa: PLW0603  a process has one account
    _spent_s += seconds
    if _spent_s > PATIENCE_S:
        _begin()


def compile_now() -> None:
    """Compile everything, in this thread, keep it in the cache folder, and use it from now on. Safe to repeat."""
    from worker.matching.analyser import ArticleText, analyse  # noqa: PLC0415  they import this module
    from worker.matching.engine import Engine  # noqa: PLC0415  as above
    from worker.matching.parser import parse  # noqa: PLC0415  as above

    folder = runtime.folder_in(cache_folder())
    folder.mkdir(parents=True, exist_ok=True)
    kernels = runtime.compiled(folder)
    engine = Engine(kernels)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)  # whoever comes second finds everything done; a dead process holds no lock
        for number, query in enumerate(("korea", '"north korea" US', "kor* NEAR/2 ~north NOT title:b")):
            engine.add(number, parse(query))
        for _ in range(2):  # what hangs on the delta, then on the base
            engine.matching(analyse(ArticleText(title="North Korea’s U.S. envoy", body="북한이")))
            engine.merge()
        engine.add(9, parse("envoy"))
        (folder / _READY).touch()
    runtime.use(kernels)


def _is_ready() -> bool:
    return (runtime.folder_in(cache_folder()) / _READY).exists()


def _begin() -> threading.Thread | None:
    if runtime.kernels().are_compiled or not _begun.acquire(blocking=False):
        return None
    thread = threading.Thread(target=_warm, name="warming", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    if not _is_ready() and not _compiled_by_another_process():
        return
    patience_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        compile_now()
    except (OSError, ImportError) as error:
        log.warning("matching goes on slowly, its kernels cannot be compiled: %s", error)
    finally:
        sys.setswitchinterval(patience_s)


def _compiled_by_another_process() -> bool:
    log.info("compiling the matching kernels, once on this machine; until then matching is slow")
    command = [sys.executable, "-m", "worker.matching.warming", _WITH_PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:  # noqa: S603  our own module
        atexit.register(process.kill)
        status = process.wait()
        atexit.unregister(process.kill)
    if status != 0:
        log.warning("matching goes on slowly: compiling its kernels ended with status %d", status)
    return status == 0


def _end_with_parent() -> None:
    """Wait until whoever holds the other end of standard input is gone, however that ended; nobody needs us then."""
    os.read(sys.stdin.fileno(), 1)  # not by its buffer, whose lock an end in order would wait for
    os._exit(1)


if __name__ == "__main__":
    os.nice(_NICENESS)
    if _WITH_PARENT in sys.argv:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    compile_now()
