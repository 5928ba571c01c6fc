"""The two pictures of architecture.md, in Mermaid's words, and its table: made from the source, so they cannot drift.

parts    the parts of the package, that is, what stands directly in its folder
rooms    the data plane, `proxy`: its rooms with their modules, and the modules beside them

An arrow runs from what imports to what is imported, and only where no longer way along other arrows says the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from docs.imports import imports, module_name, modules, tree
from docs.markdown import code, table

PACKAGE = "dockerproxy"
DATA_PLANE = "proxy"
# Imported nearly everywhere, or nowhere: arrows to them would hide the others.
LEFT_OUT = frozenset({"errors", "process", "stats", "tasks", "version", "__main__"})

Graph = Mapping[str, frozenset[str]]


def architecture() -> dict[str, str]:
    """Name of each piece of the page that is made from the source -> its text."""
    return {
        "parts": _picture(_parts(), ""),
        "rooms": _picture(_rooms(DATA_PLANE), DATA_PLANE, modules_too=True),
        "left_out": ", ".join(code(name) for name in sorted(LEFT_OUT)),
        "part_table": table(["part", "rooms", "what it is for"], _purposes()),
    }


def _parts() -> Graph:
    """The parts, and which of them each imports."""
    graph = _graph("", modules())
    return {part: others - LEFT_OUT for part, others in graph.items() if part not in LEFT_OUT}


def _rooms(part: str) -> Graph:
    """What stands directly in the folder of a part, and what of it each imports."""
    return _graph(part, [module for module in modules() if module.startswith(f"{part}/")])


def _graph(folder: str, inner: Iterable[str]) -> Graph:
    graph: dict[str, set[str]] = {}
    for module in inner:
        if (own := _place(module_name(module), folder)) is not None:
            others = {_place(name, folder) for name in imports(module)}
            graph.setdefault(own, set()).update(other for other in others if other not in (None, own))
    return {own: frozenset(others) for own, others in graph.items()}


def _place(name: str, folder: str) -> str | None:
    """What stands directly in `folder` and is, or holds, the module of this dotted name; None outside of it."""
    parts = name.split(".")
    above = [PACKAGE, *([folder] if folder else [])]
    return parts[len(above)] if parts[: len(above)] == above and len(parts) > len(above) else None


@cache
def _folders(folder: str) -> frozenset[str]:
    """The names of the folders that stand directly in a folder."""
    prefix = f"{folder}/" if folder else ""
    inner = [module.removeprefix(prefix) for module in modules() if module.startswith(prefix)]
    return frozenset(name.partition("/")[0] for name in inner if "/" in name)


def _picture(graph: Graph, folder: str, modules_too: bool = False) -> str:
    """The graph in Mermaid's words: folders as boxes, with their modules where wanted; single modules rounded."""
    named = {name: _with_modules(folder, name) if modules_too else name for name in _folders(folder)}
    boxes = [f'{name}["{named[name]}"]' if name in named else f"{name}({name})" for name in sorted(graph)]
    drawn = [f"{own} --> {other}" for own, other in arrows(graph)]
    return "\n".join(["```mermaid", "flowchart TD", *(f"    {line}" for line in [*boxes, *drawn]), "```"])


def _with_modules(folder: str, room: str) -> str:
    """A room's name, and under it those of its modules."""
    prefix = f"{folder}/{room}/"
    inner = [module.removeprefix(prefix) for module in modules() if module.startswith(prefix)]
    return "<br>".join([f"<b>{room}</b>", *(name for name in inner if name != "__init__")])


def arrows(graph: Graph) -> Iterator[tuple[str, str]]:
    """The arrows that say what no longer way says; and all those of a circle."""
    below = {name: reached(graph, name) for name in graph}
    for own in sorted(graph):
        for other in sorted(graph[own]):
            between = (each for each in graph[own] if own not in below[each] and each not in below[other])
            if not any(other in below[each] for each in between):
                yield own, other


def reached(graph: Graph, start: str) -> frozenset[str]:
    """All that is reached from `start` by one arrow or more."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return frozenset(found)


def _purposes() -> Iterator[tuple[str, str, str]]:
    """Each part: its name, its rooms, and the first sentence of its docstring."""
    for part in sorted(_graph("", modules())):
        module = f"{part}/__init__" if part in _folders("") else part
        paragraph = (ast.get_docstring(tree(module)) or "").partition("\n\n")[0]
        rooms = ", ".join(code(room) for room in sorted(_folders(part)))
        yield code(part), rooms, " ".join(paragraph.split()).partition(". ")[0].removesuffix(".")
