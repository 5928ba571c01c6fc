"""Writes the pages that are made from the code: `python -m docs.generate`, or `make docs`.

A page is its template with each `{{ name }}` replaced by the table of that name. One of them is a module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.architecture_pictures import architecture
from docs.argument_types import argument_types
from docs.engine_tables import engine_tables
from docs.label_tables import label_tables
from docs.middleware_tables import middleware_tables
from docs.setting_tables import setting_tables

FOLDER = Path(__file__).parent
_ARGUMENTS = FOLDER.parent / "dockerproxy" / "settings" / "arguments.py"
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_PAGES: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "architecture.md": architecture,
    "engines.md": engine_tables,
    "labels.md": label_tables,
    "middlewares.md": middleware_tables,
    "settings.md": setting_tables,
}


def pages() -> dict[Path, str]:
    """Path of each generated page -> what has to stand in it. Raises KeyError for a table that there is not."""
    pages = {FOLDER / name: _filled(name, tables()) for name, tables in _PAGES.items()}
    return {_ARGUMENTS: argument_types(), **pages}


def _filled(name: str, tables: Mapping[str, str]) -> str:
    template = (FOLDER / "templates" / name).read_text(encoding="utf-8")
    note = f"<!-- Made by `make docs` from templates/{name} and the code; edit those. -->\n\n"
    return note + _PLACE.sub(lambda place: tables[place[1]], template)


def main() -> None:
    """Write all pages, and say which."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
