"""Checks the catalogues of a theme: sentences that nobody says, and placeholders that got lost or are new.

Decides only. A language of the theme's own may lack sentences: they are said in English. `theme_check` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from babel.messages.catalog import Catalog, Message

from worker.errors import ConfigurationError
from worker.rendering.language import SOURCE_LANGUAGE, read_catalogue
from worker.rendering.theme_files import Fault, Theme, is_catalogue
from worker.resources import templates_dir

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[sd]")


def check_words(theme: Theme) -> Iterator[Fault]:
    """Yield what is wrong with a theme's catalogues."""
    if theme.folder is None:
        return
    known = read_catalogue(templates_dir() / "locales" / SOURCE_LANGUAGE / "LC_MESSAGES" / "messages.po")
    ours = {path.parent.parent.name for path in (templates_dir() / "locales").glob("*/LC_MESSAGES/messages.po")}
    for name in sorted(filter(is_catalogue, theme.files)):
        try:
            catalogue = read_catalogue(theme.folder / name)
        except ConfigurationError as error:
            yield Fault(file=name, says=str(error))
            continue
        yield from _sentences(name, catalogue, known)
        if name.split("/")[1] not in ours:
            yield from _whole(name, catalogue, known)


def _sentences(file: str, catalogue: Catalog, known: Catalog) -> Iterator[Fault]:
    for message in catalogue:
        if not message.id:
            continue
        line = message.lineno or 0
        if known.get(message.id, message.context) is None:
            says = f"no template of ours says {_brief(message)}"
            yield Fault(file=file, line=line, says=says, hint="copy the msgid from ours", stops=False)
        for written in _strings(message):
            if fault := _misfit(written, message):
                yield Fault(file=file, line=line, says=f"{_brief(message)}: {fault}", hint="keep the %(…)s as they are")


def _misfit(written: str, message: Message) -> str:
    ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
    allowed = set().union(*(_PLACEHOLDER.findall(one) for one in ids))
    if not allowed and "%" not in "".join(ids):
        return "a % is only for placeholders, and this sentence has none" if "%" in written else ""
    try:
        _ = written % dict.fromkeys(allowed, 1)
    except KeyError as error:
        return f"there is no %({error.args[0]})s in it"
    except (ValueError, TypeError):
        return "a % stands alone; write it as %%"
    return ""


def _whole(file: str, catalogue: Catalog, known: Catalog) -> Iterator[Fault]:
    said = {message.id for message in catalogue if message.id and all(_strings(message)) and _strings(message)}
    missing = [message for message in known if message.id and message.id not in said]
    if missing:
        says = f"{len(missing)} sentences are not translated and will be in English, such as {_brief(missing[0])}"
        yield Fault(file=file, says=says, hint="docs/themes.md tells how to get them all", stops=False)


def _strings(message: Message) -> tuple[str, ...]:
    found = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return tuple(one for one in found if one)


def _brief(message: Message) -> str:
    said = message.id[0] if isinstance(message.id, list | tuple) else message.id
    return f"“{said[:60]}{'…' if len(said) > 60 else ''}”"
