"""Fixtures: an engine, images, containers, and proxies.

Where there is no engine, or something it needs is missing, tests skip with the reason in one line; with
DOCKERPROXY_REQUIRE_ENGINE=1 they fail with it. `python -m tests.engine` names the engine by DOCKERPROXY_ENGINE_NAME;
there it is DOCKERPROXY_REQUIRE_ENGINES=1 that makes a failure of it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest

from tests.engine.base_image import ensure_base_image, make_ahead
from tests.engine.compose import Project
from tests.engine.containers import Containers
from tests.engine.images import ProxyImage, build_app_image, build_proxy_image
from tests.engine.proxy_process import ProxyProcess
from tests.support.docker_engine import Engine, NoEngine, PrivateEngine, find_engine, start_private_engine
from tests.support.engines.named import MACHINE, NAME_VARIABLE, start_named_engine

REQUIRE_VARIABLE = "DOCKERPROXY_REQUIRE_ENGINE"
REQUIRE_ALL_VARIABLE = "DOCKERPROXY_REQUIRE_ENGINES"  # the same, for engines that are named
NAMED = os.environ.get(NAME_VARIABLE, MACHINE)
PODMAN = "Podman Engine"  # as it calls itself
DEADLINE = 60.0  # seconds, for what containers do by themselves
POLL = 0.05  # seconds between two looks
# A static route that containers may join by its name; its own one has no upstream at all.
STATIC_ROUTE = {"name": "shop", "host": "shop.localhost"}

AHEAD = pytest.StashKey[subprocess.Popen[bytes] | None]()

T = TypeVar("T")
Wait = Callable[[Callable[[], bool], Callable[[], str]], None]
Launch = Callable[..., ProxyProcess]
AppImage = Callable[[str], str]
ContainersAt = Callable[[Engine], Containers]
Making = Future[ProxyImage] | None


# In this order, after all others: the image is built meanwhile, and by an engine that is not restarted.
LAST = ("test_compose", "test_image", "test_engine_outages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Some come after the others."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(Path(__file__).parent)]
    ours = sorted((items[place] for place in places), key=_turn)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _turn(item: pytest.Item) -> int:
    return LAST.index(item.path.stem) + 1 if item.path.stem in LAST else 0


def pytest_collection_finish(session: pytest.Session) -> None:
    """The image that all others are made from takes a minute where there is none; other tests run meanwhile."""
    if any(item.path.is_relative_to(Path(__file__).parent) for item in session.items):
        session.stash[AHEAD] = make_ahead()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """It does not go on without us."""
    making = session.stash.get(AHEAD, None)
    if making is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(making.pid, signal.SIGTERM)
        making.wait()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine, for the whole run."""
    start = find_engine if NAMED == MACHINE else functools.partial(start_named_engine, NAMED)
    with contextlib.closing(_or_skip(start)) as found:
        yield found


@pytest.fixture(scope="session")
def is_podman(docker_client: docker.DockerClient) -> bool:
    """Whether the engine is Podman, which is not Docker in all that it says and does."""
    return any(part["Name"] == PODMAN for part in docker_client.version().get("Components") or ())


@pytest.fixture(autouse=True)
def _only_on_docker(request: pytest.FixtureRequest, is_podman: bool) -> None:
    """Leave out what is marked as `docker_only`, with the reason that stands there, on Podman."""
    marker = request.node.get_closest_marker("docker_only")
    if marker is not None and is_podman:
        pytest.skip(f"Podman: {marker.args[0]}")


@pytest.fixture
def own_engine(engine: Engine) -> Iterator[PrivateEngine]:
    """An engine that may be stopped and restarted; it runs again afterwards."""
    if isinstance(engine, PrivateEngine):
        yield engine
        if not engine.answers():
            engine.start()
        return
    with contextlib.closing(_or_skip(start_private_engine)) as private:
        yield private


@pytest.fixture
def mortal_engine(engine: Engine) -> Iterator[PrivateEngine]:
    """An engine whose containers end with it (no live restore), and which may be restarted."""
    if isinstance(engine, PrivateEngine):
        if not engine.containers_may_end_with_it:
            pytest.skip("this engine's containers never end with it")
        with _mortal(engine):
            yield engine
        return
    with contextlib.closing(_or_skip(lambda: start_private_engine(live_restore=False))) as private:
        yield private


