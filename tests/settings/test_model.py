"""Every setting: its default, what may be written, and what is said when it is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.settings import OPTION_NAMES, Settings, load, validate
from dockerproxy.settings.model import default_state_dir

from .conftest import wrong

_MIDDLEWARE = {"use": "basic_auth", "realm": "x"}
_CONSTRAINT = {"hosts": ["a.example"], "projects": ["a"], "networks": [], "labels": {}}


def _certificate(cert: str, key: str | None = None) -> dict[str, str | None]:
    return {"cert": cert, "key": key, "password_file": None}


# name -> default, something to write, what it means
SETTINGS: dict[str, tuple[Any, Any, Any]] = {
    "listen": ([":8888"], "127.0.0.1:1, :2", ["127.0.0.1:1", ":2"]),
    "not_found_handler": (None, "pages:lost", "pages:lost"),
    "error_handler": (None, "pages:sorry", "pages:sorry"),
    "admin_host": ("root.localhost", "Admin.Example.com.", "admin.example.com"),
    "admin_token": (None, "12345678", "12345678"),
    "admin_access": (None, "open", "open"),
    "constraints": ([], [_CONSTRAINT], [_CONSTRAINT]),
    "constraints_default": ("allow", "deny", "deny"),
    "local_upstreams": (None, "127.0.0.0/8,::1", ["127.0.0.0/8", "::1/128"]),
    "trusted_proxies": ([], "10.0.0.0/8", ["10.0.0.0/8"]),
    "grace": (30.0, "5s", 5.0),
    "head_size": (65536, "32k", 32768),
    "head_fields": (100, "50", 50),
    "target_size": (8192, "4k", 4096),
    "head_timeout": (10.0, "5s", 5.0),
    "idle_timeout": (75.0, "2m", 120.0),
    "half_close_timeout": (1.0, 0, 0.0),
    "max_clients": (20_000, 10, 10),
    "access_log": ("off", "combined", "combined"),
    "access_log_headers": ([], "X-Tenant, Accept", ["X-Tenant", "Accept"]),
    "log_format": ("text", "json", "json"),
    "log_level": ("info", "debug", "debug"),
    "consecutive_errors": (10, 3, 3),
    "bench": (90.0, "1m30s", 90.0),
    "max_attempts": (20, 5, 5),
    "retry_deadline": (30.0, "10s", 10.0),
    "connect_timeout": (2.0, "500ms", 0.5),
    "response_timeout": (60.0, 30, 30.0),
    "stall_timeout": (60.0, 30, 30.0),
    "tunnel_timeout": (None, "1h", 3600.0),
    "error_statuses": ([], "502,503", [502, 503]),
    "retry_non_idempotent": (False, "true", True),
    "hold": (10.0, "0s", 0.0),
    "linger": (60.0, "2m", 120.0),
    "max_connections": (512, 8, 8),
    "max_body": (None, "10MiB", 10 << 20),
    "normalise_paths": (False, "true", True),
    "encoded_slashes": ("refuse", "keep", "keep"),
    "via": (False, "on", True),
    "strip_prefix": (False, True, True),
    "tls": (
        {"certificates": [], "min_version": "1.2", "public_port": None},
        {"certificates": "a.pem:a.key, b.pem", "min_version": 1.3, "public_port": "443"},
        {
            "certificates": [_certificate("a.pem", "a.key"), _certificate("b.pem")],
            "min_version": "1.3",
            "public_port": 443,
        },
    ),
    "define_middlewares": ({}, {"auth": _MIDDLEWARE}, {"auth": _MIDDLEWARE}),
    "middlewares": ([], "auth, compress", ["auth", "compress"]),
    "https": ("allow", "redirect", "redirect"),
    "hsts_max_age": (None, "365d", 365 * 86400.0),
    "tls_verify": (True, "no", False),
    "tls_server_name": (None, "Api.Internal.", "api.internal"),
    "tls_ca": (None, "ca.pem", "ca.pem"),
    "tls_cert": (None, "client.pem", "client.pem"),
    "tls_key": (None, "client.key", "client.key"),
}

DOCKER: dict[str, tuple[Any, Any, Any]] = {
    "enabled": (True, "false", False),
    "host": ("unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
    "tls_ca": (None, "/certs/ca.pem", "/certs/ca.pem"),
    "tls_cert": (None, "/certs/cert.pem", "/certs/cert.pem"),
    "tls_key": (None, "/certs/key.pem", "/certs/key.pem"),
    "tls_verify": (True, "no", False),
    "network": (None, "front", "front"),
    "default_domain": ("localhost", "Apps.Example.com", "apps.example.com"),
    "label_prefix": ("dockerproxy", "proxy.v1", "proxy.v1"),
    "address": ("container", "published", "published"),
    "published_host": ("127.0.0.1", "host.docker.internal", "host.docker.internal"),
    "resync": (60.0, "5m", 300.0),
}

# key -> a wrong value, and words of what is said about it
WRONG: list[tuple[str, Any, str]] = [
    ("listen", "nowhere", "listen: expected an address such as :8888"),
    ("listen", [], "listen: "),
    ("admin_host", "http://root", "admin_host: 'http://root' is not a domain"),
    ("admin_host", "root.test:8888", "admin_host: 'root.test:8888' has a port; the admin handlers are at every port"),
    ("admin_access", "everybody", "admin_access: expected 'loopback', 'token' or 'open' (found 'everybody')"),
    ("trusted_proxies", "proxy", "trusted_proxies: 'proxy' is not an IP address or network"),
    ("grace", "soon", "grace: expected a duration such as 90, 90s, 2m, 1m30s or 250ms (found 'soon')"),
    ("head_size", 10, "head_size: expected 1024 or more (found 10)"),
    ("head_fields", 1, "head_fields: expected 10 or more (found 1)"),
    ("target_size", "2", "target_size: expected 256 or more (found"),
    ("head_timeout", 0, "head_timeout: expected more than 0 (found 0"),
    ("idle_timeout", 0, "idle_timeout: expected more than 0 (found 0"),
    ("half_close_timeout", -1, "half_close_timeout: -1 is negative; expected 0 or more"),
    ("max_clients", 0, "max_clients: expected 1 or more (found 0)"),
    ("access_log", "yes", "access_log: expected 'off', 'combined' or 'json' (found 'yes')"),
    ("log_format", "xml", "log_format: expected 'text' or 'json' (found 'xml')"),
    ("log_level", "loud", "log_level: expected 'debug', 'info', 'warning' or 'error' (found 'loud')"),
    ("consecutive_errors", 0, "consecutive_errors: expected 1 or more (found 0)"),
    ("consecutive_errors", "ten", "consecutive_errors: expected a whole number"),
    ("bench", "never", "bench: expected a duration such as"),
    ("max_attempts", 0, "max_attempts: expected 1 or more (found 0)"),
    ("connect_timeout", "0s", "connect_timeout: expected more than 0"),
    ("response_timeout", "never", "response_timeout: expected a duration such as 90, 90s, 2m, 1m30s or 250ms, or none"),
    ("response_timeout", 0, "response_timeout: expected more than 0, or none (found 0)"),
    ("stall_timeout", 0, "stall_timeout: expected more than 0, or none (found 0)"),
    ("tunnel_timeout", 0, "tunnel_timeout: expected more than 0, or none (found 0)"),
    ("error_statuses", "200", "error_statuses: '200' is not a status code from 300 to 599"),
    ("retry_non_idempotent", "maybe", "retry_non_idempotent: expected true or false"),
    ("max_connections", 0, "max_connections: expected 1 or more (found 0)"),
    ("max_body", "huge", "max_body: expected a size such as 65536, 64k, 10MiB or 1g, or none (found 'huge')"),
    ("tls_verify", "perhaps", "tls_verify: expected true or false"),
    ("middlewares", "auth,auth", "middlewares: 'auth' is there twice"),
    ("middlewares", "a b", "middlewares: 'a b' is no name of a middleware; write letters"),
    ("middlewares", {"a": {}}, "middlewares: expected names such as gzip,auth; what a name"),
    ("define_middlewares", {"a b": {}}, "define_middlewares"),
    ("https", "always", "https: expected 'allow' or 'redirect' (found 'always')"),
    ("hsts_max_age", "2000d", "hsts_max_age: 2000d is longer than a year"),
    ("tls_server_name", "https://api", "tls_server_name: 'https://api' is not a name in a certificate"),
    ("tls", {"certificates": [{"key": "a.key"}]}, "tls.certificates[0].cert: is missing"),
    ("tls", {"certificates": [{"cert": "a", "kee": "b"}]}, "tls.certificates[0].kee: unknown key; did you mean 'key'?"),
    ("tls", {"min_version": "1.1"}, "tls.min_version: expected '1.2' or '1.3' (found '1.1')"),
    ("tls", {"public_port": 0}, "tls.public_port: expected 1 or more (found 0)"),
    ("docker", "on", "docker: "),
    (
        "docker",
        {"host": "docker"},
        "docker.host: 'docker' is not an engine's address; write unix:///var/run/docker.sock",
    ),
    ("docker", {"default_domain": "a b"}, "docker.default_domain: 'a b' is not a domain"),
    ("docker", {"label_prefix": "my label"}, "docker.label_prefix: "),
    ("docker", {"address": "host"}, "docker.address: expected 'container' or 'published' (found 'host')"),
    ("docker", {"resync": 0}, "docker.resync: expected more than 0"),
    ("docker", {"hots": "x"}, "docker.hots: unknown key; did you mean 'host'?"),
    ("lissten", ":1", "lissten: unknown key; did you mean 'listen'?"),
    ("benchh", "1s", "benchh: unknown key; did you mean 'bench'?"),
    ("zzz", 1, "zzz: unknown key; known keys: a"),
]


def plain(settings: Any, name: str) -> Any:
    """The value as it would be written in JSON."""
    return settings.model_dump(mode="json")[name]


def test_the_tables_here_name_every_setting() -> None:
    assert set(SETTINGS) | {"docker", "routes", "state_dir", "admin_token_file"} == set(Settings.model_fields)
    assert set(DOCKER) == set(type(validate({}, "test").docker).model_fields)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_has_its_default_and_takes_what_is_written(name: str) -> None:
    default, written, value = SETTINGS[name]
    assert plain(validate({}, "test"), name) == default
    assert plain(validate({name: written}, "test"), name) == value


@pytest.mark.parametrize("name", ["response_timeout", "stall_timeout", "tunnel_timeout", "max_body", "hsts_max_age"])
@pytest.mark.parametrize("none", ["none", " None", None])
def test_where_there_may_be_no_limit_none_says_so(name: str, none: str | None) -> None:
    assert plain(validate({name: none}, "test"), name) is None


def test_none_in_python_counts_where_it_means_something() -> None:
    settings = load(None, {"listen": None}, {"stall_timeout": None, "response_timeout": None, "bench": None})
    assert (settings.stall_timeout, settings.response_timeout, settings.bench) == (None, None, 90.0)


@pytest.mark.parametrize("name", DOCKER)
def test_a_setting_of_docker_has_its_default_and_takes_what_is_written(name: str) -> None:
    default, written, value = DOCKER[name]
    assert plain(validate({}, "test").docker, name) == default
    assert plain(validate({"docker": {name: written}}, "test").docker, name) == value


@pytest.mark.parametrize(("key", "value", "words"), WRONG, ids=lambda part: str(part)[:30])
def test_a_wrong_value_is_told_with_its_path_its_value_and_what_was_expected(key: str, value: Any, words: str) -> None:
    (problem,) = wrong(**{key: value})
    assert problem.startswith(words)


def test_every_setting_is_described() -> None:
    settings = validate({}, "test")
    for model in (type(settings), type(settings.docker)):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_a_secret_that_is_wrong_is_not_repeated() -> None:
    (problem,) = wrong(admin_token="s3cret")
    assert problem.startswith("admin_token: ")
    assert "8" in problem
    assert "s3cret" not in problem


def test_a_secret_that_is_right_is_not_shown_by_repr() -> None:
    assert "12345678" not in repr(validate({"admin_token": "12345678"}, "test"))


def test_settings_cannot_be_changed() -> None:
    settings: Any = validate({}, "test")
    with pytest.raises(ValueError, match="frozen"):
        settings.bench = 1.0


@pytest.mark.parametrize(
    ("given", "access"),
    [
        ({}, "loopback"),
        ({"admin_token": "12345678"}, "token"),
        ({"admin_token": "12345678", "admin_access": "open"}, "open"),
    ],
)
def test_admin_handlers_are_for_this_machine_unless_there_is_a_token(given: dict[str, str], access: str) -> None:
    assert validate(given, "test").effective_admin_access == access


def test_route_options_at_the_top_are_the_defaults_of_every_route() -> None:
    defaults = validate({"bench": "5s", "hold": 0}, "test").route_defaults
    assert (defaults.bench, defaults.hold, defaults.max_attempts) == (5.0, 0.0, 20)
    assert set(OPTION_NAMES) <= set(Settings.model_fields)


def test_the_state_folder_is_the_platform_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_state_dir() == Path("/home/ada/.local/state/dockerproxy")
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert default_state_dir() == Path("/elsewhere/dockerproxy")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_state_dir() == Path("/home/ada/Library/Application Support/dockerproxy")
    assert validate({"state_dir": "/var/lib/x"}, "test").state_dir == Path("/var/lib/x")
