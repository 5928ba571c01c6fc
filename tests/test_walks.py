"""The walks in docs/architecture.md are walked: what they name is called, in that order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import dockerproxy.proxy.downstream.http1
from dockerproxy.demo import ContainerSpec, EmbeddedEngine
from dockerproxy.discovery import EngineState
from dockerproxy.routing import Route

from .support.client import Client
from .support.scene import Scene
from .support.waiting import DEADLINE, until

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dockerproxy"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(
    not str(dockerproxy.proxy.downstream.http1.__file__).endswith(".py"), reason="what is compiled tells no calls"
)

Call = tuple[str, str]  # a module, and what is called in it

# Runs the command, and writes all calls within the package to a file.
COMMAND = """
import json, sys
from tests.test_walks import noted
with noted() as calls:
    from dockerproxy.cli import main
    code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump(calls, file)
sys.exit(code)
"""


def walk(title: str) -> list[list[Call]]:
    """The steps of a walk, each with what it calls."""
    section = PAGE.partition(f"### {title}\n")[2].partition("\n### ")[0]
    steps = re.findall(r"^\d+\. (.*(?:\n {3,}.*)*)", section, re.MULTILINE)
    return [
        [
            (module, name)
            for module, names in re.findall(r"`([\w/]+\.py)`((?:,? `[\w.]+`)+)", " ".join(step.split()))
            for name in re.findall(r"[\w.]+", names)
        ]
        for step in steps
    ]


@contextmanager
def noted() -> Iterator[list[Call]]:
    """All calls within the package, in any thread that begins meanwhile and in this one."""
    calls: list[Call] = []
    before = f"{PACKAGE}/"

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(before):
            calls.append((frame.f_code.co_filename.removeprefix(before), frame.f_code.co_qualname))

    profiler: Any = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(profiler)
        threading.setprofile(None)


def assert_walked(title: str, calls: list[Call]) -> None:
    """Every step is taken after the one before it."""
    place = 0
    for number, step in enumerate(walk(title), 1):
        assert step, f"step {number} names nothing"
        for call in step:
            rest = calls[place:]
            assert call in rest, f"{title}, step {number}: {call} is not called{' there' if call in calls else ''}"
            place += rest.index(call) + 1


async def test_a_request_that_is_retried(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        dead, alive = await scene.upstream(), await scene.upstream()
        await scene.proxy(dead, alive)
        dead.refuse()
        client = await scene.client()
        with noted() as calls:
            assert (await client.get()).text == "b"

    assert_walked("A request that is retried", calls)


async def test_a_container_that_starts_stops_and_is_recreated(short_folder: Path, tmp_path: Path) -> None:
    blog = ContainerSpec("blog", labels={"dockerproxy.host": "blog.localhost"}, stubborn=True)
    with noted() as calls:
        async with EmbeddedEngine(short_folder / "engine.sock") as engine, Scene(tmp_path) as scene:
            await scene.proxy(docker={"enabled": True, "host": engine.base_url})
            await until(lambda: scene.server.discovery.state is EngineState.CONNECTED)
            client = await scene.client()

            await engine.containers.add(blog)
            await until(lambda: route_of(scene).upstreams)
            assert (await client.get(host="blog.localhost")).status == 200
            await engine.containers.kill("blog", "SIGTERM")
            await until(lambda: route_of(scene).upstreams[0].draining)
            await engine.containers.kill("blog", "SIGKILL")
            await until(lambda: not route_of(scene).upstreams)
            await client.ask(host="blog.localhost")
            await until(lambda: scene.route("blog").held)
            await engine.containers.remove("blog")
            await engine.containers.add(blog)
            assert (await client.answer()).status == 200

    assert_walked("A container that starts, stops and is recreated", calls)


def route_of(scene: Scene) -> Route:
    return next((route for route in scene.server.registry.routes if route.name == "blog"), Route("blog", ()))


async def test_a_setting_from_file_to_effect(tmp_path: Path) -> None:
    settings, calls = tmp_path / "dockerproxy.yaml", tmp_path / "calls.json"
    text = "{listen: '127.0.0.1:0', docker: {enabled: false}, state_dir: state, hold: %s, routes: [{name: blog}]}"
    settings.write_text(text % "500ms")
    process = noting_command(tmp_path, calls)
    try:
        note = tmp_path / "state" / "running.json"
        await until(note.exists)
        client = await Client.connect(json.loads(note.read_text())["port"])
        assert (await client.get()).status == 503
        settings.write_text(text % "100ms")
        process.send_signal(signal.SIGHUP)
        assert (await client.get()).status == 503
        client.close()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, DEADLINE) == 0
    finally:
        process.kill()
        process.wait()

    assert_walked("A setting from file to effect", [(module, name) for module, name in json.loads(calls.read_text())])


def noting_command(folder: Path, calls: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKERPROXY_")}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen([sys.executable, "-c", COMMAND, str(calls), "run"], cwd=folder, env=environment)
