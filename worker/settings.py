"""The settings in force: one frozen, typed value, read once from `TOCSIN_*` variables.

Reads the environment and decides nothing more. Only `wiring` imports this module; everybody else gets values from it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.allowances import Hours, read_domain_rates
from worker.errors import ConfigurationError
from worker.keys import SigningKeyFile

PREFIX: Final = "TOCSIN_"
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
    "gather_s": "60",
    "domain_rates": "gmail.com=20 yahoo.com=5 *=50",
    "bulk_hours": "07-22",
}
_SECRET_WORD: Final = re.compile(r"[A-Za-z0-9_-]{16,}")
_BROKERS: Final = ("redis://", "rediss://", "amqp://", "amqps://", "redis+socket://", "sentinel://")
_REDIS: Final = ("redis://", "rediss://", "unix://", "redis+socket://")
_NO_SETTINGS: Final = {"TOCSIN_PARENT_PID", "TOCSIN_LOG_LEVEL"}  # the supervisor's own, and logging's

Seconds = Annotated[float, Field(gt=0, le=86_400 * 31)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1000)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Settings(BaseSettings):
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

    home: Path = Field(
        Path("home"), description="holds everything of the embedded mode: database, broker, inbox, keys, logs"
    )
    database_url: SecretStr | None = Field(None, description="SQLite or PostgreSQL; default: tocsin.db in the home")
    broker_url: SecretStr | None = Field(None, description="Redis, Valkey or RabbitMQ; default: an embedded Valkey")
    redis_url: SecretStr | None = Field(None, description="Redis or Valkey for pacing; default: the broker's")
    broker_port: Port = Field(6399, description="loopback port of the embedded Valkey")

    base_url: str = Field("", description="how readers reach the pages; default: http://WEB_HOST:WEB_PORT")
    web_host: str = Field("127.0.0.1", description="address on which the pages are served")
    web_port: Port = Field(8025, description="port on which the pages are served")
    trusted_proxies: str = Field(
        "127.0.0.1", description="addresses whose X-Forwarded-* headers are believed, comma separated"
    )

    newsroom: str = Field("The Harbour Courier", description="the newspaper's name, on every mail and page")
    from_: str = Field(
        "The Harbour Courier <news@courier.example>", validation_alias="TOCSIN_FROM", description="From of every mail"
    )
    reply_to: str = Field("", description="Reply-To of every mail")
    postal_address: str = Field("1 Quay Street, Port Meridian", description="printed in every mail")
    home_url: str = Field("", description="the newspaper's own site")
    accent: str = Field("#8a1c1c", pattern=r"^#[0-9a-fA-F]{6}$", description="the house colour of mails and pages")
    timezone: str = Field("UTC", description="the newsroom's IANA time zone")

    transports: SecretStr | None = Field(None, description="DSNs of relays and providers; default: the local inbox")
    domain_rates: str = Field(
        "", description="messages a second by receiver, `*` for each other one, for example gmail.com=20 *=50"
    )
    bulk_hours: str = Field(
        "", description="the newsroom's hours in which digests and newsletters may go, for example 07-22; default: all"
    )
    inbox_port: Port = Field(2525, description="loopback port of the local inbox's SMTP server")
    dkim_domain: str = Field("", description="the d= of DKIM signatures; default: From's domain")
    dkim_selector: str = Field("", description="selector of the RSA key; `tocsin dkim new` makes one")
    dkim_key_file: Path | None = Field(None, description="the RSA key, as PEM; default: no RSA signature")
    dkim_ed25519_selector: str = Field("", description="selector of the Ed25519 key")
    dkim_ed25519_key_file: Path | None = Field(None, description="the Ed25519 key, as PEM; default: no such signature")
    dns_resolvers: str = Field(
        "",
        description="name servers that `tocsin doctor` asks, as ADDRESS or ADDRESS:PORT, comma separated; "
        "default: the system's",
    )

    secret_keys: SecretStr | None = Field(
        None, description="keys that sign links, newest first; default: made in the home"
    )
    suppression_key: SecretStr | None = Field(
        None, description="key of the suppression hashes, never rotated; default: made in the home"
    )
    api_key: SecretStr | None = Field(None, description="one administrator's API key, for a first start")

    returned_mail: SecretStr | None = Field(
        None, description="where bounces come in: a Maildir, or imaps://user:password@host/INBOX; see returned-mail.md"
    )
    webhook_secrets: SecretStr | None = Field(
        None, description="words that end the webhooks' addresses, newest first; default: made in the home"
    )
    webhook_keys: SecretStr | None = Field(
        None, description="keys that providers sign with, as provider=key, two during a rotation; see feedback.md"
    )
    bounce_threshold: Annotated[float, Field(gt=0, le=100)] = Field(
        3, description="score at which an address is suppressed: a day of soft bounces counts 0.5, of hard ones 1"
    )
    keep_events_days: Annotated[int, Field(ge=31, le=3650)] = Field(
        180, description="for so many days events of providers and returned mail are kept; suppressions stay for ever"
    )
    keep_engagement: bool = Field(False, description="are providers' events of opened and clicked mails kept")

    gather_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        60, description="how long an alert waits for more of its story"
    )
    alert_age_limit_s: Seconds = Field(86_400, description="nothing published longer ago than this alerts")
    alert_expires_s: Seconds = Field(6 * 3600, description="an alert not delivered by then is expired")
    digest_expires_s: Seconds = Field(12 * 3600, description="a digest not delivered by then is expired")
    alert_budget: Annotated[int, Field(ge=0)] = Field(0, description="alerts that a reader gets in a day; 0: no limit")
    burst_count: Annotated[int, Field(ge=0)] = Field(
        10, description="more alerts than this on one topic become a rolling summary; 0: none do"
    )
    burst_window_s: Seconds = Field(3600, description="in which time so many alerts are a burst")
    rolling_s: Annotated[float, Field(ge=60, le=86_400)] = Field(
        1800, description="how often a summary of a burst goes"
    )
    section_cap: Count = Field(6, description="stories that a digest shows of one topic")
    digest_cap: Count = Field(40, description="stories that a digest shows in all")
    away_cap: Count = Field(10, description="stories that a reader is shown of what a pause has missed")
    lease_s: Annotated[float, Field(ge=5, le=600)] = Field(45, description="how long a silent worker keeps its batch")
    retry_alert_s: Annotated[float, Field(ge=1, le=3600)] = Field(30, description="first retry of an alert")
    retry_digest_s: Annotated[float, Field(ge=1, le=86_400)] = Field(300, description="first retry of a digest")
    canary_share: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.01, description="share of a large edition that is sent and watched before the rest; 0 sends all at once"
    )
    canary_min_audience: Annotated[int, Field(ge=1)] = Field(
        5_000, description="from which audience on an edition is large; what is breaking never waits"
    )
    canary_watch_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        60, description="how long the first share is watched after its last answer"
    )
    canary_refused: Share = Field(0.02, description="share of refusals because of us above which the rest is held")
    canary_unknown: Share = Field(0.02, description="share of lost replies above which the rest is held")
    canary_bounced: Share = Field(0.05, description="share of bounces above which the rest is held")
    canary_complained: Share = Field(0.002, description="share of complaints above which the rest is held")
    sweep_s: Annotated[float, Field(ge=0.2, le=600)] = Field(5, description="how often SQL is searched for due work")
    poll_s: Annotated[float, Field(ge=5, le=86_400)] = Field(300, description="how often a feed is fetched")
    allow_private: bool = Field(False, description="may feeds be fetched from private and loopback addresses")

    @field_validator("base_url", "home_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("from_", "reply_to")
    @classmethod
    def _is_mailbox(cls, value: str, info: ValidationInfo) -> str:
        left_out = not value and info.field_name == "reply_to"
        if not left_out and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", parseaddr(value)[1]):
            raise ValueError("must hold an address with an @")
        return value

    @field_validator("dns_resolvers")
    @classmethod
    def _are_servers(cls, value: str) -> str:
        name_servers(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(_REDIS):
            raise ValueError(f"must begin with {', '.join(_REDIS[:-1])} or {_REDIS[-1]}")
        return value

    @field_validator("domain_rates")
    @classmethod
    def _is_rates(cls, value: str) -> str:
        try:
            read_domain_rates(value)
        except ValueError:
            raise ValueError("must be domains with messages a second, separated by spaces") from None
        return value

    @field_validator("bulk_hours")
    @classmethod
    def _is_hours(cls, value: str) -> str:
        try:
            _ = value and Hours.read(value)
        except ValueError:
            raise ValueError("must be two hours") from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not an IANA time zone such as Europe/Berlin")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("sqlite:", "postgresql:", "postgres:")):
            raise ValueError("must begin with sqlite: or postgresql:")
        return value

    @field_validator("secret_keys", "suppression_key", "api_key", "webhook_secrets", "webhook_keys")
    @classmethod
    def _is_not_blank(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().strip():
            raise ValueError("is blank")
        return value

    @field_validator("webhook_secrets")
    @classmethod
    def _are_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not all(_SECRET_WORD.fullmatch(word) for word in value.get_secret_value().split()):
            raise ValueError("must be words of 16 or more letters, digits, - and _, separated by spaces")
        return value

    @field_validator("returned_mail")
    @classmethod
    def _is_mailbox_place(cls, value: SecretStr | None) -> SecretStr | None:
        where = value.get_secret_value() if value else ""
        if "://" in where and not where.startswith(("imaps://", "imap://")):
            raise ValueError("must be the path of a Maildir, or begin with imaps:// or imap://")
        return value

    @field_validator("broker_url")
    @classmethod
    def _is_broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(_BROKERS):
            raise ValueError(f"must begin with {_BROKERS[0]}, {_BROKERS[1]} or {_BROKERS[2]}")
        try:
            _ = urlsplit(value.get_secret_value()).port if value else None
        except ValueError:  # its own words would quote a part of the password
            raise ValueError("has no readable host and port; write signs in a password percent-encoded") from None
        return value

    def shown(self) -> dict[str, Any]:
        """Return the settings as `tocsin config` prints them, by variable name, secrets redacted."""
        return {variable(name): _redact(getattr(self, name)) for name in sorted(type(self).model_fields, key=variable)}

    def dkim_keys(self) -> Iterator[SigningKeyFile]:
        """Yield the keys that mail is signed with. Raises `ConfigurationError` for half a key."""
        for algorithm, selector, file, prefix in (
            ("rsa-sha256", self.dkim_selector, self.dkim_key_file, "TOCSIN_DKIM"),
            ("ed25519-sha256", self.dkim_ed25519_selector, self.dkim_ed25519_key_file, "TOCSIN_DKIM_ED25519"),
        ):
            if bool(selector) != bool(file):
                raise ConfigurationError(f"set {prefix}_SELECTOR and {prefix}_KEY_FILE together, or neither")
            if selector and file:
                variable = f"{prefix}_KEY_FILE"
                yield SigningKeyFile(algorithm=algorithm, selector=selector, file=file, variable=variable)


def name_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Read TOCSIN_DNS_RESOLVERS. Raises `ValueError`.

    >>> name_servers("192.0.2.53, [2001:db8::53]:5353")
    (('192.0.2.53', 53), ('2001:db8::53', 5353))
    """
    servers = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        address, _, port = (word, "", "53") if word.count(":") > 1 and "[" not in word else word.rpartition(":")
        address, port = (address, port) if address else (port, "53")
        try:
            servers.append((str(ip_address(address.strip("[]"))), int(port)))
        except ValueError:
            raise ValueError("must be addresses, such as 192.0.2.53 or [2001:db8::53]:53") from None
    return tuple(servers)


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


def variable(name: str) -> str:
    """Return a field's environment variable.

    >>> variable("from_")
    'TOCSIN_FROM'
    """
    return PREFIX + name.rstrip("_").upper()


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
