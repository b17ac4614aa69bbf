"""The door of rendering: a content becomes a compiled mail once, whoever reads it.

Runs the templates (sandboxed, StrictUndefined, escaped), inlines their CSS, cuts what is too long, and cuts out the
holes. Never looks at the database, the settings or the clock: the same content gives the same mail. Wiring makes one
`Renderer`; letters and previews compile with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import TemplateError

from worker.content import (
    AlertContent,
    Content,
    CorrectionContent,
    DigestContent,
    NewsletterContent,
    Newsroom,
    RollingContent,
)
from worker.errors import ConfigurationError
from worker.model import Composition, EditionKind, Pieces
from worker.rendering.cards import CardView, PictureAddress, as_served
from worker.rendering.colour import Palette
from worker.rendering.fitting import MAX_HTML_BYTES, fewer, share
from worker.rendering.folders import folder_of
from worker.rendering.headers import TOKEN_CHARS
from worker.rendering.holes import cut, marks, size_bytes
from worker.rendering.language import Language, Languages
from worker.rendering.mail import CompiledMail
from worker.rendering.prose import one_line, tidy
from worker.rendering.signing import Signer
from worker.rendering.theme import mail_environment
from worker.rendering.view import view_of
from worker.resources import templates_dir

_FRAGMENTS_KEPT = 4096  # some 2 KB each
_Long = DigestContent | RollingContent | NewsletterContent  # of many stories


@dataclass(frozen=True, kw_only=True, slots=True)
class _Face:
    """What a mail says, before anybody's values are in it."""

    subject: Pieces
    html: Pieces
    text: Pieces

    @property
    def size_bytes(self) -> int:
        return size_bytes(self.html, hole_bytes=TOKEN_CHARS)


class Renderer:
    """Compiles contents for one newsroom, with pictures from where `pictures` says.

    Raises `ConfigurationError`, with file and line, for a faulty template.
    """

    def __init__(
        self, *, newsroom: Newsroom, signer: Signer | None = None, pictures: PictureAddress = as_served
    ) -> None:
        self._newsroom, self._signer, self._pictures = newsroom, signer, pictures
        self._palette = Palette.of(newsroom.accent, dark=newsroom.accent_dark)
        self._languages = Languages(templates_dir() / "locales")
        self._environments = {tag: mail_environment(self._languages.best(tag)) for tag in self._languages.tags}
        self._fragment = lru_cache(maxsize=_FRAGMENTS_KEPT)(self._told)
        self._inliner = CSSInliner(minify_css=True, load_remote_stylesheets=False)

    def compile(self, content: Content) -> CompiledMail:
        """Compile a content in its language: some milliseconds, so whoever fills it for many readers keeps it."""
        language = self._languages.best(content.locale)
        whole = self._face(content, language)
        face = self._cut(content, language, whole) if isinstance(content, _Long) else whole
        letter = content if isinstance(content, NewsletterContent) else None
        return CompiledMail.of(
            kind=EditionKind(content.kind),
            language=language.tag,
            is_answer=is_answer(content),
            newsroom=_sent_by(self._newsroom, letter) if letter else self._newsroom,
            list_slug=letter.slug if letter else "",
            list_name=letter.name if letter else "",
            composition=Composition(key=content.digest(), subject=face.subject, text=face.text, html=face.html),
            page=whole.html,
            signer=self._signer,
        )

    def _cut(self, content: _Long, language: Language, face: _Face) -> _Face:
        shelves = [content] if isinstance(content, NewsletterContent) else content.sections
        available = [len(shelf.cards) for shelf in shelves]
        kept = sum(available)
        while face.size_bytes > MAX_HTML_BYTES and kept:
            kept = fewer(kept, face.size_bytes)
            face = self._face(content, language, share(available, kept))
        return face

    def _face(self, content: Content, language: Language, kept: Sequence[int] | None = None) -> _Face:
        key = content.digest()[:16]
        zone = ZoneInfo(self._newsroom.timezone)
        context = {
            "view": view_of(
                content,
                language,
                base_url=self._newsroom.base_url,
                newsroom=self._newsroom.name,
                kept=kept,
                zone=zone,
                pictures=self._pictures,
            ),
            "newsroom": self._newsroom,
            "language": language,
            "palette": self._palette,
            "hole": marks(key, self._newsroom.base_url),
            "fragment": partial(self._fragment, language),
        }
        folder = folder_of(content)
        subject = one_line(self._render(language, f"{folder}/subject.txt.j2", context))
        text = self._render(language, f"{folder}/text.txt.j2", context)
        markup = self._render(language, f"{folder}/html.j2", {**context, "subject": subject})
        return _Face(
            subject=cut(subject, key=key),
            text=cut(tidy(text), key=key),
            html=cut(self._inliner.inline(markup), key=key),
        )

    def _told(self, language: Language, template: str, card: CardView, size: str = "") -> str:
        """Render a story's piece of a mail, which knows of nothing else: the same in every mail that tells it."""
        return self._environments[language.tag].get_template(template).render(one=card, size=size)

    def _render(self, language: Language, template: str, context: Mapping[str, object]) -> str:
        try:
            return self._environments[language.tag].get_template(template).render(context)
        except TemplateError as error:
            raise ConfigurationError(f"template {template}: {error.message}") from error


def is_answer(content: Content) -> bool:
    """Tell whether each copy answers an earlier mail to its reader, whose Message-ID stands in In-Reply-To."""
    return isinstance(content, CorrectionContent) or (isinstance(content, AlertContent) and content.threaded)


def _sent_by(newsroom: Newsroom, letter: NewsletterContent) -> Newsroom:
    """Return the house under the name and address that a newsletter comes from."""
    return newsroom.model_copy(update={"from_name": letter.sender_name, "from_address": letter.sender_address})
