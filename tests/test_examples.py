"""The examples, run as a user runs them: as programs of their own, on the ports that stand in them."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from dockerproxy.check import check
from dockerproxy.labels.native import LabelReader
from dockerproxy.settings import validate
from dockerproxy.settings.file import parse_file

from .support.forked import dockerproxy

ROOT = Path(__file__).parents[1]
DEADLINE = 60.0  # seconds; a start takes about one, and ten on a busy machine
LIVING, DEAD = 2368, 2367  # the upstreams' ports, fixed in the examples
BLOG, HERE, NEWS, PANEL = "blog.localhost:8888", "localhost:8888", "news.localhost:8888", "root.localhost:8888"
# As the Go project's clients send it.
NEWS_JSON = (
    '{"name": "news", "domain": {"subDomain": "news", "domain": "localhost", "port": "8888"}, "proxyEnable": true, '
    '"proxyServers": [{"name": "docker 1 - ok", "url": "http://localhost:2368"}]}'
)
WAYS: dict[str, Callable[[], list[str]]] = {
    "the file": lambda: [*dockerproxy(), "run", "--config", "examples/blog.yaml"],
    "the script": lambda: [sys.executable, "examples/blog.py"],
    "the module": lambda: [*dockerproxy(), "run", "examples.blog:proxy"],
}


class Answer(NamedTuple):
    """What came back."""

    status: int
    text: str


class Running:
    """A proxy that runs one of the examples."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, host: str, path: str = "/", body: str | None = None) -> Answer:
        """GET, or POST with a body, as `host`."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)
        try:
            connection.request("GET" if body is None else "POST", path, body, {"Host": host})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def upstreams_of(self, name: str) -> dict[str, dict[str, Any]]:
        """The upstreams of a route by name, as statistics show them."""
        routes = json.loads(self.ask(PANEL, "/statistics").text)["routes"]
        route = next(route for route in routes if route["name"] == name)
        return {upstream["name"]: upstream for upstream in route["upstreams"]}


def found_in(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> re.Match[str]:
    """The first match in what `process` writes to `log`, as soon as it is there."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(pattern, log.read_text())
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{pattern!r} did not appear; the program wrote:\n{log.read_text()}")


@contextmanager
def program(command: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run `command` from the project's folder, its output in a file; ended with SIGTERM."""
    log = folder / "output"
    settings = {"DOCKERPROXY_STATE_DIR": str(folder / "state"), "DOCKERPROXY_DOCKER__ENABLED": "false"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKERPROXY_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process, log
    finally:
        process.terminate()
        process.wait(DEADLINE)


def taken(port: int) -> bool:
    """Whether somebody listens on this port of the machine."""
    with socket.socket() as probe:
        probe.settimeout(DEADLINE)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", autouse=True)
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """examples/upstream.py, on the port that the examples name."""
    for port in (LIVING, DEAD):
        if taken(port):
            pytest.skip(f"port {port}, which the examples use, is taken by another program")
    command = [sys.executable, "examples/upstream.py"]
    with program(command, tmp_path_factory.mktemp("upstream")) as (process, log):
        found_in(log, "listens on", process)
        yield


@pytest.fixture(scope="module", params=WAYS)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example, by each of the three ways to run it, on a free port."""
    command = [*WAYS[request.param](), "--listen", "127.0.0.1:0"]
    with program(command, tmp_path_factory.mktemp("proxy")) as (process, log):
        yield Running(int(found_in(log, r"listens on 127\.0\.0\.1:(\d+)", process)[1]))
    assert process.returncode == 0, log.read_text()


def test_the_blog_always_answers_though_two_of_its_upstreams_are_dead(proxy: Running) -> None:
    answers = [proxy.ask(BLOG, f"/{number}") for number in range(9)]

    assert [answer.status for answer in answers] == [200] * 9
    assert "You asked for /8 at blog.localhost:8888" in answers[8].text
    upstreams = proxy.upstreams_of("blog")
    assert upstreams["docker 1 - ok"]["used_successfully"] >= 9
    assert upstreams["docker 1 - ok"]["error_counter"] == 0
    assert all(upstreams[f"docker {number} - error"]["error_counter"] > 0 for number in (2, 3))


def test_the_page_gets_the_groups_of_the_path(proxy: Running) -> None:
    answer = proxy.ask(HERE, "/shop/shoes/red.html")

    assert answer == (200, "Hello! controller: shop, module: shoes, site: red.html\n")


@pytest.mark.parametrize("path", ["/", "/shop/shoes", "/shop/shoes/red.php"])
def test_other_paths_of_the_pages_domain_are_not_found(proxy: Running, path: str) -> None:
    assert proxy.ask(HERE, path).status == 404


def test_a_route_in_the_go_projects_json_is_added_and_removed(proxy: Running) -> None:
    assert proxy.ask(NEWS).status == 404

    assert proxy.ask(HERE, "/add", NEWS_JSON).status == 201
    assert proxy.ask(NEWS, "/today").text.startswith("The blog. You asked for /today at news.localhost:8888")
    assert proxy.ask(HERE, "/add", NEWS_JSON).status == 409

    assert proxy.ask(HERE, "/remove", '{"name": "news"}').status == 200
    assert proxy.ask(NEWS).status == 404


def test_the_static_routes_cannot_be_removed(proxy: Running) -> None:
    answer = proxy.ask(HERE, "/remove", '{"name": "blog"}')

    assert answer.status == 409
    assert "static" in answer.text


def test_statistics_name_every_route_of_the_example(proxy: Running) -> None:
    report = json.loads(proxy.ask(PANEL, "/statistics").text)

    assert {"blog", "hello", "add", "remove", "panel"} <= {route["name"] for route in report["routes"]}


TWO_PROJECTS = ROOT / "examples" / "two-projects"
SERVICES = [
    (project, name, service)
    for project in ("proxy", "shop", "wiki")
    for name, service in yaml.safe_load((TWO_PROJECTS / project / "docker-compose.yml").read_text())["services"].items()
]


@pytest.mark.parametrize(("project", "name", "service"), SERVICES)
def test_the_labels_of_the_two_projects_are_understood(project: str, name: str, service: dict[str, Any]) -> None:
    reading = LabelReader("dockerproxy", "localhost").read(service.get("labels", {}), f"{project}-{name}-1", name)

    assert not reading.reasons
    assert len(reading.routes) == (name in ("web", "api"))


def test_the_settings_of_the_two_projects_can_be_used(tmp_path: Path) -> None:
    text = (TWO_PROJECTS / "proxy" / "settings" / "dockerproxy.yaml").read_text()
    settings = validate(parse_file(text, "example"), "example")
    (users := tmp_path / "users").write_text("ann:{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n")
    whole = text.replace("# routes:", "routes:").replace("#   - {name: nas", "  - {name: nas")
    (tmp_path / "site.yaml").write_text(whole.replace("/etc/dockerproxy/users", str(users)))

    assert {host for rule in settings.constraints for host in rule.hosts} == {"shop.localhost", "wiki.localhost"}
    assert check(str(tmp_path / "site.yaml")).problems == []


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_file()))
def test_each_example_says_first_how_it_is_run(file: str) -> None:
    first_lines = (ROOT / "examples" / file).read_text()[:500]

    assert "run" in first_lines
