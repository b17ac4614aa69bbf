"""Every transport, made as an operator makes it: from a DSN. A new transport joins the suite by a line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.transports.playing import PROVIDERS
from tests.contract.transports.providers.provider import Provider
from tests.contract.transports.scripted_server import ScriptedServer
from worker.adapters.transports import http
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.ports import Transport

KINDS = {
    "smtp": "smtp://127.0.0.1:{port}?name=relay&hello=news.test&{options}",
    "inbox": "inbox://127.0.0.1:{port}?name=relay&hello=news.test&maildir={folder}&{options}",
}
MakeTransport = Callable[..., Transport]


@pytest.fixture(params=["smtp", "smtp, pipelined", "inbox"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeTransport:
    kind, _, way = request.param.partition(", ")
    monkeypatch.setattr(ScriptedServer, "offers_pipelining", way == "pipelined")

    def make_transport(port: int, options: str = "") -> Transport:
        dsn = KINDS[kind].format(port=port, folder=tmp_path, options=options)
        return build(parse_transports(dsn)[0])

    return make_transport


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Each HTTP provider, played by itself; what is asked for again is asked for at once."""
    monkeypatch.setattr(http, "REPEAT_AFTER_S", (0.0, 0.0))
    return PROVIDERS[request.param]
