"""What is counted of editions: sums by hour, with nothing in them that is a reader's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from worker.measures import Measure, Visitor
from worker.store.schema.base import Base, BigId, reference, words


class Measurement(Base):
    """How often in an hour a link of an edition was followed, or its mails' image fetched, by one class of visitors.

    `article_id` is 0 for an image, and for links that few readers had; so it is no foreign key.
    """

    __tablename__ = "measurement"

    edition_id: Mapped[int] = reference("edition.id", primary_key=True)
    measure: Mapped[Measure] = mapped_column(words(Measure), primary_key=True)
    article_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    visitor: Mapped[Visitor] = mapped_column(words(Visitor), primary_key=True)
    count: Mapped[int] = mapped_column(BigId)
