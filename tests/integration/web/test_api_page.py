"""Every command in docs/api.md answers what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
DIFFERS = "…"
KEY = "a-key-that-a-shell-leaves-whole"


def examples():
    """Return each command of curl's, and what the page says that it prints."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            found = re.fullmatch(r"((?:.*\\\n)*(?:[^']|'[^']*')*?)\n(.*)", part, re.DOTALL)
            assert found
            if part.startswith("curl "):
                yield found[1], found[2].strip()


def differences(said, got, at="$"):
    """Say where an answer is not what the page shows, which may show less."""
    if said == DIFFERS:
        return
    if isinstance(said, dict) and isinstance(got, dict):
        for name, value in said.items():
            yield from differences(value, got.get(name, "nothing"), f"{at}.{name}")
    elif isinstance(said, list) and isinstance(got, list) and len(said) == len(got):
        for number, (one, other) in enumerate(zip(said, got, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif said != got:
        yield f"{at}: the page says {said!r}, the answer is {got!r}"


@pytest.fixture
def newspaper(open_newspaper):
    return open_newspaper(api_key=KEY)


@pytest.mark.usefixtures("matching")
def test_every_command_of_the_page_answers_what_the_page_says(newspaper):
    environment = {**os.environ, "NEWS": newspaper.url, "KEY": KEY, "no_proxy": "*"}
    asked = list(examples())
    assert len(asked) > 12
    for command, printed in asked:
        ran = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), command
        if printed.isdecimal():
            assert ran.stdout == printed, command
        else:
            assert list(differences(json.loads(printed), json.loads(ran.stdout))) == [], command
