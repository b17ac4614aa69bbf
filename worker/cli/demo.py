"""`tocsin demo`: the whole system on embedded defaults, with a fictional newspaper's news, readers and inbox.

Not a different program: the same processes, broker protocol and SMTP conversation as in production.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from worker.cli.house import Json, choose_home, messages, print_json
from worker.cli.processes import say_change
from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.runtime.supervisor import Supervisor
    from worker.wiring import House

_HOME = Path("tocsin-demo")
_PATIENCE_S = 150.0
_LOOK_EVERY_S = 0.25
# The demo is in a hurry: an operator's defaults are in worker/settings/.
_DEFAULTS = {
    "TOCSIN_GATHER_S": "2",
    "TOCSIN_SWEEP_S": "1",
    "TOCSIN_POLL_S": "60",
    "TOCSIN_POLL_CEILING_S": "60",
    "TOCSIN_ALLOW_PRIVATE": "true",
    "TOCSIN_FORM_QUICKEST_S": "0",
    "TOCSIN_IMAGE_PROXY": "on",  # the sample pictures are on nobody's server
}
_PORTS = ("TOCSIN_WEB_PORT", "TOCSIN_INBOX_PORT", "TOCSIN_BROKER_PORT")
_ELSE = "choose another --home"
_MARK = "tocsin-demo"  # a file that says: this directory is a demo's, it may be wiped


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a run of the demo came to; `deliveries` counts by state, `conserved` says that nobody was lost."""

    articles: int
    matches: int
    editions: int
    deliveries: dict[str, int]
    inbox: int
    conserved: bool


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Send everything that there is to send, print a summary, and end.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with an empty home.")] = False,
    home: Annotated[Path | None, typer.Option(help="The demo's own home.")] = None,
    as_json: Json = False,
) -> None:
    """Try it: sample news, sample readers, real workers, and an inbox to look into.

    Runs until Ctrl-C. A second run goes on where the first one ended, and sends nothing twice.
    """
    from worker.cli.children import children_of, ensure_ports_free
    from worker.runtime.home import HomeLock
    from worker.runtime.supervisor import Supervisor
    from worker.wiring import house

    place = home or Path(os.environ.get("TOCSIN_HOME", _HOME))
    choose_home(place)
    _prepare_settings(once=once)
    found = house()
    _ = found.transport_specs  # whatever is wrong with the settings is said before anything is wiped
    _prepare_home(place, fresh=fresh)
    with HomeLock(found.home) as lock:
        ensure_ports_free(found, after_crash=lock.was_abandoned)
        started_at = _prepare_database(found)
        messages.print("starting the processes …")
        with Supervisor(children_of(found), log_directory=found.home / "logs", on_change=say_change) as supervisor:
            holds = _send_everything(found, supervisor, since=started_at)
            if not once:
                _invite(found, _summary(found, conserved=holds))
                supervisor.run_forever()
                return
    _print_summary(_summary(found, conserved=holds), as_json=as_json)
    if not holds:
        raise typer.Exit(1)


