"""Turns a page's template and values into an answer in the reader's language.

Decides which language a page is in; everything else stands in templates/pages/, and in a theme's over it. The same
sandboxed, strict, escaping Jinja2 as the mails'. One `Pages` a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from babel.core import negotiate_locale
from starlette.requests import Request
from starlette.responses import HTMLResponse

from worker.content import Newsroom
from worker.rendering.colour import Palette
from worker.rendering.language import SOURCE_LANGUAGE, Language
from worker.rendering.theme import page_environment
from worker.rendering.theme_files import Theme, plain_theme
from worker.web import choices

_RANGE: Final = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")
_PUBLIC_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "public, max-age=60", "Vary": "Accept-Language"}
_PRIVATE_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


class Pages:
    """The page templates in every language that has a catalogue."""

    def __init__(self, newsroom: Newsroom, *, logo: str = "", theme: Theme | None = None) -> None:
        chosen = theme or plain_theme()
        self.languages = chosen.languages
        self.palette = Palette.of(newsroom.accent, dark=newsroom.accent_dark)
        self._newsroom, self._logo = newsroom, logo
        self._tongues = choices.languages(self.languages.tags, also=SOURCE_LANGUAGE)
        self._environments = {tag: page_environment(chosen, self.languages.best(tag)) for tag in self.languages.tags}

    def page(
        self,
        request: Request,
        template: str,
        *,
        language: Language | None = None,
        status: int = 200,
        public: bool = False,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        """Answer with templates/pages/<template>.html.j2. `public` pages may be kept and found; others never."""
        spoken = language or self.language(request)
        markup = self.text(f"{template}.html.j2", spoken, path=request.url.path, **values)
        return HTMLResponse(
            markup,
            status_code=status,
            headers={
                "Content-Language": spoken.tag,
                **(_PUBLIC_HEADERS if public else _PRIVATE_HEADERS),
                **(headers or {}),
            },
        )

    def text(self, template: str, language: Language, **values: object) -> str:
        """Fill a template of templates/pages/."""
        environment = self._environments[language.tag]
        return environment.get_template(f"pages/{template}").render(
            newsroom=self._newsroom, logo=self._logo, language=language, tongues=self._tongues, **values
        )

    def language(self, request: Request, locale: str | None = None) -> Language:
        """Choose a language: the one asked for by `?lang=`, else the reader's, else the browser's."""
        asked = request.query_params.get("lang", "")
        if asked in self.languages.tags:
            return self.languages.best(asked)
        return self.languages.best(locale or self._of_browser(request.headers.get("accept-language", "")))

    def _of_browser(self, header: str) -> str:
        wanted = [tag.replace("-", "_") for tag in preferred(header)]
        return negotiate_locale(wanted, [tag.replace("-", "_") for tag in self.languages.tags]) or SOURCE_LANGUAGE


def preferred(header: str) -> list[str]:
    """Return an Accept-Language's tags, the best first (RFC 9110, 12.5.4); what cannot be read is left out.

    >>> preferred("en;q=0.5, ko-KR, *;q=0.1, fr;q=0")
    ['ko-KR', 'en']
    """
    ranges = [_RANGE.fullmatch(part) for part in header[:500].split(",")]
    weighed = [(float(found[2] or 1), found[1]) for found in ranges if found]
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]
