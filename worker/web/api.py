"""`/api/v1`: the newspaper's own programs push articles and sign readers up. `/api/openapi.json` describes it.

Parses and answers; intake and signup decide. `api_door` is passed before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request

from worker.errors import InputError
from worker.intake.circumstances import Added
from worker.model import ArticleId, Cadence, Novelty, ParsedArticle, Picture, Severity
from worker.pictures import MAX_SIDE_PX
from worker.signup.address import Address, normalise
from worker.signup.consent import Evidence, ip_prefix
from worker.signup.doubts import Disposable, refuse_disposable
from worker.signup.run import sign_up
from worker.signup.run_subscribers import vouch
from worker.signup.wishes import Follow, Rhythm, Slug, Weekday, Wish
from worker.store import articles, topics
from worker.store.articles import StoredArticle
from worker.web.api_keys import Scope, holder_of, may, needs
from worker.web.gate import charge_key
from worker.web.problems import PROBLEM
from worker.web.site import AnySite, Site

_MATCHED_WITHIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def problem_answers(**described: str) -> dict[int | str, dict[str, Any]]:
    """Return the description of answers that are problem details, by status (`_404="There is no such thing."`)."""
    shape = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(name[1:]): {"description": what, "content": shape} for name, what in described.items()}


PROBLEMS: Final = problem_answers(
    _400="The body is not JSON.",
    _401="There is no key, or nobody knows it.",
    _403="The key lacks the scope.",
    _413="The body is too large.",
    _422="Something that was sent is wrong; `errors` says what.",
    _503="The house is not in order; try again later.",
)
MISSING: Final = problem_answers(_404="There is no such thing.")

router = APIRouter(prefix="/api/v1", tags=["v1"])


def _in_utc(at: datetime) -> datetime:
    try:
        at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time that has no name in UTC") from error
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time that somebody sends."""


class Body(BaseModel):
    """What a request's body may be: nothing but what it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: object) -> object:
        """Refuse what PostgreSQL stores nowhere, and what no encoding writes."""
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        if found := next(filter(None, (_NO_TEXT.search(text) for text in texts if isinstance(text, str))), None):
            what = "a NUL, which no text has" if found[0] == "\0" else "half of a UTF-16 pair, which is no character"
            raise ValueError(what)
        return value


class PushedImage(Body):
    """An article's picture. Mails show it by https only, unless the house serves it itself."""

    url: Annotated[str, Field(min_length=1, description="Of a JPEG, PNG, GIF, WebP or AVIF.")]
    alt: Annotated[str, Field(description="What it shows, in words, for whoever does not see it.")] = ""
    credit: str = ""
    width: Annotated[int, Field(ge=0, le=MAX_SIDE_PX, description="In pixels; 0: not known.")] = 0
    height: Annotated[int, Field(ge=0, le=MAX_SIDE_PX, description="In pixels; 0: not known.")] = 0

    def picture(self) -> Picture:
        """Return it as intake takes it."""
        return Picture(**self.model_dump())


class PushedArticle(Body):
    """An article as a newsroom's system tells it. Text is plain; a title or a body is needed."""

    url: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    section: str = ""
    source: str = ""
    lang: str = ""
    tags: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    published_at: Moment | None = None
    severity: Severity = Severity.NORMAL
    image: PushedImage | None = None


class JudgedArticle(BaseModel):
    """What became of a pushed article. `topics` are slugs, null as long as it has not been matched."""

    id: int
    status: Novelty
    reason: str
    title: str
    url: str
    revision: int
    published_at: AwareDatetime
    image: PushedImage | None
    topics: list[str] | None


class Given(Body):
    """Evidence of a reader's consent, for a key with the scope `personal`: then nobody is asked again.

    Of `ip`, only the network is kept; `wording` says which sentence they agreed to.
    """

    at: Moment
    how: Annotated[str, Field(min_length=1, max_length=200, description="Such as: checkout page, box ticked.")]
    page: Annotated[str, Field(max_length=500)] = ""
    wording: Annotated[str, Field(max_length=200)] = ""
    ip: Annotated[str, Field(max_length=60)] = ""


class Subscription(Body):
    """A reader's wish, as the newspaper's own page collected it."""

    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    name: str = ""
    locale: str = "en"
    timezone: str | None = Field(None, description="An IANA name; the newsroom's own zone when left out.")
    topics: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    newsletters: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    query: Annotated[str, Field(max_length=2_000)] = ""
    cadence: Cadence = Cadence.DAILY
    at: Annotated[tuple[str, ...], Field(description="Local times, such as 07:00.")] = ()
    weekday: Weekday | None = None
    consent: Given | None = None


class Subscribed(BaseModel):
    """Who is a reader now, since their consent came with the wish."""

    status: Literal["subscribed"] = "subscribed"
    id: int


class Received(BaseModel):
    """The same answer for every address, known or not."""

    status: Literal["received"] = "received"
    detail: str = "If this address may get mail from us, its owner is asked to confirm."


@router.post(
    "/articles",
    dependencies=[Depends(needs(Scope.ARTICLES))],
    status_code=201,
    response_model=JudgedArticle,
    responses={
        200: {"model": JudgedArticle, "description": "Known already, or a new version of a known one."},
        202: {"model": JudgedArticle, "description": "Stored, not matched yet; push it again to see its topics."},
        **PROBLEMS,
    },
)
def push_article(site: AnySite, article: PushedArticle, response: Response) -> JudgedArticle:
    """Take an article in, and tell its topics if matching is done within two seconds."""
    image = article.image.picture() if article.image else None
    parsed = ParsedArticle(**article.model_dump(exclude={"image"}), image=image)
    added = site.house.add_article(parsed)
    if added.stored:
        site.house.ring("match_article", added.id)
    stored = wait_until_matched(site, added.id)
    is_new = added.stored and added.status is not Novelty.UPDATE
    response.status_code = 202 if stored.matched_at is None else 201 if is_new else 200
    return judged(site, added, stored)


