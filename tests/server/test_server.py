"""The server as a whole: start, stop, reload, and what is left after much use."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.demo import EmbeddedEngine
from dockerproxy.demo.spec import ContainerSpec
from dockerproxy.errors import ListenError, Problem, SettingsError, StoreError
from dockerproxy.process import own_token
from dockerproxy.process.logs import Ring
from dockerproxy.process.whereabouts import find
from dockerproxy.server import Server
from dockerproxy.settings import Settings, validate

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import DEADLINE, until


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="dp") as folder:
        yield Path(folder)


class Slow:
    """An upstream that answers when told."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, conversation: Conversation) -> None:
        await conversation.request()
        self.asked.set()
        await self.go_on.wait()
        conversation.answer(b"finished")
        await conversation.gone()


async def refuses(server: Server) -> bool:
    """Whether nobody listens any longer."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0].port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


# Start


async def test_whoever_writes_all_addresses_of_ipv4_means_no_others(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream(), listen=["0.0.0.0:0"])
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        assert sock.connect_ex(("::1", server.addresses[0].port)) != 0
    assert (await scene.get()).text == "a"


async def test_the_server_tells_where_it_listens(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream(), listen=["127.0.0.1:0", "127.0.0.2:0"])
    assert [address.host for address in server.addresses] == ["127.0.0.1", "127.0.0.2"]
    assert all(address.port for address in server.addresses)
    assert str(server.addresses[0]) in repr(server)
    reader, writer = await asyncio.open_connection(server.addresses[1].host, server.addresses[1].port)
    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"\r\n\r\na")
    writer.close()


async def test_a_port_that_is_taken_is_told_in_words_and_nothing_is_left_running(scene: Scene) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} is taken.*--listen :{port + 1}"):
            await Server(scene.settings(listen=[f"127.0.0.1:{port}"])).start()
    await scene.proxy()  # the state folder was given back


async def test_an_address_that_is_not_ours_is_told_in_words(scene: Scene) -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1 is not an address of this machine"):
        await Server(scene.settings(listen=["192.0.2.1:0"])).start()


async def test_a_handler_that_cannot_be_loaded_keeps_the_server_from_starting(scene: Scene) -> None:
    settings = scene.settings(routes=[{"name": "x", "host": "x", "handler": "no_such_module:x"}])
    with pytest.raises(SettingsError, match="no_such_module"):
        await Server(settings).start()
    await scene.proxy()


async def test_async_with_runs_the_server_and_stops_it(scene: Scene) -> None:
    async with Server(scene.settings(await scene.upstream())) as server:
        assert not await refuses(server)
    assert await refuses(server)
    with pytest.raises(ZeroDivisionError):
        async with Server(scene.settings()) as server:
            raise ZeroDivisionError
    assert await refuses(server)


@pytest.fixture
def harmless_signals() -> Iterator[None]:
    """Signals that must not end the tests, whatever the server makes of them."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("harmless_signals")
async def test_signals_stop_and_reload_a_running_server(scene: Scene) -> None:
    reads = []

    def read() -> Settings:
        reads.append(1)
        return scene.settings()

    server = await scene.proxy(read_settings=read)
    server.handle_signals()
    running = asyncio.create_task(server.run())
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: reads)
    assert not running.done()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, DEADLINE)


async def test_a_program_may_ask_the_server_to_stop(scene: Scene) -> None:
    server = await scene.proxy()
    running = asyncio.create_task(server.run())
    await asyncio.sleep(0)
    assert not running.done()
    server.ask_to_stop()
    await asyncio.wait_for(running, DEADLINE)


# Stop


async def test_stopping_lets_what_is_in_flight_end_and_takes_nothing_new(scene: Scene) -> None:
    slow = Slow()
    server = await scene.proxy(await scene.upstream(slow))
    busy, idle = await scene.client(), await scene.client()
    await busy.ask()
    await slow.asked.wait()
    await until(lambda: server.stats.connections == 2)

    stopping = asyncio.create_task(server.stop(3600.0))
    assert await idle.rest() == b""
    assert await refuses(server)
    assert not stopping.done()
    slow.go_on.set()
    answer = await busy.answer()
    assert (answer.text, answer["connection"]) == ("finished", "close")
    assert await busy.rest() == b""
    await asyncio.wait_for(stopping, DEADLINE)
    assert server.stats.in_flight == 0


