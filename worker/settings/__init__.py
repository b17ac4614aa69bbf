"""The settings in force: one frozen, typed value, read once from `TOCSIN_*` variables.

Reads the environment and decides nothing more. Each part of the settings has its own module here, with its checks.
Only `wiring`, `foundation` and `policies` import this package; everybody else gets values from them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.errors import ConfigurationError
from worker.settings.guarding import Guarding
from worker.settings.kinds import PREFIX, Count, variable
from worker.settings.looking_over import LookingOver
from worker.settings.measuring import Measuring
from worker.settings.newspaper import Newspaper
from worker.settings.picturing import Picturing
from worker.settings.places import Places
from worker.settings.planned import Planned
from worker.settings.secrets import Secrets
from worker.settings.sending import Delivering, Sending, name_servers
from worker.settings.signing_up import SigningUp

__all__ = ["Settings", "load", "name_servers", "strangers", "variable"]

_EXAMPLES: Final[Mapping[str, str]] = {
    "home": "/var/lib/tocsin",
    "database_url": "postgresql://tocsin:secret@db/tocsin",
    "broker_url": "redis://localhost:6379/0",
    "redis_url": "redis://localhost:6379/1",
    "base_url": "https://news.example.org",
    "web_host": "127.0.0.1",
    "web_port": "8025",
    "from_": '"The Harbour Courier" <news@courier.example>',
    "reply_to": "readers@courier.example",
    "transports": "smtp://user:password@mail.example.org:587?tls=required&connections=20",
    "secret_keys": "two or more random words of 32 characters, the newest first, separated by spaces",
    "dns_resolvers": "192.0.2.53,[2001:db8::53]:5353",
    "webhook_secrets": "a long random word, followed by the last one as long as a provider still uses it",
    "webhook_keys": "postmark=user:password mailgun=the-signing-key",
    "returned_mail": "imaps://user:password@mail.example.org/INBOX",
    "alerts_mailbox": "imaps://alerts:password@mail.example.org/INBOX",
    "gather_s": "60",
    "domain_rates": "gmail.com=20 yahoo.com=5 *=50",
    "bulk_hours": "07-22",
    "accent_dark": "#e57373",
    "logo": "https://www.courier.example/logo.svg",
    "theme": "/etc/tocsin/theme",
    "embed_origins": "https://www.courier.example",
    "captcha": "suspicious",
}
_NO_SETTINGS: Final = {"TOCSIN_PARENT_PID", "TOCSIN_LOG_LEVEL"}  # the supervisor's own, and logging's


# The last base comes first in docs/settings.md.
class Settings(
    Measuring,
    Delivering,
    LookingOver,
    Planned,
    Guarding,
    SigningUp,
    Secrets,
    Sending,
    Picturing,
    Newspaper,
    Places,
    BaseSettings,
):
    """Everything that an operator can set. `None` means "made in the home" or "embedded", as each line says."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        env_ignore_empty=True,
        extra="ignore",
        validate_by_name=True,  # an override by the field's name counts also where the variable is called otherwise
        validate_by_alias=True,
        hide_input_in_errors=True,  # a mistyped DSN holds its password all the same, and tracebacks travel
    )

    sweep_s: Annotated[float, Field(ge=0.2, le=600)] = Field(5, description="how often SQL is searched for due work")
    poll_s: Annotated[float, Field(ge=5, le=86_400)] = Field(
        300, description="how often a source is polled that publishes every hour; others by the root of their rhythm"
    )
    poll_floor_s: Annotated[float, Field(ge=1, le=86_400)] = Field(
        60, description="the shortest time between two polls of a busy source, and that of the newsroom's own"
    )
    poll_ceiling_s: Annotated[float, Field(ge=5, le=86_400)] = Field(
        3600, description="the longest time between two polls of a quiet source that answers"
    )
    fetches: Count = Field(100, description="hosts that are asked for their feeds at the same time, each for one")
    allow_private: bool = Field(False, description="may feeds be fetched from private and loopback addresses")
    websub: Literal["auto", "on", "off"] = Field(
        "auto",
        description="do hubs push news to us (WebSub): on, off, or auto: where base_url is a public https address",
    )

    @field_validator("base_url", "home_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    def shown(self) -> dict[str, Any]:
        """Return the settings as `tocsin config` prints them, by variable name, secrets redacted."""
        return {variable(name): _redact(getattr(self, name)) for name in sorted(type(self).model_fields, key=variable)}


def load(**overrides: object) -> Settings:
    """Read the settings; every problem is reported at once, in one `ConfigurationError`."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # values come from the command line, pydantic checks them
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(dict(problem))}" for problem in error.errors())
        raise ConfigurationError(f"the settings are wrong:\n{problems}") from error


def strangers(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return a line for every `TOCSIN_*` variable that this program does not know, with what may have been meant."""
    known = [variable(name).removeprefix(PREFIX) for name in Settings.model_fields]
    lines = []
    for name in sorted(environment):
        word = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and word not in known and name not in _NO_SETTINGS:
            near = difflib.get_close_matches(word, known, n=1)  # without the prefix, which makes all names alike
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            lines.append(f"{name} is not a setting of this version{hint}")
    return lines


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    name = name if name.startswith(PREFIX) else variable(name)
    field = name.removeprefix(PREFIX).lower()
    example = _EXAMPLES.get(field) or _EXAMPLES.get(field + "_") or Settings.model_fields[field].default
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {message[0].lower()}{message[1:]}; for example {name}={example}"


def _redact(value: object) -> object:
    if isinstance(value, SecretStr):
        return "**********"
    return str(value) if isinstance(value, Path) else value