@router.post(
    "/subscriptions",
    status_code=202,
    response_model=Received | Subscribed,
    responses={
        200: {"model": Subscribed, "description": "A reader already, who follows this too now."},
        201: {"model": Subscribed, "description": "A reader now: the consent came with the wish."},
        **PROBLEMS,
    },
)
def subscribe(
    *,
    request: Request,
    site: AnySite,
    wanted: Subscription,
    response: Response,
    holder: Annotated[str, Depends(needs(Scope.SUBSCRIPTIONS))],
) -> Received | Subscribed:
    """Ask the owner of an address whether they want this. Nothing is sent before they have confirmed.

    With `consent`, nobody is asked, but who has left before; and a suppressed address gets nothing.
    """
    if wanted.consent is None:
        charge_key(site, holder)
    with about("email"):
        address = normalise(wanted.email)
    with about("query"):
        wish = _wish(site, wanted).checked(site.check_query)
    if wanted.consent is not None:
        return _vouch(request, site, response, address=address, wish=wish, given=wanted.consent)
    refuse_disposable(address, disposable=Disposable(site.house.settings.disposable))
    sign_up(
        site.house.database,
        address=address,
        wish=wish,
        evidence=site.evidence(request, "API"),
        hash_address=site.house.address_hash,
        check_query=site.check_query,
        limits=site.house.question_limits,
    )
    site.house.ring("sweep_planning")  # also where nobody is asked: the time that an answer takes tells nothing
    return Received()


def _vouch(
    request: Request, site: Site, response: Response, *, address: Address, wish: Wish, given: Given
) -> Received | Subscribed:
    holder = holder_of(request)
    if holder is None or not may(holder, Scope.PERSONAL):
        raise HTTPException(403, "evidence of consent is taken from keys with the scope personal only")
    if given.at > site.now():
        raise InputError("this is still to come", where="consent.at", hint="say when the reader said yes")
    network = ip_prefix(given.ip) if given.ip else ""
    if given.ip and not network:
        raise InputError("this is no IP address", where="consent.ip", hint="leave it out where it is not known")
    evidence = Evidence(how=given.how, page=given.page, wording=given.wording, ip_prefix=network, at=given.at)
    vouched = vouch(
        site.house.database,
        address=address,
        wish=wish,
        evidence=evidence,
        hash_address=site.house.address_hash,
        check_query=site.check_query,
    )
    if vouched.asked:
        site.house.ring("sweep_planning")
    if vouched.subscriber_id is None:
        return Received()
    response.status_code = 201 if vouched.is_new else 200
    return Subscribed(id=vouched.subscriber_id)


@contextmanager
def about(field: str) -> Iterator[None]:
    """Give an error that names no field of its own this one."""
    try:
        yield
    except InputError as error:
        raise InputError(error.message, where=error.where or field, hint=error.hint) from error


def _wish(site: Site, wanted: Subscription) -> Wish:
    try:
        rhythm = Rhythm(cadence=wanted.cadence, times=wanted.at, weekday=wanted.weekday)
        follows = [Follow(topic=slug, rhythm=rhythm) for slug in wanted.topics]
        follows += [Follow(newsletter=slug) for slug in wanted.newsletters]
        follows += [Follow(query=wanted.query, rhythm=rhythm)] if wanted.query else []
        timezone = wanted.timezone or site.house.settings.timezone
        return Wish(follows=tuple(follows), locale=wanted.locale, timezone=timezone, name=wanted.name)
    except ValueError as error:
        raise _input_error(error) from error


def _input_error(error: ValueError) -> InputError:
    """Tell pydantic's first complaint about a wish as one about the field that was sent."""
    found = error.errors()[0] if hasattr(error, "errors") else {"loc": (), "msg": str(error)}
    field = str(found["loc"][0]) if found["loc"] else ""
    message = str(found["msg"]).removeprefix("Value error, ")
    return InputError(message, where={"times": "at"}.get(field, field))


def wait_until_matched(site: Site, article_id: ArticleId) -> StoredArticle:
    """Return an article as soon as it is matched, or as it is after a short while."""
    deadline_s = time.monotonic() + _MATCHED_WITHIN_S
    while True:
        with site.house.database.read() as conn:
            stored = articles.by_id(conn, article_id)
        if stored is None:
            raise InputError("the article has been removed meanwhile")
        if stored.matched_at is not None or time.monotonic() >= deadline_s:
            return stored
        time.sleep(_LOOK_EVERY_S)


def judged(site: Site, added: Added, stored: StoredArticle) -> JudgedArticle:
    """Tell what became of an article."""
    with site.house.database.read() as conn:
        slugs = topics.slugs_of(conn, added.id) if stored.matched_at is not None else None
    return JudgedArticle(
        id=added.id,
        status=added.status,
        reason=added.reason,
        title=stored.title,
        url=stored.url,
        revision=stored.revision,
        published_at=stored.published_at,
        image=PushedImage(**asdict(stored.image)) if stored.image else None,
        topics=slugs,
    )
