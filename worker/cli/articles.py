"""`tocsin articles`: hand articles in, look at what is stored, break, update, correct and stop what was sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.article_ledger import print_ledger
from worker.cli.given import read_given
from worker.cli.house import Json, messages, opened_house, operator, print_json, print_rows
from worker.cli.versions import print_versions
from worker.errors import InputError
from worker.model import ArticleId, ParsedArticle

if TYPE_CHECKING:
    from worker.intake.run_edits import Edit

app = typer.Typer(help="Articles, and what they match.", no_args_is_help=True)


@app.command()
def add(
    files: Annotated[list[str], typer.Argument(help="Text, HTML, JSON or feed files; - for standard input.")],
    url: Annotated[str, typer.Option(help="Where the article stands, for a file that does not say.")] = "",
    source: Annotated[str, typer.Option(help="The outlet, for a file that does not say.")] = "",
    as_json: Json = False,
) -> None:
    """Take articles in and match them at once. All files are read before anything is stored."""
    documents = [(name, parsed) for name in files for parsed in _read(name, url)]
    found = opened_house()
    for name, parsed in documents:
        found.intake.check(parsed, where="" if name == "-" else name)
    rows = []
    for name, parsed in documents:
        outlet = source or found.newsroom.name
        added = found.intake.add(parsed, kind="file", outlet=outlet, where="" if name == "-" else name)
        found.matcher.match(added.id)
        rows.append({"id": added.id, "status": added.status, "reason": added.reason, "topics": _slugs(added.id)})
    found.ring("sweep_planning")
    print_rows(rows, as_json=as_json, columns=("id", "status", "reason", "topics"))


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Print the newest articles."""
    from worker.store import articles

    with opened_house().database.read() as conn:
        rows = [_row(article) for article in articles.latest(conn, limit=limit)]
    print_rows(rows, as_json=as_json, columns=("id", "status", "title", "outlet", "published_at", "topics"))


@app.command()
def show(
    article: Annotated[int, typer.Argument(help="The article's number.")],
    with_versions: Annotated[bool, typer.Option("--versions", help="And what each of its versions changed.")] = False,
    as_json: Json = False,
) -> None:
    """Print one article with what intake made of it, the topics that it matched, and when it came to which step."""
    from worker.intake.histories import diffs, history
    from worker.intake.run_ledger import ledger_of
    from worker.store import articles, versions

    with opened_house().database.read() as conn:
        stored = articles.by_id(conn, ArticleId(article))
        kept = versions.of_article(conn, ArticleId(article)) if with_versions else []
    ledger = ledger_of(opened_house().database, ArticleId(article))
    if stored is None or ledger is None:
        raise InputError(f"there is no article {article}", hint="see `tocsin articles list`")
    image = asdict(stored.image) if stored.image else None
    row = {**_row(stored), "url": stored.url, "image": image, "summary": stored.summary, "body": stored.body}
    told = history(kept)
    if as_json:
        print_json(
            {**row, "ledger": ledger.told()} | ({"versions": [one.told() for one in told]} if with_versions else {})
        )
        return
    print_rows([{"field": k, "value": v} for k, v in row.items()], as_json=False, columns=("field", "value"))
    print_ledger(ledger)
    print_versions(told, diffs(kept))


