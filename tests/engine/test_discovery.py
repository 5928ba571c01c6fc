"""Containers come, go and change at a real engine, and the routes follow; nobody edits a file or reloads."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for_futures
from typing import Any

import pytest
from docker.models.containers import Container

from tests.engine.conftest import AppImage, Wait
from tests.engine.containers import HEALTH_BY_FILE, HEALTHY_FILE, Containers
from tests.engine.proxy_process import (
    ADMIN_HOST,
    ProxyProcess,
    Statistics,
    address_in,
    container_in,
    fetch,
    free_port,
    reasons_in,
    route_in,
    up_in,
)

ENABLE = {"dockerproxy.enable": "true"}


def joining(route: str, **options: str) -> dict[str, str]:
    """Labels that join `route` and answer at once, instead of holding, when it has no upstream."""
    return {"dockerproxy.route": route, "dockerproxy.hold": "0s"} | {
        f"dockerproxy.{name}": value for name, value in options.items()
    }


def answered_by(proxy: ProxyProcess, route: str, requests: int = 1) -> Counter[str]:
    """Which containers answer this many requests to <route>.localhost."""
    return Counter(proxy.get(f"{route}.localhost").container for _ in range(requests))


@pytest.fixture
def route(containers: Containers) -> str:
    """A route's name that nothing else uses."""
    return containers.unique("route")


@pytest.mark.smoke
def test_a_container_joins_when_it_starts(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    assert proxy.get(f"{route}.localhost").status == 404
    app = containers.run(labels=joining(route))
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}


def test_a_route_without_a_name_is_called_as_the_container(proxy: ProxyProcess, containers: Containers) -> None:
    app = containers.run(labels=ENABLE)
    proxy.wait_for_upstreams(str(app.name), app)
    assert answered_by(proxy, str(app.name)) == {app.name: 1}


