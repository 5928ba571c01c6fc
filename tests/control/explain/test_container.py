"""explain CONTAINER: the verdict, the labels, the way to it, and what would have to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Condition, Json
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.routing.table import RouteTable
from tests.control.explaining import evidence, listed, proxy_on
from tests.discovery.support import network


def labels_of(answer: Json, use: str) -> dict[str, str]:
    return {row["label"]: row.get("reason") or row["meaning"] for row in answer["labels"] if row["use"] == use}


def codes_of(answer: Json) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


def test_a_routed_container_is_told_with_its_route_network_port_and_labels() -> None:
    labels = {"dockerproxy.host": "blog.localhost", "dockerproxy.path": "/api", "maintainer": "x"}
    answer = explain_container("blog-1", evidence(listed("blog-1", labels, 2368, service="blog"), listen=":8888"))

    assert (answer["found"], answer["routed"], answer["code"]) == (True, True, "routed")
    assert answer["verdict"] == "blog-1 is routed: blog at http://blog.localhost:8888/api/"
    (route,) = answer["routes"]
    assert (route["route"], route["hosts"], route["path"], route["methods"]) == (
        "blog",
        ["blog.localhost"],
        "/api/*",
        [],
    )
    assert (route["network"], route["port"], route["address"]) == ("shop_default", 2368, "172.18.0.5:2368")
    assert route["why_network"] == "network shop_default, because it is the only one that the container is on"
    assert route["why_port"] == "port 2368, because it is the only TCP port that the container exposes"
    assert set(labels_of(answer, "read")) == {"com.docker.compose.service", "dockerproxy.host", "dockerproxy.path"}
    assert (answer["reasons"], answer["notes"]) == ([], [])


def test_the_turn_of_an_expression_is_told() -> None:
    def with_expression(name: str, text: str, created: int) -> dict[str, Any]:
        labels = {"dockerproxy.host": "x.localhost", "dockerproxy.path_regex": text}
        return listed(name, labels, 80, service=name, created=created)

    known = evidence(with_expression("a", "^/a/", 1), with_expression("b", "^/b/", 2), with_expression("all", "^/", 3))
    (note,) = explain_container("b", known)["notes"]
    assert note == (
        "the expression of route b is the 2nd of 3 at x.localhost: requests try them in turn, and have 20 ms for all"
    )
    assert "is the 3rd of 3" in explain_container("all", known)["notes"][0]
    assert explain_container("a", evidence(with_expression("a", "^/a/", 1)))["notes"] == []


def test_two_routes_of_one_container_have_each_their_own_address() -> None:
    labels = {"dockerproxy.web.port": "80", "dockerproxy.api.port": "9000", "dockerproxy.hold": "1s"}
    answer = explain_container("c", evidence(listed("c", labels, 80, 9000)))

    assert {route["route"]: route["address"] for route in answer["routes"]} == {
        "api": "172.18.0.5:9000",
        "web": "172.18.0.5:80",
    }
    assert labels_of(answer, "read")["dockerproxy.api.port"].startswith("of route api: port that the application")


def test_an_unknown_label_is_told_with_the_one_that_was_meant_and_what_comes_of_it() -> None:
    labels = {"dockerproxy.hots": "office.localhost"}
    answer = explain_container("office-1", evidence(listed("office-1", labels, service="office")))

    assert answer["code"] == "unknown_label"
    assert answer["verdict"] == "office-1 is not routed: dockerproxy.hots: there is no such label"
    assert answer["reasons"][0]["mend"] == (
        "rename the label to dockerproxy.host; then run: docker compose up -d office;"
        " it will then be at office.localhost, reached at 172.18.0.5:80"
    )
    (ignored,) = (row for row in answer["labels"] if row["use"] == "ignored")
    assert (ignored["reason"], ignored["did_you_mean"]) == ("there is no such label", "dockerproxy.host")


def test_what_asks_for_protection_is_told_without_its_value() -> None:
    labels = {"dockerproxy.basic_auth": "ann:secret", "dockerproxy.host": "a.localhost"}
    answer = explain_container("web-1", evidence(listed("web-1", labels)))

    assert answer["code"] == "unknown_protection"
    assert {row["label"]: row["value"] for row in answer["labels"]}["dockerproxy.basic_auth"] == "(not shown)"
    assert "secret" not in str(answer).replace("/run/secrets", "")


def test_what_would_be_wrong_next_is_told_as_well() -> None:
    answer = explain_container("office-1", evidence(listed("office-1", {"docker-proxy.enable": "true"}, 8080, 9090)))

    assert codes_of(answer) == ["near_prefix", "route_left_out", "several_ports"]
    assert answer["reasons"][0]["mend"].startswith("rename the label to dockerproxy.enable; then create the container")
    assert answer["reasons"][2]["text"] == "then, it exposes the ports 8080, 9090 and none is 80"
    assert "add the label dockerproxy.port=" in answer["reasons"][2]["mend"]


def test_a_wrong_value_is_told_with_an_example() -> None:
    answer = explain_container("c", evidence(listed("c", {"dockerproxy.port": "http"}, Ports=[])))

    assert answer["code"] == "wrong_value"
    assert answer["reasons"][0]["mend"].startswith("write the one the application listens on; then create")
    assert labels_of(answer, "ignored")["dockerproxy.port"].startswith("'http' is not a port from 1 to 65535")

    answer = explain_container("c", evidence(listed("c", {"dockerproxy.host": "a.localhost", "dockerproxy.hold": "?"})))
    assert answer["reasons"][0]["mend"].startswith("write for example dockerproxy.hold=0s; then create")


@pytest.mark.parametrize(
    ("option", "value", "better"),
    [
        ("host", "http://blog.localhost/api", "blog.localhost"),
        ("host", "a.localhost; https://b.localhost:8443", "a.localhost,b.localhost:8443"),
        ("port", "80/tcp", "80"),
        ("port", "8080:80", "80"),
        ("path", "api/*", "/api"),
        ("scheme", "https://", "https"),
        ("enable", "enabled", "true"),
    ],
)
def test_a_wrong_value_of_which_the_right_one_can_be_guessed_is_told_with_that(
    option: str, value: str, better: str
) -> None:
    label = f"dockerproxy.{option}"
    answer = explain_container("c", evidence(listed("c", {label: value})))

    assert answer["reasons"][0]["mend"].startswith(f"write {label}={better}; then create the container anew")
    assert "; it will then be at " in answer["reasons"][0]["mend"]


def test_a_wrong_value_of_tuning_is_not_why_a_container_is_not_routed() -> None:
    labels = {"dockerproxy.host": "a.localhost", "dockerproxy.hold": "soon"}
    answer = explain_container("c", evidence(listed("c", labels, 1, 2)))

    assert answer["code"] == "several_ports"
    assert codes_of(answer) == ["several_ports", "wrong_value"]
    assert labels_of(answer, "ignored")["dockerproxy.hold"].endswith("its default is used")


def test_a_container_that_is_routed_in_spite_of_a_wrong_label_says_both() -> None:
    labels = {"dockerproxy.host": "a.localhost", "dockerproxy.weigth": "3"}
    answer = explain_container("c", evidence(listed("c", labels)))

    assert (answer["routed"], answer["code"]) == (True, "unknown_label")
    assert answer["verdict"].endswith("; but dockerproxy.weigth: there is no such label")
    assert codes_of(answer) == ["unknown_label"]


def test_a_container_without_a_label_is_told_which_one_to_add_and_what_would_come_of_it() -> None:
    known = evidence(listed("web-1", {"maintainer": "x", "a": "b"}, service="web"), listed("bare", {}))
    answer = explain_container("web-1", known)

    assert (answer["found"], answer["routed"], answer["code"]) == (True, False, "no_label")
    assert answer["verdict"] == "web-1 is not routed: none of its labels (a, maintainer) begins with dockerproxy."
    assert answer["reasons"][0]["mend"] == (
        "add the label dockerproxy.enable=true; then run: docker compose up -d web;"
        " it will then be at web.localhost, reached at 172.18.0.5:80"
    )
    assert explain_container("bare", known)["verdict"] == "bare is not routed: it has no labels"


def test_a_container_without_a_label_is_told_what_else_it_lacks() -> None:
    known = evidence(listed("web-1", {}, 1, 2), proxy_on("front"))
    answer = explain_container("web-1", known)

    assert codes_of(answer) == ["no_label", "no_shared_network"]
    assert answer["reasons"][1]["mend"] == "run: docker network connect shop_default proxy"


def test_enable_false_is_told_as_what_it_is_and_the_other_labels_as_ignored() -> None:
    labels = {"dockerproxy.enable": "false", "dockerproxy.host": "a.localhost"}
    answer = explain_container("c", evidence(listed("c", labels)))

    assert (answer["code"], codes_of(answer)) == ("forbidden", ["forbidden"])
    assert answer["reasons"][0]["mend"].startswith("remove the label dockerproxy.enable, or set it to true; then ")
    assert labels_of(answer, "ignored") == {"dockerproxy.host": "dockerproxy.enable=false forbids the whole container"}


def test_a_conflict_with_an_older_container_names_it() -> None:
    old = listed("old", {"dockerproxy.route": "a", "dockerproxy.host": "old.localhost"}, created=1)
    new = listed("new", {"dockerproxy.route": "a", "dockerproxy.host": "new.localhost"}, created=2)
    answer = explain_container("new", evidence(old, new))

    assert (answer["routed"], answer["code"]) == (True, "older_container_wins")
    assert codes_of(answer) == ["older_container_wins"]
    assert answer["reasons"][0]["mend"].startswith(
        "write the same label on all containers of the route, or give this one a route of its own:"
        " dockerproxy.route=new; then "
    )
    assert labels_of(answer, "ignored")["dockerproxy.host"] == "the older container old says old.localhost"
    assert answer["routes"][0]["hosts"] == ["old.localhost"]


def test_a_place_that_is_taken_names_who_has_it() -> None:
    static = [{"name": "blog", "host": "blog.localhost", "upstreams": ["http://127.0.0.1:9"]}]
    thief = listed("thief", {"dockerproxy.host": "blog.localhost"})
    both = listed("both", {"dockerproxy.host": "blog.localhost,free.localhost"})
    known = evidence(thief, both, routes=static)

    answer = explain_container("thief", known)
    assert (answer["routed"], answer["code"]) == (False, "place_taken")
    assert answer["reasons"][0]["mend"].startswith(
        "choose another dockerproxy.host, or join that route with dockerproxy.route=blog; then "
    )
    assert "blog.localhost /* is answered by the static route blog" in answer["verdict"]
    assert "dockerproxy.host" in labels_of(answer, "ignored")

    answer = explain_container("both", known)
    assert answer["routed"]
    assert "dockerproxy.host" in labels_of(answer, "read")


def test_a_constraint_that_forbids_a_host_is_told_as_such() -> None:
    rules = [{"hosts": "shop.example.com", "projects": "shop"}]
    answer = explain_container("c", evidence(listed("c", {"dockerproxy.host": "shop.example.com"}), constraints=rules))

    assert (answer["routed"], answer["code"]) == (False, "not_allowed")
    assert "shop.example.com" in answer["verdict"]


def test_a_benched_or_draining_container_is_routed_but_gets_nothing() -> None:
    benched = Condition("benched", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z", "connection refused")
    known = evidence(listed("c", {"dockerproxy.enable": "true"}), condition=lambda _route, _upstream: benched)
    answer = explain_container("c", known)
    assert (answer["routed"], answer["code"]) == (True, "benched")
    assert "it is benched until 2026-01-01T00:01:30Z: connection refused" in answer["verdict"]
    assert answer["routes"][0]["last_error"] == "connection refused"

    assert answer["reasons"][0]["mend"] == "run: dockerproxy unbench c"

    draining = Condition("draining", cause="drained by the operator", mend="run: dockerproxy undrain c")
    answer = explain_container("c", replace(known, condition=lambda _route, _upstream: draining))
    assert answer["code"] == "draining"
    assert answer["verdict"].endswith("gets no new requests: drained by the operator")
    assert answer["reasons"][0]["mend"] == "run: dockerproxy undrain c"


@pytest.mark.parametrize(
    ("said", "code", "mend"),
    [
        ({"maintenance": "back soon"}, "maintenance", "run: dockerproxy maintenance c off"),
        ({"paused": True}, "route_paused", "run: dockerproxy resume c"),
    ],
)
def test_maintenance_and_a_pause_of_its_route_are_told_of_a_container(said: Json, code: str, mend: str) -> None:
    known = evidence(listed("c", {"dockerproxy.enable": "true"}))
    table = RouteTable([replace(route, **said) if route.name == "c" else route for route in known.table.routes])
    answer = explain_container("c", replace(known, table=table))

    assert (answer["routed"], answer["code"], answer["reasons"][0]["mend"]) == (True, code, mend)
    assert "; but route c is " in answer["verdict"]


@pytest.mark.parametrize("word", ["web-1", "7765622d31", "web"])
def test_a_container_is_found_by_name_by_the_beginning_of_its_id_and_by_its_service(word: str) -> None:
    answer = explain_container(word, evidence(listed("web-1", {"dockerproxy.enable": "true"}, service="web")))

    assert (answer["container"], answer["found"]) == ("web-1", True)
    assert answer["notes"] == (["web means the container web-1"] if word == "web" else [])


def test_of_several_containers_of_a_service_the_one_that_is_not_routed_is_explained() -> None:
    enabled = {"dockerproxy.enable": "true"}
    ill = listed("web-2", enabled, service="web", status="Up 3 minutes (unhealthy)")
    answer = explain_container("web", evidence(listed("web-1", enabled, service="web"), ill))

    assert (answer["container"], answer["code"], answer["others"]) == ("web-2", "unhealthy", ["web-1"])
    assert answer["notes"] == ["web means 2 containers: this one, and web-1"]


def test_a_container_is_found_by_the_route_that_its_labels_name() -> None:
    answer = explain_container("blog", evidence(listed("c7", {"dockerproxy.route": "blog"})))
    assert answer["container"] == "c7"


def test_a_name_that_there_is_not_leads_to_the_one_most_like_it() -> None:
    answer = explain_container("wbe-1", evidence(listed("web-1", {})))

    assert (answer["found"], answer["routed"], answer["code"]) == (False, False, "not_found")
    assert answer["verdict"] == "there is no container wbe-1 at Docker 24 at unix:///x; did you mean web-1?"
    assert "docker ps --all" in explain_container("xyzzy", evidence(listed("web-1", {})))["reasons"][0]["mend"]


@pytest.mark.parametrize(("name", "there"), [("root", "wrongport"), ("help", "health"), ("x", "web-1")])
def test_a_name_that_is_like_none_leads_to_none(name: str, there: str) -> None:
    assert "did you mean" not in explain_container(name, evidence(listed(there, {})))["verdict"]


def test_of_a_wildcard_an_address_is_shown_that_can_be_asked_for() -> None:
    answer = explain_container("c", evidence(listed("c", {"dockerproxy.host": "*.localhost"}), listen=":8888"))
    assert answer["verdict"] == "c is routed: c at http://any.localhost:8888/"


def test_the_name_of_a_static_route_is_no_container() -> None:
    static = [{"name": "blog", "host": "blog.localhost", "upstreams": ["http://127.0.0.1:9"]}]
    answer = explain_container("blog", evidence(routes=static))
    assert answer["code"] == "not_found"
    assert answer["reasons"][0]["mend"] == "blog is a route without containers: ask for its URL instead"


def test_without_an_engine_it_is_not_said_that_the_container_does_not_exist() -> None:
    lost = DiscoveryStatus(EngineState.RECONNECTING, error="there is no socket /x: start the engine")
    answer = explain_container("web-1", replace(evidence(), discovery=lost))
    assert (answer["found"], answer["code"]) == (False, "engine_not_reached")
    assert "there is no socket /x" in answer["verdict"]

    answer = explain_container("web-1", evidence(docker={"enabled": False}))
    assert answer["code"] == "discovery_disabled"


def test_an_engine_that_has_gone_makes_what_is_known_doubtful() -> None:
    known = evidence(listed("web-1", {"dockerproxy.enable": "true"}))
    known.discovery.state, known.discovery.error = EngineState.RECONNECTING, "the engine is being stopped"
    (note,) = explain_container("web-1", known)["notes"]
    assert note == "the engine does not answer (the engine is being stopped); this is what was known when it last did"


def test_a_published_port_and_the_host_s_network_have_their_reasons() -> None:
    ports = [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 32768, "Type": "tcp"}]
    data = {**listed("c", {"dockerproxy.enable": "true"}), "Ports": ports}
    (route,) = explain_container("c", evidence(data, docker={"address": "published"}))["routes"]
    assert route["why_network"] == "network of the host, because docker.address=published is set"
    assert route["why_port"].startswith("port 32768, because 80 is published as 32768")

    hosted = listed("h", {"dockerproxy.port": "3000"}, networks=network("host", ""), mode="host")
    (route,) = explain_container("h", evidence(hosted))["routes"]
    assert route["why_port"] == "port 3000, because the label dockerproxy.port says so"
