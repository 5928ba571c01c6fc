"""The command `dockerproxy`, as a process of its own: what it prints, what it answers, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from .support.command import Process, Upstream, get, running_upstream, spoil, write
from .support.forked import dockerproxy
from .support.waiting import DEADLINE

_LISTENS = re.compile(r"listens on .*:(\d+), \d+ routes? and \d+ of its own")


Site = tuple[Process, tuple[str, ...]]
Start = Callable[..., Awaitable[Process]]
Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the command with these arguments, in the test's folder; whatever still runs at the end is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def start_with(*arguments: str, **environment: str) -> Process:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DOCKERPROXY_")}
        process = await asyncio.create_subprocess_exec(
            *dockerproxy(), *arguments,
            cwd=tmp_path, env={**clean, "XDG_STATE_HOME": str(tmp_path / "state"), **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return Process(process)

    yield start_with
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # to the end, so that no pipe outlives the loop


@pytest.fixture
def run(start: Start) -> Run:
    """Runs the command to its end; the exit code and all it wrote."""

    async def run_with(*arguments: str, **environment: str) -> tuple[int, str]:
        process = await start(*arguments, **environment)
        code = await process.end()
        return code, process.text

    return run_with


@pytest.fixture
def serve(start: Start) -> Start:
    """Runs `dockerproxy run` until it listens, on a free port and without Docker."""

    async def serve_with(*arguments: str, **environment: str) -> Process:
        given = {"DOCKERPROXY_DOCKER__ENABLED": "false", **environment}
        process = await start("run", "--listen", "127.0.0.1:0", *arguments, **given)
        found = _LISTENS.search(await process.until("listens on"))
        assert found is not None
        process.port = int(found[1])
        return process

    return serve_with


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


# Help and mistakes on the command line


async def test_help_lists_the_commands_and_the_exit_codes(run: Run) -> None:
    code, text = await run("--help")
    assert code == 0
    for words in ("run", "check", "demo", "health", "exit codes:", "DOCKERPROXY_LISTEN", "SIGHUP"):
        assert words in text


@pytest.mark.parametrize("command", ["run", "check", "demo", "health"])
async def test_each_command_has_help_of_its_own(run: Run, command: str) -> None:
    code, text = await run(command, "--help")
    assert code == 0
    assert f"usage: dockerproxy {command}" in text


async def test_the_version_is_told(run: Run) -> None:
    code, text = await run("--version")
    assert code == 0
    assert re.fullmatch(r"dockerproxy \d+\.\d+\.\d+", text.strip())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("start",),
        ("run", "--prot", "1"),
        ("check",),
        ("run", "--log-level", "loud"),
        ("demo", "dance"),
        ("health", "x", "y"),
    ],
)
async def test_a_wrong_command_line_exits_with_2_and_says_what_there_is(run: Run, arguments: tuple[str, ...]) -> None:
    code, text = await run(*arguments)
    assert code == 2
    assert "usage: dockerproxy" in text


# run


async def test_sigterm_ends_it_with_0(serve: Start) -> None:
    process = await serve()
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    assert "SIGTERM: stopping" in process.text
    assert process.log[-1].endswith("stopped")
    assert "Traceback" not in process.text


async def test_the_access_log_has_a_line_for_every_request_that_was_answered(serve: Start, tmp_path: Path) -> None:
    async with running_upstream() as upstream:
        path = write(tmp_path, ("blog", upstream.url), access_log="json")
        process = await serve("--config", path)
        for number in range(20):
            assert (await get(process.port, "blog.test", f"/{number}"))[0] == 200
        assert (await get(process.port, "nobody.test"))[0] == 404
        process.send(signal.SIGTERM)
        assert await process.end() == 0
    entries = [json.loads(text) for text in process.log if text.startswith("{")]
    assert [entry["target"] for entry in entries] == [*(f"/{number}" for number in range(20)), "/"]
    assert [(entry["status"], entry["route"]) for entry in entries] == [(200, "blog")] * 20 + [(404, None)]
    assert [entry["bytes_sent"] for entry in entries[:-1]] == [5] * 20
    assert all(0 < entry["first_byte"] < entry["total"] for entry in entries[:-1])
    assert entries[-1]["id"] in process.text.partition("404 unknown_host")[2]


async def test_ctrl_c_ends_it_with_0(serve: Start) -> None:
    process = await serve()
    process.send(signal.SIGINT)
    assert await process.end() == 0
    assert "Traceback" not in process.text


async def test_what_is_in_flight_is_answered_before_it_ends(serve: Start, upstream: Upstream, tmp_path: Path) -> None:
    process = await serve("--config", write(tmp_path, ("blog", upstream.url)))
    upstream.may_answer.clear()
    request = asyncio.create_task(get(process.port, "blog.test"))
    await upstream.asked.wait()
    process.send(signal.SIGTERM)
    await process.until("stopping: 1 request is in flight, it has up to 30 s")
    upstream.may_answer.set()
    assert await request == (200, "hello")
    assert await process.end() == 0


async def test_a_second_signal_ends_it_at_once(serve: Start, upstream: Upstream, tmp_path: Path) -> None:
    process = await serve("--config", write(tmp_path, ("blog", upstream.url), grace="1h"))
    upstream.may_answer.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n")
    await upstream.asked.wait()
    process.send(signal.SIGTERM)
    await process.until("in flight")
    process.send(signal.SIGTERM)
    assert await process.end() == 1
    assert "second SIGTERM: stopping at once" in process.text
    writer.close()


async def test_a_taken_port_is_told_with_the_way_out_and_without_a_traceback(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = await run("run", "--listen", f"127.0.0.1:{port}", DOCKERPROXY_DOCKER__ENABLED="false")
    assert code == 1
    assert f"port {port} is taken" in text
    assert f"--listen :{port + 1} or DOCKERPROXY_LISTEN=:{port + 1}" in text
    assert "Traceback" not in text


async def test_settings_that_are_wrong_are_all_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dockerproxy.yaml").write_text("bench: never\nlissten: 1\n")
    code, text = await run("run")
    assert code == 1
    assert "bench: expected a duration" in text
    assert "did you mean 'listen'" in text
    assert "Traceback" not in text


async def test_a_state_folder_that_cannot_be_used_is_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, text = await run(
        "run", "--listen", "127.0.0.1:0",
        DOCKERPROXY_DOCKER__ENABLED="false", DOCKERPROXY_STATE_DIR=str(tmp_path / "file" / "state"),
    )  # fmt: skip
    assert code == 1
    assert str(tmp_path / "file" / "state") in text
    assert "Traceback" not in text


async def test_a_handler_that_does_not_start_ends_it_with_1_and_says_why(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home.py").write_text(
        "import logging\nfrom aiohttp import web\nfrom dockerproxy import Proxy, Route\n"
        "async def begin(app):\n"
        "    logging.getLogger(__name__).info('reading the prices')\n"
        "    raise OSError('the database is not up')\n"
        "app = web.Application()\napp.on_startup.append(begin)\n"
        "proxy = Proxy('127.0.0.1:0', [Route('shop', handler=app)], docker={'enabled': False})\n"
    )
    code, text = await run("run", "home:proxy")
    assert code == 1
    assert "reading the prices" in text
    assert (
        "handler aiohttp.web_app:Application does not start: OSError: the database is not up" in text.splitlines()[-1]
    )


async def test_without_an_engine_static_routes_are_served(serve: Start, upstream: Upstream, tmp_path: Path) -> None:
    process = await serve(
        "--config", write(tmp_path, ("blog", upstream.url)),
        DOCKERPROXY_DOCKER__ENABLED="true", DOCKERPROXY_DOCKER__HOST=f"unix://{tmp_path}/no.sock",
    )  # fmt: skip
    assert await get(process.port, "blog.test") == (200, "hello")
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    assert "Traceback" not in process.text


async def test_the_log_says_which_settings_file_was_read(start: Start, tmp_path: Path) -> None:
    process = await start(
        "run", "--listen", "127.0.0.1:0", "--config", write(tmp_path), DOCKERPROXY_DOCKER__ENABLED="false"
    )
    assert f"settings are read from {tmp_path}/site.yaml" in await process.until("settings")


async def test_the_log_says_that_there_is_no_settings_file_and_where_it_would_be(start: Start, tmp_path: Path) -> None:
    process = await start("run", "--listen", "127.0.0.1:0", DOCKERPROXY_DOCKER__ENABLED="false")
    assert f"no settings file: there is no dockerproxy.yaml in {tmp_path}" in await process.until("settings")


async def test_a_log_in_json_is_json_on_every_line(serve: Start) -> None:
    process = await serve("--log-format", "json", "--log-level", "debug")
    await get(process.port, "nobody.test")
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    entries = [json.loads(line) for line in process.log]
    assert {"time", "level", "logger", "message"} <= entries[0].keys()


# Reload


async def statistics(process: Process, name: str) -> dict[str, int]:
    _, body = await get(process.port, "root.localhost", "/statistics")
    (found,) = [route for route in json.loads(body)["routes"] if route["name"] == name]
    return found  # type: ignore[no-any-return]  # JSON


async def test_sighup_reads_the_file_again_and_counters_survive(
    serve: Start, upstream: Upstream, tmp_path: Path
) -> None:
    process = await serve("--config", write(tmp_path, ("blog", upstream.url)))
    for _ in range(3):
        assert await get(process.port, "blog.test") == (200, "hello")
    write(tmp_path, ("blog", upstream.url), ("shop", upstream.url), bench="5s")
    process.send(signal.SIGHUP)
    await process.until("reload: done")
    assert await get(process.port, "shop.test") == (200, "hello")
    assert await get(process.port, "blog.test") == (200, "hello")
    assert (await statistics(process, "blog"))["requests"] == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bench: never\n", "bench: expected a duration"),
        ("routes: [\n", "not valid YAML"),
        (None, "no such file"),
        ("routes: [{name: a, host: h}, {name: b, host: h}]", "is already answered by route 'a'"),
        ("routes: [{name: a, host: h, handler: 'nothing_here:page'}]", "nothing_here"),
    ],
    ids=["wrong value", "not yaml", "gone", "clash", "handler"],
)
async def test_sighup_with_a_bad_file_changes_nothing_and_says_why(
    serve: Start, upstream: Upstream, tmp_path: Path, text: str | None, reason: str
) -> None:
    path = write(tmp_path, ("blog", upstream.url))
    process = await serve("--config", path)
    spoil(path, text)
    process.send(signal.SIGHUP)
    await process.until("reload: nothing was changed, because:")
    assert await get(process.port, "blog.test") == (200, "hello")
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    assert reason in process.text
    assert "Traceback" not in process.text


async def test_a_new_listen_address_counts_only_after_a_restart_and_the_log_says_so(
    serve: Start, tmp_path: Path
) -> None:
    process = await serve("--config", write(tmp_path))
    write(tmp_path, docker={"default_domain": "apps.test"})
    process.send(signal.SIGHUP)
    await process.until("counts only after a restart")
    assert (await get(process.port, "root.localhost", "/health"))[0] == 200


# check and health


async def test_check_of_a_good_file_exits_with_0(run: Run, tmp_path: Path) -> None:
    code, text = await run("check", write(tmp_path, ("blog", "http://localhost:1")))
    assert code == 0
    assert "blog: blog.test /* -> http://localhost:1" in text


async def test_a_folder_in_the_place_of_the_settings_file_is_told(run: Run) -> None:
    for command in (("run", "--config", "."), ("routes", "--config", ".")):
        code, text = await run(*command)
        assert (code, text.partition(";")[0]) == (
            1, ".: is a folder, such as Docker makes where the file to mount is missing"
        )  # fmt: skip


async def test_check_of_a_bad_file_exits_with_1_and_tells_all_problems(run: Run, tmp_path: Path) -> None:
    code, text = await run("check", write(tmp_path, ("blog", "localhost:1"), bench="never", lissten=1))
    assert code == 1
    assert "3 problems, nothing would be served" in text
    assert "Traceback" not in text


async def test_health_is_0_while_it_runs_and_1_when_nobody_answers(serve: Start, run: Run) -> None:
    process = await serve()
    where = f"127.0.0.1:{process.port}"
    assert await run("health", "--listen", where) == (0, "")
    process.send(signal.SIGTERM)
    await process.end()
    code, text = await run("health", "--listen", where)
    assert code == 1
    assert f"no dockerproxy answers at {where}" in text


async def test_health_is_1_when_somebody_else_answers(run: Run) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    code, text = await run("health", "--listen", f"127.0.0.1:{port}")
    listener.close()
    assert code == 1
    assert "answered with 404" in text


# Where a running proxy is asked, though only its arguments say so


async def test_commands_and_health_find_a_proxy_by_its_state_folder(serve: Start, run: Run, tmp_path: Path) -> None:
    await serve()
    assert await run("health") == (0, "")
    code, text = await run("routes", "--json")
    assert (code, json.loads(text)) == (0, [])
    elsewhere = {"DOCKERPROXY_STATE_DIR": str(tmp_path / "state" / "dockerproxy"), "XDG_STATE_HOME": "/nowhere"}
    assert await run("health", **elsewhere) == (0, "")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_a_proxy_that_has_ended_is_not_looked_for_where_it_was(
    serve: Start, run: Run, end: signal.Signals
) -> None:
    process = await serve()
    process.send(end)
    await process.end()
    code, text = await run("routes", DOCKERPROXY_LISTEN="127.0.0.1:0")
    assert code == 1
    assert "any free one, and none has left a note of it" in text


async def test_an_address_that_a_command_is_given_counts_more_than_the_state_folder(serve: Start, run: Run) -> None:
    await serve()
    code, text = await run("health", "--listen", "127.0.0.1:1")
    assert (code, text) == (1, "no dockerproxy answers at 127.0.0.1:1: Connection refused")


async def test_a_second_proxy_in_the_same_state_folder_leaves_the_first_to_be_found(serve: Start, run: Run) -> None:
    await serve()
    code, text = await run("run", "--listen", "127.0.0.1:0", DOCKERPROXY_DOCKER__ENABLED="false")
    assert code == 1
    assert "is in use by another dockerproxy" in text
    assert await run("health") == (0, "")


async def test_a_proxy_is_found_under_the_admin_host_that_it_has_after_a_reload(
    serve: Start, run: Run, tmp_path: Path
) -> None:
    process = await serve("--config", write(tmp_path, admin_host="first.test"))
    assert await run("health") == (0, "")
    write(tmp_path, admin_host="second.test")
    process.send(signal.SIGHUP)
    await process.until("reload: done")
    assert await run("health") == (0, "")
    code, text = await run("routes", "--json")
    assert (code, json.loads(text)) == (0, [])


async def test_a_proxy_that_cannot_leave_a_note_serves_and_says_so(serve: Start, tmp_path: Path) -> None:
    (tmp_path / "state" / "dockerproxy" / "running.json").mkdir(parents=True)
    process = await serve()
    assert "no note of where this proxy is asked can be left in" in process.text
    assert (await get(process.port, "root.localhost", "/health"))[0] == 200


async def test_a_health_check_does_not_load_what_it_does_not_need(serve: Start, tmp_path: Path) -> None:
    """It runs every few seconds: loading settings costs ten times what the check does."""
    await serve()
    environment = {**os.environ, "DOCKERPROXY_STATE_DIR": str(tmp_path / "state" / "dockerproxy")}
    check = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "importtime", "-m", "dockerproxy", "health",
        env=environment, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, told = await check.communicate()
    loaded = {line.rpartition("|")[2].strip() for line in told.decode().splitlines()}
    assert check.returncode == 0
    assert "dockerproxy.health" in loaded
    assert loaded.isdisjoint({"pydantic", "yaml", "http.client", "dockerproxy.cli"})


# demo


async def test_what_the_demo_says_to_try_names_the_socket_that_it_was_given(start: Start) -> None:
    with tempfile.TemporaryDirectory(prefix="dp") as folder:  # short enough for a socket
        socket = f"{folder}/my demo.sock"
        process = await start("demo", "--socket", socket, "--listen", "127.0.0.1:0")
        await process.until("not routed")
        process.send(signal.SIGTERM)
        assert await process.end() == 0
        assert f" demo --socket '{socket}' stop blog-1 " in process.text


async def demo_at(start: Start, socket: str) -> tuple[Process, str]:
    """A demo on a free port, and its port."""
    process = await start("demo", "--socket", socket, "--listen", "127.0.0.1:0")
    found = _LISTENS.search(await process.until("listens on"))
    assert found is not None
    await process.until("not routed")
    return process, found[1]


async def test_commands_find_the_demo_at_whatever_port_it_is_and_nothing_of_it_stays(
    start: Start, run: Run, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix="dp") as folder:
        process, port = await demo_at(start, f"{folder}/one.sock")
        for command in (["routes"], ["containers"], ["explain", "blog-1"], ["health"], ["drain", "blog-1"]):
            code, text = await run(*command)
            assert code == 0, (command, text)
        assert "office-1" in (await run("containers"))[1]
        process.send(signal.SIGTERM)
        assert await process.end() == 0
    assert "All commands find this demo by themselves" in process.text
    assert f"curl -H 'Host: shop.localhost' http://127.0.0.1:{port}/" in process.text
    assert not (tmp_path / "state").exists()


async def test_of_two_demos_the_first_is_found_and_the_other_says_how_it_is_named(start: Start, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="dp") as folder:
        first, _ = await demo_at(start, f"{folder}/one.sock")
        second, port = await demo_at(start, f"{folder}/two.sock")
        assert (await run("pause", "shop"))[0] == 0
        code, text = await run("routes", "--url", f"http://root.localhost:{port}")
        assert code == 0
        assert '"paused": null' in text
        paused = [route for route in json.loads((await run("routes"))[1]) if route["overrides"]["paused"] is not None]
        assert [route["name"] for route in paused] == ["shop"]
        second.send(signal.SIGTERM)
        assert await second.end() == 0
        assert f"routes --url http://root.localhost:{port}" in second.text
        assert (await run("routes"))[0] == 0  # the first one's note is still there
        first.send(signal.SIGTERM)
        assert await first.end() == 0


async def test_a_proxy_is_asked_before_a_demo(start: Start, serve: Start, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="dp") as folder:
        await demo_at(start, f"{folder}/one.sock")
        await serve()
        assert json.loads((await run("containers"))[1]) == []


# run MODULE:NAME

SITE = """
from aiohttp import web
from dockerproxy import Proxy, Route