@contextlib.contextmanager
def _mortal(engine: PrivateEngine) -> Iterator[None]:
    """The engine that has all images already, while its containers do not live on without it."""
    _started_anew(engine, live_restore=False)
    try:
        yield
    finally:
        _started_anew(engine, live_restore=True)


def _started_anew(engine: PrivateEngine, *, live_restore: bool) -> None:
    engine.stop()
    engine.live_restore = live_restore
    engine.start()


@pytest.fixture(scope="session")
def docker_client(engine: Engine) -> Iterator[docker.DockerClient]:
    """The Docker SDK's client of the engine."""
    with contextlib.closing(engine.client()) as client:
        yield client


@pytest.fixture(scope="session")
def python_image(docker_client: docker.DockerClient) -> str:
    """An image with python3, venv and pip."""
    return _or_skip(lambda: ensure_base_image(docker_client))


@pytest.fixture(scope="session")
def app_image(docker_client: docker.DockerClient, python_image: str) -> AppImage:
    """The test application's image with these exposed ports, as in `app_image("8000 8001")`."""

    @functools.cache
    def exposing(ports: str) -> str:
        return build_app_image(docker_client, python_image, ports)

    return exposing


@pytest.fixture(scope="session", autouse=True)
def image_in_the_making(engine: Engine, python_image: str, request: pytest.FixtureRequest) -> Iterator[Making]:
    """The image that the Dockerfile makes of this source takes a minute; tests that do not need it run meanwhile."""

    def make() -> ProxyImage:
        with contextlib.closing(engine.client()) as client:
            return build_proxy_image(client, engine, python_image)

    with ThreadPoolExecutor(1) as builder:
        needed = any("proxy_image" in getattr(item, "fixturenames", ()) for item in request.session.items)
        yield builder.submit(make) if needed else None


@pytest.fixture(scope="session")
def proxy_image(image_in_the_making: Making) -> ProxyImage:
    """The image that the Dockerfile makes of this source."""
    assert image_in_the_making is not None
    return _or_skip(image_in_the_making.result)


@pytest.fixture
def containers(docker_client: docker.DockerClient, app_image: AppImage) -> Iterator[Containers]:
    """Containers and networks of one test."""
    factory = Containers(docker_client, app_image("8000"))
    yield factory
    factory.remove_all()


@pytest.fixture
def containers_at() -> Iterator[ContainersAt]:
    """Containers and networks of one test at another engine than the run's own."""
    with contextlib.ExitStack() as stack:

        def at(engine: Engine) -> Containers:
            client = stack.enter_context(contextlib.closing(engine.client()))
            base = _or_skip(lambda: ensure_base_image(client))
            factory = Containers(client, build_app_image(client, base))
            stack.callback(factory.remove_all)
            return factory

        yield at


@pytest.fixture(scope="module")
def proxy(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    """One proxy on this machine for all tests of a module, connected to the engine."""
    settings = {"docker": {"host": engine.host}, "routes": [STATIC_ROUTE]}
    process = ProxyProcess(tmp_path_factory.mktemp("proxy"), settings)
    try:
        process.start()
        process.wait_until_connected()
        yield process
    finally:
        process.stop()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a further proxy with its own settings, as in `launch(docker={"host": …})`."""
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> ProxyProcess:
            process = ProxyProcess(tmp_path / f"proxy-{len(list(tmp_path.iterdir()))}", settings)
            stack.callback(process.stop)
            process.start()
            return process

        yield start


@pytest.fixture(scope="module")
def project(
    docker_client: docker.DockerClient,
    engine: Engine,
    proxy_image: ProxyImage,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Project]:
    """docker-compose.yml, up."""
    found = _or_skip(lambda: Project(docker_client, engine, proxy_image, tmp_path_factory.mktemp("compose")))
    try:
        found.run("up", "-d", "--no-build")
        found.log_in()
        found.proxy.wait_until_connected()
        yield found
    finally:
        found.run("down", "--volumes", "--timeout", "1")


@pytest.fixture
def wait() -> Wait:
    """Wait until a condition holds; else fail with what was awaited and how things stood."""

    def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"waited {DEADLINE:g} s for: {what()}"
            time.sleep(POLL)

    return until


def _or_skip(get: Callable[[], T]) -> T:
    try:
        return get()
    except NoEngine as reason:
        variable = REQUIRE_VARIABLE if NAMED == MACHINE else REQUIRE_ALL_VARIABLE
        if os.environ.get(variable) == "1":
            pytest.fail(f"{reason} ({variable}=1 makes this a failure)", pytrace=False)
        pytest.skip(str(reason))
