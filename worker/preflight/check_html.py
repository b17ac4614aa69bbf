"""Checks the bones of a mail's HTML: what screen readers, Outlook and phones rely on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from worker.preflight.findings import Check, Finding, or_ok, problem, warning
from worker.preflight.mail import Mail

_RUNS: Final = ("script", "iframe", "embed", "object", "applet")
_MEND: Final = "mend the template"


def check_html(mail: Mail) -> Iterator[Finding]:
    """Check language, title, headings, layout tables, and what every client takes out or refuses."""
    yield from or_ok(_faults(mail), Check.HTML, "language, title, one h1, and tables that are only layout say so")


def _faults(mail: Mail) -> Iterator[Finding]:
    if not mail.html.strip():
        yield problem(Check.HTML, "there is no HTML part", "fill the kind's html.j2")
        return
    page = mail.page
    if not any(one.get("lang") for one in page.of("html")):
        yield warning(Check.HTML, "<html> has no lang", f"{_MEND}: screen readers choose their voice by it")
    if not page.title:
        yield warning(Check.HTML, "<title> is missing or empty", f"{_MEND}: put the subject there")
    headings = len(page.of("h1"))
    if headings != 1:
        says = "no h1" if not headings else f"{headings} h1"
        yield warning(
            Check.HTML, f"there is {says}, where one is wanted", f"{_MEND}: readers leap from heading to heading"
        )
    tables = [one for one in page.of("table") if one.get("role") not in {"presentation", "none"}]
    bare = [one for one in tables if not one.get("summary") and not one.get("aria-label")]
    if bare and not page.of("th"):
        where = f"{len(bare)} tables have no role, the first in line {bare[0].line}"
        yield warning(Check.HTML, where, f'{_MEND}: role="presentation", or screen readers count its cells aloud')
    for tag, count in Counter(one.tag for one in page.elements if one.tag in _RUNS).items():
        advice = "take it out: clients drop it, and filters distrust it"
        yield problem(Check.HTML, f"<{tag}> stands in it {_times(count)}", advice)
    handlers = sorted({name for one in page.elements for name in one.attributes if name.startswith("on")})
    if handlers:
        yield problem(
            Check.HTML, f"scripts in attributes: {', '.join(handlers[:5])}", "take them out: no client runs them"
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
