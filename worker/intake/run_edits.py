"""Changes an article at an editor's word: a new revision with its fingerprint, which is then matched again.

One transaction. Unlike a feed, an editor may also make an article less urgent. Called by the API and by corrections.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sqlalchemy import Connection

from worker.adapters.sources.api_json import tidied
from worker.intake.canonical import canonical_url
from worker.intake.circumstances import Added
from worker.intake.fingerprint import fingerprint
from worker.intake.revisions import make_room, state_hash
from worker.intake.run_rows import known_of, row_of
from worker.intake.validate import validate
from worker.model import ArticleId, Novelty, ParsedArticle, Picture, Severity
from worker.store import articles, editing, versions
from worker.store.articles import StoredArticle
from worker.store.database import Database, now
from worker.store.versions import Change

_QUIET: Final = frozenset({"severity", "image"})  # what is changed without a new revision


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What an editor changes; None leaves a thing as it is. `without_image` takes the picture away."""

    title: str | None = None
    summary: str | None = None
    body: str | None = None
    section: str | None = None
    tags: tuple[str, ...] | None = None
    severity: Severity | None = None
    image: Picture | None = None
    without_image: bool = False

    def given(self) -> dict[str, Any]:
        """Return what is to change, by the names of an article's fields, with its texts as people see them."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "without_image"}
        told = {name: value for name, value in named.items() if value is not None}
        tidy = tidied(ParsedArticle(**told))
        return {name: getattr(tidy, name) for name in told} | ({"image": None} if self.without_image else {})


def edit(database: Database, article_id: ArticleId, changed: Edit) -> Added | None:
    """Change an article; None when there is none. Raises `InputError` for what no article can be."""
    with database.write() as conn:
        stored = articles.by_id(conn, article_id)
        return None if stored is None else apply(conn, stored, changed)


def apply(conn: Connection, stored: StoredArticle, changed: Edit) -> Added:
    """Change a stored article in the caller's transaction. Raises as `edit` does."""
    at = now(conn)
    ours = known_of(stored).article
    given = changed.given()
    article = validate(replace(ours, **given), now=at).article
    names = [name for name in given if getattr(article, name) != getattr(ours, name)]
    said = ["picture" if name == "image" else name for name in names]
    reason = f"an editor has changed its {', '.join(said)}" if names else "as it was"
    is_stored = False
    if set(names) <= _QUIET:  # nothing to match again
        if "severity" in names:
            editing.set_severity(conn, stored.id, article.severity)
        if "image" in names:
            articles.set_image(conn, stored.id, article.image, revision=stored.revision)
    else:
        print_ = fingerprint(article)
        row = row_of(article, print_, canonical_url(article.url), outlet=stored.outlet, at=at)
        row |= {"novelty": Novelty.UPDATE, "reason": reason}
        row["published_at"] = stored.published_at
        change = Change(changed=tuple(said), state_hash=state_hash(article))
        kept = [one.revision for one in versions.kept(conn, stored.id)]
        is_stored = articles.update_article(
            conn, stored.id, revision=stored.revision, bands=print_.bands, version=change, **row
        )
        versions.drop(conn, stored.id, make_room(kept))
    status = Novelty.UPDATE if names else Novelty.DUPLICATE
    return Added(id=stored.id, status=status, reason=reason, stored=is_stored)
