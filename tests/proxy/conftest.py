"""The scene that each test of the data plane plays on, and the event loops it is played on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from ..support.certificate import Authority
from ..support.scene import Scene

# What differs between event loops: closing, resetting, half-closing, pausing.
_ON_BOTH_LOOPS = {"test_streaming", "test_broken_answers", "test_tunnels", "test_leaving", "test_tls"}


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The standard loop, and uvloop for the modules where it matters."""
    module = item.path.stem
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    return {**loops, "uvloop": uvloop.new_event_loop} if module in _ON_BOTH_LOOPS else loops


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene
