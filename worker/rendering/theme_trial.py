"""Makes every sample mail with a theme, in every language, as readers would get it, and says what cannot go out.

Compares with our own templates: a link to unsubscribe, a link to confirm, a postal address that the law wants and ours
have must be in a theme's mail too. `theme_check` calls it once the templates can be read.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from worker.content import Content
from worker.errors import ConfigurationError
from worker.model import Pieces
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.fitting import MAX_HTML_BYTES
from worker.rendering.folders import folder_of
from worker.rendering.headers import TOKEN_CHARS
from worker.rendering.holes import Hole, size_bytes
from worker.rendering.language import SOURCE_LANGUAGE
from worker.rendering.mail import CompiledMail
from worker.rendering.theme_files import Fault, Theme

MAX_TRIAL_S: Final = 5.0  # for one mail, which takes some hundredths
_NEEDED: Final = {
    Hole.UNSUBSCRIBE: ("the link to unsubscribe", "{{ hole.unsubscribe_url }}"),
    Hole.CONFIRM: ("the link that confirms", "{{ hole.confirm_url }}"),
    Hole.MY: ("the link to what the letter is about", "{{ hole.my_url }}"),
}


def sample(kind: str, tag: str) -> Content:
    """Return the sample of a kind in a language; where no sample speaks it, an English one's stories."""
    return samples.content(kind, spoken_in(tag)).model_copy(update={"locale": tag})


def spoken_in(tag: str) -> str:
    """Return the locale whose samples stand for a language."""
    base = tag.partition("-")[0]
    return base if base in samples.LOCALES else SOURCE_LANGUAGE


def try_out(theme: Theme) -> list[Fault]:
    """Return what is wrong with the mails that a theme makes, each fault once."""
    house = samples.newsroom(SOURCE_LANGUAGE)
    try:
        themed = Renderer(newsroom=house, theme=theme)
    except ConfigurationError as error:
        return [_where(error, theme, "mail")]
    found: dict[tuple[str, int, str], Fault] = {}
    for tag in theme.languages.tags:
        for kind in samples.KINDS:
            for fault in _tried(kind, tag, theme, themed):
                found.setdefault((fault.file, fault.line, fault.says), fault)
    return list(found.values())


def _tried(kind: str, tag: str, theme: Theme, themed: Renderer) -> Iterator[Fault]:
    content, began = sample(kind, tag), time.monotonic()
    folder = folder_of(content)
    try:
        mail = themed.compile(content)
    except Exception as error:  # noqa: BLE001  whatever a template makes Python raise is the template's fault
        yield _where(error, theme, folder)
        return
    if time.monotonic() - began > MAX_TRIAL_S:
        yield Fault(file=_blamed(theme, folder, "html.j2"), says="one mail takes more than five seconds to make")
    yield from _lacking(mail, _ours(kind, spoken_in(tag)), theme, folder)


@lru_cache(maxsize=256)
def _ours(kind: str, locale: str) -> CompiledMail:
    return Renderer(newsroom=samples.newsroom(SOURCE_LANGUAGE)).compile(samples.content(kind, locale))


def _lacking(mail: CompiledMail, ours: CompiledMail, theme: Theme, folder: str) -> Iterator[Fault]:
    if not _joined(mail.composition.subject).strip():
        yield Fault(file=_blamed(theme, folder, "subject.txt.j2"), says="the subject is empty")
    if (size := size_bytes(mail.composition.html, hole_bytes=TOKEN_CHARS)) > MAX_HTML_BYTES:
        says = f"the HTML has {size / 1024:.0f} KB: Gmail cuts it off after 102, and the way out with it"
        yield Fault(file=_blamed(theme, folder, "html.j2"), says=says, hint="say less, or in fewer elements")
    for face, written, own in (
        ("html.j2", mail.composition.html, ours.composition.html),
        ("text.txt.j2", mail.composition.text, ours.composition.text),
    ):
        for hole, (what, how) in _NEEDED.items():
            if hole in own.holes and hole not in written.holes:
                says = f"the mail has lost {what}"
                yield Fault(file=_blamed(theme, folder, face), says=says, hint=f"write {how}")
        address = ours.newsroom.postal_address
        if address in _joined(own) and address not in _joined(written):
            hint = "write {{ newsroom.postal_address }}"
            says = "the mail has lost the newsroom's postal address"
            yield Fault(file=_blamed(theme, folder, face), says=says, hint=hint)


def _joined(pieces: Pieces) -> str:
    return " ".join(" ".join(pieces.literals).split())


def _blamed(theme: Theme, folder: str, face: str) -> str:
    """Return the file of the theme in which a mail's face is most likely wrong."""
    layout = "mail/layout." + face.replace("text.", "") if face != "html.j2" else "mail/layout.html.j2"
    likely = [f"{folder}/{face}", layout]
    return next((name for name in likely if name in theme.own), min(theme.own, default=f"{folder}/{face}"))


def _where(error: Exception, theme: Theme, folder: str) -> Fault:
    """Return an error as the fault of the template in whose line it came up: a theme's own, if one took part."""
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    paths = {source.path: name for name, source in {**theme.originals, **theme.own}.items()}
    frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if Path(frame.filename) in paths]
    own = [frame for frame in frames if paths[Path(frame.filename)] in theme.own]
    says = f"{cause}" if str(cause) else type(cause).__name__
    if not frames:
        return Fault(file=_blamed(theme, folder, "html.j2"), says=says)
    last = (own or frames)[-1]
    return Fault(file=paths[Path(last.filename)], line=last.lineno or 0, says=says)
