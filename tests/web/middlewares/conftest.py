"""A proxy whose route has one shipped middleware, before an upstream that notes what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.errors import SettingsError

from ...support.scene import Scene
from ...support.upstreams import Script, Upstream

Before = Callable[..., Awaitable[Upstream]]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


@pytest.fixture
def before(scene: Scene) -> Before:
    """Puts a middleware with these options before an upstream, whom it returns."""

    async def put(use: str, script: Script | None = None, **options: Any) -> Upstream:
        upstream = await scene.upstream(script)
        await scene.proxy(
            upstream,
            middlewares="it",
            define_middlewares={"it": {"use": use, **options}},
            trusted_proxies="127.0.0.1",
            max_attempts=1,
        )
        return upstream

    return put


@pytest.fixture
def refused(scene: Scene) -> Callable[..., Awaitable[str]]:
    """What is said of options that cannot be."""

    async def refuse(use: str, **options: Any) -> str:
        with pytest.raises(SettingsError) as error:
            await scene.proxy(define_middlewares={"it": {"use": use, **options}})
        return str(error.value)

    return refuse
