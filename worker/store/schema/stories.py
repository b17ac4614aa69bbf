"""What matching remembers of the latest articles, to tell which story the next one belongs to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, BigId, Long


class StoryReading(Base):
    """An article as stories are judged by it. The rows are a log: a worker reads on from the last `seq` it knows."""

    __tablename__ = "story_reading"

    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Long] = mapped_column(unique=True)  # in commit order; a new version of the article takes a new one
    story_id: Mapped[int] = mapped_column(BigId, ForeignKey("story.id", ondelete="CASCADE"), index=True)
    published_at: Mapped[datetime] = mapped_column(index=True)
    begins_at: Mapped[datetime]  # of the story
    language: Mapped[str]
    terms: Mapped[str]  # separated by spaces, sorted
    marks: Mapped[str]  # one letter a term, "0" for none
