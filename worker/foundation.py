"""What every process of an installation stands on: its home, database, broker, keys and pictures, by its settings.

Everything is made when first asked for. `wiring` builds the rooms on it; nobody else imports this.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from worker import __version__
from worker.errors import ConfigurationError
from worker.keys import keep_key
from worker.pictures import address_fault, number_of
from worker.settings import Settings
from worker.store import migrate, picture_addresses
from worker.store.database import Database
from worker.tokens import Purpose, Tokens, keyed_hash

if TYPE_CHECKING:
    from worker.adapters.pictures.proxy import PictureProxy
    from worker.adapters.pictures.shelf import Shelf
    from worker.content import Image
    from worker.rendering.cards import PictureAddress
    from worker.rendering.theme_files import Theme


class Foundation:
    """The ground floor of a `House`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @functools.cached_property
    def home(self) -> Path:
        """The directory of everything embedded; made if need be."""
        home = self.settings.home.expanduser().absolute()
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home):
                pass  # one of its own for each process: many look at the same moment
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

    @functools.cached_property
    def base_url(self) -> str:
        """How readers reach the pages; no trailing slash."""
        return self.settings.base_url or f"http://{self.settings.web_host}:{self.settings.web_port}"

    @property
    def inbox(self) -> Path:
        """Where the local inbox keeps what it receives."""
        return self.home / "inbox"

    @property
    def theme_folder(self) -> Path | None:
        """Where the operator's own templates are; None: there are none."""
        given = self.settings.theme
        return self.home / Path(given).expanduser() if given else None

    @functools.cached_property
    def theme(self) -> Theme:
        """The templates in force. Raises `ConfigurationError` with all faults of the operator's."""
        from worker.rendering.theme_check import load_theme  # noqa: PLC0415  most commands make no mail

        return load_theme(self.theme_folder)

    @property
    def user_agent(self) -> str:
        """How this installation names itself to other servers."""
        return f"Tocsin/{__version__} (+{self.base_url})"

    @property
    def broker_is_embedded(self) -> bool:
        """Whether `tocsin up` must start a broker of its own."""
        return self.settings.broker_url is None

    @property
    def redis_url(self) -> str | None:
        """Where pacing keeps its buckets: the operator's Redis, else the broker where it is one, else nowhere."""
        given = self.settings.redis_url
        url = given.get_secret_value() if given else self.broker_url
        return url if url.startswith(("redis://", "rediss://", "redis+socket://", "unix://")) else None

    @functools.cached_property
    def tokens(self) -> Tokens:
        """The signer of links."""
        given = self.settings.secret_keys
        return Tokens(given.get_secret_value().split() if given else [self._made_key("links", "TOCSIN_SECRET_KEYS")])

    @property
    def picture_address(self) -> PictureAddress:
        """From where mails show pictures: from their own newspapers, or from here."""
        from worker.rendering.cards import as_served  # noqa: PLC0415  as above

        return self._own_address_of if self.settings.image_proxy == "on" else as_served

    @property
    def page_picture_address(self) -> PictureAddress:
        """From where our pages show pictures: from here, or not at all. A page lets nobody else know who reads it."""
        from worker.rendering.cards import unshown  # noqa: PLC0415  as above

        return self._own_address_of if self.settings.image_proxy == "on" else unshown

    @functools.cached_property
    def _own_address_of(self) -> PictureAddress:
        return own_pictures(self.base_url, self.tokens)

    @property
    def picture_shelf(self) -> Shelf:
        """Where pictures that were fetched are kept."""
        from worker.adapters.pictures.shelf import Shelf  # noqa: PLC0415  only the pages' process serves them

        return Shelf(self.home / "cache" / "pictures", max_bytes=self.settings.image_cache_mb * 1_000_000)

    @functools.cached_property
    def image_proxy(self) -> PictureProxy | None:
        """What serves pictures to readers; None where it is off."""
        from worker.adapters.pictures.proxy import PictureProxy  # noqa: PLC0415  only the pages' process serves them

        def address_of(number: int) -> str | None:
            with self.database.read() as conn:
                return picture_addresses.address_of(conn, number)

        if self.settings.image_proxy == "off":
            return None
        return PictureProxy(
            self.picture_shelf,
            address_of=address_of,
            user_agent=self.user_agent,
            allow_private=self.settings.allow_private,
        )

    @functools.cached_property
    def suppression_key(self) -> str:
        """The key under which addresses are hashed; it never rotates."""
        given = self.settings.suppression_key
        return given.get_secret_value() if given else self._made_key("suppression", "TOCSIN_SUPPRESSION_KEY")

    def address_hash(self, normalised_address: str) -> str:
        """Return the keyed hash under which the store knows an address."""
        return keyed_hash(self.suppression_key, normalised_address)

    def _made_key(self, name: str, variable: str) -> str:
        if not self.database_of_any_version().is_sqlite:
            raise ConfigurationError(
                f"with PostgreSQL, {variable} must be set, the same for every process: "
                f"make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        return keep_key(self.home, name)


def own_pictures(base_url: str, tokens: Tokens) -> PictureAddress:
    """Return what gives a picture its address on our own pages; "" to one that is shown nowhere."""

    def address(image: Image) -> str:
        if address_fault(image.url):
            return ""
        return f"{base_url}/img/{tokens.sign(Purpose.IMAGE, number_of(image.url))}"

    return address
