"""Paths: the one form in which they are compared, and what is never decoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.settings.paths import comparable, is_plain, normalised
from dockerproxy.settings.routes import parse_exact_path, parse_prefix


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/%61dmi%6e/users", "/admin/users"),
        ("/%7Euser", "/~user"),
        ("//admin///x/", "/admin/x/"),
        ("/./a/./b/.", "/a/b/"),
        ("/x/../a", "/a"),
        ("/x/..", "/"),
        ("/../../a", "/a"),
        ("/x/%2e%2E/a", "/a"),
        ("/.%2e/a", "/a"),
        ("/x//../a", "/a"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%5cb", "/a%5Cb"),
        ("/a\\b", "/a%5Cb"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/%252e%252e/a", "/%252e%252e/a"),
        ("/a%2", "/a%2"),
        ("/100%/%zz", "/100%/%zz"),
        ("/.../..a/a..", "/.../..a/a.."),
        ("/%00%0a%20", "/%00%0A%20"),
        ("*", "*"),
        ("", ""),
    ],
)
def test_a_path_is_normalised_once(path: str, expected: str) -> None:
    assert normalised(path) == expected


def test_what_has_a_meaning_of_its_own_stays_encoded_where_it_is_told_and_not_where_it_is_compared() -> None:
    assert normalised("/%40x/a%3bb%2Bc%7c") == "/%40x/a%3Bb%2Bc%7C"
    assert comparable("/%40x/a%3bb%2Bc%7c") == "/@x/a;b+c|"
    assert comparable("/a%3Fb%23%2f%5c%25%20") == "/a%3Fb%23%2F%5C%25%20"


@given(st.text(alphabet="/.%aA2eEfF5cC;\\x", max_size=30))
def test_nothing_is_left_to_be_resolved(path: str) -> None:
    once = normalised(f"/{path}")
    assert not {".", ".."} & set(once.split("/"))
    assert "//" not in once


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40))
def test_a_plain_path_is_what_it_is_compared_as(path: str) -> None:
    if is_plain(f"/{path}"):
        assert comparable(f"/{path}") == normalised(f"/{path}") == f"/{path}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [("/über", "/%C3%BCber"), ("/%61dmin/", "/admin"), ("//a//b", "/a/b"), ("/%40x", "/@x"), ("/a/../b", "/b")],
)
def test_rules_are_in_the_form_that_paths_are_compared_in(written: str, expected: str) -> None:
    assert parse_prefix(written) == expected
    assert parse_exact_path(written).rstrip("/") == expected
