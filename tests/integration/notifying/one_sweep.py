"""A process that tells endpoints until it is killed: `python one_sweep.py DATABASE_URL`. Run by `test_killed.py`."""

import sys
import time

from tests.databases import opened
from worker.holder import boot_id, process_name
from worker.notifying.run import Notifier
from worker.store.leases import Holder


def main() -> None:
    with opened(sys.argv[1]) as database:
        notifier = Notifier(database, Holder(name=process_name(), boot=boot_id()), user_agent="Tocsin/killed")
        while True:
            notifier.sweep()
            time.sleep(0.05)


if __name__ == "__main__":
    main()
