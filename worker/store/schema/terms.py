"""The words that stand in articles, by number: what a backtest looks through in the articles' place."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, BigId, Id, reference

# By code points, as SQLite does anyway: what begins alike must stand together, whatever the database's language.
_BY_CODE = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


class Term(Base):
    """A word that some article has had. Never deleted: a number means the same word for ever."""

    __tablename__ = "term"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(_BY_CODE, unique=True)


class TermStem(Base):
    """That a term, in articles of a language, is an inflection: its stem is that of the others with the same one."""

    __tablename__ = "term_stem"

    language: Mapped[str] = mapped_column(primary_key=True)  # "en"; "" for articles that do not say
    stem: Mapped[str] = mapped_column(primary_key=True)
    term_id: Mapped[int] = reference("term.id", primary_key=True)


class ArticleTerms(Base):
    """Which terms one revision of an article has. It goes when its article goes."""

    __tablename__ = "article_terms"

    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int]
    analyser_version: Mapped[int] = mapped_column(index=True)  # 0: never analysed for this table
    terms: Mapped[bytes | None] = mapped_column(LargeBinary)  # ascending numbers; none: too many, read the article