async def test_a_request_of_which_only_a_part_has_come_is_answered_before_the_server_stops(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream())
    client, idle = await scene.client(), await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHo")
    await until(lambda: any(front._reader.unread for front in scene.fronts()))
    stopping = asyncio.create_task(server.stop(5.0))
    assert await idle.rest() == b""
    await client.send(b"st: test\r\n\r\n")
    answer = await client.answer()
    assert (answer.text, answer["connection"]) == ("a", "close")
    client.close()
    await stopping


async def test_a_long_answer_goes_on_to_its_end_while_the_server_stops(scene: Scene) -> None:
    async def stream(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        await stopping.wait()
        conversation.write(b"half")
        await conversation.gone()

    stopping = asyncio.Event()
    server = await scene.proxy(await scene.upstream(stream))
    client = await scene.client()
    await client.ask()
    await client.head()
    assert await client.exactly(4) == b"half"
    stop = asyncio.create_task(server.stop(3600.0))
    await until(lambda: server.plane.clients.stopping)
    stopping.set()
    assert await client.rest() == b"half"
    await asyncio.wait_for(stop, DEADLINE)


async def test_at_the_end_of_grace_everything_is_cut(scene: Scene) -> None:
    slow, switched = Slow(), asyncio.Event()

    async def tunnel(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        await conversation.gone()
        switched.set()

    waiting, tunnelling = await scene.upstream(slow), await scene.upstream(tunnel)
    routes: list[dict[str, Any]] = [
        {"name": "slow", "host": "slow", "upstreams": [{"url": waiting.url}]},
        {"name": "tunnel", "host": "tunnel", "upstreams": [{"url": tunnelling.url}]},
    ]
    server = await scene.proxy(routes=routes)
    asking, talking = await scene.client(), await scene.client()
    await asking.ask(host="slow")
    await slow.asked.wait()
    await talking.ask(host="tunnel", connection="Upgrade", upgrade="raw")
    assert (await talking.head()).status == 101

    await asyncio.wait_for(server.stop(0.1), DEADLINE)

    with pytest.raises(Incomplete):
        await asking.answer()
    assert await talking.ended() == b""
    await asyncio.wait_for(switched.wait(), DEADLINE)
    await scene.at_rest()


async def test_held_requests_do_not_outlive_the_grace(scene: Scene) -> None:
    server = await scene.proxy(routes=[{"name": "held", "upstreams": [{"url": "http://127.0.0.1:1", "weight": 0}]}])
    client = await scene.client()
    await client.ask()
    await until(lambda: scene.route("held").held == 1)
    await asyncio.wait_for(server.stop(0.05), DEADLINE)
    assert await client.ended() == b""
    await scene.at_rest()


async def test_stopping_while_connecting_and_retrying_leaves_nothing_behind(scene: Scene) -> None:
    server = await scene.proxy("http://127.0.0.1:1", max_attempts=100_000, max_connections=1, retry_deadline="1h")
    clients = [await scene.client() for _ in range(10)]
    for client in clients:
        await client.ask()
    await until(lambda: scene.route().retries > 5)
    await asyncio.wait_for(server.stop(0.0), DEADLINE)
    await scene.at_rest()
    assert scene.open_connections() == 0


async def test_stopping_twice_is_stopping_once(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream())
    await scene.get()
    await server.stop(1.0)
    await server.stop(1.0)
    await until(lambda: scene.open_connections() == 0)


# Reload


async def test_a_reload_keeps_counters_and_benches_and_connections(scene: Scene) -> None:
    good, bad = await scene.upstream(), await scene.upstream()
    more: list[dict[str, Any]] = []

    def read() -> Settings:
        return scene.settings(good, bad, consecutive_errors=2, routes=more)

    server = await scene.proxy(good, bad, consecutive_errors=2, read_settings=read)
    bad.refuse()
    client = await scene.client()
    while scene.state(bad) == "up":
        await client.get()
    requests = scene.route().requests

    more.append({"name": "more", "host": "more.localhost", "upstreams": [{"url": good.url}]})
    server.reload()

    assert scene.state(bad) == "benched"
    assert scene.counted(bad).error_counter == 2
    assert scene.route().requests == requests
    assert (await client.get(host="more.localhost")).text == "a"
    assert good.connections == 1


async def test_a_bad_reload_changes_nothing_and_says_why(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def read() -> Settings:
        raise SettingsError("dockerproxy.yaml", [Problem("routes[0].name", "unknown key")])

    server = await scene.proxy(await scene.upstream(), read_settings=read)
    before = server.registry.routes
    server.reload()
    assert server.registry.routes is before
    assert "routes[0].name" in caplog.text
    assert (await scene.get()).text == "a"


async def test_a_reload_with_clashing_routes_changes_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    upstream = await scene.upstream()
    twice = [{"name": name, "host": "same", "upstreams": [{"url": upstream.url}]} for name in ("one", "two")]
    server = await scene.proxy(upstream, read_settings=lambda: scene.settings(upstream, routes=twice, idle_timeout=1))
    server.reload()
    assert "already answered" in caplog.text
    assert [route.name for route in server.registry.routes if not route.name.startswith("dockerproxy")] == ["site"]
    assert server.plane.clients.limits.idle_timeout != 1


async def test_a_reload_that_opens_the_admin_handlers_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(
        upstream, admin_token="correct horse", read_settings=lambda: scene.settings(upstream, admin_access="open")
    )
    assert "admin_access is open" not in caplog.text
    server.reload()
    assert "admin_access is open: everybody may call the" in caplog.text
    caplog.clear()
    server.reload()
    assert "admin_access is open" not in caplog.text  # it was so before


async def admits(scene: Scene, token: str | None) -> bool:
    """Whether the statistics are shown to whoever bears this token."""
    fields = {"Authorization": f"Bearer {token}"} if token else {}
    client = await scene.client()
    answer = await client.get("/statistics", host="root.localhost", **fields)
    client.close()
    return answer.status == 200


async def test_where_a_token_is_wanted_and_none_is_set_one_is_made_and_kept(
    scene: Scene, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level(logging.INFO):
        server = await scene.proxy(await scene.upstream(), admin_access="token")
    token = own_token.find(tmp_path)
    assert not await admits(scene, None)
    assert await admits(scene, token)
    assert str(tmp_path / own_token.FILE_NAME) in caplog.text
    port = server.addresses[0].port
    (code,) = re.findall(rf"http://root\.localhost:{port}/#login=(\S+)", caplog.text)
    assert token is not None
    assert token not in caplog.text

    client = await scene.client()
    await client.ask("POST", "/login", host="root.localhost", body=json.dumps({"code": code}).encode())
    assert (await client.answer()).status == 200
    await server.stop(0.0)

    caplog.clear()
    with caplog.at_level(logging.INFO):
        await scene.proxy(admin_access="token")
    assert await admits(scene, token)  # it is still the same, and is told no second time
    assert "#login=" not in caplog.text


async def test_the_link_is_not_among_the_lines_that_are_kept(scene: Scene) -> None:
    ring = Ring()
    logger = logging.getLogger("dockerproxy")
    before = logger.level
    logger.addHandler(ring)
    logger.setLevel(logging.INFO)
    try:
        await scene.proxy(admin_access="token")
    finally:
        logger.removeHandler(ring)
        logger.setLevel(before)
    kept = "\n".join(ring.last(1000).lines)
    assert "an admin token was made" in kept
    assert "#login=" not in kept


async def test_a_token_that_others_may_know_is_replaced_and_told(
    scene: Scene, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / own_token.FILE_NAME
    path.write_text("known-to-others")
    path.chmod(0o644)
    await scene.proxy(admin_access="token")
    assert not await admits(scene, "known-to-others")
    assert await admits(scene, own_token.find(tmp_path))
    assert f"{path} can be read or written by others" in caplog.text
    assert "a new one is made now" in caplog.text


async def test_where_the_token_cannot_be_kept_nothing_is_served(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / own_token.FILE_NAME).mkdir()
    with pytest.raises(StoreError, match=r"cannot be written.*admin_token or admin_token_file"):
        await scene.proxy(admin_access="token")


@pytest.mark.parametrize("values", [{}, {"admin_access": "open"}, {"admin_token": "one-that-is-set"}])
async def test_no_token_is_made_where_none_is_wanted(scene: Scene, tmp_path: Path, values: dict[str, Any]) -> None:
    await scene.proxy(**values)
    assert not (tmp_path / own_token.FILE_NAME).exists()


async def test_a_reload_takes_the_token_that_is_there_now(
    scene: Scene, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    access = "loopback"
    server = await scene.proxy(read_settings=lambda: scene.settings(admin_access=access))
    access = "token"
    with caplog.at_level(logging.INFO):
        server.reload()
    assert "#login=" in caplog.text
    old = own_token.find(tmp_path)
    assert await admits(scene, old)
    new = own_token.make(tmp_path)
    server.reload()
    assert not await admits(scene, old)
    assert await admits(scene, new)


async def test_a_reload_while_it_stops_does_not_say_that_it_is_there(scene: Scene) -> None:
    server = await scene.proxy(read_settings=scene.settings)
    folder = server.registry.settings.state_dir
    assert find(folder) is not None
    await server.stop()
    server.reread()
    assert find(folder) is None


async def test_a_reload_without_a_file_says_so(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    (await scene.proxy()).reload()
    assert "no settings file" in caplog.text


async def discovery_state(scene: Scene) -> str:
    report = json.loads((await scene.get("/statistics", host="root.localhost")).text)
    return str(report["discovery"]["state"])


async def test_what_needs_a_restart_is_not_told_as_if_it_were_in_force(scene: Scene, folder: Path) -> None:
    labels = {"dockerproxy.host": "shop.localhost", "dockerproxy.wieght": "3"}
    async with EmbeddedEngine(folder / "engine.sock", [ContainerSpec(name="shop", labels=labels)]) as engine:
        docker = {"host": engine.base_url, "enabled": True}

        def read() -> Settings:
            return scene.settings(listen=["127.0.0.1:1"], docker={**docker, "label_prefix": "proxy"})

        server = await scene.proxy(docker=docker, read_settings=read)
        await until(lambda: server.registry.containers)
        while await discovery_state(scene) != "connected":
            pass  # the thread says so a moment after the first list
        before = [(await scene.get(path, host="root.localhost")) for path in ("/explain?container=shop", "/statistics")]
        assert "the new value of listen and docker counts only after a restart" in server.reread()
        after = [(await scene.get(path, host="root.localhost")) for path in ("/explain?container=shop", "/statistics")]
    assert [answer.status for answer in after] == [200, 200]
    assert json.loads(after[0].text) == json.loads(before[0].text)
    assert json.loads(after[1].text)["proxy"]["listen"] == [str(address) for address in server.addresses]


async def test_a_reload_says_what_needs_a_restart(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    server = await scene.proxy(read_settings=lambda: scene.settings(listen=["127.0.0.1:1"]))
    server.reload()
    assert "restart" in caplog.text


async def test_a_reload_tells_of_the_routes_that_a_person_has_and_not_of_the_admin_routes(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(upstream, read_settings=lambda: scene.settings(upstream, hold="1s"))
    caplog.set_level(logging.INFO)
    server.reload()
    assert [line for line in caplog.messages if "settings changed" in line] == ["site: settings changed"]


async def test_new_limits_hold_from_the_next_request_on(scene: Scene) -> None:
    upstream = await scene.upstream()
    changed: dict[str, Any] = {}
    server = await scene.proxy(upstream, read_settings=lambda: scene.settings(upstream, **changed))
    client = await scene.client()
    assert (await client.get("/" + "x" * 500)).status == 200
    changed.update(target_size=300, trusted_proxies=["127.0.0.1"], max_body=3)
    server.reload()
    await scene.get(X_Forwarded_For="203.0.113.9")
    assert upstream.requests[-1]["x-real-ip"] == "203.0.113.9"
    assert (await scene.post(b"long")).status == 413
    assert (await client.get("/" + "x" * 500)).status == 414


async def test_a_new_limit_of_connections_holds_for_an_upstream_that_is_in_use(scene: Scene) -> None:
    slow = Slow()
    upstream = await scene.upstream(slow)
    limit = [1]
    server = await scene.proxy(upstream, max_connections=1, connect_timeout="60s",
                               read_settings=lambda: scene.settings(upstream, max_connections=limit[0],
                                                                    connect_timeout="60s"))  # fmt: skip
    first, second = await scene.client(), await scene.client()
    await first.ask()
    await slow.asked.wait()
    limit[0] = 2
    server.reload()
    await second.ask()
    await until(lambda: upstream.connections == 2)
    slow.go_on.set()
    assert [(await client.answer()).text for client in (first, second)] == ["finished"] * 2


async def test_an_upstream_that_a_reload_removes_finishes_what_it_has(scene: Scene) -> None:
    slow = Slow()
    old, new = await scene.upstream(slow), await scene.upstream()
    server = await scene.proxy(old, read_settings=lambda: scene.settings(new))
    client = await scene.client()
    await client.ask()
    await slow.asked.wait()
    server.reload()
    assert (await scene.get()).text == "b"
    slow.go_on.set()
    assert (await client.answer()).text == "finished"
    assert (await client.get()).text == "b"
    await until(lambda: scene.open_connections() == 1)


# Leaks


async def test_after_much_use_and_abuse_everything_is_as_at_the_start(scene: Scene) -> None:
    async def moody(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            number = int(request.target[1:])
            if number % 7 == 0:
                return
            if number % 11 == 0:
                conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                return
            conversation.answer(b"x" * (number * 997 % 200_000), "404 Not Found" if number % 13 == 0 else "200 OK")

    server = await scene.proxy(
        *[await scene.upstream(moody) for _ in range(3)], max_connections=3, consecutive_errors=5, bench="20ms",
        retry_deadline="200ms", error_statuses=[404], max_attempts=3,
    )  # fmt: skip

    async def one(number: int) -> None:
        client = await scene.client()
        try:
            for step in range(4):
                kind = (number + step) % 6
                if kind == 0:
                    await client.send(b"GET /1 HTTP/1.1\r\nHo")
                    return
                if kind == 1:
                    await client.ask("POST", f"/{number}", content_length="100000")
                    await client.send(b"x" * 1000)
                    return
                if kind == 2:
                    await client.send(b"BAD\r\n\r\n")
                else:
                    await client.ask("GET" if kind % 2 else "PUT", f"/{number + step}", body=b"y" * number)
                await client.answer()
        except (Incomplete, ConnectionError):
            pass
        finally:
            (client.reset if number % 2 else client.close)()

    for wave in range(6):
        await asyncio.gather(*(one(wave * 40 + number) for number in range(40)))
    await scene.at_rest()

    await server.stop(1.0)
    await until(lambda: scene.open_connections() == 0)
    assert len(server.plane.wheel) == 0
    assert len(server.plane._tasks) == 0
    gc.collect()
    kept = [found for found in gc.get_objects() if type(found).__name__ in ("Exchange", "Front", "Attempt")]
    assert len(kept) <= 2  # one may be in a frame that is still on the stack


async def test_an_idle_server_has_no_timer(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream())
    client = await scene.client()
    await client.get()
    client.close()
    upstream = scene.upstreams[0]
    upstream.refuse()
    await until(lambda: scene.open_connections() == 0 and not server.stats.connections)
    await until(lambda: server.plane.wheel._timer is None)


def test_settings_of_tests_are_valid_settings(tmp_path: Path) -> None:
    assert validate({"state_dir": tmp_path}, "test").docker.enabled
