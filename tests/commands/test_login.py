"""login and token, and the token that commands find by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerproxy.process import own_token

from .conftest import Run
from .fake_proxy import FakeProxy

LINK = {"code": "abc", "url": "http://root.localhost:8888/#login=abc", "seconds": 3600}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKERPROXY_STATE_DIR", str(tmp_path / "kept"))
    return tmp_path / "kept"


def bearer(proxy: FakeProxy) -> str | None:
    return proxy.asked[-1].headers.get("authorization")


def test_login_prints_the_link_alone(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/login-link", LINK)
    assert run("login") == (0, "http://root.localhost:8888/#login=abc\n", "")


@pytest.mark.parametrize("slash", ["", "/"])
def test_login_at_another_address_leads_there(proxy: FakeProxy, run: Run, slash: str) -> None:
    proxy.answer("/login-link", LINK)
    url = f"http://root.localhost:{proxy.port}"
    assert run("login", "--url", url + slash).out == f"{url}/#login=abc\n"


def test_where_nobody_logs_in_that_is_told(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/login-link", {"error": "no login is needed here"}, 409)
    assert run("login") == (1, "", "no login is needed here\n")


def test_commands_find_the_token_that_the_proxy_has_made(proxy: FakeProxy, run: Run, folder: Path) -> None:
    token = own_token.make(folder)
    assert run("routes").code == 0
    assert bearer(proxy) == f"Bearer {token}"


def test_a_token_that_is_given_counts_before_it(
    proxy: FakeProxy, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_token.make(folder)
    assert run("routes", "--token", "given-on-the-line").code == 0
    assert bearer(proxy) == "Bearer given-on-the-line"
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN", "set-in-the-environment")
    assert run("routes").code == 0
    assert bearer(proxy) == "Bearer set-in-the-environment"


def test_a_token_that_cannot_be_read_is_no_error_of_the_command(proxy: FakeProxy, run: Run, folder: Path) -> None:
    own_token.make(folder)
    (folder / own_token.FILE_NAME).chmod(0o644)
    assert run("routes").code == 0
    assert bearer(proxy) is None


def test_token_prints_what_is_set_or_was_made(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = run("token")
    assert none.code == 1
    assert "there is no admin token" in none.err
    assert "DOCKERPROXY_ADMIN_ACCESS=token" in none.err
    made = own_token.make(folder)
    assert run("token") == (0, f"{made}\n", "")
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN", "set-in-the-environment")
    assert run("token") == (0, "set-in-the-environment\n", "")


def test_a_new_token_is_told_to_the_running_proxy_by_the_old_one(proxy: FakeProxy, run: Run, folder: Path) -> None:
    old = own_token.make(folder)
    proxy.answer("/reload", {"changed": [], "routes": 1})
    result = run("token", "--new")
    assert result.code == 0
    assert result.out.strip() == own_token.find(folder) != old
    assert (proxy.asked[-1].path, bearer(proxy)) == ("/reload", f"Bearer {old}")


def test_where_the_proxy_cannot_reload_the_old_token_stays(proxy: FakeProxy, run: Run, folder: Path) -> None:
    old = own_token.make(folder)
    proxy.answer("/reload", {"error": "there is no settings file to read again"}, 409)
    result = run("token", "--new")
    assert result.code == 1
    assert "there is no settings file to read again; the token that was is still the one" in result.err
    assert own_token.find(folder) == old


def test_while_no_proxy_runs_the_next_one_takes_the_new_token(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = own_token.make(folder)
    monkeypatch.setenv("DOCKERPROXY_LISTEN", "127.0.0.1:1")
    result = run("token", "--new")
    assert (result.code, result.out.strip()) == (0, own_token.find(folder))
    assert own_token.find(folder) != old


def test_a_token_that_is_set_is_not_replaced(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN", "set-in-the-environment")
    result = run("token", "--new")
    assert result.code == 1
    assert "change it there" in result.err
    assert not folder.exists()
