"""How the pages look in one newsroom: its colours, letters and logo, as the style sheet and the masthead take them.

Reads the logo's file once, when the server starts. Serves it, and `/static/theme.css`, which leaves style.css one
static file for everybody. Called by `app`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import Response

from worker.errors import ConfigurationError
from worker.rendering.colour import Palette

MAX_LOGO_BYTES: Final = 500_000
_KINDS: Final[Mapping[str, str]] = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
}
_LOGO_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # an SVG opened by itself runs nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Logo:
    """The picture in the masthead: `source` is its address on the page; `data` is empty when it lies elsewhere."""

    source: str = ""
    data: bytes = b""
    kind: str = ""

    @property
    def origin(self) -> str:
        """Where pages must be allowed to load it from; "" for our own server, or none."""
        parts = urlsplit(self.source)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def read_logo(setting: str, *, home: Path) -> Logo:
    """Take the logo that TOCSIN_LOGO names: an https address, or a file, whose path may begin in the home.

    Raises `ConfigurationError` for a file that is not there, is too large, or is no picture that browsers know.
    """
    if not setting or setting.startswith("https://"):
        return Logo(source=setting)
    path = home / Path(setting).expanduser()
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(f"TOCSIN_LOGO={setting} is no picture: its name must end in {', '.join(_KINDS)}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"TOCSIN_LOGO: {path} cannot be read ({error.strerror})") from error
    if not 0 < len(data) <= MAX_LOGO_BYTES:
        raise ConfigurationError(f"TOCSIN_LOGO: {path} has {len(data)} bytes; from 1 to {MAX_LOGO_BYTES} may it have")
    version = hashlib.sha256(data).hexdigest()[:12]
    return Logo(source=f"/static/logo{path.suffix.lower()}?v={version}", data=data, kind=kind)


def theme(palette: Palette, typeface: str) -> str:
    """Write the variables that style.css is filled with.

    >>> print(theme(Palette.of("#8a1c1c"), "sans"), end="")
    :root { --accent: #8a1c1c; --accent-dark: #e16969; --face: var(--sans); }
    """
    face = "sans" if typeface == "sans" else "serif"
    return f":root {{ --accent: {palette.accent}; --accent-dark: {palette.accent_dark}; --face: var(--{face}); }}\n"


def router(css: str, logo: Logo) -> APIRouter:
    """Return the routes that give these two to browsers."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/static/theme.css")
    def give_theme() -> Response:
        return Response(css, media_type="text/css", headers={"Cache-Control": "public, max-age=600"})

    if logo.data:

        @routes.get(urlsplit(logo.source).path)
        def give_logo() -> Response:
            headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": _LOGO_POLICY}
            return Response(logo.data, media_type=logo.kind, headers=headers)

    return routes
