"""docker-compose.yml, as the README tells a new user to run it."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.engine.compose import Project
from tests.engine.containers import Containers
from tests.engine.proxy_process import ADMIN_HOST, Statistics, container_in, fetch, route_in, up_in


def wait_until_all_answer(project: Project, service: str) -> None:
    """Until all containers of the service are up for its route, and each has answered."""
    project.proxy.wait_for_upstreams(service, *project.containers(service))

    def all_have_answered(statistics: Statistics) -> bool:
        project.proxy.get(f"{service}.localhost")
        route = route_in(statistics, service)
        return route is not None and all(upstream["used_successfully"] for upstream in route["upstreams"])

    project.proxy.wait_for(all_have_answered, f"all containers of {service} have answered")


def test_the_example_services_are_on_the_web(project: Project) -> None:
    for service in ("blog", "web"):
        wait_until_all_answer(project, service)
        assert project.proxy.get(f"{service}.localhost").status == 200


def test_without_the_token_nobody_beside_the_proxy_rules_it(project: Project) -> None:
    assert fetch(project.proxy.port, ADMIN_HOST, "/statistics").status == 401
    [web] = project.containers("web")
    ask = (
        "import urllib.request as u, urllib.error as e\n"
        f"r = u.Request('http://proxy:8888/add', b'{{}}', {{'Host': '{ADMIN_HOST}'}})\n"
        "try: print(u.urlopen(r).status)\nexcept e.HTTPError as error: print(error.code)"
    )
    assert web.exec_run(["python3", "-c", ask]).output == b"401\n"


def test_the_log_has_a_link_that_logs_a_browser_in_once_and_commands_find_the_token(project: Project) -> None:
    [link] = re.findall(r"http://root\.localhost:8888/#login=(\S+)", project.run("logs", "proxy"))
    body = json.dumps({"code": link}).encode()
    for status in (200, 401):
        assert fetch(project.proxy.port, ADMIN_HOST, "/login", method="POST", body=body).status == status
    another = project.run("exec", "-T", "proxy", "dockerproxy", "login").strip()
    assert another.startswith(f"http://root.localhost:{project.proxy.port}/#login=")  # as it is published
    assert "blog" in project.run("exec", "-T", "proxy", "dockerproxy", "routes")


def test_scaling_a_service_scales_its_route(project: Project) -> None:
    for replicas in (3, 1):
        project.run("up", "-d", "--no-build", "--no-recreate", "--scale", f"web={replicas}")
        assert len(project.containers("web")) == replicas
        wait_until_all_answer(project, "web")


def test_force_recreate_of_a_single_container_shows_a_slow_page_and_no_error(project: Project) -> None:
    wait_until_all_answer(project, "blog")
    before = project.containers("blog")
    done = threading.Event()
    statuses: Counter[int] = Counter()

    def visit() -> None:
        while not done.is_set():
            statuses[project.proxy.get("blog.localhost").status] += 1

    with ThreadPoolExecutor() as pool:
        visitors = [pool.submit(visit) for _ in range(4)]
        try:
            project.run("up", "-d", "--no-build", "--no-deps", "--force-recreate", "blog")
            wait_until_all_answer(project, "blog")
        finally:
            done.set()
        for visitor in visitors:
            visitor.result()
    assert project.containers("blog") != before
    assert set(statuses) == {200}
    print(f"\nforce-recreate by compose: {statuses.total()} requests, none failed")


def test_one_off_containers_of_a_service_do_not_join_its_route(project: Project) -> None:
    before = up_in(project.proxy.statistics(), "web")
    project.run("run", "-d", "--no-deps", "--name", f"{project.name}-once", "web")
    once = project.client.containers.get(f"{project.name}-once")
    try:
        statistics = project.proxy.wait_for(
            lambda found: container_in(found, once) is not None, "the one-off is reported"
        )
        assert up_in(statistics, "web") == before
    finally:
        once.remove(force=True)


def test_a_container_that_shares_no_network_with_the_proxy_is_reported_with_the_remedy(
    project: Project, containers: Containers
) -> None:
    elsewhere = containers.network("elsewhere")
    app = containers.run(labels={"dockerproxy.enable": "true"}, network=elsewhere.name)
    project.proxy.wait_for_reason(app, "network", "docker network connect")
    statistics = project.proxy.statistics()
    found = container_in(statistics, app)
    assert found is not None
    assert not found["routed"]


def test_the_proxy_stops_with_exit_code_0_and_within_its_grace(project: Project) -> None:
    [proxy] = project.containers("proxy")
    project.run("stop", "proxy")
    assert proxy.wait()["StatusCode"] == 0, proxy.logs().decode()
    project.run("start", "proxy")
    project.proxy.wait_until_connected()
