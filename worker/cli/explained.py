"""How an explanation looks: a tree in a terminal, with verdicts and highlights in colour, or one JSON object.

Shows only; `explanation` knows what is true. `explain` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Final

from rich.text import Text
from rich.tree import Tree

from worker.matching.analyser import AnalysedArticle
from worker.matching.evidence import Match, Span
from worker.matching.explanation import Step, notes
from worker.matching.query import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Leaf,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    canonical,
)

_COLOURS: Final = ("yellow", "cyan", "magenta", "green", "bright_blue", "bright_red")
_CONTEXT: Final = 80  # characters shown around what was found in a long text
_UNPRINTABLE: Final = {code: "\ufffd" for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "\ufffd"}
_CASES: Final = {
    Case.ANY: "any case",
    Case.CAPITALS: "as an acronym",
    Case.EXACT: "exactly so",
    Case.INFLECTED: "with its inflections",
}


def as_json(step: Step, resolved: Node, spans: Sequence[Span]) -> dict[str, object]:
    """Return `{"canonical", "notes", "tree", "spans"}`; with an article, also whether it matches and how strongly."""
    shown: dict[str, object] = {"canonical": canonical(resolved)}
    if step.holds is not None:
        shown["matches"] = step.holds
        shown["strength"] = _strength(spans) if spans else None
    shown["notes"] = list(notes(resolved))
    shown["tree"] = _json_step(step)
    shown["spans"] = [
        {"field": span.field, "start": span.start, "end": span.end, "part": span.part, "alias": span.alias}
        for span in spans
    ]
    return shown


def as_tree(step: Step, spans: Sequence[Span]) -> Tree:
    """Return a query's steps, with a verdict before each if they were asked of an article."""
    return _tree(step, _colours(spans))


def as_lines(resolved: Node, article: AnalysedArticle | None, spans: Sequence[Span]) -> Iterator[Text]:
    """Return what stands below the tree: the canonical query and, with an article, what was found and where."""
    yield Text(f"reads as: {canonical(resolved)}")
    for note in notes(resolved):
        yield Text(f"note: {note}", style="yellow")
    if article is None:
        return
    if not spans:
        yield Text("does not match", style="bold red")
        return
    yield Text(f"matches, strength {_strength(spans)}", style="bold green")
    colours = _colours(spans)
    for span in spans:
        found = (printable(span.alias), colours[span.part])
        yield Text.assemble(f"  {span.field} {span.start}-{span.end}  ", found, f"  for  {span.part}")
    for name in dict.fromkeys(span.field for span in spans):
        text = Text(printable(article.fields[name].text))
        here = [span for span in spans if span.field is name]
        for span in here:
            text.stylize(f"bold reverse {colours[span.part]}", span.start, span.end)
        yield Text.assemble("\n", (f"{name}: ", "bold"), _excerpt(text, here))


def printable(text: str) -> str:
    """Replace what would move the cursor or cannot be written, one character by one, so that offsets stay true."""
    return text.translate(_UNPRINTABLE).encode("utf-8", "replace").decode()


def _colours(spans: Sequence[Span]) -> dict[str, str]:
    """Give each part of the query a colour of its own, as far as they go."""
    return dict(zip(dict.fromkeys(span.part for span in spans), cycle(_COLOURS), strict=False))


def _strength(spans: Sequence[Span]) -> str:
    return Match(expression=0, spans=tuple(spans)).strength.name.lower()


def _json_step(step: Step) -> dict[str, object]:
    shown: dict[str, object] = {"kind": _kind(step.node), "query": canonical(step.node)}
    if step.holds is not None:
        shown["holds"] = step.holds
    if step.steps:
        shown["children"] = [_json_step(child) for child in step.steps]
    return shown


def _kind(node: Node) -> str:
    match node:
        case Near():
            return "onear" if node.is_ordered else "near"
        case _:
            return _KINDS[type(node)]


_KINDS: Final[Mapping[type, str]] = {
    And: "and",
    Or: "or",
    Not: "not",
    AtLeast: "atleast",
    AnyOf: "any",
    Reference: "topic",
    Term: "word",
    Phrase: "phrase",
    Prefix: "prefix",
}


def _tree(step: Step, colours: Mapping[str, str]) -> Tree:
    tree = Tree(_label(step, colours), guide_style="dim")
    for child in step.steps:
        tree.children.append(_tree(child, colours))
    return tree


def _label(step: Step, colours: Mapping[str, str]) -> Text:
    sign = Text() if step.holds is None else Text("✓ ", "bold green") if step.holds else Text("✗ ", "red")
    match step.node:
        case Term() | Prefix() | Phrase() as leaf:
            part = canonical(leaf)
            return Text.assemble(sign, (part, f"bold {colours.get(part, '')}"), (f"  {_reading(leaf)}", "dim"))
        case node:
            return Text.assemble(sign, _operator(node))


def _operator(node: Node) -> str:
    match node:
        case And():
            return "all of"
        case Or():
            return "any of"
        case Not():
            return "without"
        case Near():
            return f"within {_counted(node.distance, 'word')}{', in this order' if node.is_ordered else ''}"
        case AtLeast():
            return f"at least {node.count:,} times"
        case AnyOf():
            return f"at least {node.count:,} of"
        case _:
            return canonical(node)


def _reading(leaf: Leaf) -> str:
    match leaf:
        case Prefix():
            how = "words that begin so, any case"
        case Phrase():
            how = f"phrase of {len(leaf.words) + bool(leaf.stem)} words"
        case _:
            how = f"word, {_CASES[leaf.word.case]}"
    if leaf.within:
        start = f"the body's first {_counted(leaf.within, 'word')}"
        return f"{how}, in {start}" if leaf.scope else f"{how}, in the title or {start}"
    return f"{how}, in {leaf.scope}" if leaf.scope else how


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _excerpt(text: Text, spans: Sequence[Span]) -> Text:
    """Leave out what is far from anything found, between words where there are spaces."""
    shown, end = Text(), 0
    for span in spans:
        start = max(span.start - _CONTEXT, 0)
        if start > end + _CONTEXT:
            start = text.plain.find(" ", start, span.start) + 1 or start
            shown.append(" … " if end else "… ")
        else:
            start = end
        until = min(max(span.end + _CONTEXT, end), len(text))
        shown.append(text[start:until] if until > start else "")
        end = until
    return shown.append(" …" if end < len(text) else "")
