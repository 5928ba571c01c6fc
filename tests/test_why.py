"""docs/why.md: a section for each code, and in it a sentence that the proxy really says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Condition, Evidence
from dockerproxy.control.explain.reachability import Address, Failure, with_reachability
from dockerproxy.control.explain.request import explain_request
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reason import Code
from dockerproxy.proxy.answers import ANSWERS
from dockerproxy.routing.table import RouteTable

from .control.explaining import evidence, listed, proxy_on
from .discovery.support import network

PAGE = Path(__file__).parents[1] / "docs" / "why.md"
SECTIONS = dict(re.findall(r"^## (\S+)\n\n> (.+)$", PAGE.read_text(), re.MULTILINE))
BLOG = {"name": "blog", "host": "blog.localhost", "upstreams": ["http://127.0.0.1:9"]}
HELLO = {"name": "hello", "host": "hello.localhost", "handler": "examples.pages:hello"}

GATEWAY_MODE = "com.docker.network.bridge.gateway_mode_ipv4"


def sentences(known: Evidence, name: str = "web-1") -> list[str]:
    """All that is said of a container: the reasons as the log and the statistics have them, and the verdict."""
    view = next((view for view in known.containers if view.name == name), None)
    answer = explain_container(name, known)
    told = [reason["text"] for reason in answer["reasons"]]
    return [*(map(str, view.reasons) if view is not None else ()), *told, answer["verdict"]]


def of(labels: Mapping[str, str] | None = None, *ports: int, **more: Any) -> Callable[[], list[str]]:
    """What is said of a container with these labels."""
    plain = {"dockerproxy.enable": "true"} if labels is None else labels
    return lambda: sentences(evidence(listed("web-1", plain, *ports, **more)))


def older() -> list[str]:
    old = listed("old", {"dockerproxy.route": "a", "dockerproxy.host": "old.localhost"}, created=1)
    new = listed("new", {"dockerproxy.route": "a", "dockerproxy.host": "new.localhost"}, created=2)
    return sentences(evidence(old, new), "new")


def beside(*routes: Mapping[str, Any], **labels: str) -> list[str]:
    said = {f"dockerproxy.{name}": value for name, value in labels.items()}
    return sentences(evidence(listed("web-1", said), routes=list(routes)))


def routed(condition: Condition) -> list[str]:
    known = evidence(listed("web-1", {"dockerproxy.route": "web"}), listen=":8888")
    return sentences(replace(known, condition=lambda _route, _upstream: condition))


def lost() -> list[str]:
    status = DiscoveryStatus(EngineState.RECONNECTING, error="there is no socket /x")
    return sentences(replace(evidence(), discovery=status))


def constrained() -> list[str]:
    rules = [{"hosts": "shop.example.com", "projects": "shop"}]
    return sentences(evidence(listed("web-1", {"dockerproxy.host": "shop.example.com"}), constraints=rules))


def with_middlewares(name: str, **values: Any) -> list[str]:
    defined = {"define_middlewares": {"auth": {"use": "basic_auth"}, "compress": {}}, **values}
    return sentences(evidence(listed("web-1", {"dockerproxy.middlewares": name}, service="blog"), **defined))


def unreadable() -> list[str]:
    with patch.object(LabelReader, "_groups", side_effect=RecursionError("too deep")):
        return of()()


def on_host() -> list[str]:
    hosted = listed("web-1", {"dockerproxy.port": "1"}, networks=network("host", ""), mode="host")
    return sentences(evidence(hosted, proxy_on()))


def out_of_reach(failure: Failure, scheme: str = "http", port: int = 80) -> list[str]:
    known = evidence(listed("web-1", {"dockerproxy.scheme": scheme}, port))
    address = Address("172.18.0.5", port, scheme == "https", scheme == "http" and port == 8443)
    answer = explain_container("web-1", known)
    return [reason["text"] for reason in with_reachability(answer, {address: failure}, known)["reasons"]]


def many_expressions() -> list[str]:
    labels = {f"dockerproxy.r{number:02}.path_regex": f"^/{number}$" for number in range(21)}
    return sentences(evidence(listed("web-1", labels, service="web")))


def route_paused() -> list[str]:
    known = evidence(routes=[BLOG])
    table = RouteTable([replace(route, paused=True) for route in known.table.routes])
    return [explain_request("http://blog.localhost/", "", {}, replace(known, table=table))["verdict"]]


CASES: Mapping[Code, Callable[[], list[str]]] = {
    Code.NO_LABEL: of({"maintainer": "x"}),
    Code.NEAR_PREFIX: of({"docker-proxy.host": "a.localhost"}),
    Code.UNKNOWN_LABEL: of({"dockerproxy.hots": "a.localhost"}),
    Code.UNKNOWN_PROTECTION: of({"dockerproxy.basic_auth": "ann:x"}),
    Code.LETTER_CASE: of({"dockerproxy.Host": "a.localhost"}),
    Code.WRONG_VALUE: of({"dockerproxy.port": "80/tcp"}),
    Code.UNREADABLE: unreadable,
    Code.ROUTE_LEFT_OUT: of({"dockerproxy.hots": "a.localhost"}, service="office"),
    Code.TWO_PATHS: of({"dockerproxy.path": "/a", "dockerproxy.path_regex": "^/b"}, service="web"),
    Code.NO_DOMAIN: of({"dockerproxy.route": "日本"}),
    Code.NO_PREFIX_TO_STRIP: of({"dockerproxy.strip_prefix": "true"}, service="web"),
    Code.ONE_MORE_ROUTE: of({"dockerproxy.host": "a.localhost", "dockerproxy.http.port": "80"}),
    Code.FORBIDDEN: of({"dockerproxy.enable": "false"}),
    Code.ONE_OFF: of({"dockerproxy.host": "a.localhost", "com.docker.compose.oneoff": "True"}),
    Code.NOT_ALLOWED: constrained,
    Code.UNKNOWN_MIDDLEWARE: lambda: with_middlewares("atuh"),
    Code.OTHER_MIDDLEWARES: lambda: with_middlewares("auth", routes=[{**BLOG, "middlewares": "compress"}]),
    Code.NOT_STARTED: of(state="created"),
    Code.PAUSED: of(state="paused"),
    Code.RESTARTING: of(state="restarting", status="Restarting (1) 3 seconds ago"),
    Code.EXITED: of(state="exited", status="Exited (137) 2 minutes ago"),
    Code.NOT_RUNNING: of(state="dead"),
    Code.HEALTH_STARTING: of(status="Up 3 seconds (health: starting)"),
    Code.UNHEALTHY: of(status="Up 3 minutes (unhealthy)"),
    Code.NO_PORT: of(None, Ports=[]),
    Code.SEVERAL_PORTS: of(None, 8080, 9090),
    Code.NOT_PUBLISHED: lambda: sentences(
        evidence(listed("web-1", {"dockerproxy.enable": "true"}), docker={"address": "published"})
    ),
    Code.NO_NETWORK: of(networks=network("none", ""), mode="none"),
    Code.NO_SHARED_NETWORK: lambda: sentences(
        evidence(listed("web-1", {"dockerproxy.enable": "true"}), proxy_on("front"))
    ),
    Code.UNKNOWN_NETWORK: of({"dockerproxy.network": "backend"}),
    Code.ISOLATED_NETWORK: lambda: sentences(
        evidence(
            listed("web-1", {"dockerproxy.enable": "true"}, networks=network("front")),
            engine_networks=[{"Id": "id-of-front", "Options": {GATEWAY_MODE: "isolated"}}],
        )
    ),
    Code.NO_ADDRESS: of(networks=network("front", "")),
    Code.ANOTHERS_NETWORK: of(networks={}, mode="container:abc"),
    Code.HOST_NOT_REACHED: on_host,
    Code.OLDER_CONTAINER_WINS: older,
    Code.FIRM_ROUTE_WINS: lambda: beside(BLOG, route="blog", host="other.localhost"),
    Code.TOO_MANY_EXPRESSIONS: many_expressions,
    Code.PLACE_TAKEN: lambda: beside(BLOG, host="blog.localhost"),
    Code.HANDLER_ROUTE: lambda: beside(HELLO, route="hello"),
    Code.ROUTED: lambda: routed(Condition("up")),
    Code.DRAINING: lambda: routed(Condition("draining", cause="its container was told to stop")),
    Code.BENCHED: lambda: routed(Condition("benched", None, "2026-01-01T00:01:30Z", "connection refused")),
    Code.NOT_LISTENING: lambda: out_of_reach(Failure("connection refused")),
    Code.NO_HTTPS: of({"dockerproxy.https": "redirect"}, service="web"),
    Code.NO_TLS: lambda: out_of_reach(Failure("wrong version number", no_tls=True), "https"),
    Code.TLS_ONLY: lambda: out_of_reach(Failure("a handshake succeeds there", tls_only=True), port=8443),
    Code.ROUTE_PAUSED: route_paused,
    Code.NOT_FOUND: lambda: sentences(evidence(), "wbe-1"),
    Code.ENGINE_NOT_REACHED: lost,
    Code.DISCOVERY_DISABLED: lambda: sentences(evidence(docker={"enabled": False})),
}


def test_the_page_has_a_section_with_an_example_for_each_code_and_for_nothing_else() -> None:
    headers = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)

    assert sorted(headers) == sorted({*map(str, Code), *ANSWERS})
    assert SECTIONS.keys() == set(headers)


def test_every_code_is_in_the_tables_at_the_top() -> None:
    linked = re.findall(r"\[(\w+)\]\(#(\w+)\)", PAGE.read_text())

    assert all(code == anchor for code, anchor in linked)
    assert sorted(code for code, _ in linked) == sorted(SECTIONS)


@pytest.mark.parametrize("code", list(Code))
def test_the_example_of_a_container_s_code_is_what_is_really_said(code: Code) -> None:
    assert SECTIONS[code] in CASES[code]()


@pytest.mark.parametrize("code", list(ANSWERS))
def test_the_example_of_a_request_s_code_is_what_the_client_reads(code: str) -> None:
    assert SECTIONS[code] == ANSWERS[code].text
