"""Checks a mail's CSS and HTML against what mail clients support. Pure.

What stands under `@media` only reaches clients that know it, so the others cannot be harmed by it. Reads CSS with
tinycss2, which never fails; `support` has the data and `accepted` what is left out on purpose.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import tinycss2

from worker.preflight.accepted import ACCEPTED
from worker.preflight.findings import Check, Finding, ok, warning
from worker.preflight.mail import Mail
from worker.preflight.markup import Page
from worker.preflight.support import Data, data

_TOLD: Final = 12
_PICTURE: Final = re.compile(r"\.(apng|avif|bmp|heif|heic|ico|svg|tiff?|webp)(?:[?#]|$)", re.IGNORECASE)
_ALIKE: Final = {"heic": "heif", "tif": "tiff"}

Uses = dict[str, set[str]]  # by a feature's name, the clients that meet it


def check_styles(mail: Mail) -> Iterator[Finding]:
    """Check every style in the mail, in elements and in its head, and elements that clients take out."""
    known = data()
    met = used(mail.page, known)
    lacking = {
        name: sorted(clients & known.features[name].without, key=known.clients.index)
        for name, clients in met.items()
        if name in known.features and name not in ACCEPTED
    }
    told = sorted(((name, who) for name, who in lacking.items() if who), key=lambda one: (-len(one[1]), one[0]))
    for name, clients in told[:_TOLD]:
        found = f"{_said(name)} does nothing in {', '.join(clients)}"
        yield warning(Check.STYLES, found, f"see that nobody misses it there: {known.features[name].page}")
    if len(told) > _TOLD:
        rest = ", ".join(_said(name) for name, _ in told[_TOLD:])
        yield warning(Check.STYLES, f"and {len(told) - _TOLD} more do nothing in some client: {rest}", "as above")
    if not told:
        yield ok(Check.STYLES, f"nothing that {', '.join(known.clients)} lack (Can I email, {known.date})")


def used(page: Page, known: Data) -> Mapping[str, set[str]]:
    """Return what a page uses, and which clients meet it: all, but for what stands under a condition."""
    everybody = set(known.clients)
    met: Uses = defaultdict(set)
    for written in {one.get("style") for one in page.elements} - {""}:
        _declared(tinycss2.parse_blocks_contents(written), met, everybody)
    for sheet in page.styles:
        _ruled(tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True), met, everybody, known)
    for one in page.elements:
        met[f"element {one.tag}"] |= everybody
        for name in one.attributes:
            met[f"attribute {name}"] |= everybody
        for kind in _pictures([one.get("src"), one.get("srcset")]) if one.tag in {"img", "source"} else ():
            met[f"image {kind}"] |= everybody
    return met


def _ruled(rules: Iterable[Any], met: Uses, clients: set[str], known: Data) -> None:
    for rule in rules:
        if rule.type == "qualified-rule":
            _selected(rule.prelude, met, clients)
            _declared(tinycss2.parse_blocks_contents(rule.content), met, clients)
        elif rule.type == "at-rule":
            names = [f"rule {rule.lower_at_keyword}", *_conditions(rule)]
            for name in names:
                met[name] |= clients
            lacking = {one for name in names if name in known.features for one in known.features[name].without}
            _within(rule, met, clients - lacking, known)


def _within(rule: Any, met: Uses, clients: set[str], known: Data) -> None:  # noqa: ANN401  a node of tinycss2
    if rule.content is None or not clients:
        return
    if rule.lower_at_keyword in {"media", "supports", "layer"}:
        _ruled(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), met, clients, known)


def _conditions(rule: Any) -> list[str]:  # noqa: ANN401  as above
    if rule.lower_at_keyword != "media":
        return []
    return [
        f"media {token.lower_value}"
        for block in rule.prelude
        if block.type == "() block"
        for token in block.content
        if token.type == "ident"
    ]


def _selected(prelude: Iterable[Any], met: Uses, clients: set[str]) -> None:
    after_colon = False
    for token in prelude:
        if after_colon and token.type in {"ident", "function"}:
            met[f"pseudo {token.lower_value if token.type == 'ident' else token.lower_name}"] |= clients
        after_colon = token.type == "literal" and token.value == ":"


def _declared(nodes: Iterable[Any], met: Uses, clients: set[str]) -> None:
    for node in nodes:
        if node.type != "declaration" or node.lower_name.startswith(("-", "mso-")):
            continue  # a client's own property is meant for it alone
        met[f"property {node.lower_name}"] |= clients
        for name in _valued(node.value):
            met[f"value {node.lower_name} {name}" if " " not in name else name] |= clients


def _valued(tokens: Iterable[Any]) -> Iterator[str]:
    for token in tokens:
        if token.type == "ident":
            yield token.lower_value
        elif token.type == "dimension":
            yield f"unit {token.lower_unit}"
        elif token.type == "function":
            yield f"function {token.lower_name}"
            yield from (name for name in _valued(token.arguments) if " " in name)


def _pictures(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        if address.lower().startswith("data:"):
            yield "base64"
        elif found := _PICTURE.search(address):
            yield _ALIKE.get(found[1].lower(), found[1].lower())


def _said(name: str) -> str:
    """Say a feature as an author of CSS writes it."""
    kind, _, rest = name.partition(" ")
    match kind:
        case "value":
            return rest.replace(" ", ": ")
        case "rule":
            return f"@{rest}"
        case "media":
            return f"@media ({rest})"
        case "pseudo":
            return f":{rest}"
        case "function":
            return f"{rest}()"
        case "element":
            return f"<{rest}>"
        case _:
            return f"{kind} {rest}"
