"""How constraints are written, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from dockerproxy.settings import validate

from .conftest import Problems, Read, wrong


def test_constraints_are_read_from_the_file(read: Read) -> None:
    found = read("constraints:\n  - hosts: Team-A.example., *.team-a.example\n    labels: {team: 1}\n").constraints
    assert found[0].hosts == ("team-a.example", "*.team-a.example")
    assert found[0].labels == {"team": "1"}


@pytest.mark.parametrize(
    ("constraint", "told"),
    [
        ("{projects: [a]}", "constraints[0].hosts: is missing"),
        ("{hosts: [], projects: [a]}", "constraints[0].hosts"),
        ("{hosts: [a.example]}", "says nothing about who may claim the hosts"),
        ("{hosts: ['a.example:80'], projects: [a]}", "leave it out, a constraint counts for every port"),
        ("{hosts: ['a*.example'], projects: [a]}", "'a*.example' is not a domain"),
        ("{hosts: ['http://a.example'], projects: [a]}", "leave out the scheme"),
        ("{hosts: [a.example], labels: {team: yes}}", "label team: expected a text in quotes"),
        ("{hosts: [a.example], labels: [team]}", "constraints[0].labels"),
        ("{hosts: [a.example], project: [a]}", "constraints[0].project: unknown key; did you mean 'projects'?"),
    ],
)
def test_a_wrong_constraint_is_told_with_its_place(problems: Problems, constraint: str, told: str) -> None:
    assert any(told in problem for problem in problems(f"constraints: [{constraint}]"))


def test_the_default_is_one_of_two_words() -> None:
    assert validate({"constraints_default": "deny"}, "test").constraints_default == "deny"
    assert any("'allow' or 'deny'" in problem for problem in wrong(constraints_default="forbid"))
