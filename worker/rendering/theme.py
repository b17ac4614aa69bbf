"""The templates of mails and pages as Jinja2 runs them: sandboxed, StrictUndefined, escaped, in each language.

Every template is compiled when a process starts, so that a faulty one stops the start and never a send. Decides nothing
about what they say, and reads no file: `theme_files` has them. `compile` renders mails with it, the web its pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final

from jinja2 import BaseLoader, BytecodeCache, Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2 import pass_context as with_context
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from worker.errors import ConfigurationError
from worker.rendering import phrases
from worker.rendering.language import SOURCE_LANGUAGE, Language
from worker.rendering.prose import wrap
from worker.rendering.theme_files import ORIGINALS, Theme, plain_theme
from worker.rendering.theme_reach import MOST, is_wide, makes_too_much, may_reach

MAX_TURNS: Final = 2_000  # of all `range` in one template, together
_SIZED: Final = ("batch", "center", "format", "indent", "slice", "wordwrap")
"""Filters that make as much as they are told."""


class _Snapshot(BaseLoader):
    """Gives out a theme's templates as they were when it was read."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Any]:  # noqa: ARG002  Jinja2's own
        """Return a template's text and the file that its errors name."""
        source = self._theme.find(template)
        if source is None:
            raise TemplateNotFound(template)
        return source.text, str(source.path), lambda: True

    def list_templates(self) -> list[str]:
        """Return all names."""
        return self._theme.names("")


class _CompiledOnce(BytecodeCache):
    """Lets the languages, which differ in their catalogues only, share what a template was compiled to."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Look a template up; an edited one has another checksum, and is compiled again."""
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template."""
        self._known[bucket.key] = bucket.bytecode_to_string()


_MAILS, _PAGES = _CompiledOnce(), _CompiledOnce()  # apart: they escape differently


_SAFE: Final[dict[tuple[type, str], bool]] = {}


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which templates reach what they need, and no one step takes much time or room."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401  as above
        """Look once for each attribute of a type: it depends on nothing else, and a mail asks two hundred times."""
        key = type(obj), attr
        known = _SAFE.get(key)
        if known is None:
            known = _SAFE[key] = may_reach(type(obj), attr) and super().is_safe_attribute(obj, attr, value)
        return known

    def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as Jinja2 has it: templates may say self=
        """Call what a template calls, unless it would make far too much."""
        _, _, called, *given = arguments
        if makes_too_much(called, [*given, *named.values()]):
            raise SecurityError(f"this makes more than {MOST} characters")
        return ImmutableSandboxedEnvironment.call(*arguments, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  whatever is there
        """Multiply, but not a text by a million."""
        if operator == "**":
            raise SecurityError("templates know no powers")
        if operator == "%" and is_wide(left):
            raise SecurityError(f"this makes more than {MOST} characters")
        for one, other in ((left, right), (right, left)):
            if operator == "*" and isinstance(one, int) and hasattr(other, "__len__") and one * len(other) > MOST:
                raise SecurityError(f"this makes more than {MOST} characters")
        return super().call_binop(context, operator, left, right)


@with_context
def _short_range(context: Context, *arguments: int) -> range:
    """Count, as `range` does, but not for ever: loops within loops share one allowance."""
    counted = range(*arguments)
    spent = getattr(context, "tocsin_turns", 0) + len(counted)
    context.tocsin_turns = spent  # type: ignore[attr-defined]  # a context lives as long as one rendering of a template
    if spent > MAX_TURNS:
        raise SecurityError(f"`range` counts further than {MAX_TURNS}")
    return counted


def _sized(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that makes no more than a multiplication may."""

    @wraps(plain)  # also how Jinja2 is to call it
    def within(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as the filter has them
        value, *given = [*arguments, *named.values()]
        told = is_wide(value) if name == "format" else any(isinstance(one, int) and one > MOST for one in given)
        if told:
            raise SecurityError(f"`{name}` makes more than {MOST} characters")
        return plain(*arguments, **named)

    return within


@lru_cache(maxsize=64)  # themes by languages; nothing in it is one newspaper's
def mail_environment(theme: Theme, language: Language) -> Sandbox:
    """Return the environment of a language's mails, every template compiled.

    Raises `ConfigurationError`, with file and line, for a faulty one.
    """
    environment = _environment(theme, language, cache=_MAILS)
    environment.autoescape = lambda template: template is None or template.endswith("html.j2")
    return _loaded(environment, theme, "mail/")


@lru_cache(maxsize=64)
def page_environment(theme: Theme, language: Language) -> Sandbox:
    """Return the environment of a language's pages, every template compiled. Raises as `mail_environment`."""
    return _loaded(_environment(theme, language, cache=_PAGES), theme, "pages/")


@lru_cache(maxsize=1)
def parsing_environment() -> Sandbox:
    """Return an environment that only reads templates, for whoever looks for faults in them."""
    return _environment(plain_theme(), plain_theme().languages.best(SOURCE_LANGUAGE))


def _environment(theme: Theme, language: Language, *, cache: BytecodeCache | None = None) -> Sandbox:
    environment = Sandbox(
        loader=_Snapshot(theme),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        bytecode_cache=cache,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["wrap"] = wrap
    environment.filters |= {name: _sized(name, environment.filters[name]) for name in _SIZED}
    environment.globals["language"] = language  # for blocks, which are given nothing of a mail
    del environment.globals["lipsum"]  # as much Latin as it is told to make
    environment.globals["range"] = _short_range
    phrases.install(environment, language)
    return environment


def _loaded(environment: Sandbox, theme: Theme, folder: str) -> Sandbox:
    for template in theme.names(folder):
        replaced = template in theme.own and template in theme.originals
        for name in (template, ORIGINALS + template) if replaced else (template,):
            try:
                environment.get_template(name)
            except TemplateSyntaxError as error:
                raise ConfigurationError(f"{error.filename}, line {error.lineno}: {error.message}") from error
    return environment
