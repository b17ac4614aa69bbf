"""Fragments: the parts of mails that many contents have in common, above all a story's card, made once for all of them.

A template asks for one with `fragment(template, ...)` and gets the mark of a slot; `leaf` puts into it what was
rendered, inlined and encoded when the first mail showed it. A fragment sees nothing of the mail around it but what it
is given, and of its CSS only `mail/inlined.css.j2`; where it stands must be a place for paragraphs. Never looks at the
database, the settings or the clock. `compile` keeps one collection.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from css_inline import CSSInliner
from jinja2 import Environment, TemplateError

from worker.errors import ConfigurationError
from worker.model import Pieces
from worker.rendering.holes import slot
from worker.rendering.language import Language
from worker.rendering.leaf import Frame, Leaf
from worker.rendering.prose import tidy
from worker.rendering.skeleton import Part, encoded
from worker.rendering.view import SectionView

_KEPT: Final = 8192  # some 5 KB each, in HTML and as text
_SECTIONS_KEPT: Final = 512  # some 50 KB each
_PAGES_KEPT: Final = 128  # some 20 KB each
_STYLES: Final = "mail/inlined.css.j2"


class Fragments:
    """All fragments of one newsroom's mails. `shared` is what every template may show, `key` that of the marks."""

    def __init__(self, environments: Mapping[str, Environment], *, shared: Mapping[str, object], key: str) -> None:
        self._environments, self._shared, self.key = environments, shared, key
        self._inliner = CSSInliner(minify_css=True, load_remote_stylesheets=False)
        self.leaf = lru_cache(maxsize=_KEPT)(self._leaf)
        self.section = lru_cache(maxsize=_SECTIONS_KEPT)(self._leaf)
        self.page = lru_cache(maxsize=_PAGES_KEPT)(self._page)
        self.frame = lru_cache(maxsize=_PAGES_KEPT)(self._frame)
        self._styles = lru_cache(maxsize=None)(self._styles_of)

    def render(self, language: Language, template: str, values: Mapping[str, object]) -> str:
        """Run a template. Raises `ConfigurationError`, which names it, for what only shows when it runs."""
        try:
            found = self._environments[language.tag].get_template(template)
            return found.render({**self._shared, "language": language, **values})
        except TemplateError as error:
            raise ConfigurationError(f"template {template}: {error.message}") from error

    def _page(self, page: str) -> Frame:
        """Return a whole page with the CSS of its head in its elements: the same for all whose slots alone differ."""
        return Frame.of(self._inliner.inline(page), Part.HTML, key=self.key)

    def _leaf(self, language: Language, template: str, values: tuple[tuple[str, object], ...]) -> Leaf:
        """Return a fragment, cut and encoded. `values` are the names and values that its template is given."""
        given = {name: value.thing if isinstance(value, _Same) else value for name, value in values}
        inner = Slots(self, language)
        rendered = self.render(language, template, {**given, "fragment": inner, "varying": inner.varying})
        if template.endswith(".txt.j2"):
            return Leaf.of(tidy(rendered).rstrip("\n"), Part.PLAIN, key=self.key, slots=inner.leaves)
        if template.endswith(".css.j2"):
            return Leaf.of(rendered, Part.HTML, key=self.key)
        framed = self.frame if inner.leaves else self._frame  # without slots it is one fragment's own
        return framed(language, rendered).filled(inner.leaves)

    def _frame(self, language: Language, rendered: str) -> Frame:
        return Frame.of(self._inliner.inline_fragment(rendered, self._styles(language)), Part.HTML, key=self.key)

    def _styles_of(self, language: Language) -> str:
        return self.render(language, _STYLES, {})


class _Same:
    """What a fragment is of, found by its stories' numbers: a hash of every word takes longer than its slot."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and (other.thing is self.thing or other.thing == self.thing)

    def __hash__(self) -> int:
        if isinstance(self.thing, SectionView):
            return hash((self.thing.topic, *(card.story for card in self.thing.cards)))
        return hash((getattr(self.thing, "story", None), getattr(self.thing, "title", None)))


class Slots:
    """The `fragment` of one template that runs: what it has asked for, in the order of its marks."""

    def __init__(self, fragments: Fragments, language: Language) -> None:
        self._fragments, self._language = fragments, language
        self.leaves: list[Leaf] = []

    def __call__(self, template: str, one: object = None, size: str = "", **more: object) -> str:
        """Return the mark for a fragment, whose template knows `one`, `size` and whatever else it is given."""
        values = (("one", _Same(one)), ("size", size), *more.items())
        kept = self._fragments.section if isinstance(one, SectionView) else self._fragments.leaf
        return self._mark(kept(self._language, template, values))

    def varying(self, text: str) -> str:
        """Return the mark for a text that mails differ in, within HTML: so that the page around it is made once."""
        written = html.escape(str(text))
        return self._mark(Leaf(read=Pieces(literals=(written,), holes=()), sent=encoded(written)))

    def _mark(self, leaf: Leaf) -> str:
        self.leaves.append(leaf)
        return slot(len(self.leaves) - 1, self._fragments.key)
