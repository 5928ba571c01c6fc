"""A label that asks for protection, and that nobody here understands, never leaves its route open."""

from __future__ import annotations

import pytest

from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reading import Reading
from dockerproxy.labels.reason import Code
from dockerproxy.labels.table import LABELS, Kind

READER = LabelReader("dockerproxy", "localhost")

# What is asked for -> labels, without the prefix.
ASKED = {
    "basic_auth": (
        "basic_auth", "basicauth", "basic-auth", "BasicAuth", "baisc_auth", "basic_atuh", "bsic_auth", "auth", "atuh",
        "auth.users", "auth.basic.users", "http.middlewares.team.basicauth.users", "middlewares.team.basicauth.users",
        "password", "pasword", "htpasswd", "users", "credentials", "login", "authentication", "authorisation",
        "passphrase", "pin", "2fa", "locked", "anonymous", "groups", "scopes",
    ),
    "forward_auth": (
        "forward_auth", "forwardauth.address", "forwad_auth", "auth_url", "oauth2", "authelia", "oidc", "sso",
        "zero_trust", "cloudflare_access",
    ),
    "ip_allow": (
        "ip_allow", "ipallowlist.sourcerange", "ip_alow", "allow", "allow_from", "whitelist", "ipwhitelist", "deny",
        "source_range", "restrict", "internal_only", "firewall", "vpn", "access", "visibility",
    ),
    "rate_limit": (
        "rate_limit", "ratelimit.average", "rate_limt", "throttle", "inflightreq.amount", "limits",
        "burst", "rps", "concurrency",
    ),
    "not asked for certificates": ("mtls", "client_ca", "tls.clientAuth", "ssl_verify_client"),
    "max_body": ("body_limit", "buffering.maxRequestBodyBytes", "client_max_body_size"),
    "security_headers": ("security_headers", "securityheaders", "hsts", "csp", "frame_options"),
    "https=redirect": (
        "force_https", "forcessl", "ssl_redirect", "redirectscheme.permanent", "https_only", "require_tls",
    ),
    "define_middlewares": (
        "middlewares.team", "middleware.team", "middlewaers.team", "plugin.waf", "crowdsec", "protect",
        "mw", "chain", "server_snippet",
    ),
}  # fmt: skip


def read(beside: dict[str, str] | None = None, **labels: str) -> Reading:
    """The reading of `dockerproxy.<name>` labels (`__` is a dot), beside a host that is to be guarded."""
    named = {f"dockerproxy.{name.replace('__', '.')}": value for name, value in labels.items()}
    return READER.read({"dockerproxy.host": "a.localhost", **(beside or {}), **named}, "c1", "web")


@pytest.mark.parametrize(("here", "label"), [(here, label) for here, labels in ASKED.items() for label in labels])
def test_an_unknown_label_that_asks_for_protection_leaves_the_route_out_and_says_how_it_is_written(
    here: str, label: str
) -> None:
    reading = read({f"dockerproxy.{label}": "x"})
    assert reading.routes == ()
    told = reading.reasons[0]
    assert told.code is Code.UNKNOWN_PROTECTION
    assert told.startswith(f"dockerproxy.{label}: there is no such label, and it asks for protection; ")
    assert here in told.mend
    assert "{middlewares}" not in told
    assert reading.reasons[-1] == f"route web is left out until dockerproxy.{label} can be understood"


@pytest.mark.parametrize("value", ["", "false", "ann:$2y$05$abc"])
def test_whatever_the_value_of_such_a_label_it_is_not_repeated_and_the_route_is_out(value: str) -> None:
    reading = read(basic_auth=value)
    assert reading.routes == ()
    assert not any("$2y" in reason for reason in reading.reasons)


@pytest.mark.parametrize("label", ["middlewares", "hold", "https", "host", "api.port"])
def test_the_hash_of_a_password_is_not_told_wherever_it_stands(label: str) -> None:
    told = " ".join(read({f"dockerproxy.{label}": "ann:$2y$05$abc"}).reasons)
    assert "(not shown)" in told
    assert "ann" not in told
    assert "$2y" not in told


