"""What `tocsin doctor` says of the newspaper's own endpoints. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from worker.cli.house import stamp
from worker.health import Finding, Health

if TYPE_CHECKING:
    from worker.store.endpoints import Endpoint
    from worker.wiring import House

_LATE_S: Final = 300.0
_PART: Final = "endpoints"


def endpoints(found: House) -> Iterator[Finding]:
    """Tell of each endpoint that is switched off, fails, or waits; one line when all are well."""
    from worker.store import endpoints as table
    from worker.tidings import MessageState

    with found.database.read() as conn:
        known, late, counts = table.all_of_them(conn), table.waiting_s(conn), table.open_ones(conn)
    ill = [finding for one in known for finding in _trouble(one, late.get(one.id, 0.0))]
    yield from ill
    if not ill:
        are = "one is" if len(known) == 1 else f"{len(known)} are"
        says = f"{are} told what happens to readers" if known else "no webhook of yours is told anything"
        yield Finding(part=_PART, health=Health.WELL, says=says)
    for one in known:
        if given_up := counts.get(one.id, {}).get(MessageState.FAILED, 0):
            yield Finding(
                part=_PART,
                health=Health.NOTE,
                says=f"endpoint {one.id} has never taken {given_up} messages, which are given up",
                advice=f"when it is mended, `tocsin webhooks retry {one.id}` sends them once more",
            )


def _trouble(one: Endpoint, late_s: float) -> Iterator[Finding]:
    from worker.notifying.decide import BY_HAND

    if one.disabled_at is not None:
        yield Finding(
            part=_PART,
            health=Health.NOTE if one.disabled_reason.startswith(BY_HAND) else Health.ILL,
            says=f"endpoint {one.id} is off since {stamp(one.disabled_at)}: {one.disabled_reason}",
            advice=f"mend it, then `tocsin webhooks retry {one.id}`, or `remove` it",
        )
    elif one.failing_since is not None:
        yield Finding(
            part=_PART,
            health=Health.ILL,
            says=f"endpoint {one.id} has taken nothing since {stamp(one.failing_since)}: {one.last_error}",
            advice=f"nothing is lost for three days; `tocsin webhooks test {one.id}` tries it",
        )
    elif late_s > _LATE_S:
        yield Finding(
            part=_PART,
            health=Health.ILL,
            says=f"endpoint {one.id} waits for {late_s / 60:.0f} minutes for what it is to be told",
            advice="is a worker for control running? Its log says what fails",
        )