def test_a_route_without_a_name_is_called_as_the_compose_service(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": route}
    app = containers.run(labels=ENABLE | compose)
    proxy.wait_for_upstreams(route, app)


@pytest.mark.smoke
def test_a_crash_is_told_with_its_exit_code_and_a_stop_is_not(
    proxy: ProxyProcess, containers: Containers, route: str, wait: Wait
) -> None:
    crashing = ["sh", "-c", "until test -e /crash; do sleep 0.1; done; exit 3"]
    stopped = containers.run(labels=joining(f"{route}-stopped"))
    killed = containers.run(labels=joining(f"{route}-killed"))
    crashed = containers.run(labels=joining(route), entrypoint=crashing)
    for name, container in ((f"{route}-stopped", stopped), (f"{route}-killed", killed), (route, crashed)):
        proxy.wait_for_upstreams(name, container)
    crashed.exec_run(["touch", "/crash"])
    stopped.stop(timeout=5)
    killed.kill()
    wait(lambda: f"{crashed.name}: ended with exit code 3" in proxy.log, lambda: proxy.log)
    wait(lambda: f"{killed.name}: was killed" in proxy.log, lambda: proxy.log)
    assert f"{stopped.name}: ended" not in proxy.log


def test_containers_that_ask_for_nothing_are_left_alone(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    silent = containers.run(labels={})
    forbidden = containers.run(labels=joining(route, enable="false"))
    proxy.wait_for_upstreams(route + "-marker", containers.run(labels=joining(route + "-marker")))
    statistics = proxy.statistics()
    assert container_in(statistics, silent) is None
    assert route_in(statistics, route) is None
    found = container_in(statistics, forbidden)
    assert found is None or not found["routed"]


@pytest.mark.smoke
def test_a_container_leaves_when_it_is_removed(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    app = containers.run(labels=joining(route))
    proxy.wait_for_upstreams(route, app)
    containers.remove(app)
    proxy.wait_for_upstreams(route)
    answer = proxy.get(f"{route}.localhost")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0


def test_a_route_is_forgotten_when_it_has_lingered(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    app = containers.run(labels=joining(route, linger="500ms"))
    proxy.wait_for_upstreams(route, app)
    containers.remove(app)
    proxy.wait_for(lambda found: route_in(found, route) is None, f"{route} is forgotten")
    assert proxy.get(f"{route}.localhost").status == 404


def test_scaling_up_and_down(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    first = containers.run(labels=joining(route))
    proxy.wait_for_upstreams(route, first)
    second, third = (containers.run(labels=joining(route)) for _ in range(2))
    proxy.wait_until_answering(route, first, second, third)
    assert sorted(answered_by(proxy, route, 9).values()) == [3, 3, 3]
    containers.remove(first)
    containers.remove(third)
    proxy.wait_for_upstreams(route, second)
    assert answered_by(proxy, route, 3) == {second.name: 3}


@pytest.mark.smoke
def test_a_restarted_container_is_back_on_its_route(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    app = containers.run(labels=joining(route, hold="10s"))
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}
    app.restart()
    assert answered_by(proxy, route) == {app.name: 1}
    found = proxy.route(route)
    assert found is not None
    assert found["requests"] == 2
    assert len(found["upstreams"]) == 1


def test_a_renamed_container_keeps_its_counters(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    app = containers.run(labels=joining(route))
    proxy.wait_for_upstreams(route, app)
    answered_by(proxy, route, 2)
    app.rename(containers.unique("renamed"))
    app.reload()
    proxy.wait_for_upstreams(route, app)
    found = proxy.route(route)
    assert found is not None
    assert found["upstreams"][0]["used_successfully"] == 2


def test_a_route_that_is_called_as_its_container_is_renamed_with_it(
    proxy: ProxyProcess, containers: Containers
) -> None:
    app = containers.run(labels=ENABLE)
    proxy.wait_for_upstreams(str(app.name), app)
    app.rename(containers.unique("renamed"))
    app.reload()
    proxy.wait_for_upstreams(str(app.name), app)
    assert proxy.get(f"{app.name}.localhost").status == 200


@pytest.mark.smoke
def test_a_paused_container_gets_no_requests(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    paused, other = (containers.run(labels=joining(route)) for _ in range(2))
    proxy.wait_for_upstreams(route, paused, other)
    paused.pause()
    proxy.wait_for_upstreams(route, other)
    assert answered_by(proxy, route, 4) == {other.name: 4}
    paused.unpause()
    proxy.wait_until_answering(route, paused, other)
    assert answered_by(proxy, route, 4) == {other.name: 2, paused.name: 2}


@pytest.mark.smoke
def test_a_container_with_a_health_check_joins_when_healthy_and_leaves_when_unhealthy(
    proxy: ProxyProcess, containers: Containers, route: str, is_podman: bool
) -> None:
    # To Podman no check that fails within this time counts, even after one that has succeeded.
    starting = {} if is_podman else {"start_period": 600 * 10**9}
    app = containers.run(labels=joining(route), healthcheck={**HEALTH_BY_FILE, **starting})
    proxy.wait_for_reason(app, "health check")
    proxy.wait_for_upstreams(route)
    app.exec_run(["touch", HEALTHY_FILE])
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}
    app.exec_run(["rm", HEALTHY_FILE])
    proxy.wait_for_reason(app, "health check")
    proxy.wait_for_upstreams(route)
    app.exec_run(["touch", HEALTHY_FILE])
    proxy.wait_for_upstreams(route, app)


@pytest.mark.docker_only("it tells of a stop when the application has ended")
def test_a_container_that_is_told_to_stop_finishes_its_request_and_gets_no_new_one(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    # Both are there before: to start one can take longer than the slow request does.
    one, two = (containers.run(labels=joining(route)) for _ in range(2))
    proxy.wait_until_answering(route, one, two)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(proxy.get, f"{route}.localhost", "/slow?seconds=5")
        found = proxy.wait_for(lambda found: in_flight(found, route) != [], "the slow request is in flight")
        stopping, other = (one, two) if in_flight(found, route) == [one.name] else (two, one)
        stopped = pool.submit(stopping.stop)
        proxy.wait_for_upstreams(route, other)
        assert not slow.done(), "the container drains while it is still answering"
        assert answered_by(proxy, route, 6) == {other.name: 6}
        assert slow.result().container == stopping.name
        stopped.result()


@pytest.mark.smoke
def test_a_container_that_was_stopped_is_not_told_as_one_that_was_not(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    app = containers.run(labels=joining(route))
    proxy.wait_until_answering(route, app)
    app.stop()
    proxy.wait_for_upstreams(route)
    proxy.wait_for_reason(app, "it has exited")
    assert f"{app.name}: ended with exit code 0 without being told to stop" not in proxy.log


@pytest.mark.docker_only("its events tell of no signal before the container has ended")
def test_a_container_that_takes_long_to_stop_does_not_come_back_in_between(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    # Longer than the engine's default grace, of which the command line's is nowhere to be read.
    slow = containers.run(labels=joining(route), environment={"STOP_DELAY": "13"})
    other = containers.run(labels=joining(route))
    proxy.wait_until_answering(route, slow, other)
    with ThreadPoolExecutor() as pool:
        stopped = pool.submit(slow.stop, timeout=30)
        proxy.wait_for_upstreams(route, other)
        while not wait_for_futures([stopped], timeout=0.2).done:
            assert up_in(proxy.statistics(), route) == [other.name]
        stopped.result()
    assert answered_by(proxy, route, 4) == {other.name: 4}
    assert f"{slow.name}: was told to stop and still runs" in proxy.log
    assert f"{slow.name}: ended" not in proxy.log


@pytest.mark.docker_only("its events do not tell which signal a kill was")
def test_a_container_that_lives_on_after_its_signal_comes_back_when_an_operator_says_so(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    deaf = containers.run(labels=joining(route), environment={"STOP_DELAY": "3600"})
    proxy.wait_until_answering(route, deaf)
    deaf.kill("SIGTERM")
    proxy.wait_for_upstreams(route)
    answer = fetch(proxy.port, ADMIN_HOST, "/undrain", method="POST", body=json.dumps({"name": deaf.name}).encode())
    assert answer.json()["changed"] == [{"route": route, "upstream": deaf.name}]
    proxy.wait_for_upstreams(route, deaf)
    assert answered_by(proxy, route) == {deaf.name: 1}


def in_flight(statistics: Statistics, route: str) -> list[str]:
    """Names of the route's upstreams that are answering now."""
    found = route_in(statistics, route)
    return [upstream["name"] for upstream in found["upstreams"] if upstream["in_flight"]] if found else []


@pytest.mark.smoke
def test_a_container_joins_and_leaves_with_its_network(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    back, front = containers.network("back"), containers.network("front")
    app = containers.run(labels=joining(route, network=str(front.name)), network=back.name)
    proxy.wait_for_reason(app, f"docker network connect {front.name} {app.name}")
    front.connect(app)
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}
    front.disconnect(app)
    proxy.wait_for_upstreams(route)


@pytest.mark.smoke
def test_a_request_goes_on_elsewhere_as_soon_as_its_container_has_left_the_network(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    front, back = containers.network("front"), containers.network("back")
    apps = [containers.run(labels=joining(route, network=str(front.name)), network=front.name) for _ in range(2)]
    for app in apps:
        back.connect(app)  # it still runs, and somebody else still reaches it
    proxy.wait_until_answering(route, *apps)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(proxy.get, f"{route}.localhost", "/slow?seconds=4")
        (asked,) = in_flight(proxy.wait_for(lambda found: in_flight(found, route) != [], "it is in flight"), route)
        cut_off, other = sorted(apps, key=lambda app: app.name != asked)
        front.disconnect(cut_off)
        proxy.wait_for(lambda found: in_flight(found, route) == [other.name], "the other one is asked")
        assert not slow.done()
        assert slow.result().container == other.name
    cut_off.reload()
    assert cut_off.status == "running"


def test_a_label_chooses_among_several_networks(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    networks = [containers.network() for _ in range(3)]
    for chosen in networks:
        name = containers.unique("app")
        app = containers.client.containers.create(
            containers.image,
            name=name,
            labels=joining(f"{route}-{chosen.name}", network=str(chosen.name)),
            environment={"NAME": name},
            network=networks[0].name,
        )
        containers.keep(app)
        for network in networks[1:]:
            network.connect(app)
        app.start()
        proxy.wait_for_upstreams(f"{route}-{chosen.name}", app)
        assert address_in(proxy.statistics(), app).rpartition(":")[0] == ip(app, str(chosen.name))
        assert answered_by(proxy, f"{route}-{chosen.name}") == {app.name: 1}


def test_a_container_on_an_internal_network_is_reached_at_the_port_that_it_exposes(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    app = containers.run(labels=joining(route), network=containers.network(internal=True).name)
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}


@pytest.mark.docker_only("its bridges have no such option")
def test_a_container_on_an_isolated_network_only_is_reported(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    # This engine may be too old to isolate it; what counts is what it tells.
    options = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
    lonely, back = containers.network("lonely", internal=True, options=options), containers.network("back")
    app = containers.run(labels=joining(route), network=lonely.name)
    proxy.wait_for_reason(app, f"its network {lonely.name} does not lead to it from the host")
    back.connect(app)
    proxy.wait_for_upstreams(route, app)
    assert answered_by(proxy, route) == {app.name: 1}


def test_a_container_in_the_network_of_another_is_reached_there(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    network = containers.network()
    owner = containers.run("owner", labels={}, environment={"PORTS": "9000"}, network=network.name)
    member = containers.run(labels=joining(route), network_mode=f"container:{owner.name}")
    proxy.wait_until_answering(route, member)
    found = container_in(proxy.statistics(), member)
    assert found is not None
    assert found["address"] == f"{ip(owner, str(network.name))}:8000"


@pytest.mark.docker_only("its list does not tell whose network a container uses")
def test_a_container_in_the_network_of_another_leaves_with_it(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    owner = containers.run("owner", labels={}, environment={"PORTS": "9000"})
    member = containers.run(labels=joining(route), network_mode=f"container:{owner.name}")
    proxy.wait_for_upstreams(route, member)
    owner.stop()
    proxy.wait_for_reason(member, f"it uses the network of container {owner.name}, which does not run")
    proxy.wait_for_upstreams(route)


def ip(container: Container, network: str) -> str:
    """The container's address in a network, as the engine gave it."""
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"])


def test_a_container_without_a_usable_network_is_reported(proxy: ProxyProcess, containers: Containers) -> None:
    app = containers.run(labels=ENABLE | {"dockerproxy.port": "8000"}, network_mode="none")
    proxy.wait_for_reason(app, "network")


@pytest.mark.smoke
def test_a_host_networked_container_is_reached_at_the_host(
    proxy: ProxyProcess, containers: Containers, route: str, wait: Wait
) -> None:
    port = str(free_port())
    app = containers.run(labels=joining(route, port=port), network_mode="host", environment={"PORTS": port})
    proxy.wait_for_upstreams(route, app)
    wait(lambda: proxy.get(f"{route}.localhost").status == 200, lambda: f"an answer by {app.logs().decode()}")


def test_several_exposed_ports_are_reported_until_a_label_chooses(
    proxy: ProxyProcess, containers: Containers, app_image: AppImage, route: str
) -> None:
    two: dict[str, Any] = {"image": app_image("8000 8001"), "environment": {"PORTS": "8000,8001"}}
    undecided = containers.run(labels=joining(route), **two)
    proxy.wait_for_reason(undecided, "8000", "8001", "dockerproxy.port")
    decided = containers.run(labels=joining(route, port="8001"), **two)
    proxy.wait_for_upstreams(route, decided)
    assert proxy.get(f"{route}.localhost").json()["port"] == 8001


def test_port_80_is_preferred_among_several(
    proxy: ProxyProcess, containers: Containers, app_image: AppImage, route: str
) -> None:
    app = containers.run(labels=joining(route), image=app_image("80 8000"), environment={"PORTS": "80,8000"})
    proxy.wait_for_upstreams(route, app)
    assert proxy.get(f"{route}.localhost").json()["port"] == 80


def test_a_malformed_label_is_reported_and_harms_nothing_else(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    good, bad = f"{route}-good", f"{route}-bad"
    other = containers.run(labels=joining(route))
    app = containers.run(labels={f"dockerproxy.{good}.port": "8000", f"dockerproxy.{bad}.port": "eighty"})
    proxy.wait_for_upstreams(good, app)
    assert answered_by(proxy, good) == {app.name: 1}
    assert answered_by(proxy, route) == {other.name: 1}
    proxy.wait_for_reason(app, f"dockerproxy.{bad}.port", "eighty")
    assert route_in(proxy.statistics(), bad) is None


@pytest.mark.smoke
def test_a_misspelt_label_is_reported_with_the_one_that_was_meant(
    proxy: ProxyProcess, containers: Containers, route: str
) -> None:
    app = containers.run(labels=joining(route, prot="8000"))
    proxy.wait_for_reason(app, "dockerproxy.prot", "did you mean", "port")


def test_where_two_containers_disagree_the_older_one_wins(
    proxy: ProxyProcess, containers: Containers, route: str, wait: Wait
) -> None:
    older = containers.run(labels=joining(route, host=f"{route}-a.localhost"))
    proxy.wait_for_upstreams(route, older)
    # The engine's list tells whole seconds only; within one of them nobody is the older.
    second = int(time.time())
    wait(lambda: int(time.time()) > second, lambda: "the next second")
    younger = containers.run(labels=joining(route, host=f"{route}-b.localhost"))
    proxy.wait_until_answering(route, older, younger, host=f"{route}-a.localhost")
    proxy.wait_for_reason(younger, f"{route}-b.localhost", str(older.name))
    assert answered_by(proxy, f"{route}-a", 2) == {older.name: 1, younger.name: 1}
    assert proxy.get(f"{route}-b.localhost").status == 404
    assert reasons_in(proxy.statistics(), older) == ""


def test_a_container_joins_a_static_route_by_its_name(proxy: ProxyProcess, containers: Containers) -> None:
    app = containers.run(labels={"dockerproxy.route": "shop"})
    proxy.wait_for_upstreams("shop", app)
    assert answered_by(proxy, "shop") == {app.name: 1}
    found = proxy.route("shop")
    assert found is not None
    assert (found["source"], found["upstreams"][0]["source"]) == ("static", "docker")


def test_two_routes_on_one_container(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    site, api = f"{route}-site", f"{route}-api"
    app = containers.run(
        environment={"PORTS": "8000,9000"},
        labels={
            f"dockerproxy.{site}.port": "8000",
            f"dockerproxy.{site}.host": f"{route}.localhost",
            f"dockerproxy.{api}.port": "9000",
            f"dockerproxy.{api}.host": f"{route}.localhost",
            f"dockerproxy.{api}.path": "/api",
            f"dockerproxy.{api}.strip_prefix": "true",
        },
    )
    proxy.wait_for_upstreams(site, app)
    proxy.wait_for_upstreams(api, app)
    assert proxy.get(f"{route}.localhost", "/page").json()["port"] == 8000
    answer = proxy.get(f"{route}.localhost", "/api/things").json()
    assert (answer["port"], answer["path"], answer["headers"]["x-forwarded-prefix"]) == (9000, "/things", "/api")


def test_compose_one_offs_stay_out_unless_they_ask(proxy: ProxyProcess, containers: Containers, route: str) -> None:
    one_off = {"com.docker.compose.service": route, "com.docker.compose.oneoff": "True"}
    replica = containers.run(labels=joining(route))
    left_out = containers.run(labels=joining(route, enable="true") | one_off)
    proxy.wait_for_reason(left_out, "one-off")
    proxy.wait_for_upstreams(route, replica)
    asked = containers.run(labels=joining(route, oneoff="true") | one_off)
    proxy.wait_for_upstreams(route, replica, asked)
