"""A process that reads documents for another one, and that may be killed for it: `python -m ...reader_child FD BYTES`.

Feeds are other people's bytes. Here a reader that hangs is ended by the clock, and one that grows by the limit of its
memory, whatever it runs in; the process that asked lives on. Reads requests from a socket and answers each, in turn,
until the socket ends. Stores nothing. `reader_pool` starts it.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from worker.adapters.sources.reader_wire import Answer, Job, Outcome, What, receive, send
from worker.errors import FeedError, InputError, printable

RECYCLED_KB: Final = 200_000
"""A child that is larger ends after its answer: what one large feed took is not always given back otherwise."""

_STATM: Final = Path("/proc/self/statm")


def main() -> None:
    """Read what is asked for, until nobody asks any more."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    memory_bytes = int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who asks; then the socket ends
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, also in the middle of C code
    from worker.adapters.sources import files  # noqa: PLC0415  after the signals are set, and by the child alone

    if sys.platform == "linux":  # elsewhere the clock alone is the limit
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    readers: dict[What, Callable[..., Any]] = {
        What.FEED: files.read_feed,
        What.DOCUMENT: files.read_document,
        What.PAGE: files.read_page,
    }
    send(sock, Answer(outcome=Outcome.READ))  # it has begun: the time of what is asked counts from now on
    while (job := receive(sock)) is not None:
        signal.setitimer(signal.ITIMER_REAL, job.limit_s)
        answer = _answer(readers[job.what], job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        del job
        send(sock, answer)
        if answer.leaves:
            return
        del answer


def _answer(read: Callable[..., Any], job: Job) -> Answer:
    try:
        result = read(job.data, url=job.url, content_type=job.content_type)
    except InputError as error:
        words = (printable(error.message), printable(error.where), printable(error.hint))
        return Answer(outcome=Outcome.REFUSED, words=words, is_feed_error=isinstance(error, FeedError))
    except MemoryError:
        return Answer(outcome=Outcome.FAILED, words=("it takes more memory than it may", "", ""), leaves=True)
    except Exception as error:  # noqa: BLE001  a defect of a reader's costs this document alone
        words = (printable(f"its reader fails: {type(error).__name__}: {error}"[:500]), "", "")
        return Answer(outcome=Outcome.FAILED, words=words)
    return Answer(outcome=Outcome.READ, result=result, leaves=_has_grown())


def _has_grown() -> bool:
    try:  # not `ru_maxrss`, which on Linux begins with the size of the process that has started this one
        kilobytes = int(_STATM.read_text().split()[1]) * resource.getpagesize() // 1000
    except OSError:  # macOS, which counts bytes
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    return kilobytes > RECYCLED_KB


if __name__ == "__main__":
    main()
