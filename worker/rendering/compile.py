"""The door of rendering: a content becomes a compiled mail once, whoever reads it.

Runs the templates (sandboxed, StrictUndefined, escaped), inlines their CSS, cuts what is too long, and cuts out the
holes. What contents have in common, above all their stories, is made once (`fragments`), so that one of known stories
is put together in a fraction of the time. Never looks at the database, the settings or the clock: the same content
gives the same mail. Wiring makes one `Renderer`; letters and previews compile with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from worker.content import (
    AlertContent,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    GoodbyeContent,
    LetterContent,
    NewsletterContent,
    Newsroom,
    RollingContent,
    edition_kind_of,
)
from worker.model import Composition, Pieces
from worker.rendering.cards import PictureAddress, as_served
from worker.rendering.colour import Palette
from worker.rendering.counted import UNCOUNTED, Counted, with_links
from worker.rendering.fitting import MAX_HTML_BYTES, fewer, share
from worker.rendering.folders import folder_of
from worker.rendering.fragments import Fragments, Slots
from worker.rendering.headers import TOKEN_CHARS
from worker.rendering.holes import cut, marks, size_bytes
from worker.rendering.house import printed
from worker.rendering.language import Language
from worker.rendering.leaf import Leaf
from worker.rendering.mail import CompiledMail
from worker.rendering.prose import one_line, tidy
from worker.rendering.signing import Signer
from worker.rendering.skeleton import Part
from worker.rendering.theme import mail_environment
from worker.rendering.theme_files import Theme, plain_theme
from worker.rendering.view import view_of

_KEY_BYTES: Final = 8
_Long = DigestContent | RollingContent | NewsletterContent  # of many stories


@dataclass(frozen=True, kw_only=True, slots=True)
class _Face:
    """What a mail says, before anybody's values are in it."""

    subject: Pieces
    html: Leaf
    text: Leaf

    @property
    def size_bytes(self) -> int:
        return size_bytes(self.html.read, hole_bytes=TOKEN_CHARS)


class Renderer:
    """Compiles contents for one newsroom, with pictures from where `pictures` says.

    Raises `ConfigurationError`, with file and line, for a faulty template.
    """

    def __init__(
        self,
        *,
        newsroom: Newsroom,
        signer: Signer | None = None,
        pictures: PictureAddress = as_served,
        theme: Theme | None = None,
    ) -> None:
        newsroom = printed(newsroom)
        self._newsroom, self._signer, self._pictures = newsroom, signer, pictures
        templates = theme or plain_theme()
        self._languages = templates.languages
        self._zone = ZoneInfo(newsroom.timezone)
        key = secrets.token_hex(_KEY_BYTES)
        shared = {
            "newsroom": newsroom,
            "palette": Palette.of(newsroom.accent, dark=newsroom.accent_dark),
            "hole": marks(key, newsroom.base_url),
        }
        environments = {tag: mail_environment(templates, self._languages.best(tag)) for tag in self._languages.tags}
        self._fragments = Fragments(environments, shared=shared, key=key)

    def compile(self, content: Content, counted: Counted = UNCOUNTED) -> CompiledMail:
        """Compile a content in its language: a millisecond or more, so whoever fills it for many readers keeps it.

        A mail that is `counted` is one edition's, and not fit for another that has the same content.
        """
        language = self._languages.best(content.locale)
        whole = self._face(content, language, counted=counted)
        face = self._cut(content, language, whole, counted) if isinstance(content, _Long) else whole
        letter = content if isinstance(content, NewsletterContent) else None
        key = counted.key(content.digest())
        return CompiledMail.of(
            kind=edition_kind_of(content),
            language=language.tag,
            is_answer=is_answer(content),
            is_listed=is_listed(content),
            newsroom=_sent_by(self._newsroom, letter) if letter else self._newsroom,
            list_slug=letter.slug if letter else "",
            list_name=letter.name if letter else "",
            composition=Composition(key=key, subject=face.subject, text=face.text.read, html=face.html.read),
            sent=(face.text.sent, face.html.sent),
            page=whole.html.read,
            signer=self._signer,
        )

    def _cut(self, content: _Long, language: Language, face: _Face, counted: Counted) -> _Face:
        shelves = [content] if isinstance(content, NewsletterContent) else content.sections
        available = [len(shelf.cards) for shelf in shelves]
        kept = sum(available)
        while face.size_bytes > MAX_HTML_BYTES and kept:
            kept = fewer(kept, face.size_bytes)
            face = self._face(content, language, share(available, kept), counted=counted)
        return face

    def _face(
        self, content: Content, language: Language, kept: Sequence[int] | None = None, *, counted: Counted = UNCOUNTED
    ) -> _Face:
        fragments, folder = self._fragments, folder_of(content)
        view = view_of(
            content,
            language,
            base_url=self._newsroom.base_url,
            newsroom=self._newsroom.name,
            kept=kept,
            zone=self._zone,
            pictures=self._pictures,
        )
        subject = one_line(fragments.render(language, f"{folder}/subject.txt.j2", {"view": view}))
        words, markup = Slots(fragments, language), Slots(fragments, language)
        text = fragments.render(language, f"{folder}/text.txt.j2", {"view": view, "fragment": words})
        shown = {"view": with_links(view, counted), "pixel": counted.pixel, "trap": counted.trap}
        given = {**shown, "fragment": markup, "varying": markup.varying, "subject": subject}
        page = fragments.render(language, f"{folder}/html.j2", given)
        return _Face(
            subject=cut(subject, key=fragments.key),
            text=Leaf.of(tidy(text), Part.PLAIN, key=fragments.key, slots=words.leaves),
            html=fragments.page(page).filled(markup.leaves),
        )


def is_answer(content: Content) -> bool:
    """Tell whether each copy answers an earlier mail to its reader, whose Message-ID stands in In-Reply-To."""
    return isinstance(content, CorrectionContent) or (isinstance(content, AlertContent) and content.threaded)


def is_listed(content: Content) -> bool:
    """Tell whether a mail can be left by one click.

    Before their yes, and after their farewell, nobody is on a list; and of other letters, whoever has another's in hand
    must not be able to leave for them.
    """
    return not isinstance(content, ConfirmationContent | LetterContent | GoodbyeContent)


def _sent_by(newsroom: Newsroom, letter: NewsletterContent) -> Newsroom:
    """Return the house under the name and address that a newsletter comes from."""
    return newsroom.model_copy(update={"from_name": letter.sender_name, "from_address": letter.sender_address})