@pytest.mark.parametrize(
    "value",
    ["basic_auth", "compress,ip_allow", "ann:$apr1$h$x", "{SHA256}abc", "10.0.0.0/8", "team@file", "/run/htpasswd"],
)
def test_an_unknown_label_whose_value_asks_for_protection_does_the_same(value: str) -> None:
    assert read(whatever=value).routes == ()
    assert read(api__whatever=value).routes == ()


@pytest.mark.parametrize(
    ("label", "value"),
    [("https", "true"), ("https", ""), ("https", "redirct"), ("hsts_max_age", "for ever"), ("middlewares", ""),
     ("middlewares", "a b"), ("htps", "redirect"), ("midlewares", "team"), ("hsts-max-age", "1d"),
     ("redirect", "https"), ("hold", "basic_auth")],
)  # fmt: skip
def test_a_guard_with_a_slip_in_its_name_or_value_leaves_the_route_out(label: str, value: str) -> None:
    reading = read({f"dockerproxy.{label}": value})
    assert reading.routes == ()
    assert not any("default is used" in reason for reason in reading.reasons)


@pytest.mark.parametrize("label", ["expose", "public", "hidden", "disable", "ignore"])
def test_who_may_not_want_to_be_seen_is_not_shown(label: str) -> None:
    reading = read({f"dockerproxy.{label}": "x"})
    assert reading.routes == ()
    assert reading.reasons[0].meant == "dockerproxy.enable"


GUARDS = ["{}.basic_auth", "{}.auth.users", "{}.midlewares", "{}.whitelist"]


@pytest.mark.parametrize("label", GUARDS)
def test_one_that_names_a_route_leaves_out_that_route_alone(label: str) -> None:
    reading = read({f"dockerproxy.{label.format('api')}": "x", "dockerproxy.api.port": "9000"})
    assert [route.name for route in reading.routes] == ["web"]
    reading = read({f"dockerproxy.{label.format('web')}": "x", "dockerproxy.api.port": "9000"})
    assert [route.name for route in reading.routes] == ["api"]


@pytest.mark.parametrize("label", [*GUARDS, "{}.middlewares"])
def test_one_that_names_a_route_that_the_container_does_not_have_leaves_out_all(label: str) -> None:
    wrong = {f"dockerproxy.{label.format('apii')}": "a b", "dockerproxy.api.port": "9000"}
    assert read(wrong).routes == ()
    del wrong["dockerproxy.api.port"]
    assert READER.read({**wrong, "dockerproxy.api.host": "b.localhost"}, "c1", "web").routes == ()


@pytest.mark.parametrize("label", ["ip_allow.network", "middlewares.method", "auth.method", "redirectscheme.scheme"])
def test_the_name_of_a_guard_is_none_of_a_route(label: str) -> None:
    assert read({f"dockerproxy.{label}": "https"}).routes == ()


def test_a_route_may_be_called_so_where_a_label_says_where_it_is() -> None:
    reading = read(auth__host="auth.localhost", auth__port="9000", login__path="/login", login__method="POST")
    assert [route.name for route in reading.routes] == ["auth", "login", "web"] or len(reading.routes) == 3
    assert reading.reasons == ()
    assert [route.name for route in read(auth__host="auth.localhost", auth__timeout="1s").routes] == ["web", "auth"]


@pytest.mark.parametrize(
    "label", ["docker-proxy.basic_auth", "dockerprxy.api.ip_allow", "dockerproxy_auth", "Dockerproxy.basicauth"]
)
def test_a_slip_in_the_prefix_does_not_open_it_either(label: str) -> None:
    reading = read({label: "x"})
    assert reading.routes == ()
    assert "define_middlewares" in reading.reasons[0]


@pytest.mark.parametrize("label", ["basic_auth", "middleware"])
def test_no_other_middleware_makes_up_for_it(label: str) -> None:
    assert read({f"dockerproxy.{label}": "team"}, middlewares="compress").routes == ()


def test_control_characters_do_not_open_it() -> None:
    assert read({"dockerproxy.basic\n_auth": "x"}).routes == ()


