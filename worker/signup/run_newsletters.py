"""Stores editorial newsletters: all of a file's, in one transaction, or none. Called by `tocsin newsletters import`."""

from __future__ import annotations

from pathlib import Path

from worker.errors import InputError
from worker.signup.newsletters import NewNewsletter, read_newsletters
from worker.signup.run_wishes import check_topics
from worker.store import people
from worker.store.database import Database


def import_newsletters(database: Database, file: Path) -> dict[str, bool]:
    """Import a YAML file and return its slugs, True for the new ones.

    Raises `InputError`, and then nothing is stored.
    """
    try:
        newsletters = read_newsletters(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=file.name, hint="save it as UTF-8") from error
    except InputError as error:
        raise InputError(error.message, where=f"{file.name}, {error.where}" if error.where else file.name) from error
    return store_newsletters(database, newsletters, where=file.name)


def store_newsletters(database: Database, newsletters: tuple[NewNewsletter, ...], *, where: str) -> dict[str, bool]:
    """Store newsletters by slug, in place of earlier ones; the topics that they select from must exist."""
    with database.write() as conn:
        for newsletter in newsletters:
            try:
                check_topics(conn, newsletter.selection.topics)
            except InputError as error:
                place = f"{where}, {newsletter.slug}, selection.topics"
                raise InputError(error.message, where=place, hint=error.hint) from error
        return {newsletter.slug: people.put_newsletter(conn, _columns(newsletter)) for newsletter in newsletters}


def _columns(newsletter: NewNewsletter) -> dict[str, object]:
    return {
        "slug": newsletter.slug,
        "name": newsletter.name,
        "description": newsletter.description,
        "sender_name": newsletter.sender.name,
        "sender_address": newsletter.sender.address,
        "locale": newsletter.locale,
        "timezone": newsletter.timezone,
        "schedule": newsletter.schedule,
        "selection": newsletter.selection.model_dump(mode="json"),
    }
