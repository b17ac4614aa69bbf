"""The sentences of templates in a language: `_`, `gettext` and `ngettext`, as Jinja2 has them, in a fifth of the time.

A mail's templates say some thirty sentences, each of which Jinja2 translates by three calls through its sandbox.
Decides nothing. `theme` calls it for each environment.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, pass_eval_context
from jinja2.filters import do_mark_safe
from jinja2.nodes import EvalContext

from worker.rendering.language import Language


def install(environment: Environment, language: Language) -> None:
    """Let an environment's templates speak a language; what is put into a sentence is escaped where the template is."""
    catalogue = language.catalogue
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]  # by the extension

    @lru_cache(maxsize=1024)
    def whole(message: str, is_markup: bool) -> str:
        text = catalogue.gettext(message)
        return (do_mark_safe(text) if is_markup else text) % {}

    @pass_eval_context
    def gettext(context: EvalContext, message: str, /, **variables: Any) -> str:  # noqa: ANN401  as templates please
        if not variables:
            return whole(message, bool(context.autoescape))
        return _filled(context, str(catalogue.gettext(message)), variables)

    @pass_eval_context
    def ngettext(
        context: EvalContext,
        singular: str,
        plural: str,
        number: int,
        /,
        **variables: Any,  # noqa: ANN401  as above
    ) -> str:
        return _filled(context, str(catalogue.ngettext(singular, plural, number)), {"num": number, **variables})

    environment.globals.update({"gettext": gettext, "_": gettext, "ngettext": ngettext})


def _filled(context: EvalContext, text: str, variables: dict[str, Any]) -> str:
    return (do_mark_safe(text) if context.autoescape else text) % variables
