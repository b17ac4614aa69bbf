"""The statements over the addresses of pictures: which one a link's number means, as long as its story stands.

Decides nothing. Intake's writes keep an address with its article; the image proxy asks.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, Picture
from worker.pictures import number_of
from worker.store.database import insert_for
from worker.store.schema import Article, PictureAddress, Story


def keep_address(conn: Connection, article_id: ArticleId, picture: Picture | None) -> None:
    """Note where an article's picture comes from. One that several articles show belongs to the last."""
    if picture is None:
        return
    row = {"id": number_of(picture.url), "url": picture.url, "article_id": article_id}
    statement = insert_for(conn, PictureAddress).values(**row)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"article_id": article_id}))


def address_of(conn: Connection, number: int) -> str | None:
    """Return the address of a picture; None when there is none, or its article or story was stopped."""
    query = (
        sa.select(PictureAddress.url)
        .join(Article, Article.id == PictureAddress.article_id)
        .join(Story, Story.id == Article.story_id)
        .where(PictureAddress.id == number, Article.killed_at.is_(None), Story.killed_at.is_(None))
    )
    return conn.execute(query).scalar_one_or_none()
