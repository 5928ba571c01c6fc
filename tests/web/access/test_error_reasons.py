"""Who is told why a request failed."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.settings import validate
from dockerproxy.web.access.error_reasons import Insight
from dockerproxy.web.credentials.throttle import FREE_GUESSES

TOKEN = "correct horse"
STRANGER = "203.0.113.9"


def insight(**settings: Any) -> Insight:
    found = validate(settings, "test")
    return Insight(lambda: found, lambda: 100.0)


@pytest.mark.parametrize(
    ("settings", "address", "told"),
    [
        ({}, "127.0.0.1", True),
        ({}, "::1", True),
        ({}, STRANGER, False),
        ({"admin_access": "open"}, STRANGER, True),
        ({"admin_token": TOKEN}, "127.0.0.1", False),
    ],
)
def test_the_access_of_the_admin_handlers_counts(settings: dict[str, Any], address: str, told: bool) -> None:
    assert insight(**settings)(address, "") is told


@pytest.mark.parametrize(
    ("authorization", "told"),
    [(f"Bearer {TOKEN}", True), (f"bearer {TOKEN} ", True), ("Bearer wrong", False), (f"Basic {TOKEN}", False),
     (TOKEN, False), ("Bearer \xff", False)],
)  # fmt: skip
def test_whoever_bears_the_token_is_told(authorization: str, told: bool) -> None:
    assert insight(admin_token=TOKEN)(STRANGER, authorization) is told


def test_it_is_no_way_to_guess_the_token() -> None:
    ask = insight(admin_token=TOKEN)
    for number in range(FREE_GUESSES):
        assert not ask(STRANGER, f"Bearer {number}")
    assert not ask(STRANGER, f"Bearer {TOKEN}")
    assert ask("203.0.113.10", f"Bearer {TOKEN}")
