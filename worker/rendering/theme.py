"""The templates of mails as Jinja2 runs them: sandboxed, StrictUndefined, escaped, in each language.

Reads every template once, when a process starts, so that a faulty one stops the start and never a send. Decides nothing
about what they say. `compile` renders with it.
"""

from __future__ import annotations

from functools import lru_cache

from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from worker.errors import ConfigurationError
from worker.rendering.language import Language
from worker.rendering.prose import wrap
from worker.resources import templates_dir


@lru_cache(maxsize=16)  # nothing in it is one newspaper's
def mail_environment(language: Language) -> ImmutableSandboxedEnvironment:
    """Build a language's environment and load every mail template.

    Raises `ConfigurationError`, with file and line, for a faulty one.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_dir()),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=lambda template: template is None or template.endswith("html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = wrap
    environment.globals["language"] = language  # for blocks, which are given nothing of a mail
    environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    for template in environment.list_templates(filter_func=_is_mail):
        try:
            environment.get_template(template)
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"{error.filename}, line {error.lineno}: {error.message}") from error
    return environment


def _is_mail(template: str) -> bool:
    return template.startswith("mail/") and template.endswith(".j2")
