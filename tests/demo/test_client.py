"""What `dockerproxy demo ps`, `stop blog-1` and the like print, and how they exit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dockerproxy.demo import EmbeddedEngine
from dockerproxy.demo.client import ACTIONS, run
from dockerproxy.demo.engine import shapes

from .support import eventually, page

Said = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def said(socket_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run one action; its exit code, and what it printed to stdout and stderr."""

    async def run_action(action: str, *args: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, action, args, socket_path)
        printed = capsys.readouterr()
        return code, printed.out.strip(), printed.err.strip()

    return run_action


async def test_ps_shows_every_container_with_state_and_address(demo: EmbeddedEngine, said: Said) -> None:
    await demo.containers.stop("shop-2")
    code, out, _ = await said("ps")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert list(lines) == ["NAME", "blog-1", "blog-2", "blog-3", "office-1", "shop-1", "shop-2"]
    assert "Up " in lines["blog-1"]
    assert "127.0.0.1:" in lines["blog-1"]
    assert "Exited (0)" in lines["shop-2"]
    assert lines["shop-2"].endswith("-")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["stop"], "blog-1 has finished what it was doing and is stopped"),
        (["stop", "stop"], "blog-1 is stopped already"),
        (["stop", "start"], "blog-1 runs"),
        (["start"], "blog-1 runs already"),
        (["kill"], "blog-1 is killed"),
        (["restart"], "blog-1 runs again"),
        (["pause"], "blog-1 is paused: it accepts requests and answers none"),
        (["pause", "pause"], "blog-1 is paused already"),
        (["pause", "unpause"], "blog-1 runs again"),
        (["kill", "unpause"], "blog-1 is stopped: use start"),
    ],
)
@pytest.mark.usefixtures("demo")
async def test_actions_say_in_plain_words_what_came_of_them(said: Said, steps: list[str], words: str) -> None:
    *before, last = steps
    for step in before:
        await said(step, "blog-1")
    code, out, _ = await said(last, "blog-1")
    assert (code, out) == (0, words)


@pytest.mark.usefixtures("demo")
async def test_several_containers_are_taken_at_once(said: Said) -> None:
    code, out, _ = await said("kill", "blog-1", "shop-1")
    assert (code, out.splitlines()) == (0, ["blog-1 is killed", "shop-1 is killed"])


@pytest.mark.usefixtures("demo")
async def test_scale_names_the_replicas(said: Said) -> None:
    assert await said("scale", "shop", "3") == (0, "shop has 3 containers: shop-1, shop-2, shop-3", "")
    assert await said("scale", "shop", "1") == (0, "shop has 1 container: shop-1", "")
    assert await said("scale", "shop", "0") == (0, "shop has 0 containers: none", "")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("stop blgo-1", 1, 'no container "blgo-1": did you mean "blog-1"? There are: blog-1, blog-2'),
        ("stop zzzzzz", 1, 'no container "zzzzzz". There are: blog-1'),
        ("stop blog-1 nope", 1, 'no container "nope"'),
        ("stop", 2, "stop needs the name of a container"),
        ("ps blog-1", 2, "ps takes no arguments"),
        ("sotp blog-1", 2, 'no action "sotp": did you mean "stop"? There are: ps, start'),
        ("scale shpo 3", 1, 'no service "shpo": did you mean "shop"? There are: blog, office, shop.'),
        ("scale shop", 2, "scale needs a service and a number"),
        ("scale shop many", 2, 'number of replicas "many": expected a whole number'),
        ("scale shop -1", 2, 'number of replicas "-1": expected a whole number'),
        ("scale shop 9999", 1, "expected a number from 0 to 1000"),
    ],
)
async def test_mistakes_are_named_with_what_was_expected(
    demo: EmbeddedEngine, said: Said, line: str, code: int, words: str
) -> None:
    action, *args = line.split()
    exit_code, out, err = await said(action, *args)
    assert (exit_code, out) == (code, "")
    assert words in err
    assert all(container.running for container in demo.containers)


@pytest.mark.parametrize("action", ACTIONS)
async def test_without_a_demo_every_action_says_how_to_start_one(said: Said, socket_path: Path, action: str) -> None:
    code, _, err = await said(action, "blog-1")
    assert code == 1
    assert f"no demo is running at {socket_path}: start it with `dockerproxy demo`" in err


async def test_a_socket_that_a_dead_demo_left_is_no_demo(said: Said, socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(socket_path))
    code, _, err = await said("ps")
    assert code == 1
    assert "no demo is running" in err


async def test_a_real_engine_is_left_alone(demo: EmbeddedEngine, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "PLATFORM", "Docker Engine - Community")
    code, _, err = await said("kill", "blog-1")
    assert code == 1
    assert "is not the demo: use the docker command for it" in err
    assert demo.containers.find("blog-1").running


async def test_what_the_engine_refuses_is_said_in_its_words(
    demo: EmbeddedEngine, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between the client's look and its act the container goes.
    monkeypatch.setattr("dockerproxy.demo.client._impossible", lambda _action, _state: "")
    await demo.containers.kill("blog-1")
    code, _, err = await said("kill", "blog-1")
    assert code == 1
    assert "is not running" in err


async def test_a_demo_that_ends_meanwhile_is_said_to_be_gone(engine: EmbeddedEngine, said: Said) -> None:
    container = await engine.containers.add(page("blog-1", stubborn=True))
    stopping = asyncio.ensure_future(said("stop", "blog-1"))
    await eventually(lambda: "kill" in [event.action for event in engine.events.replay(0, None, lambda _: True)])
    await engine.stop()
    code, _, err = await stopping
    assert code == 1
    assert "went away" in err
    assert not container.running
