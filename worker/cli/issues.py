"""`tocsin editions preview, choose, send, skip, test-send`: what editors do with a newsletter's issue before it goes.

Parses and reports; `planning.run_choosing` decides. Registered among the commands on editions.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli import preflight
from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows, reader_of
from worker.errors import InputError
from worker.model import EditionId

if TYPE_CHECKING:
    from worker.planning.run_choosing import Edited, Looked
    from worker.wiring import House

_LINK_HOLDS = timedelta(hours=1)
_Issue = Annotated[int, typer.Argument(help="The number of a newsletter's edition.")]
_COLUMNS = ("place", "story", "title", "source", "section", "pinned")


def register(app: typer.Typer) -> None:
    """Add the commands to those on editions."""
    app.command()(preview)
    app.command()(choose)
    app.command("test-send")(try_out)
    app.command()(send)
    app.command()(skip)
    preflight.register(app)


def preview(
    edition: _Issue,
    out: Annotated[
        Path | None, typer.Option(help="A folder to write the mail to, as HTML, text and .eml; made if need be.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Print the address of the preview page, for one hour, for whoever has it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show an issue as it would go now. Stories without a place come in where a reader has seen some of the others."""
    from worker.planning.run_choosing import look

    found = opened_house()
    if link:
        typer.echo(_link(found, EditionId(edition)))
        return
    looked = look(found.database, EditionId(edition))
    subject, files = _faces(found, looked)
    if out is not None:
        _write(out, files)
    if as_json:
        print_json(
            {
                "id": edition,
                "status": looked.issue.status,
                "due_at": looked.issue.due_at,
                "subject": subject,
                "reason": looked.reason or looked.issue.reason,
                "approved_by": looked.issue.approved_by,
                "stories": looked.stories,
                "spare": looked.spare,
                "choices": looked.issue.choices,
                "preflight": _kept(found, edition),
            }
        )
        return
    messages.print(f"{subject or looked.reason}", markup=False)
    shown = [{"place": place, **row} for place, row in enumerate(looked.stories, start=1)]
    print_rows([*shown, *({"place": "", **row} for row in looked.spare)], as_json=False, columns=_COLUMNS)


def choose(
    edition: _Issue,
    file: Annotated[
        Path,
        typer.Option(
            "--file", help="YAML: pins, order and dropped (numbers of stories), notes (by story), note, subject."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Choose what an issue shows, in place of what was chosen before: pins come first, then what is in order."""
    from worker.planning import run_choosing

    found = opened_house()
    try:
        choosing = run_choosing.read_choices(file.read_text(encoding="utf-8-sig"))
        chosen = run_choosing.choose(found.database, EditionId(edition), choosing, actor=operator())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=file.name, hint="save it as UTF-8") from error
    except InputError as error:
        where = f"{file.name}, {error.where}" if error.where else file.name
        raise InputError(error.message, where=where, hint=error.hint) from error
    _tell(found, chosen, as_json=as_json)


def try_out(
    edition: _Issue,
    address: Annotated[str, typer.Argument(help="A confirmed reader's address.")],
    as_json: Json = False,
) -> None:
    """Send an issue as it would go now to one reader, marked as a test. It counts as seen by nobody."""
    from worker.planning import run_choosing

    found = opened_house()
    reader = reader_of(found, address)
    policy, actor = found.planning_policy, operator()
    sent = run_choosing.send_test(found.database, policy, EditionId(edition), reader, actor=actor)
    _tell(found, sent, as_json=as_json)


def send(
    edition: _Issue,
    at_once: Annotated[bool, typer.Option("--now", help="Do not wait until it is due.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Let it go whatever its preflight finds.")] = False,
    as_json: Json = False,
) -> None:
    """Let an issue go: one that needs approval when it is due, any other now. From then on it is fixed.

    It is looked over first, as by `preflight`; exit status 1 when there is a problem.
    """
    from worker.planning import run_choosing

    found = opened_house()
    if not anyway and _is_waiting(found, edition) and not preflight.passes(found, edition):
        raise typer.Exit(1)
    sent = run_choosing.approve(found.database, EditionId(edition), actor=operator(), at_once=at_once, anyway=anyway)
    _tell(found, sent, as_json=as_json)


def skip(
    edition: _Issue,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    as_json: Json = False,
) -> None:
    """Let an issue not go. Its stories may come in the next one."""
    from worker.planning import run_choosing

    found = opened_house()
    skipped = run_choosing.skip(found.database, EditionId(edition), actor=operator(), reason=reason)
    _tell(found, skipped, as_json=as_json)


def _kept(house: House, edition: int) -> dict[str, object] | None:
    from worker.store import preflights

    with house.database.read() as conn:
        return preflights.told(conn, EditionId(edition))


def _is_waiting(house: House, edition: int) -> bool:
    """Tell whether there is something to look over: an issue that nobody gets yet, with enough to tell."""
    from worker.planning.run_choosing import look

    looked = look(house.database, EditionId(edition))
    return looked.issue.is_waiting and looked.content is not None


def _tell(house: House, edited: Edited, *, as_json: bool) -> None:
    """Say what has been done, and wake whoever goes on with it; exit status 1 when it could not be done."""
    if not edited.refused:
        house.ring("sweep_deliveries" if edited.made else "sweep_planning")
    if as_json:
        print_json(edited.told())
    messages.print(edited.says, markup=False)
    if edited.refused:
        raise typer.Exit(1)


def _link(house: House, edition: EditionId) -> str:
    """Return the address of an edition's preview page, with a key that opens it to anybody for an hour."""
    from worker.store import editions
    from worker.store.database import now
    from worker.tokens import Purpose

    with house.database.read() as conn:
        if not editions.listed(conn, edition_id=edition, limit=1):
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
        key = house.tokens.sign(Purpose.PREVIEW, edition, expires_at=now(conn) + _LINK_HOLDS)
    return f"{house.base_url}/preview/editions/{edition}?key={key}"


def _faces(house: House, looked: Looked) -> tuple[str, dict[str, bytes]]:
    """Return an issue's subject and its files; nothing of one that has too little."""
    if looked.content is None:
        return "", {}
    shown = house.shown_letters.preview(looked.content, at=looked.issue.due_at)
    name = f"edition-{looked.issue.id}"
    files = {f"{name}.html": shown.html.encode(), f"{name}.txt": shown.text.encode(), f"{name}.eml": shown.message}
    return shown.subject, files


def _write(out: Path, files: dict[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (out / file).write_bytes(data)
            messages.print(str(out / file), markup=False)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=f"{error.filename}", hint="choose a folder with --out") from error
