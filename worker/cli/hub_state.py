"""What `tocsin doctor` says of the WebSub hubs that push to us, or should. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from worker.health import Finding, Health
from worker.hubs import HubState

if TYPE_CHECKING:
    from worker.wiring import House

_PART: Final = "hubs"
_WORST: Final = 5
_IN_VAIN: Final = 3
_LATE_S: Final = 300.0


def hubs(found: House) -> Iterator[Finding]:
    """Tell of the hubs that refuse, do not answer or miss news, and of pushes that nobody reads."""
    from worker.store import pushes, websub

    with found.database.read() as conn:
        known, late_s = list(websub.newest(conn).values()), pushes.oldest_s(conn)
    if why_not := found.hubs.why_not:
        yield Finding(part=_PART, health=Health.WELL, says=f"no hub is asked to push: {why_not}")
    if late_s > _LATE_S:
        says = f"a push has waited to be read for {late_s / 60:.0f} minutes"
        advice = "is a worker for control running? Its log says what fails"
        yield Finding(part=_PART, health=Health.ILL, says=says, advice=advice)
    troubled = [finding for row in known for finding in _trouble(row)]
    yield from troubled[:_WORST]
    if len(troubled) > _WORST:
        yield Finding(part=_PART, health=Health.NOTE, says=f"so it is with {len(troubled) - _WORST} more")
    if not (why_not or troubled or late_s > _LATE_S):
        active = sum(row.state is HubState.ACTIVE for row in known)
        says = f"{active} of {len(known)} subscriptions are active" if known else "no watched feed names a hub"
        yield Finding(part=_PART, health=Health.WELL, says=says)


def _trouble(row: Any) -> Iterator[Finding]:  # noqa: ANN401  a row with all columns
    from worker.intake.websub import MISSES_BORNE

    what = ""
    advice = "its source is polled as if it had no hub; nothing need be done"
    if row.state is HubState.REFUSED:
        what = "refuses its subscription"
    elif row.state is HubState.ASKED and row.failures >= _IN_VAIN:
        what = f"is asked in vain, {row.failures} times by now"
        advice = "can hubs reach /websub/ at TOCSIN_BASE_URL? See docs/intake.md; till then the source is polled"
    elif row.missed_in_a_row >= MISSES_BORNE:
        what = f"has missed news, {row.misses} items in all"
    if what:
        said = f": {row.last_error}" if row.last_error else ""
        yield Finding(
            part=_PART,
            health=Health.NOTE,
            says=f"the hub {row.hub} of source {row.source_id} {what}{said}",
            advice=advice,
        )
