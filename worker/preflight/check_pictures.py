"""Checks a mail's pictures: words in their place, their size on the page, what their servers have answered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from worker.preflight.check_links import grouped, some
from worker.preflight.findings import Check, Finding, ok, problem, unchecked, warning
from worker.preflight.links import Answer, pictures_of, without_fragment
from worker.preflight.mail import Mail

HEAVY_BYTES: Final = 1_000_000


def check_pictures(mail: Mail, answers: Mapping[str, Answer] | None) -> Iterator[Finding]:
    """Check every picture; `answers` as for links."""
    addresses = pictures_of(mail)
    findings = [*_written(mail), *(_answered(addresses, answers) if answers is not None else ())]
    yield from findings
    if not addresses:
        yield from () if findings else [ok(Check.PICTURES, "there are none")]
    elif answers is None:
        yield unchecked(Check.PICTURES, "no server was asked", "run it without --offline")
    elif not findings:
        yield ok(Check.PICTURES, f"{len(addresses)}, all there, with words in their place")


def _written(mail: Mail) -> Iterator[Finding]:
    pictures = mail.page.of("img")
    wordless = [one.get("src") for one in pictures if "alt" not in one.attributes]
    if wordless:
        advice = 'give each an alt: what it shows, or alt="" where it only decorates'
        yield problem(Check.PICTURES, f"without alt: {some(wordless)}", advice)
    sizeless = [one.get("src") for one in pictures if not (one.get("width") and one.get("height"))]
    if sizeless:
        advice = "give width and height: Outlook shows it in its full size, and text leaps when it comes"
        yield warning(Check.PICTURES, f"without width or height: {some(sizeless)}", advice)
    plain = [url for url in pictures_of(mail) if url.lower().startswith("http://")]
    if plain:
        yield warning(
            Check.PICTURES, f"http, not https: {some(plain)}", "use https: some clients show no other pictures"
        )
    if any(one.get("src").strip() == "" for one in pictures):
        yield problem(Check.PICTURES, "a picture has no address", "mend the template")


def _answered(addresses: tuple[str, ...], answers: Mapping[str, Answer]) -> Iterator[Finding]:
    mine = {url: answer for one in addresses if (answer := answers.get(url := without_fragment(one)))}
    for (kind, said), urls in grouped(mine).items():
        if kind == "broken":
            advice = "put the picture there, or take it out of the article"
            yield problem(Check.PICTURES, f"{some(urls)} {said}", advice, is_breakage=True)
        elif kind == "doubtful":
            yield warning(Check.PICTURES, f"{some(urls)} {said}", "open it in a browser", is_breakage=False)
        else:
            yield unchecked(Check.PICTURES, f"{some(urls)}: {said}", "look yourself")
    for url, answer in mine.items():
        if answer.status is None or answer.status >= 400:
            continue
        kind = answer.content_type.partition(";")[0].strip().lower()
        if not kind.startswith("image/"):
            found = f"{url[:200]} is {kind or 'of no kind that its server names'}, no picture"
            yield problem(Check.PICTURES, found, "put the address of the picture itself there", is_breakage=True)
        if answer.size_bytes is not None and answer.size_bytes > HEAVY_BYTES:
            found = f"{url[:200]} has {answer.size_bytes / 1e6:.1f} MB or more"
            yield warning(Check.PICTURES, found, "make it smaller: 200 KB are plenty for a mail")
