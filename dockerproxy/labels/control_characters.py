"""Control characters: what in a label could end a line of a log, or drive a terminal. Nobody writes it on purpose."""

from __future__ import annotations

import re

# C0, DEL and C1; the separators of lines and paragraphs; what turns the direction of a text (UAX #9 section 2).
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def has_controls(text: str) -> bool:
    """Whether there are any."""
    return _CONTROLS.search(text) is not None


def without_controls(text: str) -> str:
    """The text without them."""
    return _CONTROLS.sub("", text)


def with_controls_shown(text: str) -> str:
    r"""The text with `\n` and the like in place of them."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
