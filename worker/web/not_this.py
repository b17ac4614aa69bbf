"""`/preferences/{token}/not-this/{story}`: what a reader may do about one story of a mail, and about others like it.

The link stands beside each story of a mail. A GET only shows; a button mutes the story, mutes what it is about, or puts
a narrower query in the place of the reader's own. Parses and shows; `signup` and `matching` decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from fastapi.responses import Response
from starlette.requests import Request

from worker.errors import InputError, QueryError
from worker.model import StoryId, SubscriberId, SubscriberStatus, SubscriptionId
from worker.rendering.language import Language
from worker.signup.run import Known, look_up
from worker.signup.run_mutes import Concerned, concerned, mute_story, mute_topic
from worker.signup.run_narrowing import narrow
from worker.store.people import Following
from worker.tokens import Purpose
from worker.web.site import AnyForm, AnySite, Site
from worker.web.wording import FollowLine, following_lines

router = APIRouter(include_in_schema=False)

_SEARCH_DAYS: Final = 14  # of `matching.run_vetoes`, which is not loaded before it is needed
_MAY_CHANGE: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})

StoryNumber = Annotated[int, Path(ge=1, le=2**62)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """One reader who asks about one story, in their language."""

    request: Request
    site: Site
    token: str
    known: Known
    story: StoryId
    about: Concerned
    language: Language

    @property
    def zone(self) -> ZoneInfo:
        """The reader's zone."""
        return ZoneInfo(self.known.reader.timezone)

    @property
    def lines(self) -> list[FollowLine]:
        """What of the reader's the story concerns, in their words."""
        muted = {number: self.language.moment(until, self.zone) for number, until in self.known.muted.items()}
        return following_lines(self.about.followings, self.language, muted=muted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What was done, to what, and until when it holds; None: for good."""

    act: str
    name: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VetoLine:
    """A word that a search may leave out, the query then, and what would have fallen away; None: not known."""

    word: str
    query: str
    falls_away: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLine:
    """One of the reader's own queries. `stories` it has found lately; None: not known. `about`: these are estimates."""

    line: FollowLine
    words: tuple[VetoLine, ...]
    stories: int | None = None
    about: bool = False


@router.get("/preferences/{token}/not-this/{story}")
def show_choices(request: Request, site: AnySite, token: str, story: StoryNumber) -> Response:
    """Show what may be done about a story."""
    asking = _look_up(request, site, token, StoryId(story))
    return asking if isinstance(asking, Response) else _choices(asking)


@router.post("/preferences/{token}/not-this/{story}")
def take_choice(request: Request, site: AnySite, token: str, story: StoryNumber, form: AnyForm) -> Response:
    """Do what the button says, and show what has come of it."""
    asking = _look_up(request, site, token, StoryId(story))
    if isinstance(asking, Response):
        return asking
    act, _, number = str(form.get("do") or "").partition("-")
    try:
        done = _do(asking, act, number, word=str(form.get(f"word-{number}") or ""))
    except InputError:  # ended, or changed, on another page meanwhile
        done = None
    if done is None:
        return _choices(asking, is_wrong=True)
    return asking.site.pages.page(
        request,
        "not-this-done",
        language=asking.language,
        act=done.act,
        name=done.name,
        moment=asking.language.moment(done.until, asking.zone) if done.until else "",
        preferences=f"/preferences/{token}",
    )


def _look_up(request: Request, site: Site, token: str, story: StoryId) -> Asking | Response:
    """Find reader and story, or answer why there is nothing to be done."""
    [number] = site.house.tokens.read(Purpose.PREFERENCES, token, now=site.now())
    with site.house.database.read() as conn:
        known = look_up(conn, SubscriberId(number))
        about = concerned(conn, known.reader.id, story) if known else None
    language = site.pages.language(request, known.reader.locale if known else None)
    if known is None:
        return site.pages.page(request, "gone", status=410)
    if known.standing not in _MAY_CHANGE:
        letters = f"/preferences/{token}/letter"
        return site.pages.page(request, "not-subscribed", language=language, standing=known.standing, letters=letters)
    if about is None:
        return site.pages.page(request, "not-this-gone", language=language, status=410)
    return Asking(request=request, site=site, token=token, known=known, story=story, about=about, language=language)


def _do(asking: Asking, act: str, number: str, *, word: str) -> Done | None:
    """Do what was chosen; None where nothing was that the page offers. Raises `InputError`."""
    database, reader = asking.site.house.database, asking.known.reader.id
    if act == "story":
        return Done(act=act, name=asking.about.title, until=mute_story(database, reader, asking.story))
    chosen = zip(asking.about.followings, asking.lines, strict=True)
    found = next(((one, line) for one, line in chosen if str(one.id) == number), None)
    if found is None:
        return None
    followed, line = found
    if act == "topic":
        return Done(act=act, name=line.name, until=mute_topic(database, reader, SubscriptionId(followed.id)))
    query = _narrowed(asking, followed, word) if act == "search" else None
    if query is None:
        return None
    _narrow(asking, followed, query)
    return Done(act=act, name=query)


def _narrowed(asking: Asking, followed: Following, word: str) -> str | None:
    """Return the reader's query without a word that the page has offered; None for any other."""
    from worker.matching.run_vetoes import offered  # noqa: PLC0415  pages need no engine
    from worker.matching.vetoes import leaving_out  # noqa: PLC0415  as above

    query = followed.query
    if query is None or word not in offered(asking.site.house.database, query, asking.about.title):
        return None
    return leaving_out(query, word)


def _narrow(asking: Asking, followed: Following, query: str) -> None:
    from worker.matching.run_vetoes import met_by  # noqa: PLC0415  pages need no engine

    narrow(
        asking.site.house.database,
        asking.known.reader.id,
        SubscriptionId(followed.id),
        query=query,
        check_query=asking.site.check_query,
        meet=met_by,
        courtesies=asking.site.house.courtesies,
    )


def _choices(asking: Asking, *, is_wrong: bool = False) -> Response:
    lines = asking.lines
    found = [_search(asking, line) for line in lines if line.is_own]
    return asking.site.pages.page(
        asking.request,
        "not-this",
        language=asking.language,
        status=422 if is_wrong else 200,
        is_wrong=is_wrong,
        title=asking.about.title,
        lines=lines,
        searches=[one for one in found if one and one.words],
        search_days=_SEARCH_DAYS,
        preferences=f"/preferences/{asking.token}",
    )


def _search(asking: Asking, line: FollowLine) -> SearchLine | None:
    """Return what a search may leave out: with numbers where there is time to count."""
    from worker.matching.run_vetoes import offered  # noqa: PLC0415  pages need no engine
    from worker.matching.vetoes import leaving_out  # noqa: PLC0415  as above

    database, query, title = asking.site.house.database, line.name, asking.about.title
    try:
        found = asking.site.counts.of(database, query, title)
        plain = offered(database, query, title) if found is None else ()
    except QueryError:
        return None  # switched off: it finds nothing that could be less
    if found is None:
        return SearchLine(line=line, words=tuple(VetoLine(word=one, query=leaving_out(query, one)) for one in plain))
    words = tuple(VetoLine(word=one.word, query=one.query, falls_away=one.falls_away) for one in found.words)
    return SearchLine(line=line, words=words, stories=found.stories, about=found.is_estimated)
