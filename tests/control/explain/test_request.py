"""explain URL: the route that a request would take, why none of the others, and who should have answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.control.explain.evidence import Condition, Json
from dockerproxy.control.explain.request import explain_request
from dockerproxy.errors import InvalidInput
from dockerproxy.routing.route import Upstream
from dockerproxy.routing.table import RouteTable
from tests.control.explaining import evidence, listed

UP = "http://127.0.0.1:9"
ROUTES = [
    {"name": "site", "host": "x.localhost", "upstreams": [UP]},
    {"name": "api", "host": "x.localhost", "path": "/api", "upstreams": [UP]},
    {"name": "v1", "host": "x.localhost", "path": "/api/v1", "upstreams": [UP]},
    {"name": "login", "host": "x.localhost", "path": {"path": "/login", "method": "POST"}, "upstreams": [UP]},
    {"name": "pages", "host": "x.localhost", "path": {"regex": r"^/\d+$"}, "upstreams": [UP]},
    {"name": "ported", "host": "x.localhost:9999", "upstreams": [UP]},
    {"name": "wild", "host": "*.localhost", "path": "/wild", "upstreams": [UP]},
    {"name": "strict", "host": "strict.localhost", "path": {"path": "/only"}, "upstreams": [UP]},
]


def explained(url: str, method: str = "", **headers: str) -> Json:
    return explain_request(url, method, headers, evidence(routes=ROUTES))


def why(answer: Json) -> dict[str, str]:
    return {row["route"]: row["why"] for row in answer["candidates"]}


def test_the_route_is_named_with_who_answers() -> None:
    answer = explained("http://x.localhost/api/v1/users?q=1")

    assert (answer["route"], answer["code"]) == ("v1", "routed")
    assert (answer["method"], answer["host"], answer["path"]) == ("GET", "x.localhost", "/api/v1/users")
    assert answer["upstreams"] == [
        {"name": UP, "url": UP, "weight": 1, "state": "unknown", "since": None, "until": None, "last_error": None,
         "cause": "", "mend": ""}
    ]  # fmt: skip


def test_every_route_of_the_host_says_why_it_is_not_the_one() -> None:
    told = why(explained("http://x.localhost/api/v1/users"))

    assert told == {
        "login": "it answers exactly /login, not /api/v1/users",
        "v1": "the host is its own, the path is below /api/v1",
        "api": "route v1 has a more specific path: /api/v1/*",
        "pages": r"its expression ^/\d+$ is not found in /api/v1/users",
        "site": "route v1 has a more specific path: /api/v1/*",
        "ported": "it is at x.localhost:9999, and the request is for port 80",
        "wild": "/api/v1/users is neither /wild nor below it, by whole segments",
    }
    matched = [row["route"] for row in explained("http://x.localhost/api")["candidates"] if row["matched"]]
    assert matched == ["api"]


def test_the_candidates_stand_in_the_order_in_which_they_are_looked_at() -> None:
    order = [row["route"] for row in explained("http://x.localhost/")["candidates"]]
    assert order == ["login", "v1", "api", "pages", "site", "ported", "wild"]


def test_a_method_that_nobody_takes_is_told_with_those_that_are_taken() -> None:
    answer = explained("http://x.localhost/login")
    assert (answer["route"], answer["code"]) == (None, "unknown_method")
    assert answer["verdict"] == "/login is known, but not for GET, only POST: 405"
    assert why(answer)["login"] == "it answers POST, not GET"
    assert why(answer)["site"] == "route login has a more specific path, and the method is looked at last"

    assert explained("http://x.localhost/login", "post")["route"] == "login"


def test_a_path_that_nobody_has_is_told() -> None:
    answer = explained("http://strict.localhost/wild")
    assert (answer["code"], answer["route"]) == ("unknown_path", None)
    assert answer["verdict"] == "strict.localhost is known, but no route for /wild: 404"
    assert why(answer) == {
        "strict": "it answers exactly /only, not /wild",
        "wild": "strict.localhost names the host more closely, so that this is not looked at",
    }


def test_a_route_that_names_the_method_goes_before_one_that_takes_all() -> None:
    post = {"name": "post", "host": "x.localhost", "path": {"path": "/a", "method": "POST"}, "upstreams": [UP]}
    rest = {"name": "rest", "host": "x.localhost", "path": {"path": "/a", "method": "GET,PUT"}, "upstreams": [UP]}
    known = evidence(routes=[{**post, "name": "any", "path": {"path": "/a"}}], docker={"enabled": False})
    table = RouteTable([*known.table.routes, *evidence(routes=[post, rest]).table.routes])
    told = why(explain_request("http://x.localhost/a", "POST", {}, replace(known, table=table)))
    assert told == {
        "any": "route post names the method",
        "post": "the host is its own, the path is its own",
        "rest": "it answers GET, PUT, not POST",
    }


def test_a_wildcard_a_port_and_a_route_for_every_host() -> None:
    assert explained("http://other.localhost/wild")["route"] == "wild"
    assert explained("http://x.localhost:9999/")["route"] == "ported"
    assert why(explained("http://x.localhost:9999/"))["site"] == "route ported has the port, too"
    known = evidence(routes=[{"name": "all", "upstreams": [UP]}, *ROUTES])
    answer = explain_request("http://anything/", "", {}, known)
    assert (answer["route"], why(answer)) == ("all", {"all": "it answers for every host, it takes every path"})
    assert why(explain_request("http://x.localhost/", "", {}, known))["all"] == "route site names the host more closely"


def test_an_unknown_host_leads_to_the_nearest_one() -> None:
    answer = explain_request("http://stirct.localhosts/", "", {}, evidence(routes=ROUTES))
    assert answer["code"] == "unknown_host"
    assert answer["verdict"] == (
        "no route is known for the host stirct.localhosts: 404; did you mean strict.localhost?"
    )
    assert why(answer)["strict"] == "it is at strict.localhost, not at stirct.localhosts"


@pytest.mark.parametrize("host", ["taken.localhost", "localhost", "web.example.com"])
def test_a_host_that_is_like_none_leads_to_none(host: str) -> None:
    routes = [{"name": name, "host": f"{name}.localhost", "upstreams": [UP]} for name in ("web", "blog", "api")]
    every = {"name": "every", "host": "*.x.localhost", "upstreams": [UP]}
    answer = explain_request(f"http://{host}/", "", {}, evidence(routes=[*routes, every]))

    assert answer["verdict"] == f"no route is known for the host {host}: 404"
    assert answer["candidates"] == []


def test_a_host_with_another_port_is_told_as_such() -> None:
    only = [{"name": "ported", "host": "x.localhost:9999", "upstreams": [UP]}]
    answer = explain_request("http://x.localhost:8888/", "", {}, evidence(routes=only))
    assert answer["verdict"].endswith("did you mean x.localhost:9999?")
    assert why(answer)["ported"] == "it is at x.localhost:9999, and the request is for port 8888"


def test_a_handler_is_told_as_the_one_who_answers() -> None:
    answer = explain_request("http://root.localhost/statistics", "", {}, evidence())
    assert answer["verdict"].startswith("route dockerproxy-statistics answers, by the handler dockerproxy.web.")
    assert answer["upstreams"] == []


def test_the_header_host_counts_and_others_are_said_not_to() -> None:
    answer = explained("http://127.0.0.1:8888/", Host="strict.localhost", Accept="*/*")
    assert answer["host"] == "strict.localhost"
    assert answer["notes"] == ["of the headers only Host has a part in finding the route"]


def test_a_path_that_is_written_another_way_is_told_in_both_forms() -> None:
    answer = explained("http://x.localhost/x/..//%61pi/v2%2fx")
    assert (answer["route"], answer["path"], answer["read_as"]) == ("api", "/x/..//%61pi/v2%2fx", "/api/v2%2Fx")
    assert answer["notes"][0] == "the path is read as /api/v2%2Fx; the upstream gets it as it was written"


def test_the_route_with_the_middlewares_of_all_readings_is_told_as_such() -> None:
    routes = [
        {"name": "site", "host": "x.localhost", "upstreams": [UP], "middlewares": "compress"},
        {"name": "public", "host": "x.localhost", "path": "/public", "upstreams": [UP], "normalise_paths": True},
    ]
    answer = explain_request("http://x.localhost/x/../public", "", {}, evidence(routes=routes))
    assert answer["route"] == "site"
    assert "route public has that path, but an application may read what was written otherwise" in answer["notes"][1]
    assert why(answer)["public"] == (
        "an application may read /x/../public otherwise, and route site has the middlewares of all"
    )

    answer = explain_request("http://x.localhost/public/..%2fa", "", {}, evidence(routes=routes))
    assert (answer["route"], answer["code"]) == (None, "ambiguous_path")
    assert "set encoded_slashes to keep or decode" in answer["verdict"]
    assert set(why(answer).values()) == {"applications may read /public/..%2fa otherwise than its rule does"}


def test_what_the_expressions_of_a_host_cost_is_told() -> None:
    expressions = [rf"^/{name}\d$" for name in "abc"]
    routes = [
        {"name": text[2], "host": "x.localhost", "path": {"regex": text}, "upstreams": [UP]} for text in expressions
    ]
    answer = explain_request("http://x.localhost/b1", "", {}, evidence(routes=routes))
    (note,) = answer["notes"]
    assert note.startswith("2 expressions were tried for this path, of 3 at this host; that of route b is the 2nd: ")
    assert note.endswith(" ms, of the 20 ms that one request may cost")


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "http://[::1/", "http://x:99999/", ""])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="is no URL; write for example"):
        explained(url)


def test_a_url_may_be_written_as_people_do() -> None:
    assert explained("x.localhost")["route"] == "site"
    assert explained("HTTP://user@X.Localhost:80/")["route"] == "site"
    assert explained("http://x.localhost/é")["path"] == "/%C3%A9"


def test_a_container_that_asks_for_the_host_and_is_not_routed_is_named_with_the_reason() -> None:
    broken = listed("blog-1", {"dockerproxy.host": "blog.localhost"}, 1, 2, service="blog")
    answer = explain_request("http://blog.localhost/", "", {}, evidence(broken))

    assert answer["verdict"] == (
        "no route is known for the host blog.localhost: 404; the container blog-1 asks for this host, but is not"
        " routed: it exposes the ports 1, 2 and none is 80"
    )
    (reason,) = answer["reasons"]
    assert reason["code"] == "several_ports"
    assert reason["mend"].endswith("then run: docker compose up -d blog")


@pytest.mark.parametrize(
    "labels",
    [
        {"dockerprxy.host": "http://blog.localhost/api"},
        {"dockerproxy.hots": "blog.localhost"},
        {"dockerproxy.domain": "x.localhost, blog.localhost"},
        {"dockerproxy.blog.host": "blog.localhost", "dockerproxy.blog.port": "http"},
        {"dockerproxy.route": "blog", "dockerproxy.port": "http"},
        {"dockerproxy.host": "*.localhost", "dockerproxy.port": "http"},
        {"dockerproxy.rule": "Host(`blog.localhost`)"},
    ],
)
def test_however_badly_its_labels_are_written(labels: dict[str, str]) -> None:
    answer = explain_request("http://blog.localhost/", "", {}, evidence(listed("c1", labels)))

    assert "the container c1 asks for this host, but is not routed" in answer["verdict"]


def test_a_container_that_would_be_there_with_a_label_is_named() -> None:
    known = evidence(listed("shop-web-1", {}, service="web"), listed("other", {}))
    answer = explain_request("http://web.localhost/", "", {}, known)

    assert answer["verdict"].endswith("the container shop-web-1 would be there, but bears no label of dockerproxy's")
    assert answer["reasons"][0]["mend"] == "add the label dockerproxy.enable=true; then run: docker compose up -d web"


def test_a_container_that_wants_another_host_is_left_alone() -> None:
    answer = explain_request("http://blog.localhost/", "", {}, evidence(listed("c1", {"dockerproxy.hots": "a.b"})))
    assert answer["reasons"] == []


def test_a_route_without_upstreams_names_the_containers_that_should_be_there() -> None:
    static = [{"name": "blog", "host": "blog.localhost"}]
    ill = listed("blog-1", {"dockerproxy.route": "blog"}, status="Up 1 minute (unhealthy)")
    answer = explain_request("http://blog.localhost/", "", {}, evidence(ill, routes=static))

    assert (answer["route"], answer["code"]) == ("blog", "no_upstream")
    assert answer["verdict"] == (
        "route blog has no upstream right now: a request waits for up to 10 s, and is then answered with 503;"
        " the container blog-1 asks for this host, but is not routed: its health check fails"
    )


def test_a_container_that_lost_its_place_is_named_beside_the_route_that_answers() -> None:
    static = [{"name": "site", "host": "x.localhost", "upstreams": [UP]}]
    api = listed("api-1", {"dockerproxy.host": "x.localhost", "dockerproxy.path": "/api"}, 1, 2)
    answer = explain_request("http://x.localhost/api", "", {}, evidence(api, routes=static))

    assert answer["route"] == "site"
    assert answer["reasons"][0]["text"].startswith("the container api-1 asks for this host, but is not routed")


def states(*names: str) -> Json:
    routes = [
        {"name": "r", "host": "r.localhost", "upstreams": [f"http://127.0.0.1:{n + 1}" for n in range(len(names))]}
    ]

    def condition(_route: str, upstream: Upstream) -> Condition:
        return Condition(names[upstream.port - 1])

    return explain_request("http://r.localhost/", "", {}, evidence(routes=routes, condition=condition))


@pytest.mark.parametrize(
    ("names", "code", "verdict"),
    [
        (("up",), "routed", "route r answers: 1 upstream is up"),
        (("benched", "up", "up"), "routed", "route r answers: 2 upstreams are up, 1 upstream is benched"),
        (("probation", "benched"), "routed", "route r answers: 1 upstream is on probation, 1 upstream is benched"),
        (
            ("benched", "benched"),
            "benched",
            "all upstreams of route r are benched: each is tried all the same, at once",
        ),
    ],
)
def test_the_states_of_the_upstreams_are_summed_up(names: tuple[str, ...], code: str, verdict: str) -> None:
    answer = states(*names)
    assert (answer["code"], answer["verdict"]) == (code, verdict)


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"maintenance": ""}, "maintenance", "route r is under maintenance: it answers with 503"),
        ({"maintenance": "back at noon"}, "maintenance", "under maintenance (back at noon)"),
        ({"paused": True}, "route_paused", "route r is paused: requests wait until it is resumed"),
    ],
)
def test_what_the_operator_has_set_of_the_route_comes_first(said: dict[str, Any], code: str, words: str) -> None:
    known = evidence(routes=[{"name": "r", "host": "r.localhost", "upstreams": [UP]}])
    routes = [replace(route, **said) if route.name == "r" else route for route in known.table.routes]
    answer = explain_request("http://r.localhost/", "", {}, replace(known, table=RouteTable(routes)))
    assert (answer["route"], answer["code"]) == ("r", code)
    assert words in answer["verdict"]
    assert answer["reasons"][0]["mend"] in ("run: dockerproxy maintenance r off", "run: dockerproxy resume r")


def test_a_container_whose_route_is_elsewhere_is_not_called_unrouted() -> None:
    old = listed("api1", {"dockerproxy.route": "api", "dockerproxy.host": "api.localhost"}, created=1)
    new = listed("api2", {"dockerproxy.route": "api", "dockerproxy.host": "api2.localhost"}, created=2)
    answer = explain_request("http://api2.localhost/", "", {}, evidence(old, new))

    assert answer["reasons"][0]["text"].startswith(
        "the container api2 asks for this host, but is routed at api.localhost /*:"
        " label dockerproxy.host=api2.localhost is not used"
    )
    assert "dockerproxy.route=api2; then" in answer["reasons"][0]["mend"]


def test_middlewares_are_said_to_come_first() -> None:
    known = evidence(routes=[{"name": "r", "host": "r.localhost", "middlewares": "gzip", "upstreams": [UP]}])
    (note,) = explain_request("http://r.localhost/", "", {}, known)["notes"]
    assert note == "the request passes the middlewares gzip first, which may answer it themselves"


def test_a_route_that_is_there_over_https_only_redirects() -> None:
    said = {"name": "r", "host": "r.localhost", "https": "redirect", "upstreams": [UP]}
    known = evidence(routes=[said], trusted_proxies="10.0.0.0/8")
    assert explain_request("http://r.localhost/", "", {}, known)["code"] == "https_required"
    assert explain_request("https://r.localhost/", "", {}, known)["code"] == "routed"


def test_a_redirect_to_https_that_nobody_speaks_is_told() -> None:
    known = evidence(routes=[{"name": "r", "host": "r.localhost", "https": "redirect", "upstreams": [UP]}])
    answer = explain_request("http://r.localhost/", "", {}, known)

    assert answer["code"] == "no_https"
    assert answer["verdict"].endswith("; but no address to listen on speaks https")
    assert answer["reasons"][0]["mend"].startswith("add an https address to listen")
    (note,) = explain_request("https://r.localhost/", "", {}, known)["notes"]
    assert note == "the URL is of https, which no address to listen on speaks: docs/tls.md"


def test_upstreams_that_all_drain_are_none() -> None:
    upstreams = [{"url": UP, "weight": 0}]
    known = evidence(routes=[{"name": "r", "host": "r.localhost", "upstreams": upstreams}])
    answer = explain_request("http://r.localhost/", "", {}, known)
    assert answer["code"] == "no_upstream"
    assert "(1 is draining)" in answer["verdict"]


def test_a_domain_with_very_many_routes_shows_the_first_of_them() -> None:
    many = [{"name": f"r{n}", "host": "m.localhost", "path": f"/{n}", "upstreams": [UP]} for n in range(10, 40)]
    answer = explain_request("http://m.localhost/39", "", {}, evidence(routes=many))
    assert [row["route"] for row in answer["candidates"] if row["matched"]] == ["r39"]
    assert len(answer["candidates"]) == 21
    assert answer["notes"] == ["10 more routes have this host"]
