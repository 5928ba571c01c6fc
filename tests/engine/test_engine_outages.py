"""The engine goes away and comes back; the web does not notice."""

from __future__ import annotations

from tests.engine.conftest import ContainersAt, Launch
from tests.engine.proxy_process import ProxyProcess
from tests.support.docker_engine import PrivateEngine

# Containers behind a stopped engine live on; their published ports are the engine's own and do not.
LABELS = {"dockerproxy.route": "blog", "dockerproxy.hold": "20s"}


def discovery_is(proxy: ProxyProcess, state: str) -> None:
    """Wait until the proxy says so of its link to the engine."""
    proxy.wait_for(lambda found: found["discovery"]["state"] == state, f"discovery is {state}")


def test_routes_are_served_while_the_engine_is_away_and_follow_it_when_it_is_back(
    own_engine: PrivateEngine, containers_at: ContainersAt, launch: Launch
) -> None:
    containers = containers_at(own_engine)
    proxy = launch(docker={"host": own_engine.host})
    first = containers.run(labels=LABELS)
    proxy.wait_until_answering("blog", first)  # one that refuses while the engine is away, is not asked again
    own_engine.stop()
    discovery_is(proxy, "reconnecting")
    assert [proxy.get("blog.localhost").container for _ in range(3)] == [first.name] * 3
    own_engine.start()
    discovery_is(proxy, "connected")
    second = containers.run(labels=LABELS)
    proxy.wait_for_upstreams("blog", first, second)
    assert proxy.statistics()["discovery"]["reconnects"] >= 1


def test_what_changed_while_the_engine_restarted_is_seen_afterwards(
    own_engine: PrivateEngine, containers_at: ContainersAt, launch: Launch
) -> None:
    containers = containers_at(own_engine)
    proxy = launch(docker={"host": own_engine.host})
    stays, goes = containers.run(labels=LABELS), containers.run(labels=LABELS)
    proxy.wait_for_upstreams("blog", stays, goes)
    proxy.pause()
    goes.remove(force=True)
    own_engine.restart()
    comes = containers.run(labels=LABELS)
    proxy.resume()
    proxy.wait_for_upstreams("blog", stays, comes)


def test_a_proxy_that_is_there_before_the_engine_serves_static_routes_and_waits(
    own_engine: PrivateEngine, containers_at: ContainersAt, launch: Launch
) -> None:
    containers = containers_at(own_engine)
    own_engine.stop()
    proxy = launch(
        docker={"host": own_engine.host},
        routes=[{"name": "page", "host": "page.localhost", "handler": "dockerproxy.web.statistics:statistics"}],
    )
    discovery_is(proxy, "reconnecting")
    assert proxy.get("page.localhost").status == 200
    socket = own_engine.host.removeprefix("unix://")
    proxy.wait_for(lambda _: socket in proxy.log, "the log says which engine is missed")
    assert "Traceback" not in proxy.log
    own_engine.start()
    discovery_is(proxy, "connected")
    app = containers.run(labels=LABELS)
    proxy.wait_for_upstreams("blog", app)
    assert proxy.get("blog.localhost").container == app.name


def test_containers_that_ended_with_the_engine_are_back_with_it(
    mortal_engine: PrivateEngine, containers_at: ContainersAt, launch: Launch
) -> None:
    containers = containers_at(mortal_engine)
    proxy = launch(docker={"host": mortal_engine.host})
    app = containers.run(labels=LABELS, restart_policy={"Name": "always"})
    proxy.wait_until_answering("blog", app)
    mortal_engine.restart()
    discovery_is(proxy, "connected")
    proxy.wait_until_answering("blog", app)
