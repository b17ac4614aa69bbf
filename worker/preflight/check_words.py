"""Looks for words that nobody meant to send: placeholders, template marks, reminders to oneself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from worker.preflight.findings import Check, Finding, or_ok, problem, warning
from worker.preflight.mail import Mail

# What a template that has failed leaves behind: no article is written like this.
_LEFT: Final = (
    (re.compile(r"\{\{.{0,60}|\{%.{0,60}"), "a template's mark"),
    (re.compile(r"%\(\w{1,40}\)[sd]"), "a place that no value was put into"),
    (re.compile(r"\*\|[A-Z_:]{1,40}\|\*|\[\[\w{1,40}\]\]|%%\w{1,40}%%"), "another program's merge tag"),
    (re.compile(r"\bhole[0-9a-f]{16}\w*"), "a hole that was not filled"),
    (re.compile(r"<built-in (?:method|function)[^>]{0,60}>|<\w+ object at 0x[0-9a-f]+>"), "a program's own words"),
)
# What an editor may have left: an article may quote it, so it only warns, but for a subject.
_DOUBTED: Final = re.compile(
    r"\blorem ipsum\b|\bdolor sit amet\b|\b(?:insert|your|placeholder) (?:text|headline|subject|title) here\b"
    r"|\bheadline goes here\b|\bplaceholder\b(?= (?:text|image|copy))|(?-i:\bTK ?TK\b|\bTKTK\b|\bTBD\b|\bTO"
    r"DO\b|\bFIX"
    r"ME\b)",
    re.IGNORECASE,
)
_TEST: Final = re.compile(
    r"^\W*test\W*$|(?-i:\bTEST\b)|^\W*test(?:ing)?\b(?= (?:mail|subject|issue|newsletter)\b)", re.IGNORECASE
)


def check_words(mail: Mail) -> Iterator[Finding]:
    """Check subject, HTML and text."""
    yield from or_ok(_slips(mail), Check.WORDS, "no placeholder is left in subject, HTML or text")


def _slips(mail: Mail) -> Iterator[Finding]:
    words = " ".join(mail.page.said)
    for place, text in (("the subject", mail.subject), ("the HTML", words), ("the text part", mail.text)):
        for pattern, what in _LEFT:
            if found := pattern.search(text):
                yield problem(
                    Check.WORDS,
                    f"{place} has {what}: “{_shown(found)}”",
                    "mend the template, or the words of the story that it stands in",
                    harms=True,
                )
        if found := _DOUBTED.search(text):
            yield warning(Check.WORDS, f"{place} says “{_shown(found)}”", "is that meant to be read?")
    if found := _TEST.search(mail.subject):
        yield warning(
            Check.WORDS, f"the subject says “{_shown(found)}”", "is this a test? Then send it as one: `test-send`"
        )


def _shown(found: re.Match[str]) -> str:
    return " ".join(found[0].split())[:60]
