"""What `tocsin doctor` says of the sources: how many are in trouble, and the worst of each kind. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from worker.cli.house import stamp
from worker.feeds import SourceCondition
from worker.health import Finding, Health

if TYPE_CHECKING:
    from worker.intake.run_watching import SourceHealth
    from worker.wiring import House

_PART: Final = "feeds"
_WORST: Final = 5  # of each kind: the others are counted
_ADVICE: Final = {
    SourceCondition.FAILING: "it is polled on; if it has moved or its server refuses us, see docs/runbook.md",
    SourceCondition.NEVER: "is the address right? `tocsin sources list` has what it answers",
    SourceCondition.SILENT: "has it moved, or stopped? It is polled on; see docs/runbook.md",
    SourceCondition.GONE: "it says itself that it is no more: find its new address, or remove it",
}


def feeds(found: House) -> Iterator[Finding]:
    """Tell of the sources that fail, are silent, gone or held; one line when all are well."""
    from worker.intake.judge_source import TROUBLES
    from worker.intake.run_watching import healths

    looked_at = healths(found.database)
    troubled = [one for one in looked_at if one.is_trouble]
    if not troubled:
        yield Finding(part=_PART, health=Health.WELL, says=_all_well(len(looked_at)))
    for condition in TROUBLES:
        of_this = sorted((one for one in troubled if one.condition is condition), key=lambda one: one.since)
        yield from map(_trouble, of_this[:_WORST])
        if len(of_this) > _WORST:
            are = "have never answered" if condition is SourceCondition.NEVER else f"are {condition}"
            says = f"{len(of_this)} {are}; these were the {_WORST} that have been so for longest"
            yield Finding(part=_PART, health=Health.NOTE, says=says, advice="`tocsin sources list` has the others")


def _all_well(count: int) -> str:
    return f"{count} {'source' if count == 1 else 'sources'}: none fails, is silent or is held"


def _trouble(one: SourceHealth) -> Finding:
    advice = _ADVICE.get(one.condition) or (
        f"look at it, then `tocsin sources release {one.source_id}`, with `--alert` if its news is real"
    )
    is_never = one.condition is SourceCondition.NEVER
    what = "has never answered" if is_never else f"is {one.condition} since {stamp(one.since)}"
    says = f"source {one.source_id}, {one.name}, {what}{f': {one.reason}' if one.reason else ''}"
    return Finding(part=_PART, health=Health.NOTE, says=says, advice=advice)


def alerts(found: House) -> Iterator[Finding]:
    """Tell whether the mailbox of Google Alerts can be read, where one is named, and when it last had one."""
    mailbox = found.alert_mails
    if mailbox is None:
        return
    heard_at = mailbox.check()
    last = f"its last alert was read at {stamp(heard_at)}" if heard_at else "no alert has come yet"
    yield Finding(part="alerts", health=Health.WELL, says=f"the mailbox of Google Alerts can be read; {last}")
