"""Which expressions are a claim on a whole domain, and which on a part of it."""

from __future__ import annotations

import pytest

from dockerproxy.routing.catch_all import takes_all


@pytest.mark.parametrize(
    "text",
    [
        "", "^", "^/", "/", ".", "^/.*$", "^/(.*)", r"^/[^\s]*", "^(?=/)", "^/?", "^/(?!health)", "(?s:.)", "$",
        "^/(?!health|static|api|login|favicon|robots|index|wp-admin)", "^/(?![0-9])",
    ],
)  # fmt: skip
def test_what_is_found_in_most_paths_is_a_claim_on_all(text: str) -> None:
    assert takes_all(text)


@pytest.mark.parametrize(
    "text",
    ["^/api", "^/api/v[0-9]+/", r"\.html$", r"^/\d+/", "^/[a-m]", "^/[^/]+$", "^/[^/]+/.+", "^/$", "login", "^/[A-Z]"],
)
def test_what_is_found_in_a_part_of_them_is_none(text: str) -> None:
    assert not takes_all(text)


@pytest.mark.parametrize("text", [r"^(?:.|..)+!|^/", r"^(?:.|..|...)+!|/", r"^(?:(?:.|..)+(?!.)!)?/"])
def test_nobody_has_a_domain_by_an_expression_that_is_slow_to_tell(text: str) -> None:
    assert takes_all(text)
