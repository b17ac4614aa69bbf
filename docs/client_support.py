"""Distils worker/preflight/client_support.json from Can I email's data: `python docs/client_support.py caniemail.json`.

The data come with the npm package `caniemail`, as data/caniemail.json. Kept is only what some client of those that
matter does not support at all, by the names under which `worker.preflight.check_styles` finds it in a mail.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[1] / "worker" / "preflight" / "client_support.json"
# Naver and other Korean clients are not among those that are tested.
CLIENTS: Final = {
    "Gmail": (("gmail", "desktop-webmail"), ("gmail", "android"), ("gmail", "ios")),
    "Outlook for Windows": (("outlook", "windows"),),
    "Outlook.com": (("outlook", "outlook-com"),),
    "Apple Mail": (("apple-mail", "macos"), ("apple-mail", "ios")),
    "Yahoo": (("yahoo", "desktop-webmail"), ("yahoo", "android")),
    "Samsung Email": (("samsung-email", "android"),),
}
# Features whose name says less than what stands in a mail. "" leaves out what a mail cannot be searched for.
NAMES: Final[dict[str, str]] = {
    "css-left-right-top-bottom": "property left;property right;property top;property bottom",
    "css-margin-inline-block": "property margin-inline;property margin-block",
    "css-margin-inline-start-end": "property margin-inline-start;property margin-inline-end",
    "css-margin-block-start-end": "property margin-block-start;property margin-block-end",
    "css-padding-inline-block": "property padding-inline;property padding-block",
    "css-padding-inline-start-end": "property padding-inline-start;property padding-inline-end",
    "css-padding-block-start-end": "property padding-block-start;property padding-block-end",
    "css-border-inline-block": "property border-inline;property border-block",
    "css-column-layout-properties": "property columns;property column-width;property column-rule;property column-span",
    "css-scroll-snap": "property scroll-snap-type;property scroll-snap-align",
    "css-block-inline-size": "property block-size",
    "css-grid-template": "property grid-template;property grid-template-columns;property grid-template-rows",
    "css-display-flex": "value display flex;value display inline-flex",
    "css-display-grid": "value display grid;value display inline-grid",
    "css-linear-gradient": "function linear-gradient",
    "css-radial-gradient": "function radial-gradient",
    "css-conic-gradient": "function conic-gradient",
    "css-variables": "function var",
    "css-unit-calc": "function calc",
    "css-modern-color": "function lab;function lch;function oklab;function oklch;function color",
    "css-unit-percent": "unit %",
    "css-unit-initial": "",
    "css-important": "",
    "css-comments": "",
    "css-nesting": "",
    "css-border-radius-logical": "property border-start-start-radius;property border-end-end-radius",
    "css-border-inline-block-individual": "",
    "css-border-inline-block-longhand": "",
    "css-intrinsic-size": "",
    "css-sytem-ui": "",
    "css-rgb": "",
    "css-rgba": "function rgba",
    "css-display": "",
    "css-inert-attribute": "attribute inert",
    "css-font": "",
    "html-input-text": "element input",
    "html-button-submit": "element button",
    "html-svg": "element svg",
    "html-srcset": "attribute srcset",
    "html-loading-attribute": "attribute loading",
    "html-popover": "attribute popover",
    "html-hidden": "attribute hidden",
    "html-image-maps": "element map",
    "image-base64": "image base64",
}
ELEMENTS: Final = re.compile(
    "audio|base|bdi|dialog|form|link|marquee|meter|object|picture|progress|ruby|select|textarea|video|wbr"
)
IMAGES: Final = re.compile("apng|avif|bmp|heif|ico|svg|tiff|webp")
LICENCE: Final = (
    "Distilled from the data of Can I email, https://www.caniemail.com, by Rémi Parmentier and contributors, as the "
    "npm package caniemail has them. MIT License. Copyright © Avi Goldman, Copyright © Andrew Powell "
    "<andrew@shellscape.org>. Permission is hereby granted, free of charge, to any person obtaining a copy of this "
    'software and associated documentation files (the "Software"), to deal in the Software without restriction, '
    "including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell "
    "copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the "
    "following conditions: The above copyright notice and this permission notice shall be included in all copies or "
    'substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR '
    "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND "
    "NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER "
    "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE "
    "SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."
)


def distilled(data: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept: by a feature's name in a mail, who lacks it and which page tells more."""
    features = {}
    for feature in data["data"]:
        lacking = [name for name, places in CLIENTS.items() if _lacks(feature["stats"], places)]
        for name in _names(feature["slug"]) if lacking else ():
            features[name] = {"page": feature["slug"], "without": lacking}
    return {
        "about": LICENCE,
        "date": data["last_update_date"][:10],
        "clients": list(CLIENTS),
        "features": dict(sorted(features.items())),
    }


def _lacks(stats: dict[str, dict[str, dict[str, str]]], places: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether a client's newest tested version has nothing of a feature, on any of its platforms."""
    tested = (stats.get(family, {}).get(platform) for family, platform in places)
    return any(list(results.values())[-1].split()[0] == "n" for results in tested if results)


def _names(slug: str) -> Iterator[str]:
    if slug in NAMES:
        yield from filter(None, NAMES[slug].split(";"))
    elif found := re.fullmatch(r"css-at-media-([\w-]+)", slug):
        yield f"media {found[1]}"
    elif found := re.fullmatch(r"css-at-([\w-]+)", slug):
        yield f"rule {found[1]}"
    elif found := re.fullmatch(r"css-(?:pseudo-class|pseudo-element)-([\w-]+)", slug):
        yield f"pseudo {found[1]}"
    elif found := re.fullmatch(r"css-(unit|function)-([\w-]+)", slug):
        yield f"{found[1]} {found[2]}"
    elif slug.startswith("css-selector-"):
        return
    elif slug.startswith("css-"):
        yield f"property {slug.removeprefix('css-')}"
    elif ELEMENTS.fullmatch(slug.removeprefix("html-")):
        yield f"element {slug.removeprefix('html-')}"
    elif IMAGES.fullmatch(slug.removeprefix("image-")):
        yield f"image {slug.removeprefix('image-')}"


def written(kept: dict[str, Any]) -> str:
    """Return the file's text, a feature a line, so that its next version can be compared."""
    features = kept.pop("features")
    lines = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in features.items()]
    head = json.dumps(kept, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{head},\n "features": {{\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    [source] = sys.argv[1:]
    kept = distilled(json.loads(Path(source).read_text(encoding="utf-8")))
    FILE.write_text(written(kept), encoding="utf-8")
