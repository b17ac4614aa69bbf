"""Settings: all problems at once, defaults that work, and secrets that never show."""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from worker import settings as settings_module
from worker.errors import ConfigurationError
from worker.model import LetterKind
from worker.policies import courtesies
from worker.settings import Settings, load, strangers, variable
from worker.signup.courtesies import Courtesies

SECRETS = {
    "TOCSIN_DATABASE_URL": "postgresql://news:hunter2-database@db/tocsin",
    "TOCSIN_BROKER_URL": "redis://:hunter2-broker@redis/0",
    "TOCSIN_REDIS_URL": "redis://:hunter2-redis@redis/1",
    "TOCSIN_TRANSPORTS": "smtp://relay:hunter2-transport@mail.example:587",
    "TOCSIN_SECRET_KEYS": "hunter2-links-0123456789-0123456789",
    "TOCSIN_SUPPRESSION_KEY": "hunter2-suppression-0123456789-0123",
    "TOCSIN_API_KEY": "hunter2-api-0123456789-0123456789",
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in map(variable, Settings.model_fields):
        monkeypatch.delenv(name, raising=False)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_nothing_need_be_set():
    settings = load()
    assert settings.home == Path("home")
    assert settings.database_url is None
    assert settings.web_port == 8025


def test_every_field_can_be_set_by_its_variable_and_by_name(monkeypatch):
    set_all(monkeypatch, TOCSIN_FROM="Night Desk <night@courier.example>", TOCSIN_GATHER_S="5", TOCSIN_HOME="/tmp/h")
    assert load().from_ == "Night Desk <night@courier.example>"
    assert (load().gather_s, load().home) == (5, Path("/tmp/h"))
    overridden = load(from_="Day Desk <day@courier.example>", gather_s=7, home="/tmp/other")
    assert (overridden.from_, overridden.gather_s) == ("Day Desk <day@courier.example>", 7)
    assert overridden.home == Path("/tmp/other")


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    set_all(monkeypatch, TOCSIN_WEB_PORT="", TOCSIN_DATABASE_URL="")
    assert (load().web_port, load().database_url) == (8025, None)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        load().web_port = 1


WRONG = {
    "TOCSIN_WEB_PORT": "eighty",
    "TOCSIN_BROKER_PORT": "70000",
    "TOCSIN_BASE_URL": "news.example.org",
    "TOCSIN_FROM": "The Harbour Courier",
    "TOCSIN_REPLY_TO": "readers@",
    "TOCSIN_TIMEZONE": "Berlin",
    "TOCSIN_DATABASE_URL": "mysql://news:hunter2@db/tocsin",
    "TOCSIN_GATHER_S": "-1",
    "TOCSIN_LEASE_S": "1",
    "TOCSIN_ACCENT": "dark red",
    "TOCSIN_ALLOW_PRIVATE": "perhaps",
    "TOCSIN_SECRET_KEYS": "   ",
}


def test_every_problem_is_told_at_once_with_its_variable_and_an_example(monkeypatch):
    set_all(monkeypatch, **WRONG)
    with pytest.raises(ConfigurationError) as caught:
        load()
    headline, *lines = str(caught.value).splitlines()
    assert headline == "the settings are wrong:"
    assert sorted(line.split(":")[0].strip() for line in lines) == sorted(WRONG)
    assert all(f"for example {line.split(':')[0].strip()}=" in line for line in lines)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_each_example_is_right(monkeypatch, name):
    set_all(monkeypatch, **{name: WRONG[name]})
    with pytest.raises(ConfigurationError) as caught:
        load()
    example = str(caught.value).rpartition(f"for example {name}=")[2]
    if name != "TOCSIN_SECRET_KEYS":  # whose example is a description: nobody should copy a key
        set_all(monkeypatch, **{name: example})
        load()


def test_no_secret_shows_in_any_form(monkeypatch):
    set_all(monkeypatch, **SECRETS)
    settings = load()
    shown = settings.shown()
    for words in (repr(settings), str(settings), repr(shown), settings.model_dump_json(), f"{settings!r:s}"):
        assert "hunter2" not in words
    assert {shown[name] for name in SECRETS} == {"**********"}
    assert settings.transports is not None
    assert "hunter2-transport" in settings.transports.get_secret_value()


def test_every_setting_is_shown_by_its_variable(monkeypatch):
    set_all(monkeypatch, TOCSIN_HOME="/tmp/h")
    shown = load().shown()
    assert list(shown) == sorted(map(variable, Settings.model_fields))
    assert shown["TOCSIN_HOME"] == "/tmp/h"
    assert "TOCSIN_FROM" in shown


def test_a_secret_in_a_wrong_value_is_not_in_the_error_nor_in_its_traceback(monkeypatch):
    set_all(monkeypatch, TOCSIN_DATABASE_URL="mysql://news:hunter2@db/tocsin")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_variable_that_nobody_knows_is_told_with_what_may_have_been_meant():
    lines = strangers({"TOCSIN_GATHERS": "5", "TOCSIN_XYZZY": "1", "TOCSIN_HOME": "/tmp", "PATH": "/bin"})
    assert lines == [
        "TOCSIN_GATHERS is not a setting of this version; did you mean TOCSIN_GATHER_S?",
        "TOCSIN_XYZZY is not a setting of this version",
    ]


def test_slashes_at_the_end_of_a_url_are_dropped(monkeypatch):
    set_all(monkeypatch, TOCSIN_BASE_URL="https://news.example.org/")
    assert load().base_url == "https://news.example.org"


def test_each_field_says_what_it_is_for():
    assert all(field.description for field in settings_module.Settings.model_fields.values())


def test_the_letters_that_readers_get_unasked_can_be_chosen(monkeypatch):
    assert courtesies(load()) == Courtesies()
    set_all(monkeypatch, TOCSIN_LETTERS="goodbye welcome", TOCSIN_CHANGED_LETTER_AFTER_S="60")
    assert courtesies(load()).kinds == {LetterKind.GOODBYE, LetterKind.WELCOME}
    assert courtesies(load()).changed_after == timedelta(minutes=1)
    assert courtesies(load(letters="none")).kinds == frozenset()


@pytest.mark.parametrize("letters", ["welcome farewell", "none farewell", "moved"])
def test_a_letter_that_there_is_not_is_refused_with_those_that_there_are(letters):
    with pytest.raises(
        ConfigurationError, match=r"TOCSIN_LETTERS: there is no letter called '(farewell|none|moved)'; "
    ):
        load(letters=letters)