@app.command()
def kill(
    article: Annotated[int, typer.Argument(help="The article's number.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    as_json: Json = False,
) -> None:
    """Stop the story that an article tells, for good: nothing that is unsent, and no page, has it any more.

    Alerts of it are cancelled, digests go out without it. What has been sent is counted, and cannot be called back.
    """
    from worker.delivery.run_withdrawal import withdraw

    withdrawn = withdraw(opened_house().database, ArticleId(article), actor=operator(), reason=reason)
    if withdrawn is None:
        raise InputError(f"there is no article {article}", hint="see `tocsin articles list`")
    if as_json:
        print_json(withdrawn.told())
    messages.print(withdrawn.says)


@app.command("break")
def break_(
    article: Annotated[int, typer.Argument(help="The article's number.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    as_json: Json = False,
) -> None:
    """Make an article breaking news: its story is alerted at once, in quiet hours and beyond budgets too.

    Whoever has had the story gets it no second time: `update` marks what is new in it.
    """
    from worker.planning.run_editing import break_news

    found = opened_house()
    broken = break_news(found.database, ArticleId(article), actor=operator(), reason=reason)
    if broken is None:
        raise InputError(f"there is no article {article} that may be sent", hint="see `tocsin articles list`")
    found.ring("plan_alerts")
    if as_json:
        print_json(broken.told())
    messages.print(broken.says)


@app.command()
def update(
    article: Annotated[int, typer.Argument(help="The article's number.")],
    note: Annotated[str, typer.Option(help="What is new, as readers are told.")],
    as_json: Json = False,
) -> None:
    """Mark a material update: whoever was sent the article's story may be sent it once more, in the same thread."""
    from worker.planning.run_editing import update_materially

    found = opened_house()
    updated = update_materially(found.database, found.planning_policy, ArticleId(article), note=note, actor=operator())
    if updated is None:
        raise InputError(f"there is no article {article} that may be sent", hint="see `tocsin articles list`")
    found.ring("plan_alerts")
    if as_json:
        print_json(updated.told())
    messages.print(updated.says)


@app.command()
def correct(  # noqa: PLR0917  an option each
    article: Annotated[int, typer.Argument(help="The article's number.")],
    note: Annotated[str, typer.Option(help="What was wrong, as readers are told.")],
    file: Annotated[str, typer.Option(help="The article's new words: text, HTML or JSON; - for standard input.")] = "",
    retract: Annotated[bool, typer.Option("--retract", help="The article is told no more.")] = False,
    no_mail: Annotated[bool, typer.Option("--no-mail", help="Correct only what is unsent.")] = False,
    as_json: Json = False,
) -> None:
    """Correct an article: in all that is unsent, and by a mail to exactly those who were sent the faulty version.

    Without --file, the article's last change, by its feed or its newsroom, is what corrects it.
    """
    from worker.intake.run_correcting import Correction
    from worker.intake.run_correcting import correct as take
    from worker.planning.run_corrections import carry_out

    found = opened_house()
    wanted = Correction(note=note, changed=_new_words(file), retracts=retract, mails=not no_mail)
    corrected = take(found.database, ArticleId(article), wanted, actor=operator())
    if corrected is None:
        raise InputError(f"there is no article {article} that may be sent", hint="see `tocsin articles list`")
    found.matcher.match(ArticleId(article))
    done = carry_out(found.database, found.planning_policy, corrected.correction, revision=corrected.revision)
    found.ring("sweep_planning")
    if as_json:
        print_json(done.told())
    messages.print(done.says)


def _new_words(file: str) -> Edit:
    """Read what a file says of an article; what it leaves out stays as it is."""
    from worker.intake.run_edits import Edit

    if not file:
        return Edit()
    found = _read(file, "")
    if len(found) != 1:
        raise InputError(f"holds {len(found)} articles: a correction is of one", where=file)
    parsed = found[0]
    return Edit(title=parsed.title or None, summary=parsed.summary or None, body=parsed.body or None)


def _read(name: str, url: str) -> tuple[ParsedArticle, ...]:
    from worker.adapters.sources.files import read_document
    from worker.adapters.sources.limits import MAX_DOCUMENT_BYTES

    data = read_given(name, most_bytes=MAX_DOCUMENT_BYTES + 1, name=name)
    found = read_document(data, url=url, content_type="", file_name="" if name == "-" else name)
    if not found:
        messages.print(f"{name}: holds no article")
    return found


def _slugs(article_id: ArticleId) -> list[str]:
    from worker.store import topics

    with opened_house().database.read() as conn:
        return topics.slugs_of(conn, article_id)


def _row(article: Any) -> dict[str, Any]:  # noqa: ANN401  a StoredArticle, imported late
    return {
        "id": article.id,
        "status": article.novelty,
        "reason": article.reason,
        "topics": _slugs(article.id),
        "title": article.title,
        "outlet": article.outlet,
        "lang": article.lang,
        "revision": article.revision,
        "severity": article.severity,
        "published_at": article.published_at,
        "seen_at": article.seen_at,
        "matched_at": article.matched_at,
    }
