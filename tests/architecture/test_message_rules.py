"""docs/message-format.md names a test for each rule about mails; here is that each of them exists, once."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "message-format.md"


def test_every_rule_about_mails_names_a_test_that_is_there():
    lines = RULES.read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line.startswith("|") and not line.startswith(("|---", "| rule |"))]
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)` \|$", "\n".join(rules), re.MULTILINE)
    assert len(named) == len(rules) > 30
    for file, test in named:
        found = [path for path in (ROOT / "tests").rglob(file) if f"def {test}(" in path.read_text(encoding="utf-8")]
        assert len(found) == 1, f"{file}::{test}"
