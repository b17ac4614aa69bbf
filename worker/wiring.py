"""The one place that builds database, broker, transports and renderer from the settings.

Decides nothing about news or mail. Doors make a `House` and hand its parts to rooms; nobody else reads the settings.
Everything is built when first asked for, so that `tocsin --help` opens no database.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path

from worker import settings as settings_module
from worker.content import Newsroom
from worker.errors import ConfigurationError
from worker.keys import keep_key
from worker.settings import Settings
from worker.store import migrate
from worker.store.database import Database
from worker.tokens import Tokens, keyed_hash


class House:
    """One installation, as its settings describe it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @functools.cached_property
    def home(self) -> Path:
        """The directory of everything embedded; made if need be."""
        home = self.settings.home.expanduser().absolute()
        try:
            home.mkdir(parents=True, exist_ok=True)
            probe = home / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"the home {home} cannot be written to ({error.strerror}): choose another with --home or TOCSIN_HOME"
            ) from error
        return home

    @functools.cached_property
    def database(self) -> Database:
        """The database, of exactly this program's version."""
        database = self.database_of_any_version()
        migrate.check_version(database)
        return database

    def database_of_any_version(self) -> Database:
        """Return the database as it is, to be migrated or examined."""
        given = self.settings.database_url
        return Database(given.get_secret_value() if given else f"sqlite:///{self.home / 'tocsin.db'}")

    @functools.cached_property
    def broker_url(self) -> str:
        """Where Celery's messages go: the operator's broker, or the embedded one."""
        given = self.settings.broker_url
        return given.get_secret_value() if given else f"redis://127.0.0.1:{self.settings.broker_port}/0"

    @property
    def broker_is_embedded(self) -> bool:
        """Whether `tocsin up` must start a broker of its own."""
        return self.settings.broker_url is None

    @functools.cached_property
    def tokens(self) -> Tokens:
        """The signer of links."""
        given = self.settings.secret_keys
        return Tokens(given.get_secret_value().split() if given else [self._made_key("links", "TOCSIN_SECRET_KEYS")])

    @functools.cached_property
    def suppression_key(self) -> str:
        """The key under which addresses are hashed; it never rotates."""
        given = self.settings.suppression_key
        return given.get_secret_value() if given else self._made_key("suppression", "TOCSIN_SUPPRESSION_KEY")

    def address_hash(self, normalised_address: str) -> str:
        """Return the keyed hash under which the store knows an address."""
        return keyed_hash(self.suppression_key, normalised_address)

    @functools.cached_property
    def base_url(self) -> str:
        """How readers reach the pages; no trailing slash."""
        return self.settings.base_url or f"http://{self.settings.web_host}:{self.settings.web_port}"

    @functools.cached_property
    def newsroom(self) -> Newsroom:
        """Who sends."""
        name, address = parseaddr(self.settings.from_)
        return Newsroom(
            name=self.settings.newsroom,
            base_url=self.base_url,
            from_name=name or self.settings.newsroom,
            from_address=address,
            reply_to=self.settings.reply_to,
            postal_address=self.settings.postal_address,
            home_url=self.settings.home_url,
            accent=self.settings.accent,
        )

    def _made_key(self, name: str, variable: str) -> str:
        if not self.database_of_any_version().is_sqlite:
            raise ConfigurationError(
                f"with PostgreSQL, {variable} must be set, the same for every process: "
                f"make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        return keep_key(self.home, name)


def house(environment: Mapping[str, str] | None = None, **overrides: object) -> House:
    """Read the settings and return the installation. Raises `ConfigurationError` with every problem at once."""
    return House(settings_module.load(environment, **overrides))