def _prepare_home(home: Path, *, fresh: bool) -> None:
    mark = home / _MARK
    is_used = home.is_dir() and any(home.iterdir())
    if is_used and not mark.exists() and fresh:
        raise ConfigurationError(f"{home} is not a demo's home, so --fresh does not wipe it: {_ELSE}")
    if is_used and not mark.exists() and (home / "tocsin.db").exists():
        raise ConfigurationError(f"{home} is a real installation's home, whose readers a demo would write to: {_ELSE}")
    if is_used and fresh:
        _wipe(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        raise ConfigurationError(
            f"the home {home} cannot be written to ({error.strerror}): choose another with --home"
        ) from error


def _wipe(home: Path) -> None:
    from worker.runtime.home import HomeLock

    with HomeLock(home):  # a demo that runs there says so instead of losing its database
        for entry in home.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name not in {"lock", _MARK}:
                entry.unlink()


def _prepare_settings(*, once: bool) -> None:
    from worker.runtime.ports import free_port

    os.environ.pop("TOCSIN_TRANSPORTS", None)  # the sample readers' mail stays here, whatever relay is set
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if once:  # nobody needs to know the address, so nobody's port is in the way
        for name in _PORTS:
            os.environ.setdefault(name, str(free_port()))


def _prepare_database(found: House) -> datetime:
    from worker.cli.seeding import is_seeded, lay_out_pictures, seed, watch_feeds
    from worker.store import migrate
    from worker.store.database import now

    migrate.upgrade(found.database_of_any_version())
    if not is_seeded(found):
        _refuse_real_readers(found)
        messages.print("filling the home with sample topics, readers and news …")
        seed(found)
    with found.database.read() as conn:
        started_at = now(conn)
    lay_out_pictures(found)
    watch_feeds(found)
    return started_at


def _refuse_real_readers(found: House) -> None:
    """A database of the operator's own choice may be the real one; a demo's own may have been filled by half."""
    from worker.store import people

    with found.database.read() as conn:
        if found.settings.database_url and people.has_any(conn):
            raise ConfigurationError(
                "TOCSIN_DATABASE_URL names a database with readers that are not a demo's: unset it, or name another"
            )


def _send_everything(found: House, supervisor: Supervisor, *, since: datetime) -> bool:
    """Wait for the news to be in and the alerts to be out, then take all digests and newsletters as due, and wait."""
    from worker.store import due, newsletters
    from worker.store.database import now

    with _bars() as bars:
        _wait(found, supervisor, bars, "alerts", since=since)
        with found.database.write() as conn:
            newsletters.make_all_due(conn)
            due.make_all_digests_due(conn)
            due_at = now(conn)
        found.ring("sweep_planning")
        return _wait(found, supervisor, bars, "digests", since=since, digests_due_at=due_at)


def _wait(
    found: House,
    supervisor: Supervisor,
    bars: Progress,
    what: str,
    *,
    since: datetime,
    digests_due_at: datetime | None = None,
) -> bool:
    """Show progress until nothing waits any more; True when that was so in time, with the books in balance."""
    from worker.store import editions
    from worker.store.progress import progress

    read = bars.add_task("reading the news", total=None, visible=digests_due_at is None)
    sent = bars.add_task(f"sending {what}", total=None)
    with found.database.read() as conn:
        earlier = editions.conservation(conn)["audience"]  # of an earlier run, or of the alerts before the digests
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        supervisor.raise_if_failed()
        with found.database.read() as conn:
            state = progress(conn, since=since, digests_due_at=digests_due_at)
            terms, whole = editions.conservation(conn), editions.audience_holds(conn)
        _show(bars, read, done=state.articles - state.articles_unmatched, total=state.articles)
        planned = terms["audience"] - earlier
        _show(bars, sent, done=planned - terms["open"] - terms["unknown"], total=planned)
        if state.is_quiet:
            bars.update(sent, total=planned)
            return whole and terms["audience"] == sum(count for term, count in terms.items() if term != "audience")
        time.sleep(_LOOK_EVERY_S)
    messages.print(f"[red]not everything was sent within {_PATIENCE_S:.0f} s[/]; the logs are in {found.home / 'logs'}")
    return False


def _show(bars: Progress, task: TaskID, *, done: int, total: int) -> None:
    bars.update(task, completed=max(done, 0), total=total or None)  # without a total the bar only says that it waits


@contextmanager
def _bars() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=not sys.stderr.isatty()) as bars:
        yield bars


def _summary(found: House, *, conserved: bool) -> Summary:
    from worker.adapters.transports.maildir import count_messages
    from worker.store import editions
    from worker.store.database import now
    from worker.store.progress import progress

    with found.database.read() as conn:
        state = progress(conn, since=now(conn))
        states = editions.states(conn)
    return Summary(
        articles=state.articles,
        matches=state.matches,
        editions=state.editions,
        deliveries={str(name): count for name, count in sorted(states.items())},
        inbox=count_messages(found.inbox),
        conserved=conserved,
    )


def _print_summary(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(summary))
        return
    states = ", ".join(f"{count} {state}" for state, count in summary.deliveries.items()) or "none"
    told = {**asdict(summary), "deliveries": states, "conserved": "yes" if summary.conserved else "NO"}
    for name, value in told.items():
        sys.stdout.write(f"{name:<12}{value}\n")


def _invite(found: House, summary: Summary) -> None:
    counts = f"{summary.articles} articles, {summary.matches} matches, {summary.editions} editions"
    messages.print(f"{counts}, {summary.inbox} mails in the inbox")
    messages.print(f"\n  open this page:  [bold]{found.base_url}/inbox[/]")
    messages.print(f"  sign up here:    [bold]{found.base_url}/subscribe[/]\n\n  Ctrl-C stops everything.")
