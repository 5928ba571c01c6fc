"""Which files that the settings come from, or name, are not those that a person sees outside. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dockerproxy.process.stale_mounts import stale_mounts
from dockerproxy.settings import Settings

_LONGEST = 4096  # characters of a path, PATH_MAX of Linux; what is longer is none


def stale_files(settings: Settings, settings_file: Path | None) -> list[str]:
    """A sentence for each, with what mends it."""
    own = [settings_file] if settings_file is not None else []
    return stale_mounts([*own, *_paths(settings.model_dump())])


def _paths(value: Any) -> Iterator[Path]:
    """Whatever may be the path of a file; the options of middlewares are not known to be."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, str):
        if "/" in value and len(value) <= _LONGEST and "\0" not in value:
            yield Path(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _paths(each)
