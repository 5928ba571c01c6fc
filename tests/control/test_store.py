"""Dynamic routes on disk: what comes back, and what is done about what cannot."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dockerproxy.control.store import Store, as_json
from dockerproxy.errors import StoreError
from dockerproxy.settings import RouteSettings

from .making import route_settings


def load(folder: Path) -> list[str]:
    store = Store(folder)
    try:
        return [route.name for route in store.load()]
    finally:
        store.close()


def document(*routes: Any, version: int = 1) -> str:
    return json.dumps({"version": version, "routes": routes})


def good(name: str) -> dict[str, Any]:
    return as_json(route_settings(name, host=f"{name}.localhost"))


async def test_routes_come_back_equal_and_in_order(tmp_path: Path) -> None:
    routes = (
        route_settings("b", host="b.localhost,*.b.localhost", hold="90s", error_statuses="502,503", max_body="1m"),
        route_settings("a", domain={"subDomain": "a", "domain": "localhost", "port": "8888"}, bench=90_000_000_000),
        route_settings("ä ö", path={"expReg": "^/x", "method": "get"}, proxyEnable=True, tls_verify=False),
        route_settings("p", path="/api", strip_prefix=True),
    )
    store = Store(tmp_path / "deep" / "state")
    assert store.load() == ()
    await store.save(routes)
    store.close()

    again = Store(tmp_path / "deep" / "state")
    assert again.load() == routes
    assert [route.model_fields_set for route in again.load()] == [route.model_fields_set for route in routes]
    again.close()


@given(
    hold=some.floats(0, 1e6) | some.sampled_from(["90", "1m30s", "250ms"]),
    bench=some.integers(0, 10**12) | some.floats(0, 1e5),
    statuses=some.sets(some.integers(300, 599)),
    max_body=some.none() | some.integers(0, 10**12),
)
def test_what_a_user_wrote_round_trips(hold: Any, bench: Any, statuses: set[int], max_body: int | None) -> None:
    route = route_settings("a", hold=hold, bench=bench, error_statuses=sorted(statuses), max_body=max_body)

    assert RouteSettings.model_validate(json.loads(json.dumps(as_json(route)))) == route


async def test_the_folder_and_the_file_are_nobody_elses_business(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    store.load()
    await store.save([route_settings("a")])
    store.close()

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "routes.json").stat().st_mode) == 0o600


def test_a_folder_that_everybody_can_write_is_told_with_its_mend(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o777)
    assert load(tmp_path) == []
    assert f"run: chmod o-w {tmp_path}" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_that_belongs_to_somebody_else_is_told_with_its_mend(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(tmp_path) == []
    assert caplog.text == ""
    os.chown(tmp_path, 12345, -1)
    assert load(tmp_path) == []
    assert f"belongs to user 12345, who so decides about routes; run: chown 0 {tmp_path}" in caplog.text


async def test_a_link_that_somebody_has_put_there_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "state"
    store = Store(folder)
    store.load()
    (folder / f"routes.json.{os.getpid()}.tmp").symlink_to(victim)
    await store.save((route_settings("news"),))
    store.close()
    assert victim.read_text() == "precious"
    assert load(folder) == ["news"]


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError, match="lock"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 1, "rou',
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"version": 2, "routes": []}',
        b'{"version": 1}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_a_corrupt_file_is_set_aside_and_the_proxy_starts_without_it(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "routes.json").write_bytes(content)

    assert load(tmp_path) == []
    (aside,) = tmp_path.glob("routes.json.corrupt-*")
    assert aside.read_bytes() == content
    assert not (tmp_path / "routes.json").exists()
    assert f"kept as {aside.name}" in caplog.text


def test_files_set_aside_in_one_second_do_not_replace_each_other(tmp_path: Path) -> None:
    for content in (b"one", b"two", b"three"):
        (tmp_path / "routes.json").write_bytes(content)
        load(tmp_path)

    assert {path.read_bytes() for path in tmp_path.glob("routes.json.corrupt-*")} == {b"one", b"two", b"three"}


def test_valid_routes_are_loaded_beside_invalid_ones_which_are_kept_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {"name": "bad", "upstreams": [{"url": "ftp://x"}], "hosst": "x"}
    content = document(good("a"), bad, good("b"), "nonsense", good("a"))
    (tmp_path / "routes.json").write_text(content)

    assert load(tmp_path) == ["a", "b"]
    (aside,) = tmp_path.glob("routes.json.corrupt-*")
    assert aside.read_text() == content
    assert "routes[1]: upstreams[0].url" in caplog.text
    assert "unknown key; did you mean 'host'?" in caplog.text
    assert "routes[3]" in caplog.text
    assert "routes[4]: there is already a route named 'a'" in caplog.text
    caplog.clear()

    assert load(tmp_path) == ["a", "b"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    "absurd",
    [
        {"path": {"regex": "(" * 3000 + ")" * 3000}},
        {"path": {"regex": "a{99999999999999999999}"}},
        {"max_body": "9" * 400},
        {"hold": 10**400},
    ],
    ids=["nested", "repeated", "size", "duration"],
)
def test_a_route_with_an_absurd_value_is_left_out_and_kept_aside(tmp_path: Path, absurd: dict[str, Any]) -> None:
    (tmp_path / "routes.json").write_text(document(good("a"), {**good("bad"), **absurd}))

    assert load(tmp_path) == ["a"]
    assert len(list(tmp_path.glob("routes.json.corrupt-*"))) == 1


def test_overrides_nested_without_end_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "overrides.json").write_text("[" * 100_000)
    store = Store(tmp_path)
    store.load()

    assert store.load_overrides() == ()
    assert len(list(tmp_path.glob("overrides.json.corrupt-*"))) == 1
    store.close()


def test_what_a_crash_has_left_is_cleaned_up(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(document(good("a")))
    (tmp_path / "routes.json.4711.tmp").write_text('{"version": 1, "rou')

    assert load(tmp_path) == ["a"]
    assert not list(tmp_path.glob("*.tmp"))


def test_a_folder_that_cannot_be_made_is_an_error_that_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be used: Not a directory.*state_dir or DOCKERPROXY_STATE_DIR"):
        load(tmp_path / "file" / "state")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "routes.json").mkdir()
    with pytest.raises(StoreError, match="Is a directory"):
        load(tmp_path)


def test_two_proxies_do_not_share_a_folder(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    first.load()
    with pytest.raises(StoreError, match="in use by another dockerproxy"):
        second.load()
    assert "open" in repr(first)
    assert "closed" in repr(second)

    first.close()
    assert second.load() == ()
    second.close()


async def test_a_store_that_was_not_loaded_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    with pytest.raises(StoreError, match="not open"):
        await store.save([])
    store.close()
    assert not (tmp_path / "state").exists()
