"""What a command says when the proxy does not answer, or says no; and whom it asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from dockerproxy.commands.asking.client import AdminClient, NoAnswer
from dockerproxy.commands.asking.endpoint import Endpoint, WrongEndpoint, endpoint_of
from dockerproxy.settings import validate

from ...support.certificate import self_signed
from ..conftest import Run
from ..fake_proxy import FakeProxy, Serving, report


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_a_proxy_that_does_not_run_is_told_in_one_line_with_where_it_looked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("DOCKERPROXY_LISTEN", f":{port}")
    result = run("routes")
    assert result.code == 1
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert f"no proxy answers at http://127.0.0.1:{port} (as the settings say: `listen` is :{port})" in line
    assert "connection refused" in line
    assert "--url http://ADMIN_HOST:PORT" in line


def test_the_admin_domain_and_the_token_of_the_settings_are_sent(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN", "a-long-token")
    monkeypatch.setenv("DOCKERPROXY_ADMIN_HOST", "admin.example.com")
    assert run("routes").code == 0
    assert proxy.asked[-1].headers["host"] == "admin.example.com"
    assert proxy.asked[-1].headers["authorization"] == "Bearer a-long-token"
    assert run("routes", "--token", "another-token").code == 0
    assert proxy.asked[-1].headers["authorization"] == "Bearer another-token"


def test_another_proxy_is_asked_by_its_url(proxy: FakeProxy, run: Run) -> None:
    with Serving(other := FakeProxy()):
        other.answer("/statistics", report())
        assert run("routes", "--url", f"http://admin.localhost:{other.port}").out == "[]\n"
        assert other.asked[0].headers["host"] == f"admin.localhost:{other.port}"
        assert run("routes", "--url", other.url).out == "[]\n"
        assert other.asked[1].headers["host"] == "root.localhost"
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("status", "token", "words"),
    [
        (401, (), "wants its admin token: give it with --token or DOCKERPROXY_ADMIN_TOKEN"),
        (401, ("--token", "wrong-token"), "does not know this token; give its own with --token or DOCKERPROXY_ADMIN"),
        (403, (), "refused: This handler answers to this machine only"),
        (500, (), "answered 500: This handler answers to this machine only"),
    ],
)
def test_a_proxy_that_says_no_is_told_with_what_mends_it(
    proxy: FakeProxy, run: Run, status: int, token: tuple[str, ...], words: str
) -> None:
    proxy.answer(
        "/statistics", "This handler answers to this machine only,\nand the request came from 10.0.0.1.", status
    )
    result = run("routes", *token)
    assert (result.code, result.out) == (1, "")
    assert words in result.err


def test_the_wrong_admin_domain_is_told_apart_from_an_older_proxy(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/statistics", "404 Not Found: No route is known for this host. (unknown_host)", 404)
    assert "has no admin handlers at the domain root.localhost" in run("routes").err
    assert "has no /reload: is it an older version than this command?" in run("reload").err


@pytest.mark.parametrize("answer", ["<html>", "{"])
def test_somebody_else_who_answers_is_told_as_such(proxy: FakeProxy, run: Run, answer: str) -> None:
    proxy.answer("/statistics", answer)
    assert "answers, but not as a dockerproxy does" in run("routes").err


def test_what_the_proxy_refuses_is_told_in_its_own_words(proxy: FakeProxy, run: Run) -> None:
    problems = [{"where": "for", "message": "is too long"}, {"where": "route", "message": "is missing"}]
    proxy.answer("/pause", {"error": "two problems", "problems": problems}, 422)
    proxy.answer("/drain", {"error": "there is no upstream named 'x'"}, 404)
    assert run("pause", "blog").err == "--for: is too long\nroute: is missing\n"
    assert run("drain", "x").err == "there is no upstream named 'x'\n"


def test_what_the_proxy_says_cannot_give_orders_to_the_terminal(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/drain", {"error": "no \x1b[31m such"}, 404)
    assert "\x1b" not in run("drain", "x").err


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who accepts connections and closes them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_all() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=close_all, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_connection_that_is_closed_is_told_in_words(silent: int, run: Run) -> None:
    result = run("routes", "--url", f"http://127.0.0.1:{silent}")
    assert result.code == 1
    assert f"no proxy answers at http://127.0.0.1:{silent} (--url): " in result.err
    assert "Errno" not in result.err


def test_a_proxy_that_takes_too_long_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint("127.0.0.1", listener.getsockname()[1], "root.localhost", False, "--url")
        with pytest.raises(NoAnswer, match="no answer in time"):
            AdminClient(endpoint, timeout=0.01).get("/statistics")


def test_a_log_that_breaks_off_in_the_middle_is_told_in_words(proxy: FakeProxy, run: Run) -> None:
    proxy.cut_at = 7
    proxy.answer("/logs", "one\ntwo\nthree\n")
    result = run("logs", "-f")
    assert result.code == 1
    assert result.out.startswith("one\n")
    assert "the proxy has ended its log" in result.err


def test_the_client_tells_in_a_debugger_whom_it_asks() -> None:
    endpoint = Endpoint("127.0.0.1", 8888, "root.localhost", False, "--url")
    assert repr(AdminClient(endpoint)) == "<AdminClient of http://127.0.0.1:8888>"


# https


@pytest.fixture
def secure_proxy() -> Iterator[FakeProxy]:
    fake = FakeProxy()
    fake.answer("/statistics", report())
    serving = Serving(fake)
    server = serving.server
    server.socket = self_signed().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving:
        yield fake


def test_https_on_this_machine_needs_no_certificate_that_is_trusted(secure_proxy: FakeProxy, run: Run) -> None:
    assert run("routes", "--url", f"https://root.localhost:{secure_proxy.port}").out == "[]\n"


def test_https_elsewhere_is_verified(secure_proxy: FakeProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("127.0.0.1", secure_proxy.port, "admin.example.com", True, "--url")
    monkeypatch.setattr(Endpoint, "local", False)
    with pytest.raises(NoAnswer, match=r"its certificate is not trusted .*SSL_CERT_FILE"):
        AdminClient(endpoint).get("/statistics")


def test_https_to_a_proxy_that_speaks_http_is_told_as_such(proxy: FakeProxy, run: Run) -> None:
    result = run("routes", "--url", f"https://127.0.0.1:{proxy.port}")
    assert result.code == 1
    assert "no TLS connection" in result.err
    assert "use --url http://" in result.err


def test_http_to_a_proxy_that_speaks_https_is_told_in_words(secure_proxy: FakeProxy, run: Run) -> None:
    result = run("routes", "--url", f"http://127.0.0.1:{secure_proxy.port}")
    assert result.code == 1
    assert "no proxy answers at" in result.err


# Endpoint


@pytest.mark.parametrize(
    ("listen", "endpoint"),
    [
        (":8888", "http://127.0.0.1:8888"),
        ("10.0.0.7:80", "http://10.0.0.7:80"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("127.0.0.1:81,:82", "http://127.0.0.1:81"),
        (":80,https://:443", "https://127.0.0.1:443"),
    ],
)
def test_the_first_listen_address_is_asked_on_this_machine_with_tls_where_there_is_any(
    listen: str, endpoint: str
) -> None:
    assert str(endpoint_of(validate({"listen": listen}, "test"), None)) == endpoint


@pytest.mark.parametrize(
    ("url", "endpoint", "host"),
    [
        ("http://root.localhost:8888", "http://127.0.0.1:8888", "root.localhost:8888"),
        ("localhost:8888", "http://127.0.0.1:8888", "root.localhost"),
        ("http://proxy:8888/", "http://proxy:8888", "root.localhost"),
        ("https://admin.example.com", "https://admin.example.com:443", "admin.example.com"),
        ("http://[::1]:8888", "http://[::1]:8888", "root.localhost"),
        ("http://[fe80::1%eth0]:8888", "http://[fe80::1%eth0]:8888", "root.localhost"),
    ],
)
def test_a_url_names_where_to_connect_and_its_domain_what_to_ask_for(url: str, endpoint: str, host: str) -> None:
    found = endpoint_of(validate({}, "test"), url)
    assert (str(found), found.host) == (endpoint, host)
    assert found.name == host.partition(":")[0]


@pytest.mark.parametrize("url", [
    "ftp://x", "http://", "http://x:port", "http://x/statistics", "http://u@x", "http://[::1", "http://a b:80",
    f"http://{'a' * 70}.x:80",
])  # fmt: skip
def test_a_url_that_is_none_is_told_with_an_example(run: Run, url: str) -> None:
    result = run("routes", "--url", url)
    assert result.code == 1
    assert f"--url {url}: expected the address of a proxy, such as http://root.localhost:8888" in result.err


@pytest.mark.parametrize("token", ["correct-horse\r", "a\nb", "пароль-длинный"])
def test_a_token_that_no_header_can_hold_is_told_and_not_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    given = run("routes", "--token", token)
    assert (given.code, given.err) == (2, "--token: expected visible ASCII characters, which a header can hold\n")
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN", token * 3)
    in_environment = run("routes")
    assert in_environment.code == 1
    assert "DOCKERPROXY_ADMIN_TOKEN: expected visible ASCII characters" in in_environment.err
    assert token.strip() not in in_environment.err


def test_a_port_that_nobody_can_know_must_be_named() -> None:
    with pytest.raises(WrongEndpoint, match="name it with --url"):
        endpoint_of(validate({"listen": ":0"}, "test"), None)


@pytest.mark.parametrize(("address", "local"), [("127.0.0.2", True), ("::1", True), ("10.0.0.1", False), ("p", False)])
def test_only_a_loopback_address_is_this_machine(address: str, local: bool) -> None:
    assert Endpoint(address, 443, "x.example.com", True, "--url").local is local
