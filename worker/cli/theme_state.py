"""What `tocsin doctor` says of the operator's own templates. Looks only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.health import Finding, Health

if TYPE_CHECKING:
    from worker.wiring import House


def templates(found: House) -> Iterator[Finding]:
    """Tell whether a theme is in force, and whether it would be at the next start."""
    from worker.rendering.theme_check import check
    from worker.rendering.theme_files import read_theme

    folder = found.theme_folder
    if folder is None:
        yield Finding(part="templates", health=Health.WELL, says="our own; no theme is set")
        return
    theme = read_theme(folder)
    faults = check(theme)
    stopping = sum(fault.stops for fault in faults)
    if stopping:
        says = (
            f"the theme {folder} has {stopping} {'fault' if stopping == 1 else 'faults'}: nothing would start with it"
        )
        yield Finding(part="templates", health=Health.ILL, says=says, advice="`tocsin theme check` names them")
    elif faults:
        says = f"the theme {folder} does something in vain: {faults[0]}"
        yield Finding(part="templates", health=Health.NOTE, says=says, advice="`tocsin theme check` tells all")
    else:
        says = f"the theme {folder}, with {len(theme.files)} files"
        yield Finding(part="templates", health=Health.WELL, says=says)
