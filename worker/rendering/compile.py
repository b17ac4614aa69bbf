"""The door of rendering: a content becomes a compiled mail once, and a compiled mail becomes one message per reader.

Runs the templates (sandboxed, StrictUndefined, escaped), inlines their CSS, cuts what is too long, and keeps skeletons
with holes. Never looks at the database, the settings or the clock: the same content and the same `Personal` give the
same bytes. Wiring makes one `Renderer`; delivery compiles and fills; the web's `/m/` page and previews show `html`.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from worker.content import Content, DigestContent, Newsroom, Personal
from worker.errors import ConfigurationError
from worker.model import EditionKind
from worker.rendering.colour import Palette
from worker.rendering.fitting import HOLE_BYTES, MAX_HTML_BYTES, fewer, share
from worker.rendering.headers import header_lines
from worker.rendering.holes import Skeleton, marks, values
from worker.rendering.language import Language, Languages
from worker.rendering.mime import Part, encoding_for, message
from worker.rendering.prose import one_line, tidy, wrap
from worker.rendering.view import view_of
from worker.resources import templates_dir

_COMPILED_KEPT = 64  # some 100 KB each


@dataclass(frozen=True, kw_only=True, slots=True)
class _Face:
    """A mail's three faces, before anybody's values are in them."""

    subject: Skeleton
    html: Skeleton
    text: Skeleton

    @property
    def size_bytes(self) -> int:
        return self.html.size_bytes(hole_bytes=HOLE_BYTES)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledMail:
    """A content in one language, ready for any number of readers; `whole` is what `mailed` was cut from, if it was."""

    kind: EditionKind
    language: str
    content_hash: str
    newsroom: Newsroom
    mailed: _Face
    whole: _Face

    def fill(self, personal: Personal) -> bytes:
        """Return one reader's whole message, CRLF throughout; the same for the same values.

        Raises `InputError` when the recipient is no address: then no retry helps.
        """
        filling = values(personal)
        headers = header_lines(
            newsroom=self.newsroom,
            personal=personal,
            kind=self.kind,
            language=self.language,
            subject=self.subject(personal),
        )
        return message(
            headers,
            [
                _part("plain", self.mailed.text, self.mailed.text.fill(filling, one_line)),
                _part("html", self.mailed.html, self.mailed.html.fill(filling, _escape)),
            ],
            boundary=self._boundary(personal),
        )

    def subject(self, personal: Personal) -> str:
        """Return the subject as people read it: one line, not encoded."""
        return one_line(self.mailed.subject.fill(values(personal), one_line))

    def html(self, personal: Personal) -> str:
        """Return the HTML for a browser: all stories, also those that the mail itself had no room for."""
        return self.whole.html.fill(values(personal), _escape)

    def text(self, personal: Personal) -> str:
        """Return the text part, as mailed."""
        return self.mailed.text.fill(values(personal), one_line)

    def mailed_html(self, personal: Personal) -> str:
        """Return the HTML part, as mailed."""
        return self.mailed.html.fill(values(personal), _escape)

    def _boundary(self, personal: Personal) -> str:
        # "=_" cannot occur in quoted-printable or base64 (RFC 2045, 6.7), so a boundary never occurs in a body.
        return "=_" + hashlib.sha256(f"{self.content_hash}\n{personal.message_id}".encode()).hexdigest()[:24]


class Renderer:
    """Compiles contents for one newsroom. Raises `ConfigurationError`, with file and line, for a faulty template."""

    def __init__(self, *, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._palette = Palette.of(newsroom.accent)
        self._languages = Languages(templates_dir() / "locales")
        self._environments = {tag: _environment(self._languages.best(tag)) for tag in self._languages.tags}
        self._inliner = CSSInliner(minify_css=True, load_remote_stylesheets=False)
        self._cached = lru_cache(maxsize=_COMPILED_KEPT)(self._compile)

    def compile(self, content: Content) -> CompiledMail:
        """Compile a content in its language; one that was compiled lately is not compiled again."""
        return self._cached(content)

    def _compile(self, content: Content) -> CompiledMail:
        language = self._languages.best(content.locale)
        whole = self._face(content, language)
        return CompiledMail(
            kind=EditionKind(content.kind),
            language=language.tag,
            content_hash=content.digest(),
            newsroom=self._newsroom,
            mailed=self._cut(content, language, whole) if isinstance(content, DigestContent) else whole,
            whole=whole,
        )

    def _cut(self, content: DigestContent, language: Language, face: _Face) -> _Face:
        available = [len(section.cards) for section in content.sections]
        kept = sum(available)
        while face.size_bytes > MAX_HTML_BYTES and kept:
            kept = fewer(kept, face.size_bytes)
            face = self._face(content, language, share(available, kept))
        return face

    def _face(self, content: Content, language: Language, kept: Sequence[int] | None = None) -> _Face:
        key = content.digest()[:16]
        context = {
            "view": view_of(
                content,
                language,
                base_url=self._newsroom.base_url,
                kept=kept,
                zone=ZoneInfo(self._newsroom.timezone),
            ),
            "newsroom": self._newsroom,
            "language": language,
            "palette": self._palette,
            "hole": marks(key),
        }
        folder = f"mail/{content.kind}"
        subject = one_line(self._render(language, f"{folder}/subject.txt.j2", context))
        text = self._render(language, f"{folder}/text.txt.j2", context)
        markup = self._render(language, f"{folder}/html.j2", {**context, "subject": subject})
        return _Face(
            subject=Skeleton.cut(subject, key=key),
            text=Skeleton.cut(tidy(text), key=key),
            html=Skeleton.cut(self._inliner.inline(markup), key=key),
        )

    def _render(self, language: Language, template: str, context: Mapping[str, object]) -> str:
        try:
            return self._environments[language.tag].get_template(template).render(context)
        except TemplateError as error:
            raise ConfigurationError(f"template {template}: {error.message}") from error


def _environment(language: Language) -> ImmutableSandboxedEnvironment:
    """Build a language's environment and load every mail template, so that a faulty one stops the start, not a send."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_dir()),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=lambda template: template is None or template.endswith("html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = wrap
    environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    for template in environment.list_templates(filter_func=_is_mail):
        try:
            environment.get_template(template)
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"{error.filename}, line {error.lineno}: {error.message}") from error
    return environment


def _is_mail(template: str) -> bool:
    return template.startswith("mail/") and template.endswith(".j2")


def _escape(value: str) -> str:
    return html.escape(one_line(value))


def _part(subtype: str, skeleton: Skeleton, text: str) -> Part:
    # Chosen by the skeleton, not by the filled text, so that all readers of a content get the same encoding.
    return Part(subtype=subtype, text=text, encoding=encoding_for("".join(skeleton.literals)))
