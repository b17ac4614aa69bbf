"""What makes an installation's messages, as the settings describe it: the newsroom, its templates, and its keys.

Makes also those of yesterday again, with the look that they had. Decides nothing. A floor of the `House`; nobody else
imports this.
"""

from __future__ import annotations

import functools
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from worker import __version__
from worker.deliverability.names import wire_address, wire_name
from worker.foundation import own_pictures
from worker.gatehouse import Gatehouse
from worker.measures import Measure, read_measures
from worker.store import looks

if TYPE_CHECKING:
    from worker.content import Newsroom
    from worker.letters import Letters
    from worker.rendering.look import Look
    from worker.rendering.signing import Signer
    from worker.rendering.theme_files import Theme
    from worker.replay import Replayer


_PICTURES: Final = "image_proxy"
_COUNTED: Final = "measure"


class Press(Gatehouse):
    """What of a `House` makes messages."""

    @functools.cached_property
    def newsroom(self) -> Newsroom:
        """Who sends."""
        from worker.content import Newsroom  # noqa: PLC0415  most commands make no mail

        name, address = parseaddr(self.settings.from_)
        _, reply_to = parseaddr(self.settings.reply_to)
        return Newsroom(
            name=self.settings.newsroom,
            base_url=self.base_url,
            from_name=name or self.settings.newsroom,
            from_address=wire_address(address),
            reply_to=wire_address(reply_to),
            postal_address=self.settings.postal_address,
            home_url=self.settings.home_url,
            timezone=self.settings.timezone,
            accent=self.settings.accent,
            accent_dark=self.settings.accent_dark,
        )

    @property
    def polling_agent(self) -> str:
        """How this installation names itself to those whom it polls: with an address to complain to."""
        contact = self.newsroom.reply_to or self.newsroom.from_address
        named = self.user_agent.removesuffix(")")
        return f"{named}; {contact})" if contact.isascii() and contact.isprintable() else self.user_agent

    @property
    def from_domain(self) -> str:
        """The domain of the house's own address."""
        return self.newsroom.from_address.rpartition("@")[2]

    @property
    def dkim_domain(self) -> str:
        """The d= of our signatures."""
        return wire_name(self.settings.dkim_domain) or self.from_domain

    @functools.cached_property
    def signer(self) -> Signer | None:
        """What signs mail with DKIM; None where no key is set."""
        from worker.rendering.run_signer import read_signer  # noqa: PLC0415  as above

        return read_signer(self.settings.dkim_keys(), domain=self.dkim_domain, from_domain=self.from_domain)

    @functools.cached_property
    def letters(self) -> Letters:
        """What writes the copies of mails, signed."""
        return self.letters_by(self.theme, self.signer, self.measures)

    @functools.cached_property
    def shown_letters(self) -> Letters:
        """What writes the copies that pages show: the web needs no private key, and what it shows is not counted."""
        return self.letters_by(self.theme)

    @functools.cached_property
    def look(self) -> Look:
        """What this process makes messages with."""
        from worker.rendering.look import Look  # noqa: PLC0415  as above
        from worker.rendering.run_libraries import libraries  # noqa: PLC0415  as above

        return Look.of(
            version=__version__,
            libraries=libraries(),
            newsroom=self.newsroom,
            theme=self.theme,
            signer=self.signer,
            link_key=self.tokens.signing_key,
            settings={_PICTURES: self.settings.image_proxy, _COUNTED: " ".join(sorted(self.measures))},
        )

    @functools.cached_property
    def look_id(self) -> int:
        """The number under which it is kept; of equal ones it is the same."""
        with self.database.write() as conn:
            return looks.intern(conn, hash_=self.look.hash, version=__version__, body=self.look.packed())

    @functools.cached_property
    def replayer(self) -> Replayer:
        """What makes sent messages again."""
        from worker.replay import Replayer  # noqa: PLC0415  asked for by an operator, or after a crash

        return Replayer(self.database, present=self.look, makers=self.makers_of)

    def makers_of(self, look: Look) -> tuple[Letters, tuple[str, ...]]:
        """Return what writes copies as they were with a look, and what of it is not at hand any more."""
        from worker.letters import Letters  # noqa: PLC0415  as above
        from worker.rendering.cards import as_served  # noqa: PLC0415  as above
        from worker.rendering.compile import Renderer  # noqa: PLC0415  as above

        signer = self.signer.as_it_was(look.dkim_domain, look.signatures) if self.signer else None
        made = {key.fingerprint for key in signer.keys} if signer else set()
        lacks = [f"the DKIM key {one.selector}" for one in look.signatures if one.fingerprint not in made]
        then = self.tokens.signing_with(look.link_key)
        if then is None:
            lacks.append("the key of TOCSIN_SECRET_KEYS that signed its links")
        newsroom, tokens = look.newsroom_then(), then or self.tokens
        pictures = own_pictures(newsroom.base_url, tokens) if look.settings.get(_PICTURES) == "on" else as_served
        renderer = Renderer(newsroom=newsroom, signer=signer, theme=look.theme_then(), pictures=pictures)
        measures = read_measures(look.settings.get(_COUNTED, ""))
        return Letters(renderer=renderer, tokens=tokens, newsroom=newsroom, measures=measures), tuple(lacks)

    def letters_by(
        self, theme: Theme, signer: Signer | None = None, measures: frozenset[Measure] = frozenset()
    ) -> Letters:
        """Return what writes copies with other templates than those in force, too."""
        from worker.letters import Letters  # noqa: PLC0415  as above
        from worker.rendering.compile import Renderer  # noqa: PLC0415  as above

        renderer = Renderer(newsroom=self.newsroom, signer=signer, theme=theme, pictures=self.picture_address)
        return Letters(renderer=renderer, tokens=self.tokens, newsroom=self.newsroom, measures=measures)
