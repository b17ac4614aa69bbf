"""Golden mails: every kind, in every language, as HTML and as text, exactly.

To renew them after a change that you have looked at (`tocsin render`, or the screenshots' test):

    TOCSIN_RENEW_GOLDEN=1 pytest tests/unit/rendering/test_golden.py

and read the difference that version control shows before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.rendering import samples
from worker.rendering.compile import Renderer

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_mail_looks_as_it_did_when_somebody_last_looked(kind, locale):
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    personal = samples.personal(kind, locale)
    subject = f"Subject: {mail.subject(personal)}\n\n"
    for file, face in {
        f"{kind}-{locale}.html": mail.mailed_html(personal),
        f"{kind}-{locale}.txt": subject + mail.text(personal),
    }.items():
        if os.environ.get("TOCSIN_RENEW_GOLDEN"):
            (GOLDEN / file).write_text(face, encoding="utf-8", newline="\n")
        assert face == (GOLDEN / file).read_text(encoding="utf-8")


def test_there_is_no_golden_file_that_nobody_compares():
    wanted = {f"{kind}-{loc}.{form}" for kind in samples.KINDS for loc in samples.LOCALES for form in ("html", "txt")}
    assert {file.name for file in GOLDEN.iterdir()} == wanted
