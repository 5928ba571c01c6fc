"""docs/architecture.md and CONTRIBUTING.md: what they draw and name is in the source, and tests stand as they say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.architecture_pictures import LEFT_OUT, arrows, reached
from docs.imports import PACKAGE, imports, module_name, modules, part_of

ROOT = Path(__file__).parents[1]
PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
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


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    named = re.findall(r"`(\.?[\w-]+(?:/[\w.-]+)+/?)`", (ROOT / page).read_text(encoding="utf-8"))

    assert named
    assert [name for name in named if not place(name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_stands_behind_the_name_of_a_module_is_defined_there(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    found = re.findall(r"`([\w/]+\.py)`((?:,? `[\w.]+`)+)", text)
    named = {(module, name) for module, names in found for name in re.findall(r"[\w.]+", names)}

    assert named
    assert sorted((module, name) for module, name in named if name not in defined(module)) == []


def test_a_room_of_tests_is_named_after_the_room_that_it_tries() -> None:
    parts = [folder for folder in (ROOT / "tests").iterdir() if (PACKAGE / folder.name).is_dir()]
    rooms = {init.parent.relative_to(ROOT / "tests") for part in parts for init in part.glob("*/__init__.py")}

    assert rooms
    assert sorted(str(room) for room in rooms if not (PACKAGE / room).is_dir()) == []


def place(name: str) -> Path:
    """Where it is, by a path from the top or from within the package."""
    return ROOT / name if (ROOT / name).exists() else PACKAGE / name


def defined(module: str) -> set[str]:
    """`Class`, `Class.method`, `function`, `CONSTANT`: what a module defines outside of functions."""
    return set(names_in(ast.parse(place(module).read_text(encoding="utf-8")).body))


def names_in(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield within + node.name
        if isinstance(node, ast.ClassDef):
            yield from names_in(node.body, f"{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (within + target.id for target in targets if isinstance(target, ast.Name))
