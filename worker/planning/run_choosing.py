"""What editors do with an issue of a newsletter before it goes: look at it, choose, let it go, skip it, try it out.

Each act is one transaction with its audit row. Called by the command line and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from worker.content import NewsletterContent, hash_of
from worker.errors import InputError
from worker.facts import Copy, EditionPlan, Issue, StoredNewsletter
from worker.model import Approval, EditionId, EditionKind, EditionStatus, Lane, StoryId, SubscriberStatus, Timing
from worker.planning.decide_newsletter import Skipped, for_reader
from worker.planning.newsletter_content import as_test, issue_content
from worker.planning.rules import Policy
from worker.planning.run_issues import Made, end, freeze, make, tellings_of
from worker.planning.run_preflight import let_go, waive
from worker.store import contents, editions, house, issues, newsletters, preflights
from worker.store.contents import FrozenContent
from worker.store.database import Database, now
from worker.store.people import Reader

_TEST_EXPIRES: Final = timedelta(hours=1)
_NAMES_STORIES: Final = ("pins", "order", "dropped", "notes")
_Words = Annotated[str, Field(max_length=5_000)]
_Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
_Stories = Annotated[tuple[_Number, ...], Field(max_length=100)]


class Choosing(BaseModel):
    """What an editor chooses for one issue: stories by their numbers, in order, and words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pins: _Stories = ()  # first, in this order
    order: _Stories = ()  # next, in this order; the rest follow by rank
    dropped: _Stories = ()
    notes: dict[_Number, _Words] = Field(default_factory=dict)  # words on stories
    note: _Words = ""  # above all of them
    subject: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """An issue as it would go now: its content for a reader who has seen nothing, and the stories in their order.

    `reason` says why there is none. `spare` are those that come in where a reader has seen some of it.
    """

    issue: Issue
    newsletter: StoredNewsletter
    content: NewsletterContent | None
    reason: str
    stories: tuple[Mapping[str, Any], ...]
    spare: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """What an act has made of an issue; `refused` when it has made nothing, and `says` why."""

    id: EditionId
    status: EditionStatus
    says: str
    refused: bool = False
    made: tuple[EditionId, ...] = field(default=())  # editions that have rows to send

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {"id": self.id, "status": self.status, "changed": not self.refused, "says": self.says}


def read_choices(text: str) -> Choosing:
    """Read choices from YAML. Raises `InputError` that names the field."""
    try:
        return Choosing.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        known = ", ".join(Choosing.model_fields)
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(str(problem["msg"]), where=where, hint=f"the fields are {known}") from error


def look(database: Database, edition_id: EditionId) -> Looked:
    """Show an issue as it would go now. Raises `InputError` for what is no issue."""
    with database.read() as conn:
        return _look(conn, *_issue_of(conn, edition_id))


def choose(database: Database, edition_id: EditionId, choosing: Choosing, *, actor: str) -> Edited:
    """Store what an editor chose, in place of what was chosen before. Raises as `choose_anew`."""
    return choose_anew(database, edition_id, lambda _before: choosing, actor=actor)


def choose_anew(
    database: Database, edition_id: EditionId, edit: Callable[[Choosing], Choosing], *, actor: str
) -> Edited:
    """Store what `edit` makes of what was chosen before; nobody else chooses meanwhile. It may raise what it likes.

    Raises `InputError` for what is no issue, and for a story that nothing tells.
    """
    with database.write() as conn:
        issue, _ = _issue_of(conn, edition_id, locked=True)
        is_held = issue.status is EditionStatus.HELD  # then what is fixed is what is to be mended
        if refused := _gone(issue) or (None if is_held else _fixed(issue)):
            return refused
        choosing = edit(Choosing.model_validate(issue.choices))
        named = {*choosing.pins, *choosing.order, *choosing.dropped, *choosing.notes}
        told = set(tellings_of(conn, [StoryId(story) for story in sorted(named)]))
        if missing := sorted(named - told):
            hint = f"`tocsin editions preview {edition_id}` shows their numbers"
            where = next(name for name in _NAMES_STORIES if missing[0] in getattr(choosing, name))
            raise InputError(f"nothing tells the story {missing[0]}", where=where, hint=hint)
        chosen = choosing.model_dump(mode="json")
        issues.choose(conn, issue.id, chosen)
        preflights.forget(conn, issue.id)
        house.note(conn, actor=actor, action="choose", subject=f"edition {issue.id}", choices=chosen)
        if is_held:
            issues.thaw(conn, issue.id)
            let_go(conn, issue, actor=actor, why="chosen anew")
            again = ", and is to be approved again" if issue.approved_at else ""
            says = f"edition {issue.id}: chosen; it is a draft again{again}"
            return Edited(id=issue.id, status=EditionStatus.DRAFT, says=says)
        return Edited(id=issue.id, status=issue.status, says=f"edition {issue.id}: chosen")


