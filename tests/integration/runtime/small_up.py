"""A small `tocsin up`: the embedded broker and, where options for it are given, a family, under a supervisor.

python small_up.py HOME PORT [options of family.py]

Writes each change of a child's status to stdout as a JSON line, and {"up": true} when all are ready.
"""

import json
import sys
from pathlib import Path

from worker.errors import ConfigurationError
from worker.runtime.broker_child import broker_child
from worker.runtime.child import Child, ChildStatus
from worker.runtime.home import HomeLock
from worker.runtime.supervisor import Supervisor


def main() -> int:
    home, port, options = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    children = [broker_child(home=home, port=port)]
    if options:
        report = home / "family.txt"
        program = Path(__file__).with_name("family.py")
        argv = [sys.executable, str(program), str(report), *options]
        # It asks for more time to stop than anybody gets.
        children.append(Child(name="family", argv=argv, ready=report.exists, stop_grace_s=60))
    try:
        with HomeLock(home), Supervisor(children, log_directory=home / "logs", on_change=_tell) as supervisor:
            _write({"up": True})
            supervisor.run_forever()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _tell(change: ChildStatus) -> None:
    _write({"name": change.name, "state": change.state, "pid": change.pid})


def _write(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
