"""What all tables share: column types that mean the same on SQLite and PostgreSQL, and the naming of constraints."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from worker.model import Picture

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER PRIMARY KEY only


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; naive ones are refused. SQLite keeps it as text that sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring the value to UTC, without a zone where the database knows none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: times in the database are aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the base class's signature
        """Give back an aware datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PictureJson(TypeDecorator[Picture]):
    """A story's picture, as JSON; NULL for none."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Picture | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002  the base class's signature
        """Write it out."""
        return asdict(value) if value else None

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Picture | None:  # noqa: ARG002  as above
        """Read it back."""
        return Picture(**value) if value else None


def words(enum: type[StrEnum]) -> Enum:
    """Return a column type that stores the enum's words as text, so that a row reads well in psql."""
    return Enum(enum, native_enum=False, length=16, values_callable=lambda members: [str(member) for member in members])


class Base(DeclarativeBase):
    """Every table's base."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), str: Text()}  # noqa: RUF012  SQLAlchemy's own protocol


Id = Annotated[int, mapped_column(BigId, primary_key=True)]
"""A number that the database gives."""

Long = Annotated[int, mapped_column(BigInteger)]
"""A 64-bit number."""


def reference(target: str, *, primary_key: bool = False, index: bool = False) -> MappedColumn[Any]:
    """Return a foreign key column to `target` ("table.column")."""
    return mapped_column(BigId, ForeignKey(target), primary_key=primary_key, index=index or None)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index over the rows for which `where` (SQL that both databases read alike) is true."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))
