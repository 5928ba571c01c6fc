"""Labels: what each one means, and what is said when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reading import Reading, RouteReading
from dockerproxy.labels.reason import Code
from dockerproxy.labels.table import LABELS, Kind
from dockerproxy.routing.route import Domain, PathKind, PathRule
from dockerproxy.settings import FILE_OPTIONS, OPTION_NAMES

READER = LabelReader("dockerproxy", "localhost")


def read(_service: str = "web", **labels: str) -> Reading:
    """The reading of `dockerproxy.<name>` labels; `__` stands for a dot."""
    return READER.read(
        {f"dockerproxy.{key.replace('__', '.')}": value for key, value in labels.items()}, "c1", _service
    )


def only_route(reading: Reading) -> RouteReading:
    assert len(reading.routes) == 1, reading
    return reading.routes[0]


def test_a_container_without_our_labels_is_not_mentioned() -> None:
    assert READER.read({"traefik.enable": "true", "dockerproxyish.host": "x"}, "c1") == Reading()


def test_enable_alone_names_the_route_after_the_compose_service() -> None:
    reading = read(enable="true")
    assert reading.mentioned
    assert reading.wanted
    assert reading.reasons == ()
    assert only_route(reading) == RouteReading("web", Domain("web.localhost"), by_service=True)


def test_without_a_compose_service_the_route_is_named_after_the_container() -> None:
    assert only_route(read("", enable="true")).name == "c1"


def test_any_label_implies_enable() -> None:
    assert only_route(read(port="8080")).port == 8080


def test_enable_false_forbids_and_says_so() -> None:
    reading = read(enable="false", host="blog.localhost")
    assert not reading.wanted
    assert reading.reasons == ("its label dockerproxy.enable=false forbids it",)


def test_an_unclear_enable_keeps_the_container_out() -> None:
    reading = read(enable="maybe", host="blog.localhost")
    assert not reading.wanted
    assert "dockerproxy.enable: expected true or false, found 'maybe'" in reading.reasons
    assert any("does not say whether it may be" in reason for reason in reading.reasons)


def test_a_one_off_joins_only_when_it_asks_for_it() -> None:
    oneoff = {"com.docker.compose.oneoff": "True", "dockerproxy.host": "a.localhost"}
    refused = READER.read(oneoff, "c1", "web")
    assert not refused.wanted
    assert "one-off of docker compose run; the label dockerproxy.oneoff=true" in refused.reasons[0]
    assert not READER.read({**oneoff, "dockerproxy.enable": "true"}, "c1", "web").wanted, "its service has the same"
    assert not READER.read({**oneoff, "dockerproxy.oneoff": "maybe"}, "c1", "web").wanted
    assert READER.read({**oneoff, "dockerproxy.oneoff": "true"}, "c1", "web").wanted
    assert READER.read({**oneoff, "com.docker.compose.oneoff": "False"}, "c1", "web").wanted


def test_a_one_off_may_join_one_of_its_routes() -> None:
    labels = {"dockerproxy.host": "a.localhost", "dockerproxy.api.port": "1", "com.docker.compose.oneoff": "True"}
    asked = READER.read({**labels, "dockerproxy.api.oneoff": "true"}, "c1", "web")
    assert only_route(asked).name == "api"


def test_a_container_that_is_no_one_off_need_not_say_so() -> None:
    assert READER.read({"dockerproxy.host": "a.localhost", "dockerproxy.oneoff": "false"}, "c1", "web").wanted


GOOD: list[tuple[str, str, str, Any]] = [
    ("route", "blog", "name", "blog"),
    ("host", "Blog.localhost", "domains", (Domain("blog.localhost"),)),
    ("host", "a.localhost, *.b.example:81", "domains", (Domain("a.localhost"), Domain("*.b.example", 81))),
    ("path", "/api/", "path", PathRule(PathKind.PREFIX, "/api")),
    ("path_regex", r"^/v\d+/", "path", PathRule(PathKind.REGEX, r"^/v\d+/")),
    ("method", "get, POST", "methods", ("GET", "POST")),
    ("method", "", "methods", None),
    ("port", " 2368 ", "port", 2368),
    ("scheme", "HTTPS", "scheme", "https"),
    ("network", "front", "network", "front"),
    ("weight", "0", "weight", 0),
    ("consecutive_errors", "3", "options", {"consecutive_errors": 3}),
    ("bench", "2m", "options", {"bench": 120.0}),
    ("max_attempts", "5", "options", {"max_attempts": 5}),
    ("retry_deadline", "20s", "options", {"retry_deadline": 20.0}),
    ("connect_timeout", "500ms", "options", {"connect_timeout": 0.5}),
    ("response_timeout", "30s", "options", {"response_timeout": 30.0}),
    ("stall_timeout", "5m", "options", {"stall_timeout": 300.0}),
    ("response_timeout", "none", "options", {"response_timeout": None}),
    ("stall_timeout", "none", "options", {"stall_timeout": None}),
    ("max_body", "none", "options", {"max_body": None}),
    ("tunnel_timeout", "1h", "options", {"tunnel_timeout": 3600.0}),
    ("error_statuses", "502,503", "options", {"error_statuses": frozenset({502, 503})}),
    ("retry_non_idempotent", "true", "options", {"retry_non_idempotent": True}),
    ("hold", "0s", "options", {"hold": 0.0}),
    ("linger", "90", "options", {"linger": 90.0}),
    ("max_connections", "64", "options", {"max_connections": 64}),
    ("max_body", "10MiB", "options", {"max_body": 10 << 20}),
    ("strip_prefix", "true", "options", {"strip_prefix": True}),
    ("strip_prefix", "Rewrite", "options", {"strip_prefix": "rewrite"}),
    ("normalise_paths", "true", "options", {"normalise_paths": True}),
    ("encoded_slashes", "keep", "options", {"encoded_slashes": "keep"}),
    ("via", "true", "options", {"via": True}),
    ("middlewares", "compress, auth", "options", {"middlewares": ("compress", "auth")}),
    ("middlewares", "none", "options", {"middlewares": ()}),
    ("https", "redirect", "options", {"https": "redirect"}),
    ("hsts_max_age", "365d", "options", {"hsts_max_age": 365 * 86400.0}),
    ("tls_verify", "false", "options", {"tls_verify": False}),
    ("tls_server_name", "Api.Internal.", "options", {"tls_server_name": "api.internal"}),
    ("maxLoopTry", "7", "options", {"max_attempts": 7}),
    ("timeToKeepDisabled", "90s", "options", {"bench": 90.0}),
]


@pytest.mark.parametrize(("label", "value", "field", "meaning"), GOOD)
def test_a_good_label_means(label: str, value: str, field: str, meaning: Any) -> None:
    reading = read(**{label: value})
    assert reading.reasons == ()
    assert getattr(only_route(reading), field) == meaning


def test_every_label_of_the_table_is_tried_here_and_its_example_is_good() -> None:
    assert {label for label, *_ in GOOD} >= {label.name for label in LABELS if label.name not in ("enable", "oneoff")}
    for label in LABELS:
        assert read(**{label.name: label.example}).reasons == (), label
        assert label.meaning
        assert label.default


def test_the_table_holds_every_route_option() -> None:
    tuned = {label.name for label in LABELS if label.kind is Kind.TUNE}
    assert tuned | {"middlewares"} == {"weight", *OPTION_NAMES} - FILE_OPTIONS


@pytest.mark.parametrize("labels", [{"middlewares": "a b"}, {"middleware": "auth"}, {"web__middlewares": "auth,auth"}])
def test_a_route_whose_middlewares_are_not_understood_is_left_out(labels: dict[str, str]) -> None:
    reading = read(**labels)
    assert reading.routes == ()
    assert any("left out until" in reason for reason in reading.reasons)


@pytest.mark.parametrize("option", sorted(FILE_OPTIONS))
def test_a_label_cannot_name_a_file_of_the_proxy_s_machine(option: str) -> None:
    reading = read(**{option: "/etc/shadow", "host": "blog.localhost"})
    (reason,) = reading.reasons
    assert (
        f"{option}: a label may not name files of the proxy's machine; set {option} in the proxy's settings" in reason
    )
    assert only_route(reading).options == {}


WRONG_PLACE = [
    ("host", "blog.localhost/api", "'blog.localhost/api' is not a domain"),
    ("host", "", "expected at least one domain"),
    ("host", "a.localhost:99999", "'99999' is not a port"),
    ("path", "api", "'api' is not a path"),
    ("path_regex", "(", "not a regular expression"),
    ("method", "GE T", "'GE T' is not an HTTP method"),
    ("port", "80/tcp", "'80/tcp' is not a port from 1 to 65535"),
    ("port", "0", "'0' is not a port"),
    ("scheme", "ftp", "expected http or https, found 'ftp'"),
    ("network", "a, b", "'a, b' is not the name of one network"),
    ("route", "", "expected 1 to 200 printable characters"),
]


def test_a_label_has_room_for_a_certain_number_of_domains() -> None:
    domains = [f"{number}.localhost" for number in range(257)]
    assert only_route(read(host=",".join(domains[1:]))).domains
    (reason,) = read(host=",".join(domains)).reasons[:1]
    assert "expected at most 256 domains, not 257" in reason
    assert "*.example.com takes all names below it" in reason


@pytest.mark.parametrize(("label", "value", "expected"), WRONG_PLACE)
def test_a_wrong_place_leaves_the_route_out_and_says_why(label: str, value: str, expected: str) -> None:
    reading = read(enable="true", **{label: value})
    assert not reading.wanted
    assert reading.mentioned
    assert reading.reasons[0].startswith(f"dockerproxy.{label}: ")
    assert expected in reading.reasons[0]
    assert reading.reasons[1] == f"route web is left out until dockerproxy.{label} can be understood"


WRONG_TUNING = [
    ("weight", "heavy", "expected a whole number"),
    ("weight", "1000", "expected 100 or less"),
    ("hold", "soon", "expected a duration such as 90, 90s"),
    ("bench", "-1", "expected a duration"),
    ("connect_timeout", "0", "expected more than 0"),
    ("stall_timeout", "0", "expected more than 0, or none"),
    ("max_attempts", "0", "expected 1 or more"),
    ("error_statuses", "50x", "'50x' is not a status code"),
    ("max_body", "huge", "expected a size such as"),
    ("strip_prefix", "perhaps", "expected true, false or rewrite"),
]


@pytest.mark.parametrize(("label", "value", "expected"), WRONG_TUNING)
def test_wrong_tuning_falls_back_to_the_default_and_says_so(label: str, value: str, expected: str) -> None:
    reading = read(**{"host": "blog.localhost", label: value})
    route = only_route(reading)
    assert (route.weight, route.options) == (1, {})
    (reason,) = reading.reasons
    assert reason.startswith(f"dockerproxy.{label}: ")
    assert expected in reason
    assert repr(value) in reason
    assert reason.endswith("; its default is used")


@pytest.mark.parametrize("label", sorted({*OPTION_NAMES} - FILE_OPTIONS | {"weight", "route"}))
def test_a_value_without_end_is_told_as_too_long(label: str) -> None:
    (reason,) = read(host="a.localhost", **{label: "1" * 30_000}).reasons[:1]
    assert reason.startswith(f"dockerproxy.{label}: expected at most 1,024 characters (found '1111")
    assert len(reason) < 250


def test_a_very_long_value_is_shortened() -> None:
    (reason,) = read(host="a.localhost", hold="x" * 1000).reasons
    assert len(reason) < 250


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("hots", "dockerproxy.host"),
        ("domain", "dockerproxy.host"),
        ("path-regex", "dockerproxy.path_regex"),
        ("path.regex", "dockerproxy.path_regex"),
        ("prot", "dockerproxy.port"),
        ("netwrok", "dockerproxy.network"),
        ("api.hots", "dockerproxy.api.host"),
        ("host.api", "dockerproxy.api.host"),
        ("api.route", "dockerproxy.route"),
    ],
)
def test_an_unknown_label_that_means_a_place_is_understood_but_not_followed(label: str, meant: str) -> None:
    reading = READER.read({f"dockerproxy.{label}": "x", "dockerproxy.enable": "true"}, "c1", "web")
    assert f"dockerproxy.{label}: there is no such label; did you mean {meant}?" in reading.reasons
    assert any("is left out until" in reason for reason in reading.reasons)
    assert "web" not in {route.name for route in reading.routes} or "api" in label


@pytest.mark.parametrize(
    ("label", "meant"),
    [("strip-prefix", "strip_prefix"), ("strip.prefix", "strip_prefix"), ("timeout", "response_timeout"),
     ("weigth", "weight"), ("max-conections", "max_connections")],
)  # fmt: skip
def test_an_unknown_label_that_means_tuning_is_told_and_left_away(label: str, meant: str) -> None:
    reading = READER.read({f"dockerproxy.{label}": "1", "dockerproxy.host": "a.localhost"}, "c1", "web")
    assert only_route(reading).domains == (Domain("a.localhost"),)
    assert reading.reasons[0].startswith(
        f"dockerproxy.{label}: there is no such label; did you mean dockerproxy.{meant}?"
    )


NEAR = [
    ("docker-proxy.host", "host"),
    ("docker_proxy.port", "port"),
    ("docker.proxy.host", "host"),
    ("dockerprxy.host", "host"),
    ("dockerpoxry.enable", "enable"),
    ("dokerproxy.api.port", "api.port"),
    ("docker-proxy.hots", "host"),
    (" dockerproxy.host", "host"),
    ("dockerproxy_host", "host"),
    ("DOCKERPROXY-PATH-REGEX", "path_regex"),
    ("dockerproxy:enable", "enable"),
]


@pytest.mark.parametrize(("label", "option"), NEAR)
def test_a_label_whose_prefix_is_nearly_ours_is_told_and_not_followed(label: str, option: str) -> None:
    reading = READER.read({label: "true", "maintainer": "x"}, "c1", "web")
    assert reading.mentioned
    assert not reading.wanted
    told = reading.reasons[0]
    assert told == f"{label}: the labels begin with dockerproxy.; did you mean dockerproxy.{option}?"
    assert (told.code, told.label, told.meant) == (Code.NEAR_PREFIX, label, f"dockerproxy.{option}")


@pytest.mark.parametrize(
    "label",
    [
        "com.docker.compose.project",
        "com.docker.compose.service",
        "com.docker.desktop.host",
        "desktop.docker.io/binds/0/Source",
        "docker.host",
        "docker.proxyport.host",
        "traefik.http.routers.web.rule",
        "nginxproxy.host",
        "dockerproxyish.host",
        "docker-proxy.maintainer-of-the-image",
        "dockerproxyhosting",
        "haproxy.port",
        "host",
        "",
        ".",
    ],
)
def test_labels_of_others_are_none_of_our_business(label: str) -> None:
    assert not READER.mentions({label: "true"})
    assert READER.read({label: "true"}, "c1", "web") == Reading()


def test_a_slip_in_a_short_prefix_may_be_a_word_of_its_own() -> None:
    short = LabelReader("web", "localhost")
    assert short.mentions({"Web.host": "a.localhost"})
    assert not short.mentions({"wet.host": "a.localhost"})


def test_a_prefix_of_several_parts_is_recognised_as_well() -> None:
    reading = LabelReader("my.proxy", "localhost").read({"my.prxy.api.host": "a.localhost"}, "c1")
    assert "did you mean my.proxy.api.host?" in reading.reasons[0]


def test_a_slip_in_the_prefix_keeps_out_the_route_that_it_was_meant_for_and_no_other() -> None:
    labels = {"dockerprxy.api.host": "a.localhost", "dockerproxy.web.host": "b.localhost"}
    reading = READER.read(labels, "c1")
    assert [route.name for route in reading.routes] == ["web"]
    assert reading.reasons[1].code is Code.ROUTE_LEFT_OUT


CONTROLS = ["\n", "\t", "\x1b", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066"]


@pytest.mark.parametrize("char", CONTROLS)
@pytest.mark.parametrize("label", ["host", "path", "path_regex", "middlewares", "port", "x.host"])
def test_a_value_with_a_control_character_is_wrong(label: str, char: str) -> None:
    reading = READER.read({f"dockerproxy.{label}": f"/a{char}2026-11-23 WARNING forged"}, "c1")
    assert reading.routes == ()
    assert Code.WRONG_VALUE in [reason.code for reason in reading.reasons]
    assert all(str(reason).isprintable() for reason in reading.reasons)


@pytest.mark.parametrize("char", CONTROLS)
@pytest.mark.parametrize(
    "key", ["dockerproxy.{}foo", "dockerproxy.a{}b.host", "dockerproxy.ho{}st", "dockerprox.{}host"]
)
def test_a_key_with_a_control_character_is_wrong_and_is_told_without_it(key: str, char: str) -> None:
    reading = READER.read({key.format(char): "a.localhost"}, "c1")
    assert reading.routes == ()
    assert Code.WRONG_VALUE in [reason.code for reason in reading.reasons]
    assert all(str(reason).isprintable() for reason in reading.reasons)


def test_the_container_s_other_routes_work_on_beside_control_characters() -> None:
    reading = READER.read({"dockerproxy.a.host": "a.localhost", "dockerproxy.b.host": "b\n.localhost"}, "c1")
    assert only_route(reading).name == "a"


def test_a_service_with_a_control_character_names_no_route() -> None:
    reading = read("web\n2026-11-23 WARNING forged", enable="true")
    assert only_route(reading).name == "c1"
    assert [reason.code for reason in reading.reasons] == [Code.WRONG_VALUE]
    assert str(reading.reasons[0]).isprintable()


def test_an_end_of_line_around_a_value_is_left_away() -> None:
    assert only_route(read(host="a.localhost\n")).domains == (Domain("a.localhost"),)


def test_made_up_labels_do_not_fill_the_memory() -> None:
    reader = LabelReader("dockerproxy", "localhost")
    for number in range(10_000):
        assert not reader.mentions({f"made-up-{number}.host": "x"})
    assert "dockerproxy, " in repr(reader._suggestions)
    assert int(repr(reader._suggestions).split(", ")[1].split()[0]) <= 4096


def test_an_unknown_label_is_told_with_the_closest_ones() -> None:
    (reason,) = read(conections="1").reasons
    assert reason == "dockerproxy.conections: there is no such label; did you mean dockerproxy.max_connections?"
    (reason,) = read(timers="1").reasons
    assert "there is no such label; the closest are dockerproxy." in reason
    assert len(reason.split(", ")) <= 3


def test_a_label_like_nothing_known_leads_to_the_page_and_makes_no_route_alone() -> None:
    reading = read(xyzzy="1")
    assert not reading.wanted
    assert "there is no such label; docs/labels.md lists them all" in reading.reasons[0]
    assert read(xyzzy="1", enable="true").wanted


@pytest.mark.parametrize("key", ["dockerproxy", "dockerproxy.", "dockerproxy..host"])
def test_a_label_with_an_empty_part_is_told(key: str) -> None:
    reading = READER.read({key: "true"}, "c1", "web")
    assert reading.mentioned
    assert not reading.wanted
    assert reading.reasons[0].startswith(f"{key}: ")


def test_a_slip_beside_the_right_label_harms_nothing() -> None:
    reading = read(host="a.localhost", hots="b.localhost")
    assert only_route(reading).domains == (Domain("a.localhost"),)
    assert len(reading.reasons) == 1


def test_two_routes_on_one_container() -> None:
    reading = read(
        web__host="shop.localhost",
        api__host="shop.localhost",
        api__path="/api",
        api__port="9000",
        api__hold="1s",
        port="8000",
        weight="3",
        hold="5s",
    )
    assert reading.reasons == ()
    api, web = reading.routes
    assert (api.name, api.port, api.weight, api.options) == ("api", 9000, 3, {"hold": 1.0})
    assert (web.name, web.port, web.weight, web.options) == ("web", 8000, 3, {"hold": 5.0})
    assert api.path == PathRule(PathKind.PREFIX, "/api")
    assert web.path is None


def test_plain_places_make_a_route_of_their_own_beside_named_ones() -> None:
    plain, admin = read(host="shop.localhost", admin__host="admin.localhost", admin__port="9000").routes
    assert (plain.name, plain.domains, plain.port) == ("web", (Domain("shop.localhost"),), None)
    assert (admin.name, admin.domains, admin.port) == ("admin", (Domain("admin.localhost"),), 9000)


def test_enable_beside_named_routes_makes_no_further_one() -> None:
    assert [route.name for route in read(enable="true", api__port="9000").routes] == ["api"]


def test_named_labels_of_the_plain_route_are_the_same_route() -> None:
    route = only_route(read(route="api", host="api.localhost", port="1", api__port="2"))
    assert (route.name, route.domains, route.port) == ("api", (Domain("api.localhost"),), 2)


def test_a_named_route_can_be_forbidden_alone() -> None:
    reading = read(web__host="a.localhost", api__host="b.localhost", api__enable="false")
    assert [route.name for route in reading.routes] == ["web"]
    assert reading.reasons == ("its label dockerproxy.api.enable=false forbids route api",)


def test_what_is_wrong_with_one_route_does_not_harm_the_other() -> None:
    reading = read(web__host="a.localhost", api__host="http://b", api__weight="many")
    assert [route.name for route in reading.routes] == ["web"]
    assert any(reason.startswith("dockerproxy.api.host: ") for reason in reading.reasons)


def test_a_wrong_plain_port_leaves_out_the_routes_without_one_of_their_own() -> None:
    reading = read(port="eighty", web__host="a.localhost", api__port="9000")
    assert [route.name for route in reading.routes] == ["api"]


def test_path_and_path_regex_together_cannot_be_understood() -> None:
    reading = read(path="/api", path_regex="^/api")
    assert not reading.wanted
    assert "both path and path_regex" in reading.reasons[0]


def test_strip_prefix_needs_a_prefix() -> None:
    reading = read(path_regex="^/api", strip_prefix="true", hold="1s")
    assert only_route(reading).options == {"hold": 1.0}
    assert "strip_prefix needs a path prefix" in reading.reasons[0]


def test_a_route_name_that_no_domain_can_hold_gets_hyphens() -> None:
    assert only_route(read(route="My Blog!")).default_domain == Domain("my-blog.localhost")


def test_a_route_name_without_any_letter_needs_a_host() -> None:
    assert "add the label host" in read(route="日本").reasons[0]
    assert only_route(read(route="日本", host="a.localhost")).default_domain == Domain("a.localhost")


def test_a_route_name_in_a_label_is_checked_as_in_the_settings() -> None:
    reading = READER.read({f"dockerproxy.{'x' * 201}.host": "a.localhost"}, "c1")
    assert not reading.wanted
    assert "expected 1 to 200 printable characters" in reading.reasons[0]


def test_prefix_and_default_domain_are_settings() -> None:
    reader = LabelReader("my.proxy", "example.com:8443")
    route = only_route(reader.read({"my.proxy.enable": "true", "dockerproxy.host": "no.localhost"}, "c1", "web"))
    assert route.default_domain == Domain("web.example.com", 8443)
    assert route.domains is None
    assert reader.key("port") == "my.proxy.port"
    assert "my.proxy" in repr(reader)