@pytest.mark.parametrize(
    "label", ["xyzzy", "author", "auto", "weigth", "timeout", "max-conections", "stall-timeot", "strip.prefix"]
)
def test_other_unknown_labels_are_not_taken_for_protection(label: str) -> None:
    codes = {reason.code for reason in read({f"dockerproxy.{label}": "1"}).reasons}
    assert Code.UNKNOWN_PROTECTION not in codes


def test_no_slip_of_one_letter_in_a_label_that_tunes_is_taken_for_protection() -> None:
    taken = [
        slip
        for label in LABELS
        if label.kind is Kind.TUNE and not label.guards
        for slip in (label.name[:at] + label.name[at + 1 :] for at in range(len(label.name)))
        if any(reason.code is Code.UNKNOWN_PROTECTION for reason in read({f"dockerproxy.{slip}": "1"}).reasons)
    ]
    assert taken == []


HINTS = [
    ("priority", "there are no priorities"),
    ("sticky", "no sticky sessions"),
    ("loadbalancer.sticky.cookie", "no sticky sessions"),
    ("entrypoints", "addresses to listen on are for the settings"),
    ("http.routers.web.entrypoints", "addresses to listen on are for the settings"),
    ("certresolver", "docs/tls.md"),
    ("http.routers.web.tls.certresolver", "docs/tls.md"),
    ("letsencrypt_host", "docs/tls.md"),
    ("redirect", "dockerproxy.https=redirect"),
    ("redirectRegex.replacement", "dockerproxy.middlewares=moved"),
    ("headers", "dockerproxy.middlewares=mine"),
    ("headers.customRequestHeaders.X-Tenant", "dockerproxy.middlewares=mine"),
    ("loadbalancer", "dockerproxy.weight=3"),
    ("healthcheck.interval", "HEALTHCHECK"),
    ("compress", "dockerproxy.middlewares=compress"),
    ("gzip", "dockerproxy.middlewares=compress"),
    ("retry.attempts", "dockerproxy.max_attempts"),
    ("websocket", "without any label"),
    ("passHostHeader", "without any label"),
]


@pytest.mark.parametrize(("label", "hint"), HINTS)
def test_a_word_of_another_proxy_is_answered_with_what_is_so_here(label: str, hint: str) -> None:
    reading = read({f"dockerproxy.{label}": "8"})
    assert [route.name for route in reading.routes] == ["web"]
    (told,) = reading.reasons
    assert told.startswith(f"dockerproxy.{label}: there is no such label; ")
    assert hint in told
    assert "did you mean" not in told
    assert "closest" not in told


CASE = [
    {"dockerproxy.Host": "b.localhost"},
    {"Dockerproxy.Host": "b.localhost"},
    {"DOCKERPROXY.HOST": "b.localhost"},
    {"dockerproxy.api.Host": "b.localhost"},
]


@pytest.mark.parametrize("labels", CASE)
def test_a_label_in_another_letter_case_is_taken_and_told_once(labels: dict[str, str]) -> None:
    reading = READER.read({**labels, "dockerproxy.PORT": "8080"}, "c1", "web")
    assert [(str(route.domains[0]), route.port) for route in reading.routes if route.domains] == [("b.localhost", 8080)]
    (told,) = reading.reasons
    assert told.code is Code.LETTER_CASE
    assert next(iter(labels)) in told
    assert "dockerproxy.PORT" in told
    assert "in lower case" in told


def test_what_is_written_in_lower_case_counts() -> None:
    reading = read(Host="b.localhost")
    assert [route.domains[0].name for route in reading.routes if route.domains] == ["a.localhost"]
    assert "dockerproxy.Host is not used: the label dockerproxy.host says otherwise" in reading.reasons[0]


def test_of_two_guards_in_two_letter_cases_neither_is_left_away() -> None:
    assert read(middlewares="compress", Middlewares="team").routes == ()


def test_names_of_the_go_project_are_written_as_there() -> None:
    reading = read(maxLoopTry="7")
    assert (reading.reasons, dict(reading.routes[0].options)) == ((), {"max_attempts": 7})
