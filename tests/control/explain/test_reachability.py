"""What trying to connect adds to an explanation: which mend is put forward, and in what order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Condition, Evidence, Json
from dockerproxy.control.explain.reachability import Address, Failure, addresses_in, with_reachability
from dockerproxy.control.explain.request import explain_request
from dockerproxy.routing.route import Route, Source
from dockerproxy.routing.table import RouteTable
from tests.control.explaining import evidence, listed

REFUSED = Failure("connection refused")


def tried(known: Evidence, *failed: tuple[Any, ...], name: str = "c", failure: Failure = REFUSED) -> Json:
    failures = {Address(*address): failure for address in failed}
    return with_reachability(explain_container(name, known), failures, known)


def test_a_wrong_port_is_mended_by_the_one_that_the_container_exposes() -> None:
    known = evidence(listed("c", {"dockerproxy.port": "80"}, 8080, service="web"))
    answer = tried(known, ("172.18.0.5", 80))

    assert answer["code"] == "not_listening"
    assert answer["reasons"][0]["mend"] == (
        "write dockerproxy.port=8080, which the container exposes; then run: docker compose up -d web"
    )
    known = evidence(listed("c", {"dockerproxy.web.port": "80"}, 8080, 9090))
    assert tried(known, ("172.18.0.5", 80))["reasons"][0]["mend"].startswith(
        "write dockerproxy.web.port=8080 or dockerproxy.web.port=9090, whichever the application listens on; then "
    )


def test_where_the_port_is_exposed_the_application_is_at_fault_first() -> None:
    answer = tried(evidence(listed("c", {"dockerproxy.enable": "true"}, service="web")), ("172.18.0.5", 80))

    assert answer["reasons"][0]["mend"] == (
        "let the application listen on port 80, and on all addresses (0.0.0.0, not 127.0.0.1); or name its port with"
        " the label dockerproxy.port; then run: docker compose up -d web"
    )


def test_that_nobody_answers_is_told_before_what_matters_less() -> None:
    old = listed("old", {"dockerproxy.route": "a", "dockerproxy.host": "old.localhost"}, created=1)
    new = listed("c", {"dockerproxy.route": "a", "dockerproxy.host": "new.localhost"}, created=2)
    answer = tried(evidence(old, new), ("172.18.0.5", 80))

    assert [reason["code"] for reason in answer["reasons"]] == ["not_listening", "older_container_wins"]
    assert answer["verdict"].endswith("/; but nothing answers at 172.18.0.5:80: connection refused")


def test_an_application_without_tls_is_mended_by_the_scheme() -> None:
    known = evidence(listed("c", {"dockerproxy.scheme": "https", "dockerproxy.port": "80"}))
    failure = Failure("wrong version number", no_tls=True)
    answer = tried(known, ("172.18.0.5", 80, True), failure=failure)

    assert answer["code"] == "no_tls"
    assert answer["reasons"][0]["mend"].startswith("write dockerproxy.scheme=http; then create the container anew")


def test_an_application_that_speaks_tls_only_is_mended_by_the_scheme() -> None:
    known = evidence(listed("c", {"dockerproxy.port": "8443"}, service="web"))
    failure = Failure("a handshake succeeds there", tls_only=True)
    answer = tried(known, ("172.18.0.5", 8443, False, True), failure=failure)

    assert answer["code"] == "tls_only"
    assert answer["reasons"][0]["mend"] == (
        "write dockerproxy.scheme=https, and dockerproxy.tls_verify=false if it has signed its certificate itself;"
        " then run: docker compose up -d web"
    )


def test_only_who_has_failed_or_has_a_port_of_tls_is_doubted_to_speak_plain_http() -> None:
    failed = Condition("up", last_error="closed the connection without an answer")

    def doubted(port: int, condition: Condition) -> list[bool]:
        known = evidence(listed("c", {"dockerproxy.port": str(port)}))
        known = replace(known, condition=lambda _route, _upstream: condition)
        return [address.doubted for address in addresses_in(explain_container("c", known))]

    assert doubted(80, Condition("up")) == [False]
    assert doubted(443, Condition("up")) == [True]
    assert doubted(80, failed) == [True]


def test_one_of_two_upstreams_that_does_not_answer_is_told() -> None:
    upstreams = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    known = evidence(routes=[{"name": "r", "host": "r.localhost", "upstreams": upstreams}])
    explained = explain_request("http://r.localhost/", "", {}, known)
    answer = with_reachability(explained, {Address("127.0.0.1", 1): REFUSED}, known)

    assert answer["code"] == "not_listening"
    assert answer["verdict"] == (
        "route r answers, but 1 of its 2 upstreams does not: nothing answers at 127.0.0.1:1: connection refused"
        " (http://127.0.0.1:1)"
    )


def test_what_is_no_container_is_not_told_of_labels() -> None:
    def mend(source: Source) -> str:
        route = Route("n7", "n7.localhost", upstreams=["http://foo:80"], source=source)
        known = replace(evidence(), table=RouteTable([route]))
        answer = explain_request("http://n7.localhost/", "", {}, known)
        return str(
            with_reachability(answer, {Address("foo", 80): Failure("no such name")}, known)["reasons"][0]["mend"]
        )

    start = "start what is to answer at foo:80, or mend the URL of the upstream: "
    assert mend(Source.STATIC) == start + "in the proxy's settings"
    assert mend(Source.DYNAMIC) == start + "dockerproxy remove n7, then add it anew"


def test_of_very_many_upstreams_those_that_nobody_has_tried_are_not_said_to_be_reached() -> None:
    upstreams = [{"url": f"http://127.0.0.1:{port}"} for port in range(1, 301)]
    known = evidence(routes=[{"name": "many", "host": "many.localhost", "upstreams": upstreams}])
    explained = explain_request("http://many.localhost/", "", {}, known)
    tried = addresses_in(explained)
    answer = with_reachability(explained, dict.fromkeys(tried, REFUSED), known)

    assert len(tried) == 256
    assert [row["reached"] for row in answer["upstreams"]] == [False] * 256 + [None] * 44
    assert "answers, but" not in answer["verdict"]
