"""Checks topics: that each query is understood, that each `@` leads somewhere, and that the examples hold.

Decides what keeps a topic from being stored. All faults of all topics are found, none hides another. An example is a
short text that stands for a headline. Pure; `run_library` and the CLI call it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from worker.errors import QueryError
from worker.matching.analyser import AnalysedArticle, ArticleText, analyse
from worker.matching.canonical import canonical
from worker.matching.evaluate import evidence, holds
from worker.matching.faults import Fault, refuse
from worker.matching.library import TopicDraft
from worker.matching.query import Node, parse
from worker.matching.references import resolve
from worker.matching.tree import And, Not, Or, Phrase, Prefix, Term, all_of, any_of, walk

_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What came of a check: the drafts that hold, with their canonical queries; all faults, in the drafts' order."""

    drafts: tuple[TopicDraft, ...]
    faults: tuple[Fault, ...]


def _no_report() -> None:
    """Tell nobody that one more topic is done."""


def check_topics(drafts: Sequence[TopicDraft], stored: Mapping[str, str]) -> list[TopicDraft]:
    """Return the drafts with their canonical queries. `stored` has the queries of topics that they may refer to.

    Raises `InputError` (`QueryError` with its offset for a query), or `ManyFaultsError` for several faults.
    """
    checked = check(drafts, stored)
    refuse(checked.faults)
    return list(checked.drafts)


def check(
    drafts: Sequence[TopicDraft], stored: Mapping[str, str], *, on_done: Callable[[], None] = _no_report
) -> Checked:
    """Check all drafts against each other and the stored queries; `on_done` is called after each draft."""
    nodes = {slug: node for slug, query in stored.items() if (node := _parse_stored(query)) is not None}
    refused: dict[str, QueryError] = {}
    for draft in drafts:
        try:
            nodes[draft.slug] = parse(draft.query)
        except QueryError as error:
            refused[draft.slug] = error
            nodes.pop(draft.slug, None)
    names = {draft.slug for draft in drafts}
    holding: list[TopicDraft] = []
    faults: list[Fault] = []
    for draft in drafts:
        try:
            if draft.slug in refused:
                raise refused[draft.slug]
            found = list(_example_faults(draft, resolve(nodes[draft.slug], nodes)))
            faults.extend(found)
            if not found:
                holding.append(replace(draft, canonical=canonical(nodes[draft.slug])))
        except QueryError as error:
            if not _is_told_elsewhere(draft, error, refused, names):
                faults.append(_query_fault(draft, error))
        on_done()
    return Checked(drafts=tuple(holding), faults=tuple(faults))


def _example_faults(draft: TopicDraft, node: Node) -> Iterator[Fault]:
    for number, text in enumerate(draft.must_match, start=1):
        article = analyse(ArticleText(title=text))
        if not holds(node, article):
            message = f"must match {text!r} and does not: {_reason(node, article)}"
            yield _example_fault(draft, f"must_match {number}", message, text, _vetoes(node, article))
    for number, text in enumerate(draft.must_not_match, start=1):
        spans = evidence(node, analyse(ArticleText(title=text)))
        if spans:
            found = tuple(dict.fromkeys(span.alias for span in spans))
            message = f"must not match {text!r}, but finds {', '.join(found)}"
            yield _example_fault(draft, f"must_not_match {number}", message, text, found)


def _is_told_elsewhere(draft: TopicDraft, error: QueryError, refused: Collection[str], names: set[str]) -> bool:
    """Tell whether a draft only suffers from what is wrong with another, which has its own line."""
    if draft.slug in refused:
        return False
    if any(f"@{slug}" in error.reason.split() for slug in refused):
        return True
    return error.where in names - {draft.slug} and f"@{draft.slug}" not in error.reason.split()


def _query_fault(draft: TopicDraft, error: QueryError) -> Fault:
    is_own = error.where in {"", draft.slug}
    message = error.reason if is_own else f"@{error.where}: {error.reason}"
    return Fault(
        where=draft.where,
        slug=draft.slug,
        field="query",
        message=message,
        hint=error.hint,
        offset=error.offset,
        query=draft.query if is_own else "",  # the caret would point into another topic's query
    )


def _example_fault(draft: TopicDraft, field: str, message: str, text: str, found: tuple[str, ...]) -> Fault:
    return Fault(where=draft.where, slug=draft.slug, field=field, message=message, example=text, found=found)


def _reason(node: Node, article: AnalysedArticle) -> str:
    """Say why a text does not match: a word that is vetoed, or none of the words that are looked for."""
    if vetoes := _vetoes(node, article):
        return f"it has {', '.join(vetoes)}, which the query rules out"
    wanted = list(dict.fromkeys(canonical(leaf) for leaf in walk(_without_vetoes(node)) if _is_leaf(leaf)))
    more = f" and {len(wanted) - _SHOWN} more" if len(wanted) > _SHOWN else ""
    return f"looked for {', '.join(wanted[:_SHOWN])}{more}"


def _vetoes(node: Node, article: AnalysedArticle) -> tuple[str, ...]:
    """Return the words that alone keep a text out; none if it would not match without the query's NOTs either."""
    if not holds(_without_vetoes(node), article):
        return ()
    spans = (span for part in walk(node) if isinstance(part, Not) for span in evidence(part.child, article))
    return tuple(dict.fromkeys(span.alias for span in spans))


def _without_vetoes(node: Node) -> Node:
    match node:
        case And():
            return all_of(tuple(_without_vetoes(child) for child in node.children if not isinstance(child, Not)))
        case Or():
            return any_of(tuple(_without_vetoes(child) for child in node.children))
        case _:
            return node


def _is_leaf(node: Node) -> bool:
    return isinstance(node, Term | Prefix | Phrase)


def _parse_stored(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:  # switched off already, and shown so; it must not keep others from being stored
        return None
