"""A look: everything that a message's bytes depend on beside its content, its reader and secret keys.

A mail worker has one from its start to its end, and every message is noted with its number, so that it can be made
again byte for byte when templates, settings, or keys are others. Of keys it holds fingerprints only. Pure. `wiring`
makes looks and renderers of them, the store keeps them packed.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from worker.content import Newsroom
from worker.rendering.language import Languages
from worker.rendering.signing import Signature, Signer
from worker.rendering.theme_files import Source, Theme

_OF_MAILS: Final = "mail/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What messages are made with. `libraries` are those that write markup, with their versions.

    `originals` and `own` are the templates of mails, ours and the operator's, `catalogues` are compiled, by language.
    `link_key` tells which secret key signs links. `settings` are further ones that change a mail.
    """

    version: str
    libraries: Mapping[str, str]
    newsroom: Mapping[str, str]
    originals: Mapping[str, str]
    own: Mapping[str, str]
    catalogues: Mapping[str, str]
    dkim_domain: str
    signatures: tuple[Signature, ...]
    link_key: str
    settings: Mapping[str, str]

    @classmethod
    def of(
        cls,
        *,
        version: str,
        libraries: Mapping[str, str],
        newsroom: Newsroom,
        theme: Theme,
        signer: Signer | None,
        link_key: str,
        settings: Mapping[str, str],
    ) -> Look:
        """Note what is in force."""
        compiled = theme.languages.compiled
        return cls(
            version=version,
            libraries=dict(libraries),
            newsroom=newsroom.model_dump(mode="json"),
            originals=_mails(theme.originals),
            own=_mails(theme.own),
            catalogues={tag: b64encode(catalogue).decode() for tag, catalogue in sorted(compiled.items())},
            dkim_domain=signer.domain if signer else "",
            signatures=signer.signatures if signer else (),
            link_key=link_key,
            settings=dict(settings),
        )

    @property
    def hash(self) -> str:
        """What equal looks have in common: 64 hex digits."""
        return sha256(self._json()).hexdigest()

    def packed(self) -> bytes:
        """Return the look as it is kept; some 60 KB."""
        return zlib.compress(self._json(), level=9)

    @classmethod
    def unpacked(cls, body: bytes) -> Look:
        """Read a look that `packed` has written, in whatever version. Raises `ValueError` for what is none."""
        kept: dict[str, Any] = json.loads(zlib.decompress(body))
        return cls(**{**kept, "signatures": tuple(Signature(**one) for one in kept["signatures"])})

    def newsroom_then(self) -> Newsroom:
        """Return who sent; what later versions ask for beside has its default."""
        known = Newsroom.model_fields.keys() & self.newsroom.keys()
        return Newsroom.model_validate({name: self.newsroom[name] for name in known})

    def theme_then(self) -> Theme:
        """Return the templates and sentences that were in force."""
        compiled = {tag: b64decode(catalogue) for tag, catalogue in self.catalogues.items()}
        return Theme(
            folder=None,
            originals=_sources(self.originals),
            own=_sources(self.own),
            files=frozenset(),
            digest=self.hash,
            languages=Languages(compiled=compiled),
            embed_script="",
        )

    def differences(self, other: Look) -> list[str]:
        """Say in words in what another look differs from this one; nothing for equal ones."""
        said = {
            "templates": (self.originals, self.own) != (other.originals, other.own),
            "sentences": self.catalogues != other.catalogues,
            "newsroom": self.newsroom != other.newsroom,
            "settings": self.settings != other.settings,
            "signatures": (self.dkim_domain, self.signatures) != (other.dkim_domain, other.signatures),
            "key of links": self.link_key != other.link_key,
            "version": self.version != other.version,
            "libraries": self.libraries != other.libraries,
        }
        return [what for what, differs in said.items() if differs]

    def _json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _mails(sources: Mapping[str, Source]) -> dict[str, str]:
    return {name: source.text for name, source in sorted(sources.items()) if name.startswith(_OF_MAILS)}


def _sources(texts: Mapping[str, str]) -> dict[str, Source]:
    return {name: Source(path=Path(name), text=text) for name, text in texts.items()}
