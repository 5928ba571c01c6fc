"""What explain says is to be done: it can be followed word for word, and what is not certain is not put forward."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Json
from dockerproxy.control.explain.request import explain_request
from tests.control.explaining import evidence, listed
from tests.discovery.support import network


def explained(labels: dict[str, str], *ports: int, **more: Any) -> Json:
    return explain_container("c", evidence(listed("c", labels, *ports, **more)))


def mend(labels: dict[str, str], *ports: int, **more: Any) -> str:
    """The first thing to do."""
    return str(explained(labels, *ports, **more)["reasons"][0]["mend"])


@pytest.mark.parametrize(
    ("value", "ports", "told"),
    [
        ("8O80", (8080,), "write dockerproxy.port=8080; then"),
        ("8080:80", (8080,), "write dockerproxy.port=8080; then"),
        ("8080:80", (80,), "write dockerproxy.port=80; then"),
        ("http", (3000,), "write dockerproxy.port=3000; then"),
        ("8080,9090", (8080,), "write dockerproxy.port=8080; then"),
        (
            "8080,9090",
            (8080, 9090),
            "write dockerproxy.port=8080 or dockerproxy.port=9090, whichever the application listens on; then",
        ),
        (
            "80/tcp",
            (3000,),
            "write dockerproxy.port=80 or dockerproxy.port=3000, whichever the application listens on; then",
        ),
    ],
)
def test_a_port_is_put_forward_only_if_the_container_exposes_it(value: str, ports: tuple[int, ...], told: str) -> None:
    assert mend({"dockerproxy.port": value}, *ports).startswith(told)


@pytest.mark.parametrize(("value", "told"), [("8080:80", "=80"), ("80/tcp", "=80"), ("8080,9090", "=8080 or ")])
def test_where_no_port_is_exposed_the_one_that_was_written_is_put_forward(value: str, told: str) -> None:
    assert mend({"dockerproxy.port": value}, Ports=[]).startswith(f"write dockerproxy.port{told}")


@pytest.mark.parametrize(("version", "command"), [("1.29.2", "docker-compose"), ("2.24.5", "docker compose")])
def test_the_command_is_that_of_the_compose_that_made_the_container(version: str, command: str) -> None:
    labels = {"dockerproxy.hots": "a.localhost", "com.docker.compose.version": version}
    assert f"; then run: {command} up -d web; " in mend(labels, service="web")


def test_a_host_in_other_letters_is_put_forward_as_browsers_send_it() -> None:
    assert mend({"dockerproxy.host": "http://Bücher.localhost/"}, service="web").startswith(
        "write dockerproxy.host=xn--bcher-kva.localhost; then "
    )
    assert mend({"dockerproxy.host": "ü" * 70 + ".localhost"}).startswith("write for example blog.localhost")


def test_a_slip_in_the_name_of_a_network_is_mended_by_the_one_that_the_container_is_on() -> None:
    labels = {"dockerproxy.network": "frnt"}
    front, of_project = network("front"), network("shop_front")

    told = "write dockerproxy.network=front; then run: docker compose up -d web"
    assert mend(labels, service="web", networks=front) == told
    assert mend(labels, service="web", networks=of_project) == told


def test_a_network_that_others_are_on_is_connected_by_the_name_that_the_engine_knows() -> None:
    def told(wanted: str) -> str:
        container = listed("c", {"dockerproxy.network": wanted}, service="web", networks=network("shop_default"))
        other = listed("other", {}, networks={**network("shop_back"), **network("frnt")})
        return str(explain_container("c", evidence(container, other))["reasons"][0]["mend"])

    assert told("frnt") == "run: docker network connect frnt c"
    assert told("back") == "run: docker network connect shop_back c"


def test_a_network_that_nobody_is_on_may_not_be_there_at_all() -> None:
    assert mend({"dockerproxy.network": "web"}, networks=network("bridge")).startswith(
        "run: docker network connect web c; or, if there is no such network, write dockerproxy.network=bridge; then "
    )


def test_of_several_exposed_ports_each_is_named() -> None:
    assert mend({"dockerproxy.enable": "true"}, 8080, 9090).startswith(
        "add the label dockerproxy.port=8080 or dockerproxy.port=9090, whichever the application listens on; then "
    )


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [
        ("host", '"x.localhost"', "x.localhost"),
        ("enable", "'true'", "true"),
        ("port", '"80"', "80"),
        ("route", '"r"', "r"),
    ],
)
def test_quotes_that_became_part_of_a_value_are_to_be_left_out(option: str, value: str, right: str) -> None:
    label = f"dockerproxy.{option}"
    answer = explained({label: value})

    assert not answer["routed"]
    assert "the quotes are part of the value" in answer["verdict"]
    assert answer["reasons"][0]["mend"].startswith(f"write {label}={right}, without the quotes; then ")


def test_an_expression_may_be_about_quotes() -> None:
    assert explained({"dockerproxy.path_regex": '"x"'})["routed"]


def test_that_a_route_is_left_out_is_told_once() -> None:
    answer = explained({"dockerproxy.host": '"%"', "dockerproxy.port": '"80"'})
    assert [row["code"] for row in answer["reasons"]].count("route_left_out") == 1


def test_a_variable_that_nobody_has_filled_in_is_named() -> None:
    assert mend({"dockerproxy.host": "${HOSTNAME}.localhost"}).startswith(
        "set the variable ${HOSTNAME}, which nobody has filled in, or write the value itself in dockerproxy.host; then"
    )


def test_an_expression_is_shown_as_it_is_written() -> None:
    assert r"(found '^/v\d+(')" in explained({"dockerproxy.path_regex": r"^/v\d+("})["verdict"]


def test_the_label_that_says_the_port_and_the_network_is_the_one_that_is_there() -> None:
    labels = {"dockerproxy.web.port": "80", "dockerproxy.web.network": "shop_default"}
    (route,) = explained(labels, 80, service="web")["routes"]

    assert route["why_port"] == "port 80, because the label dockerproxy.web.port says so"
    assert route["why_network"] == "network shop_default, because the label dockerproxy.web.network says so"


def test_what_ended_or_is_ill_or_has_no_network_is_mended_by_a_command() -> None:
    enabled = {"dockerproxy.enable": "true"}

    assert mend(enabled, state="exited").startswith("run: docker start c; docker logs c may tell why")
    assert mend(enabled, status="Up 1 minute (unhealthy)").startswith(
        "run: docker inspect --format '{{json .State.Health}}' c;"
    )
    assert mend(enabled, networks=network("none", ""), mode="none") == (
        "run: docker network disconnect none c && docker network connect bridge c"
    )


@pytest.mark.parametrize(("written", "meant"), [("/api/*", "/api"), ("/*", "/"), ("/api/", "/api")])
def test_a_path_may_be_written_as_a_prefix_is_shown(written: str, meant: str) -> None:
    answer = explained({"dockerproxy.host": "a.localhost", "dockerproxy.path": written})

    assert answer["reasons"] == []
    assert answer["routes"][0]["url"] == f"http://a.localhost:8888{meant.rstrip('/')}/"


def test_any_other_star_in_a_path_is_told() -> None:
    answer = explained({"dockerproxy.path": "/v*/x"})

    assert "'/v*/x' has a *, which stands for nothing here" in answer["verdict"]
    assert answer["reasons"][0]["mend"].startswith("write dockerproxy.path=/v; then ")


def test_a_label_is_quoted_as_it_is_written() -> None:
    def told(option: str, value: str) -> str:
        old = listed("old", {"dockerproxy.route": "a", "dockerproxy.path": "/v1"}, created=1)
        new = listed("new", {"dockerproxy.route": "a", f"dockerproxy.{option}": value}, created=2)
        return str(explain_container("new", evidence(old, new))["reasons"][0]["text"])

    older = "is not used: the older container old says /v1"
    assert told("path", "/v2") == f"label dockerproxy.path=/v2 {older}"
    assert told("path_regex", "^/v2") == f"label dockerproxy.path_regex=^/v2 {older}"


def test_a_name_in_a_label_that_makes_one_more_route_is_told() -> None:
    labels = {"dockerproxy.host": "a.localhost", "dockerproxy.http.port": "80"}
    answer = explained(labels, service="web")

    assert {route["route"] for route in answer["routes"]} == {"web", "http"}
    assert (answer["routed"], answer["code"]) == (True, "one_more_route")
    assert answer["reasons"][0]["mend"].startswith("if that is not meant, write dockerproxy.port; if it is, ")
    assert all(label["use"] == "read" for label in answer["labels"])

    meant = {**labels, "dockerproxy.http.host": "http.localhost"}
    assert explained(meant)["code"] == "routed"
    assert explained({"dockerproxy.http.port": "80", "dockerproxy.hold": "1s"})["code"] == "routed"


TRAEFIK = {
    "traefik.enable": "true",
    "traefik.http.routers.t.rule": "Host(`t.localhost`) || Host(`u.localhost`) && PathPrefix(`/x`)",
    "traefik.http.services.t.loadbalancer.server.port": "8080",
}


def test_labels_for_traefik_are_told_in_words_of_ours() -> None:
    assert mend(TRAEFIK, 80, 8080, service="shop") == (
        "add the labels dockerproxy.host=t.localhost,u.localhost and dockerproxy.port=8080; then run: docker compose"
        " up -d shop; it will then be at t.localhost, u.localhost, reached at 172.18.0.5:8080"
    )
    answer = explain_request("http://t.localhost/", "", {}, evidence(listed("c", TRAEFIK)))
    assert "the container c is there by its labels for Traefik" in answer["verdict"]
    assert answer["reasons"][0]["mend"].startswith("add the labels dockerproxy.host=t.localhost,u.localhost and ")


def test_labels_of_ours_that_are_written_as_those_for_traefik_lead_to_the_right_ones() -> None:
    labels = {
        "dockerproxy.http.routers.x.rule": "Host(`x.localhost`)",
        "dockerproxy.http.services.x.loadbalancer.server.port": "80",
    }
    mends = [reason["mend"] for reason in explained(labels)["reasons"]]

    assert mends[0].startswith("write dockerproxy.x.host=x.localhost instead; then ")
    assert mends[1].startswith("rename the label to dockerproxy.x.port; then ")


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("certresolver", "certificates are for the settings of the proxy, not for labels: docs/tls.md; then "),
        ("http.routers.x.tls", "certificates are for the settings of the proxy, not for labels: docs/tls.md; then "),
        ("entrypoints", "the addresses to listen on are for the settings of the proxy, not for labels"),
        ("", "write for example dockerproxy.enable=true; docs/labels.md lists them all; then "),
    ],
)
def test_a_label_for_what_labels_do_not_say_is_told_so(label: str, told: str) -> None:
    assert mend({f"dockerproxy.{label}": "x"}).startswith(told)
