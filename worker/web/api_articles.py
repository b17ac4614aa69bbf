"""`/api/v1/articles/{id}`: an editor's system looks at an article, changes it, breaks it, or stops its story.

Parses and answers; intake, planning and delivery decide.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field

from worker.delivery.run_withdrawal import withdraw
from worker.errors import InputError
from worker.intake.circumstances import Added
from worker.intake.run_correcting import Correction, correct
from worker.intake.run_edits import Edit, edit
from worker.intake.run_ledger import ledger_of
from worker.model import ArticleId, Severity
from worker.planning.run_corrections import carry_out
from worker.planning.run_editing import NOTE_CHARS, boost, break_news, update_materially
from worker.store import articles
from worker.web.api import MISSING, PROBLEMS, Body, JudgedArticle, PushedImage, judged, wait_until_matched
from worker.web.api_editions import Number, Why
from worker.web.api_keys import Scope, needs
from worker.web.ledger_shape import ArticleLedger
from worker.web.site import AnySite

router = APIRouter(prefix="/api/v1", tags=["v1"])
Editor = Annotated[str, Depends(needs(Scope.ARTICLES))]


class ShownArticle(JudgedArticle):
    """An article with its ledger."""

    ledger: ArticleLedger


class ChangedArticle(Body):
    """What an editor changes of an article; what is left out stays as it is."""

    title: str | None = None
    summary: str | None = None
    body: str | None = None
    section: str | None = None
    tags: Annotated[tuple[str, ...] | None, Field(max_length=100)] = None
    severity: Severity | None = Field(None, description="`breaking` has the story alerted at once.")
    image: PushedImage | None = Field(None, description="`null` takes the picture away. Nothing is sent again for it.")
    boost: Annotated[int | None, Field(ge=-5, le=5, description="Lifts the story in digests and newsletters.")] = None
    material: Annotated[bool, Field(description="Whoever was sent the story may be sent it once more.")] = False
    note: Annotated[str, Field(max_length=NOTE_CHARS, description="What is new in a material update.")] = ""


class Broken(BaseModel):
    """What breaking a story has led to: how many readers follow it immediately."""

    article: int
    story: int
    changed: bool
    readers: int
    says: str


class Stopped(BaseModel):
    """What stopping a story has led to: mails cancelled, mails that go out without it, mails that had been sent."""

    article: int
    story: int
    changed: bool
    cancelled: int
    shortened: int
    sent: int
    says: str


class CorrectedArticle(Body):
    """What an editor corrects of an article; what is left out stays as it is."""

    title: str | None = None
    summary: str | None = None
    body: str | None = None
    note: Annotated[str, Field(max_length=NOTE_CHARS, description="What was wrong, as readers are told.")]
    retract: Annotated[bool, Field(description="The article is told no more.")] = False
    mail: Annotated[bool, Field(description="Whoever was sent the faulty version gets a mail about it.")] = True


class Corrected(BaseModel):
    """What a correction has led to: mails that go out without the fault, cancelled, sent before, and told of it."""

    article: int
    story: int
    revision: int
    rerendered: int
    cancelled: int
    sent: int
    mails: int
    correction: int
    says: str


@router.get("/articles/{article_id}", response_model=ShownArticle, responses=PROBLEMS | MISSING)
def show(site: AnySite, article_id: Number, _actor: Editor) -> ShownArticle:
    """Show an article with what became of it, and when it came to which step."""
    number = ArticleId(article_id)
    with site.house.database.read() as conn:
        stored = articles.by_id(conn, number)
    ledger = ledger_of(site.house.database, number)
    if stored is None or ledger is None:
        raise _missing(article_id)
    added = Added(id=number, status=stored.novelty, reason=stored.reason, stored=False)
    told = ArticleLedger.model_validate(ledger.told())
    return ShownArticle(**judged(site, added, stored).model_dump(), ledger=told)


@router.patch(
    "/articles/{article_id}",
    response_model=JudgedArticle,
    responses={202: {"model": JudgedArticle, "description": "Changed, not matched yet."}, **PROBLEMS, **MISSING},
)
def change(site: AnySite, article_id: Number, changed: ChangedArticle, actor: Editor) -> JudgedArticle:
    """Change an article. Its new words are matched again; what has been sent stays as it was sent."""
    house, number = site.house, ArticleId(article_id)
    if changed.material and not changed.note.strip():
        raise InputError("a material update says what is new", where="note")
    edited = edit(house.database, number, _edit(changed))
    if edited is None:
        raise _missing(article_id)
    if edited.stored:
        house.ring("match_article", number)
    stored = wait_until_matched(site, number)
    if changed.boost is not None:
        boost(house.database, number, changed.boost, actor=actor)
    if changed.material:
        update_materially(house.database, house.planning_policy, number, note=changed.note, actor=actor)
    if changed.severity is Severity.BREAKING:
        break_news(house.database, number, actor=actor)
    if changed.material or changed.severity is Severity.BREAKING:
        house.ring("plan_alerts")
    return judged(site, edited, stored)


@router.post("/articles/{article_id}/break", response_model=Broken, responses=PROBLEMS | MISSING)
def break_article(site: AnySite, article_id: Number, actor: Editor, why: Why | None = None) -> dict[str, object]:
    """Make an article breaking news: alerted at once, in quiet hours and beyond budgets too. Safe to repeat."""
    reason = why.reason if why else ""
    broken = break_news(site.house.database, ArticleId(article_id), actor=actor, reason=reason)
    if broken is None:
        raise _missing(article_id)
    site.house.ring("plan_alerts")
    return broken.told()


@router.post("/articles/{article_id}/kill", response_model=Stopped, responses=PROBLEMS | MISSING)
def kill(site: AnySite, article_id: Number, actor: Editor, why: Why | None = None) -> dict[str, object]:
    """Stop the story that an article tells, for good, in everything that has not been sent. Safe to repeat."""
    withdrawn = withdraw(site.house.database, ArticleId(article_id), actor=actor, reason=why.reason if why else "")
    if withdrawn is None:
        raise _missing(article_id)
    return withdrawn.told()


@router.post("/articles/{article_id}/correct", response_model=Corrected, responses=PROBLEMS | MISSING)
def correct_article(site: AnySite, article_id: Number, asked: CorrectedArticle, actor: Editor) -> dict[str, object]:
    """Correct or retract an article: in all that is unsent, and by a mail to exactly those who were sent the fault.

    Without new words, the article's last change is what corrects it.
    """
    house, number = site.house, ArticleId(article_id)
    changed = Edit(title=asked.title, summary=asked.summary, body=asked.body)
    wanted = Correction(note=asked.note, changed=changed, retracts=asked.retract, mails=asked.mail)
    corrected = correct(house.database, number, wanted, actor=actor)
    if corrected is None:
        raise _missing(article_id)
    house.ring("match_article", number)
    done = carry_out(house.database, house.planning_policy, corrected.correction, revision=corrected.revision)
    house.ring("sweep_planning")
    return done.told()


def _edit(changed: ChangedArticle) -> Edit:
    given = changed.model_dump(include=set(Edit.__slots__) - {"image"})
    image = changed.image.picture() if changed.image else None
    return Edit(**given, image=image, without_image=image is None and "image" in changed.model_fields_set)


def _missing(article_id: int) -> HTTPException:
    return HTTPException(404, f"there is no article {article_id}")
