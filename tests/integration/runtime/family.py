"""A program to be supervised: a parent with forked children, as a Celery worker with its pool.

python family.py REPORT [--children N] [--grace SECONDS] [--stubborn] [--polling]

Writes its own and its children's process ids to REPORT, then each signal and who got it, one a line. `--stubborn`
ignores SIGTERM, the children too. `--polling` does without the kernel's help, as on macOS.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from unittest import mock

from worker.runtime import parent


def _write(report: Path, *words: object) -> None:
    with report.open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=Path)
    parser.add_argument("--children", type=int, default=0)
    parser.add_argument("--grace", type=float, default=parent.GRACE_S)
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--polling", action="store_true")
    options = parser.parse_args()
    if options.polling:
        mock.patch.object(parent, "_LIBC", None).start()
    signal.signal(signal.SIGINT, lambda *_: _write(options.report, "SIGINT", os.getpid()))
    signal.signal(signal.SIGTERM, lambda *_: _end(options.report, options.stubborn))

    parent.watch_parent(grace_s=options.grace)
    pids = [os.getpid()]
    for _ in range(options.children):
        pid = os.fork()
        if not pid:
            parent.watch_parent(grace_s=options.grace)
            break
        pids.append(pid)
    else:
        _write(options.report, "pids", *pids)
    while True:
        time.sleep(60)


def _end(report: Path, stubborn: bool) -> None:
    _write(report, "SIGTERM", os.getpid())
    if not stubborn:
        sys.exit()


if __name__ == "__main__":
    main()
