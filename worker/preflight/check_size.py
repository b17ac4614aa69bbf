"""Checks how big a mail is, against what receivers cut or refuse, and that its text part is worth reading. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from worker.preflight.findings import Check, Finding, ok, or_ok, problem, warning
from worker.preflight.mail import Mail

CLIPPED_BYTES: Final = 102 * 1024  # Gmail shows no more of a mail's HTML, and hides the way out with the rest
NEAR_BYTES: Final = 90 * 1024
HEAVY_BYTES: Final = 500 * 1024
_CUT_BYTES: Final = 60 * 1024  # rendering cuts at 100 KB, and takes out no more than it must
_LEAST_TEXT: Final = 200  # characters, of a mail whose HTML says much more


def check_size(mail: Mail) -> Iterator[Finding]:
    """Check the HTML against Gmail's limit, and the whole message against phones' patience."""
    size, whole = len(mail.html.encode()), len(mail.message)
    says = f"HTML of {_kb(size)}, {_kb(whole)} in all"
    yield from or_ok(_excess(size, whole), Check.SIZE, says)
    left_out = _left_out(mail)
    if left_out:
        cards = len(mail.content.all_cards()) if mail.content else 0
        found = f"{left_out} of {cards} stories are cut so that it fits; the page in the browser has them all"
        yield warning(Check.SIZE, found, "let the issue have fewer stories")


def check_text(mail: Mail) -> Iterator[Finding]:
    """Check that there is a text part, that says what the HTML says."""
    part = mail.headers.get_body(preferencelist=("plain",))
    words, shown = len("".join(mail.text.split())), len("".join("".join(mail.page.said).split()))
    if part is None or not words:
        yield problem(
            Check.TEXT, "there is none", "fill the kind's text.txt.j2: watches, filters and some readers need it"
        )
    elif words < _LEAST_TEXT and words < shown / 4:
        found = f"it has {words} characters, and the HTML says {shown}"
        yield warning(Check.TEXT, found, "let text.txt.j2 tell the stories too")
    else:
        yield ok(Check.TEXT, f"{words} characters beside {shown} of the HTML's")


def _excess(size: int, whole: int) -> Iterator[Finding]:
    if size > CLIPPED_BYTES:
        found = f"the HTML has {_kb(size)}: Gmail clips it at 102 KB, and the link to unsubscribe with it"
        yield problem(Check.SIZE, found, "let it have fewer stories, or a leaner template", harms=True)
    elif size > NEAR_BYTES:
        found = f"the HTML has {_kb(size)}, near the 102 KB at which Gmail clips it"
        yield warning(Check.SIZE, found, "let it have fewer stories, or a leaner template")
    if whole > HEAVY_BYTES:
        yield warning(Check.SIZE, f"the message has {_kb(whole)}", "link to what is big instead of enclosing it")


def _left_out(mail: Mail) -> int:
    """Count stories that nothing leads to, in a mail as long as one that was cut; some have no address at all."""
    if mail.content is None or len(mail.html.encode()) < _CUT_BYTES:
        return 0
    shown = {link.url.casefold() for link in mail.page.links}
    addressed = [card.url.casefold() for card in mail.content.all_cards() if card.url.startswith("http")]
    return sum(1 for url in addressed if url not in shown)


def _kb(count: int) -> str:
    return f"{count / 1024:.0f} KB" if count >= 1024 else f"{count} bytes"
