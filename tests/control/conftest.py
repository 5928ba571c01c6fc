"""A registry on a folder of its own, started, for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .making import Scene

Stage = Callable[..., Scene]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Makes started registries: `stage(routes=[…])`; settings by their names."""
    scenes: list[Scene] = []

    def start(**values: Any) -> Scene:
        scene = Scene(tmp_path / f"state-{len(scenes)}", **values)
        scene.registry.start()
        scenes.append(scene)
        return scene

    yield start
    for scene in scenes:
        scene.registry.close()


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A started registry without any setting."""
    return stage()