async def hello(request):
    return web.Response(text="hello from python")

proxy = Proxy(routes=[Route("hello", "hello.test", handler=hello)])
"""


async def test_a_program_is_run_by_its_name_and_reads_its_file_again(
    serve: Start, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "site_of_cli.py").write_text(SITE)
    process = await serve("site_of_cli:proxy", "--config", write(tmp_path), "--log-format", "json")
    assert await get(process.port, "hello.test") == (200, "hello from python")
    write(tmp_path, ("blog", upstream.url))
    process.send(signal.SIGHUP)
    await process.until("reload: done")
    assert await get(process.port, "blog.test") == (200, "hello")
    assert await get(process.port, "hello.test") == (200, "hello from python")
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    assert all(json.loads(line) for line in process.log)


async def test_a_program_that_is_not_there_is_told_without_a_traceback(run: Run) -> None:
    code, text = await run("run", "no_such_site:proxy")
    assert code == 1
    assert "program 'no_such_site:proxy': there is no module 'no_such_site'" in text
    assert "Traceback" not in text


# The operator's commands, against a real proxy


@pytest.fixture
async def site(serve: Start, upstream: Upstream, tmp_path: Path) -> Site:
    """A proxy with the route `blog`, which gives what is in flight any time to end; and the options that lead to it."""
    process = await serve("--config", write(tmp_path, ("blog", upstream.url), grace="1h"))
    return process, ("--url", f"http://127.0.0.1:{process.port}")


async def test_commands_ask_and_change_the_running_proxy(site: Site, run: Run) -> None:
    process, there = site
    _, text = await run("routes", *there)
    assert [route["name"] for route in json.loads(text)] == ["blog"]
    code, text = await run("add", "news", "--host", "news.test", "--upstream", "http://127.0.0.1:1", *there)
    assert (code, json.loads(text)["name"]) == (0, "news")
    assert (await run("remove", "newz", *there))[1].endswith("did you mean 'news'?")
    assert (await run("wait", "blog", *there))[0] == 0
    assert (await run("drain", "blgo", *there))[0] == 1
    code, text = await run("maintenance", "blog", "on", "--message", "Soon.", *there)
    assert code == 0
    assert (await get(process.port, "blog.test"))[0] == 503
    code, text = await run("wait", "blog", "--timeout", "0", *there)
    assert code == 1
    assert "GET http://blog.test/ is answered with 503" in text
    code, text = await run("explain", "http://blog.test/", *there)
    assert (code, json.loads(text)["route"]) == (0, "blog")


async def test_in_a_container_the_settings_of_the_environment_lead_to_the_proxy(site: Site, run: Run) -> None:
    process, _ = site
    code, text = await run("upstreams", DOCKERPROXY_LISTEN=f":{process.port}")
    assert (code, [found["route"] for found in json.loads(text)]) == (0, ["blog"])


async def test_the_log_is_followed_until_ctrl_c(site: Site, start: Start) -> None:
    process, there = site
    follower = await start("logs", "-f", "-n", "1", *there)
    await asyncio.wait_for(follower.output.readline(), DEADLINE)
    process.send(signal.SIGHUP)
    while b"reload: " not in await asyncio.wait_for(follower.output.readline(), DEADLINE):
        pass
    follower.send(signal.SIGINT)  # no line comes any more
    assert await follower.end() == 0
    assert follower.text == ""


async def test_a_follower_of_the_log_does_not_hold_up_the_end(site: Site, start: Start) -> None:
    process, there = site
    follower = await start("logs", "-f", "-n", "1", *there)
    await asyncio.wait_for(follower.output.readline(), DEADLINE)
    process.send(signal.SIGTERM)
    assert await process.end() == 0
    assert await follower.end() == 1
    assert "the proxy has ended its log" in follower.text


async def test_a_reader_that_has_had_enough_is_no_error(site: Site, tmp_path: Path) -> None:
    _, there = site
    line = f'"{sys.executable}" -m dockerproxy routes --all {" ".join(there)} | head -n 1'
    shell = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", line,
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert await shell.communicate() == (b"[\n", b"")
    assert shell.returncode == 0


def all_of(terminal: int) -> bytes:
    """What is written to a terminal until nobody has it open any more."""
    seen = b""
    with contextlib.suppress(OSError):  # this is how it says so
        while data := os.read(terminal, 1 << 16):
            seen += data
    os.close(terminal)
    return seen


async def test_in_a_terminal_a_person_sees_a_table_in_colours(site: Site, tmp_path: Path) -> None:
    _, there = site
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dockerproxy", "upstreams", *there, cwd=tmp_path, stdout=theirs, env=environment
    )
    os.close(theirs)
    seen = (await asyncio.to_thread(all_of, ours)).decode()
    assert await process.wait() == 0
    assert "UPSTREAM" in seen
    assert "\x1b[32mup" in seen
