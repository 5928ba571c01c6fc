"""Targets: what is fuzzed.

target.py     Target: a name, words to mutate with, and what must hold for every input
heads.py      request and response heads, against two other parsers
chunked.py    chunked bodies, in any pieces, against two other parsers
labels.py     labels of a container
settings.py   every value that a person writes, and whole settings
front.py      the whole proxy: bytes in pieces, and what its upstream saw
others.py     the other parsers: aiohttp's, and h11 if it is installed
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .target import Target

# Name -> module, class, and how much of the time it gets. By name, so that the package is imported no earlier than its
# imports can be watched.
TARGETS: dict[str, tuple[str, str, int]] = {
    "request": ("heads", "RequestHeads", 3),
    "response": ("heads", "ResponseHeads", 2),
    "chunked": ("chunked", "ChunkedBodies", 2),
    "labels": ("labels", "Labels", 1),
    "settings": ("settings", "SettingsValues", 2),
    "front": ("front", "WholeProxy", 4),
}


def make_target(name: str) -> Target:
    """A new target of this name."""
    module, kind, _ = TARGETS[name]
    made: Target = getattr(importlib.import_module(f"{__name__}.{module}"), kind)()
    return made


def share(name: str) -> int:
    """Its part of the time, beside those of the others."""
    return TARGETS[name][2]
