"""Runs a program where an engine of that name can be started: as it is, or in a network of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Sequence

from tests.engine.base_image import ensure_archive
from tests.support.engines.debian import suite_folder
from tests.support.engines.named import MACHINE, NAME_VARIABLE, suite_of
from tests.support.engines.network import Network


def run_at(name: str, command: Sequence[str]) -> int:
    """The exit code of a program that is told the engine's name by DOCKERPROXY_ENGINE_NAME. Raises NoEngine."""
    if name == MACHINE:
        return subprocess.call(command, env={**os.environ, NAME_VARIABLE: name})
    root = suite_folder(suite_of(name))
    ensure_archive()  # in there it would take its way through the network's narrow gate
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    with contextlib.closing(Network(root)) as network:
        return network.run(command, environment | {NAME_VARIABLE: name})
