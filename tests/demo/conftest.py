"""The engines that the tests of the demo share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import docker
import pytest

from dockerproxy.demo import EmbeddedEngine, demo_site

from .support import connected


@pytest.fixture
def socket_path(short_folder: Path) -> Path:
    """Where an engine may listen."""
    return short_folder / "demo.sock"


@pytest.fixture
async def engine(socket_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """An engine without containers."""
    async with EmbeddedEngine(socket_path) as engine:
        yield engine


@pytest.fixture
async def client(engine: EmbeddedEngine) -> AsyncIterator[docker.APIClient]:
    client = await connected(engine)
    yield client
    client.close()


@pytest.fixture
async def demo(socket_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """The demo's site."""
    async with EmbeddedEngine(socket_path, demo_site()) as engine:
        yield engine
