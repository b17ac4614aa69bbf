"""`tocsin deliveries trace`: why did, or didn't, this reader get it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.house import Json, opened_house, print_json, print_rows
from worker.errors import InputError
from worker.model import ArticleId

if TYPE_CHECKING:
    from worker.delivery.run_trace import Traced


def trace(
    address: Annotated[str, typer.Argument(help="The reader's address, in any spelling.")],
    article: Annotated[int | None, typer.Option(help="Tell it of this article: see `tocsin articles list`.")] = None,
    as_json: Json = False,
) -> None:
    """Tell one reader's mail as a timeline, and what became of it in words that can be read to the reader.

    With --article, why they did or didn't get it: what it matched, which of their subscriptions it met, each try.
    """
    from worker.delivery.run_trace import trace as look
    from worker.signup.address import normalise

    found = opened_house()
    key = found.address_hash(normalise(address).key)
    with found.database.read() as conn:
        traced = look(conn, key, None if article is None else ArticleId(article))
    if traced is None:
        raise InputError(f"there is no article {article}", hint="see `tocsin articles list`")
    if as_json:
        print_json({"address": address, "article": article, **_told(traced)})
        return
    if traced.timeline:
        print_rows([asdict(entry) for entry in traced.timeline], as_json=False, columns=("at", "what", "says"))
        sys.stdout.write("\n")
    lines = [says for _, says in traced.followed if says]
    sys.stdout.write("\n".join([*lines, "", traced.says] if lines else [traced.says]) + "\n")


def _told(traced: Traced) -> dict[str, object]:
    reader = traced.reader
    return {
        "reader": {"id": reader.id, "status": reader.status} if reader else None,
        "says": traced.says,
        "subscriptions": [{**asdict(one), "says": says} for one, says in traced.followed],
        "deliveries": [{**asdict(copy), "says": says} for copy, says in traced.sent],
        "timeline": [asdict(entry) for entry in traced.timeline],
    }