def approve(
    database: Database, edition_id: EditionId, *, actor: str, at_once: bool = False, anyway: bool = False
) -> Edited:
    """Let an issue go when it is due: from now on it is fixed. One that may go already goes at once.

    One that comes to its readers by their own clocks does so in either case. `anyway`: whatever its preflight finds.
    """
    with database.write() as conn:
        issue, newsletter = _issue_of(conn, edition_id, locked=True)
        if refused := _gone(issue) or (None if anyway else _held(issue)):
            return refused
        if anyway:
            waive(conn, issue, actor=actor)
        at = now(conn)
        is_new = issue.approved_at is None
        if is_new:
            made = make(conn, newsletter, issue, at=at)
            if isinstance(skipped := for_reader(made.ranking, made.news, made.selection, seen={}), Skipped):
                says = f"edition {issue.id} has too little: {skipped.reason}"
                return Edited(id=issue.id, status=issue.status, says=says, refused=True)
            freeze(conn, issue, made)
            issues.approve(conn, issue.id, by=actor, at=at)
        by_readers = newsletter.timing is Timing.READER
        goes_now = not by_readers and (at_once or not is_new or newsletter.approval is Approval.AUTOMATIC)
        if goes_now and issue.due_at > at:
            issues.change(conn, issue.id, due_at=at, reason="")
        house.note(conn, actor=actor, action="send", subject=f"edition {issue.id}", at_once=goes_now)
        if by_readers:
            when = "each reader gets it at their own time"
        elif goes_now or issue.due_at <= at:
            when = "it goes out now"
        else:
            when = f"it goes out at {issue.due_at:%Y-%m-%d %H:%M} UTC"
        return Edited(id=issue.id, status=issue.status, says=f"edition {issue.id} is approved: {when}")


def skip(database: Database, edition_id: EditionId, *, actor: str, reason: str) -> Edited:
    """Let an issue not go. Its stories may come in the next one."""
    with database.write() as conn:
        issue, _ = _issue_of(conn, edition_id, locked=True)
        if refused := _gone(issue):
            return refused
        parts, copies = issues.parts_of(conn, issue.id)
        end(conn, issue, reason=reason or "skipped", copies=None if parts else 0)
        house.note(conn, actor=actor, action="skip", subject=f"edition {issue.id}", reason=reason)
        rest = f"; {copies} readers had their time before" if parts else ""
        return Edited(id=issue.id, status=EditionStatus.FINISHED, says=f"edition {issue.id} is skipped{rest}")


