"""The newsroom's accent colour, made readable on white paper and on dark.

Decides by WCAG 2.2's contrast formula. Pure; `compile` calls it once, when it starts.
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass

from worker.errors import ConfigurationError

LIGHT_TINT = "#f7f5f0"  # the box "why you got this": a little darker than the paper, so the harder case
DARK_TINT = "#27272a"  # a little lighter than the dark paper, likewise
_READABLE = 4.5  # WCAG 2.2, 1.4.3: text of ordinary size

_RGB = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The colours that depend on the accent, as `#rrggbb`; white is readable on `accent`, too."""

    accent: str
    accent_dark: str
    tint: str = LIGHT_TINT
    tint_dark: str = DARK_TINT

    @classmethod
    def of(cls, accent: str, *, dark: str = "") -> Palette:
        """Make the palette of an accent, and perhaps of another one for dark paper.

        The accent is darkened until it can be read; one that is meant for dark paper is taken at its word. Raises
        `ConfigurationError` when it cannot be read there, or when either is no `#rgb` or `#rrggbb`.

        >>> Palette.of("#8a1c1c").accent, Palette.of("#fc0").accent, Palette.of("#8a1c1c", dark="#ff8a80").accent_dark
        ('#8a1c1c', '#866b00', '#ff8a80')
        """
        if dark and (ratio := contrast(_rgb(dark), _rgb(DARK_TINT))) < _READABLE:
            raise ConfigurationError(
                f"TOCSIN_ACCENT_DARK={dark} cannot be read on dark paper: its contrast with {DARK_TINT} is "
                f"{ratio:.1f}, at least {_READABLE} is needed; "
                f"for example TOCSIN_ACCENT_DARK={readable(dark, on=DARK_TINT)}"
            )
        return cls(accent=readable(accent, on=LIGHT_TINT), accent_dark=dark or readable(accent, on=DARK_TINT))


def readable(colour: str, *, on: str) -> str:
    """Lighten or darken a colour, keeping its hue, by as little as makes it readable on a paper.

    >>> readable("#8a1c1c", on="#ffffff"), readable("#8a1c1c", on="#1c1c1e")
    ('#8a1c1c', '#de5b5b')
    """
    paper = _rgb(on)
    hue, lightness, saturation = rgb_to_hls(*(part / 255 for part in _rgb(colour)))
    goal = 0.0 if _luminance(paper) > 0.5 else 1.0
    steps = (lightness + (goal - lightness) * step / 40 for step in range(41))
    tones = (_whole(hls_to_rgb(hue, step, saturation)) for step in steps)
    return "#{:02x}{:02x}{:02x}".format(*next(tone for tone in tones if contrast(tone, paper) >= _READABLE))


def contrast(one: _RGB, other: _RGB) -> float:
    """Return the contrast ratio of two colours: from 1 to 21.

    >>> round(contrast((0, 0, 0), (255, 255, 255)))
    21
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _rgb(colour: str) -> _RGB:
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", colour):
        raise ConfigurationError(f"the accent colour {colour!r} is none; write it as #8a1c1c")
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _whole(parts: tuple[float, float, float]) -> _RGB:
    red, green, blue = (round(part * 255) for part in parts)
    return red, green, blue


def _luminance(colour: _RGB) -> float:
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
