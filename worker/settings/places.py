"""Where everything is: the home, the database, the broker and the pages' address.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from worker.settings.kinds import Part, Port

_BROKERS: Final = ("redis://", "rediss://", "amqp://", "amqps://", "redis+socket://", "sentinel://")
_REDIS: Final = ("redis://", "rediss://", "unix://", "redis+socket://")


class Places(Part):
    """What is kept where, and where the pages are served."""

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

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("sqlite:", "postgresql:", "postgres:")):
            raise ValueError("must begin with sqlite: or postgresql:")
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

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(_REDIS):
            raise ValueError(f"must begin with {', '.join(_REDIS[:-1])} or {_REDIS[-1]}")
        return value
