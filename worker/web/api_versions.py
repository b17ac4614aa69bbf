"""`/api/v1/articles/{id}/versions`: what an article said in each revision, why there is one, and what it changed.

Reads and answers; decides nothing.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel

from worker.intake.histories import history
from worker.model import ArticleId
from worker.store import articles, versions
from worker.web.api import MISSING, PROBLEMS
from worker.web.api_editions import Number
from worker.web.api_keys import Scope, needs
from worker.web.site import AnySite

router = APIRouter(prefix="/api/v1", tags=["v1"])


class ArticleText(BaseModel):
    """What an article said."""

    title: str
    summary: str
    body: str


class ArticleVersion(BaseModel):
    """An article in one revision. `changed` names fields, none of the first; `material` is null where nobody judged it.

    `text` is there when asked for.
    """

    revision: int
    recorded_at: AwareDatetime
    reason: str
    changed: list[str]
    material: bool | None
    text: ArticleText | None = None


class ArticleVersions(BaseModel):
    """The versions of an article that are kept, the first and the newest, the oldest first."""

    article: int
    versions: list[ArticleVersion]


@router.get(
    "/articles/{article_id}/versions",
    dependencies=[Depends(needs(Scope.ARTICLES))],
    response_model=ArticleVersions,
    response_model_exclude_unset=True,
    responses=PROBLEMS | MISSING,
)
def list_versions(
    site: AnySite,
    article_id: Number,
    text: Annotated[bool, Query(description="With what each version said.")] = False,
) -> ArticleVersions:
    """List an article's versions: when each came, why, and what it changed."""
    with site.house.database.read() as conn:
        if articles.by_id(conn, ArticleId(article_id)) is None:
            raise HTTPException(404, f"there is no article {article_id}")
        kept = versions.of_article(conn, ArticleId(article_id))
    told = [
        ArticleVersion(
            revision=changed.revision,
            recorded_at=changed.recorded_at,
            reason=changed.reason,
            changed=list(changed.changed),
            material=changed.material,
            **({"text": ArticleText(title=one.title, summary=one.summary, body=one.body)} if text else {}),
        )
        for one, changed in zip(kept, history(kept), strict=True)
    ]
    return ArticleVersions(article=article_id, versions=told)
