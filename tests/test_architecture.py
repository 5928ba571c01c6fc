"""docs/architecture.md and CONTRIBUTING.md: what they draw and name is in the source."""

from __future__ import annotations

import re
from pathlib import Path

from docs.architecture_pictures import LEFT_OUT, arrows, reached
from docs.imports import imports, module_name, modules, part_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
DRAWN = [set(re.findall(r"^    (\w+) --> (\w+)$", picture, re.MULTILINE)) for picture in PAGE.split("```mermaid")[1:]]


def between_parts() -> set[tuple[str, str]]:
    """(part, another that it imports), by a reading of its own."""
    found = {(part_of(module_name(module)), part_of(name)) for module in modules() for name in imports(module)}
    return {(own, other) for own, other in found if own and other and own != other and not {own, other} & LEFT_OUT}


def test_the_first_picture_shows_imports_and_lets_every_other_one_be_followed() -> None:
    parts, _ = DRAWN
    imported = between_parts()
    graph = {part: frozenset(other for own, other in parts if own == part) for pair in imported for part in pair}

    assert parts <= imported
    assert [(own, other) for own, other in imported if other not in reached(graph, own)] == []


def test_an_arrow_that_a_longer_way_says_as_well_is_not_drawn() -> None:
    graph = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset[str]()}

    assert list(arrows(graph)) == [("a", "b"), ("b", "c")]


def test_every_arrow_of_a_circle_is_drawn() -> None:
    graph = {"a": frozenset("bc"), "b": frozenset("ac"), "c": frozenset[str]()}

    assert set(arrows(graph)) == {("a", "b"), ("b", "a"), ("a", "c"), ("b", "c")}
