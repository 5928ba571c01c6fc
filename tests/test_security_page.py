"""docs/security.md: every line has a defence that a test checks, and these tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("| attack", "| ---"))
]


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_each_attack_has_a_defence_and_a_test_that_exists(row: list[str]) -> None:
    _attack, defence, named = row
    tests = [name.partition("::") for name in re.findall(r"`([^`]+)`", named)]
    assert defence
    assert tests
    for file, _, name in tests:
        assert name in names_in(file)


def test_every_kind_of_attacker_has_a_section_with_lines() -> None:
    listed = re.findall(r"^\d\. \[.*?\]\(#([a-z-]+)\)", PAGE, re.MULTILINE)
    sections = {part.partition("\n")[0].lower().replace(" ", "-"): part for part in PAGE.split("\n## ")[1:]}
    assert len(listed) == 6
    assert [name for name in listed if "| attack |" not in sections.get(name, "")] == []
