"""Sources, articles, and the stories that articles tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, SmallInteger, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from worker.feeds import SourceCondition, SourceState
from worker.model import Novelty, Picture, Severity
from worker.store.schema.base import Base, BigId, Id, Long, PictureJson, partial_index, reference, words


class Source(Base):
    """Where articles come from: a polled feed, the push API, or files added by hand."""

    __tablename__ = "source"

    id: Mapped[Id]
    kind: Mapped[str]  # "feed" | "push" | "file" | "mailbox"
    name: Mapped[str]
    url: Mapped[str | None] = mapped_column(unique=True)
    outlet: Mapped[str] = mapped_column(default="")  # empty: as the feed names itself
    homepage: Mapped[str] = mapped_column(default="")
    lang: Mapped[str] = mapped_column(default="")
    house: Mapped[bool] = mapped_column(default=False)
    folder: Mapped[str] = mapped_column(default="", server_default="")  # "World/Asia": groups sources, never articles
    created_at: Mapped[datetime]
    # polling
    etag: Mapped[str] = mapped_column(default="")
    last_modified: Mapped[str] = mapped_column(default="")
    next_poll_at: Mapped[datetime | None] = mapped_column(index=True)
    claimed_until: Mapped[datetime | None]
    last_polled_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_news_at: Mapped[datetime | None]  # when it last told something that we did not have
    last_status: Mapped[int | None]  # of HTTP
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    host: Mapped[str] = mapped_column(default="", server_default="", index=True)  # whose turn a fetch is
    state: Mapped[SourceState] = mapped_column(
        words(SourceState), default=SourceState.ACTIVE, server_default=str(SourceState.ACTIVE)
    )
    state_since: Mapped[datetime | None]
    state_reason: Mapped[str] = mapped_column(default="", server_default="")
    format: Mapped[str] = mapped_column(default="", server_default="")  # as it was last recognised: "rss20", ...
    pages: Mapped[bool] = mapped_column(default=False, server_default=false())  # fetch its articles' own pages
    every_s: Mapped[float | None]  # an operator's word on how often; none: as it publishes
    poll_every_s: Mapped[float | None]  # how often at present
    manners: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what it asks of pollers
    refreshed_at: Mapped[datetime | None]  # the last GET without validators: some servers say 304 for ever
    body_hash: Mapped[str] = mapped_column(default="", server_default="")  # of the bytes that were last read
    moved_to: Mapped[str] = mapped_column(default="", server_default="")  # where permanent redirects lead of late
    moved_count: Mapped[int] = mapped_column(default=0, server_default="0")  # how many polls in a row
    moved_since: Mapped[datetime | None]  # the first of these
    bears_s: Mapped[float | None]  # a pace that it has borne since it last complained (429)
    published_lately: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))  # newest first, s since 1970
    # all its items were new at once: none of them alerts until somebody has looked
    held_since: Mapped[datetime | None]
    held_reason: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (
        partial_index("uq_source_unpolled_name", "kind", "name", where="url IS NULL", unique=True),
        partial_index("ix_source_claimed_until", "claimed_until", where="claimed_until IS NOT NULL"),
    )


class SourceHealth(Base):
    """How well a source was when last looked at, so that a change is told once; and how it tells its news."""

    __tablename__ = "source_health"

    source_id: Mapped[int] = mapped_column(BigId, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    condition: Mapped[SourceCondition] = mapped_column(words(SourceCondition))
    since: Mapped[datetime]
    reason: Mapped[str]
    rhythm: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # of `worker.intake.rhythm`
    measured_at: Mapped[datetime | None]  # the rhythm


class Story(Base):
    """What several articles are about; the unit that a reader gets once."""

    __tablename__ = "story"

    id: Mapped[Id]
    created_at: Mapped[datetime]
    killed_at: Mapped[datetime | None]
    stopping_since: Mapped[datetime | None]  # an editor has stopped it, and unsent mails may still show it
    boost: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")  # an editor's, for its rank
    # material updates: what was shown at an earlier one may be shown again
    update_no: Mapped[int] = mapped_column(default=0, server_default="0")
    update_note: Mapped[str] = mapped_column(default="", server_default="")
    updated_at: Mapped[datetime | None]

    __table_args__ = (partial_index("ix_story_stopping_since", "stopping_since", where="stopping_since IS NOT NULL"),)


class Article(Base):
    """One item of one source in its latest revision; earlier ones are in `article_version`."""

    __tablename__ = "article"

    id: Mapped[Id]
    source_id: Mapped[int] = reference("source.id")
    item_key: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)
    story_id: Mapped[int] = reference("story.id", index=True)
    novelty: Mapped[Novelty] = mapped_column(words(Novelty))
    reason: Mapped[str]
    copy_of_id: Mapped[int | None] = reference("article.id")
    # as the source tells it
    guid: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    canonical_url: Mapped[str] = mapped_column(default="", index=True)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="")
    section: Mapped[str] = mapped_column(default="")
    outlet: Mapped[str] = mapped_column(default="")
    lang: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    severity: Mapped[Severity] = mapped_column(words(Severity), default=Severity.NORMAL)
    image: Mapped[Picture | None] = mapped_column(PictureJson)  # of no revision: it may change by itself
    # the ledger of times
    published_at: Mapped[datetime]
    dated: Mapped[bool] = mapped_column(
        default=True, server_default=true()
    )  # its source told when; else: at first sight
    updated_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    matched_at: Mapped[datetime | None]
    killed_at: Mapped[datetime | None]
    # identity
    text_hash: Mapped[str] = mapped_column(index=True)  # of the normalised wording; indexed, never unique
    told_hash: Mapped[str] = mapped_column(default="", server_default="")  # of what its source told last
    may_alert: Mapped[bool] = mapped_column(default=True)  # the age gate's word

    __table_args__ = (
        UniqueConstraint("source_id", "item_key"),
        partial_index("ix_article_unmatched", "id", where="matched_at IS NULL"),
        # All that a source's rhythm is made of: its newest articles' times, without their words.
        Index("ix_article_source_id_seen_at", "source_id", "seen_at", "published_at", "dated"),
        # All that a backtest asks of an article before it reads it: the bodies stay on the disk.
        Index("ix_article_period", "published_at", "seen_at", "story_id", "revision", "killed_at"),
    )


class ArticleVersion(Base):
    """What an article said in one revision."""

    __tablename__ = "article_version"

    article_id: Mapped[int] = reference("article.id", primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str]
    reason: Mapped[str]
    changed: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # fields; none where nobody noted them
    material: Mapped[bool | None]  # more than a touch-up
    state_hash: Mapped[str] = mapped_column(default="", server_default="")  # of all that a reader sees of it
    recorded_at: Mapped[datetime]


class PictureAddress(Base):
    """Where a picture of ours comes from, by the number that its links carry; for the image proxy."""

    __tablename__ = "picture_address"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # see `pictures.number_of`
    url: Mapped[str]
    article_id: Mapped[int] = reference("article.id", index=True)  # the last that came with it


class ArticleBand(Base):
    """A MinHash band of an article's wording: articles that share one are compared for being copies."""

    __tablename__ = "article_band"

    band: Mapped[Long] = mapped_column(primary_key=True)
    article_id: Mapped[int] = reference("article.id", primary_key=True, index=True)
