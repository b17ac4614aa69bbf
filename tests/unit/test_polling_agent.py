"""By what name we poll."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.press import Press
from worker.settings import load


@pytest.mark.parametrize(
    ("said", "contact"),
    [
        ({"from_": "The Gull <news@gull.example>"}, "; news@gull.example)"),
        ({"from_": "news@gull.example", "reply_to": "desk@gull.example"}, "; desk@gull.example)"),
        ({"from_": "\uc18c\uc2dd@gull.example"}, "(+https://gull.example)"),
    ],
)
def test_whoever_is_polled_is_told_whom_to_complain_to(tmp_path: Path, said: dict[str, str], contact: str):
    agent = Press(load(home=tmp_path, base_url="https://gull.example", **said)).polling_agent
    assert agent.startswith("Tocsin/")
    assert "(+https://gull.example" in agent
    assert agent.endswith(contact)
    assert agent.isascii()