def send_test(
    database: Database, policy: Policy, edition_id: EditionId, reader: Reader | None, *, actor: str
) -> Edited:
    """Send an issue as it would go now to one reader, marked as a test. They have not seen its stories by that.

    Only to a reader who has confirmed: nobody else may be written to. Raises `InputError` for anybody else.
    """
    with database.write() as conn:
        issue, newsletter = _issue_of(conn, edition_id)
        looked = _look(conn, issue, newsletter)
        if looked.content is None:
            says = f"edition {issue.id} has nothing to show: {looked.reason}"
            return Edited(id=issue.id, status=issue.status, says=says, refused=True)
        if reader is None or reader.email is None or reader.status is not SubscriberStatus.ACTIVE:
            hint = "sign the address up, or `tocsin subscribers import FILE --confirmed`"
            raise InputError("a test goes to a confirmed reader only", where="address", hint=hint)
        at = now(conn)
        plan = EditionPlan(
            kind=EditionKind.SYSTEM,
            slot=f"test of {issue.slot} for reader {reader.id} at {at:%Y-%m-%dT%H:%M:%S.%fZ}",
            locale=newsletter.locale,
            lane=Lane.BULK,
            due_at=at,
            expires_at=at + _TEST_EXPIRES,
        )
        made = editions.open_edition(conn, plan)
        if made is None:  # pragma: no cover  two tests in one microsecond
            raise InputError("there is such a test already", hint="try again")
        body = as_test(looked.content).model_dump_json()
        key = hash_of(body)
        # Without a word of which stories it shows: who tries an issue out has not been told them.
        content_id = contents.intern(conn, {key: FrozenContent(body, ())})[key]
        copy = Copy(subscriber_id=reader.id, recipient=reader.email, content_id=content_id, subscriptions=())
        editions.add_rows(conn, made, [copy], lane=Lane.BULK, domain=policy.domain)
        editions.close_edition(conn, made)
        house.note(conn, actor=actor, action="test-send", subject=f"edition {issue.id}", reader=reader.id)
        says = f"edition {issue.id} goes out as a test: edition {made}"
        return Edited(id=issue.id, status=issue.status, says=says, made=(made,))


def _look(conn: Connection, issue: Issue, newsletter: StoredNewsletter) -> Looked:
    made = make(conn, newsletter, issue, at=now(conn))
    chosen = for_reader(made.ranking, made.news, made.selection, seen={})
    told = tellings_of(conn, made.ranking)
    content = None if isinstance(chosen, Skipped) else issue_content(newsletter, issue, chosen.stories, told)
    reason = chosen.reason if isinstance(chosen, Skipped) else ""
    rows = {story: _row(story, made, issue, told[story][0].title, told[story][0].outlet) for story in told}
    return Looked(
        issue=issue,
        newsletter=newsletter,
        content=content,
        reason=reason,
        stories=tuple(rows[story] for story in chosen.stories if story in rows),
        spare=tuple(rows[story] for story in made.ranking if story in rows and story not in chosen.stories),
    )


def _row(story: StoryId, made: Made, issue: Issue, title: str, outlet: str) -> dict[str, Any]:
    facts = made.news.stories[story]
    return {
        "story": story,
        "title": title,
        "source": outlet,
        "outlets": facts.outlets,
        "section": facts.section,
        "published_at": facts.published_at,
        "pinned": story in issue.choices.get("pins", ()),
    }


def _issue_of(conn: Connection, edition_id: EditionId, *, locked: bool = False) -> tuple[Issue, StoredNewsletter]:
    issue = issues.issue(conn, edition_id, locked=locked)
    newsletter = newsletters.by_id(conn, issue.newsletter_id) if issue else None
    if issue is None or newsletter is None:
        raise InputError(f"edition {edition_id} is no newsletter's issue", hint="see `tocsin editions list`")
    return issue, newsletter


def _gone(issue: Issue) -> Edited | None:
    """Refuse to touch an issue that is no draft any more."""
    if issue.is_waiting:
        return None
    because = f": {issue.reason}" if issue.reason else ""
    says = f"edition {issue.id} is {issue.status} already{because}"
    return Edited(id=issue.id, status=issue.status, says=says, refused=True)


def _held(issue: Issue) -> Edited | None:
    """Refuse to let an issue go that its preflight holds."""
    if issue.status is not EditionStatus.HELD:
        return None
    says = f"edition {issue.id} is {issue.reason}. Mend it, or let it go as it is: `tocsin editions send --anyway`"
    return Edited(id=issue.id, status=issue.status, says=says, refused=True)


def _fixed(issue: Issue) -> Edited | None:
    """Refuse to change an issue whose stories are fixed."""
    if not issue.ranking:
        return None
    says = f"edition {issue.id} is fixed: what readers get does not change any more"
    return Edited(id=issue.id, status=issue.status, says=says, refused=True)
