"""docker-compose.yml starts what the command line has, one worker service a queue, and asks for its secrets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from worker.cli import app
from worker.model import Lane
from worker.settings import Settings, variable

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "tocsin"}


def test_the_services_are_those_of_tocsin_up() -> None:
    workers = {f"worker-{lane}" for lane in Lane if lane is not Lane.CONTROL} | {"worker-control"}
    assert set(OURS) == {"migrate", "web", "beat"} | workers


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    program, *words = shlex.split(OURS[name]["command"])
    assert program == "tocsin"
    command: Any = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands[words.pop(0)]
    with typer.Context(command, info_name=name) as context:
        command.parse_args(context, words)  # refuses options and values that the command does not know


def test_each_queue_has_a_worker_service_of_its_own() -> None:
    queues = [
        service["command"].partition("--queues ")[2] for service in OURS.values() if "worker" in service["command"]
    ]
    assert sorted(queues) == sorted(Lane)


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_variables_that_are_settings(name: str) -> None:
    assert set(OURS[name]["environment"]) <= {variable(field) for field in Settings.model_fields}


def test_no_secret_has_a_default_or_stands_in_the_file() -> None:
    secret = {variable(name) for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    for name in secret & set(OURS["web"]["environment"]) - {"TOCSIN_BROKER_URL", "TOCSIN_API_KEY"}:
        assert re.search(r"\$\{\w+:\?[^}]+\}", OURS["web"]["environment"][name]), name
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_everything_is_watched_restarted_and_given_time_to_stop() -> None:
    for name, service in SERVICES.items():
        if name not in {"mail", "migrate"}:  # the catcher's image watches itself; a migration ends
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name
            assert service["stop_grace_period"], name


def test_nothing_starts_before_the_database_is_migrated_and_the_broker_answers() -> None:
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "redis": {"condition": "service_healthy"},
        }


def test_the_broker_never_evicts_and_keeps_a_log() -> None:
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"]
    assert "--appendonly yes" in SERVICES["redis"]["command"]


def test_no_folder_of_the_host_is_mounted() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert all(re.match(r"\w+:/", mount) for mount in mounts), mounts
