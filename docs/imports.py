"""The package as its source has it: which modules there are, and which of them import which. Runs nothing of it.

A module is named by its place, as `proxy/plane`; a package as `proxy/__init__`; what is imported by its dotted name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dockerproxy"


@cache
def modules() -> tuple[str, ...]:
    """Every module of the package, sorted."""
    return tuple(sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")))


@cache
def source(module: str) -> str:
    return (PACKAGE / f"{module}.py").read_text(encoding="utf-8")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module))


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(module)))


def module_name(module: str) -> str:
    """`dockerproxy.proxy.plane`; for a package, the package."""
    return f"dockerproxy.{module}".replace("/", ".").removesuffix(".__init__")


@cache
def module_names() -> frozenset[str]:
    return frozenset(module_name(module) for module in modules())


@cache
def imports(module: str) -> tuple[str, ...]:
    """The dotted names of the modules that it imports, wherever it does so: for type checking only, too."""
    return tuple(imported(module, nodes(module)))


def when_loaded(module: str) -> Iterator[str]:
    """The imports that happen when the module is loaded: not those for type checking or inside functions."""
    return imported(module, tree(module).body)


def imported(module: str, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The dotted names that the import statements among `nodes` bring in. Raises AssertionError for a relative one."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides where it goes"
            assert node.module is not None
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield below if below in module_names() else node.module


def part_of(name: str) -> str | None:
    """The part of the package that a module or a dotted name belongs to, or None for other packages."""
    name = name.replace("/", ".")
    if name == "dockerproxy":
        return ""
    return name.removeprefix("dockerproxy.").split(".")[0] if name.startswith("dockerproxy.") else None
