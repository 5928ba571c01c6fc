"""Engines by name: `docker-forky`, `podman-trixie`: what it is, and the Debian suite that it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.docker_engine import NoEngine, PrivateEngine, started
from tests.support.engines.debian import suite_folder
from tests.support.engines.podman import PodmanEngine
from tests.support.engines.rooted import DockerEngine

NAME_VARIABLE = "DOCKERPROXY_ENGINE_NAME"
MACHINE = "machine"  # the engine that is there, or this machine's own dockerd
KINDS: Mapping[str, Callable[[Path], PrivateEngine]] = {"docker": DockerEngine, "podman": PodmanEngine}


def suite_of(name: str) -> str:
    """The Debian suite of an engine. Raises NoEngine for a name that is none."""
    kind, _, suite = name.partition("-")
    if kind not in KINDS or not suite.isalnum():
        known = " or ".join(f"{kind}-<Debian suite>" for kind in KINDS)
        raise NoEngine(f"there is no engine called {name}: {known}, for example docker-forky, or {MACHINE}")
    return suite


def start_named_engine(name: str) -> PrivateEngine:
    """The engine of that name, started. Raises NoEngine."""
    root = suite_folder(suite_of(name))
    return started(KINDS[name.partition("-")[0]](root))
