"""A house of handlers for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.routing.route import Domain, PathKind, PathRule, Route

from .making import House

Build = Callable[..., House]


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    """Makes houses: `build(python_routes=[…])`; settings by their names."""
    houses: list[House] = []

    def make(**values: Any) -> House:
        houses.append(House(tmp_path / f"state-{len(houses)}", **values))
        return houses[-1]

    yield make
    for house in houses:
        await house.close()


@pytest.fixture
def serve(build: Build) -> Callable[[Any], House]:
    """A house whose route `site` is answered by the target; `regex` sets its path."""

    def make(target: Any, regex: str = "", **fields: Any) -> House:
        path = PathRule(PathKind.REGEX, regex) if regex else PathRule()
        return build(python_routes=[Route("site", (Domain("site.localhost"),), path, target=target, **fields)])

    return make
