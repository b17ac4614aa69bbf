"""Installations for the benchmark, each with our side running in it: on SQLite or PostgreSQL, signing or not.

Makes homes, keys and databases, and takes them away. Measures nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bench.matching.side import Side
from tests.bench.page import ROOT
from tests.databases import Cluster

KEYS: Final = {
    "TOCSIN_SECRET_KEYS": "a-key-for-the-benchmark-0123456789",
    "TOCSIN_SUPPRESSION_KEY": "another-key-for-the-benchmark-0123",
}
PREPARED: Final = 16  # durable for a connection ahead of their turn: the window is printed beside the figures
ON_DISK: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


def relay(port: int, connections: int) -> str:
    """Return the DSN of a relay on this machine whose connections last, as the peers' do."""
    ours = f"connections={connections}&prepared={PREPARED}&messages=1000000"
    return f"smtp://127.0.0.1:{port}?tls=off&name=relay&{ours}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A home and its settings, with a migrated database."""

    settings: Mapping[str, str]

    def ours(self, stack: ExitStack, port: int, connections: int, **signing: str) -> Ours:
        """Start our side in it, sending to a port."""
        environment = {**self.settings, **signing, "TOCSIN_TRANSPORTS": relay(port, connections)}
        command = [sys.executable, "-m", "tests.bench.delivery.ours"]
        return Ours(stack.enter_context(Side(command, environment=environment)))


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side, as one of those that send. `told` holds what it said of each send."""

    side: Side
    told: list[dict[str, Any]] = field(default_factory=list)

    def send(self, count: int, *, connections: int, port: int) -> float:  # noqa: ARG002  it knows them from its settings
        """Plan an edition for so many readers, and deliver it; only the delivering is timed."""
        told = self.side.ask("send", self.side.ask("plan", count)["edition"])
        if told["states"] != {"accepted": count}:
            raise AssertionError(f"not everything was accepted: {told['states']}")
        self.told.append({**told, "count": count})
        seconds: float = told["seconds"]
        return seconds


def make(stack: ExitStack, folder: Path, kind: str, readers: int) -> Room:
    """Make a home with a database of a kind, and fill it with readers."""
    home = folder / kind
    home.mkdir(parents=True)
    settings = {"TOCSIN_HOME": str(home), **KEYS}
    if kind == "postgresql":
        cluster = Cluster(**ON_DISK)
        stack.callback(cluster.stop)
        settings["TOCSIN_DATABASE_URL"] = stack.enter_context(cluster.bare())
    room = Room(settings=settings)
    upgrade = [sys.executable, "-m", "worker", "db", "upgrade"]
    subprocess.run(upgrade, env={**_outside(), **settings}, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with ExitStack() as briefly:
        room.ours(briefly, port=1, connections=1).side.ask("readers", readers)
    return room


def ways(folder: Path) -> dict[str, dict[str, str]]:
    """Make keys, and return the settings under which nothing, Ed25519, RSA or both sign, some of them on one core."""
    made: dict[str, RSAPrivateKey | Ed25519PrivateKey] = {
        "rsa": generate_private_key(65537, 2048),
        "ed25519": Ed25519PrivateKey.generate(),
    }
    files = {}
    for name, key in made.items():
        files[name] = folder / f"{name}.pem"
        files[name].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files[name].chmod(0o600)
    domain = {"TOCSIN_DKIM_DOMAIN": "courier.example"}
    rsa = {"TOCSIN_DKIM_SELECTOR": "r1", "TOCSIN_DKIM_KEY_FILE": str(files["rsa"])}
    ed25519 = {"TOCSIN_DKIM_ED25519_SELECTOR": "e1", "TOCSIN_DKIM_ED25519_KEY_FILE": str(files["ed25519"])}
    one_core = {"TOCSIN_DELIVERY_ONE_CORE": "on"}
    return {
        "unsigned": {},
        "unsigned, one core": one_core,
        "Ed25519": {**domain, **ed25519},
        "Ed25519, one core": {**domain, **ed25519, **one_core},
        "RSA-2048": {**domain, **rsa},
        "RSA-2048, one core": {**domain, **rsa, **one_core},
        "both": {**domain, **rsa, **ed25519},
    }


def _outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
