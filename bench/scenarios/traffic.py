"""Traffic: requests and answers of many kinds through every proxy, in turn."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from bench import mixed
from bench.browser import HEADERS, request
from bench.clients import Client, WebSocketClient
from bench.errors import BenchError
from bench.loop import Load, Worker, closed_loop
from bench.origin import MIB
from bench.ports import free_ports
from bench.process import Process
from bench.scenarios.figures import TRAFFIC_COLUMNS, Column, Row, Scenario, traffic_rows
from bench.scenarios.rig import ANY_HOST, Case, Rig, Running
from bench.wrk import run_wrk, script, script_of, wrk_path

Generate = Callable[[Rig, Running, float], Awaitable[Load]]
Table = tuple[Sequence[Column], Sequence[Row]]

# Connections where each carries much: enough to keep a core busy, few enough to see one answer's time.
_FEW = 8
_MANY = 32
_SOCKETS = 32


async def small_load(
    rig: Rig,
    running: Running,
    seconds: float,
    *,
    connections: int,
    hosts: Sequence[str] = (ANY_HOST,),
    close: bool = False,
) -> Load:
    """Small answers with a browser's head. close: over a new connection each."""
    if wrk_path() is not None:
        headers = {**HEADERS, "Connection": "close"} if close else HEADERS
        return await run_wrk(running.url, connections, seconds, script(headers, hosts), rig.folder)
    clients = [Client(running.port, reuse=not close) for _ in range(connections)]
    asked = [request("/", host, close=close) for host in hosts]
    workers = [_asking(client, asked[n::connections] or asked) for n, client in enumerate(clients)]
    return await _with(clients, workers, seconds)


async def _mixed_load(rig: Rig, running: Running, seconds: float) -> Load:
    """Requests that differ. Raises BenchError without wrk: the own clients would cost more than what is measured."""
    if wrk_path() is None:
        raise BenchError("wrk is not installed: apt-get install wrk")
    return await run_wrk(running.url, _MANY, seconds, script_of(mixed.requests(ANY_HOST)), rig.folder)


async def _body_load(
    _rig: Rig, running: Running, seconds: float, *, path: str, connections: int, upload: int = 0
) -> Load:
    """Answers, or requests, with a body. upload: bytes of the request's body."""
    head = request(path, ANY_HOST, method="POST" if upload else "GET", length=upload or None)
    parts = (head, bytes(upload)) if upload else (head,)
    clients = [Client(running.port) for _ in range(connections)]
    return await _with(clients, [_sending(client, parts) for client in clients], seconds)


async def _large_load(rig: Rig, running: Running, _seconds: float) -> Load:
    """A number of very large answers rather than a time: each is finished."""
    clients = [Client(running.port) for _ in range(2)]
    workers = [_sending(client, (request("/large", ANY_HOST),)) for client in clients]
    return await _with(clients, workers, most=rig.plan.large_count)


async def _message_load(_rig: Rig, running: Running, seconds: float) -> Load:
    sockets = [await WebSocketClient.open(running.port) for _ in range(_SOCKETS)]
    try:
        return await closed_loop([socket.echo for socket in sockets], seconds)
    finally:
        for socket in sockets:
            socket.close()


async def _with(
    clients: Sequence[Client], workers: Sequence[Worker], seconds: float = float("inf"), **more: float
) -> Load:
    try:
        return await closed_loop(workers, seconds, **more)
    finally:
        for client in clients:
            client.close()


def _asking(client: Client, requests: Sequence[bytes]) -> Worker:
    turn = 0

    async def ask() -> bool:
        nonlocal turn
        turn += 1
        return await client.ask(requests[turn % len(requests)]) == 200

    return ask


def _sending(client: Client, parts: Sequence[bytes]) -> Worker:
    async def send() -> bool:
        return await client.ask(*parts) == 200

    return send


def _traffic(name: str, title: str, about: str, generate: Generate) -> Scenario:
    async def run(rig: Rig) -> Table:
        async with rig.serving(name, {"": rig.site()}, rig.peers) as running:
            return await _compared(rig, running, generate)

    return Scenario(name, title, about, run)


async def _compared(rig: Rig, running: Mapping[str, Running], generate: Generate) -> Table:
    cases = {name: Case(each, partial(generate, rig)) for name, each in running.items()}
    return TRAFFIC_COLUMNS, traffic_rows(await rig.compare(cases))


async def _websocket(rig: Rig) -> Table:
    ports = free_ports(3)
    argv = [sys.executable, "-m", "bench.echo_process", *map(str, ports)]
    echo = Process("the WebSocket echo", argv, rig.folder / "echo.log")
    try:
        await echo.wait_for_port(ports[-1])
        async with rig.serving("websocket", {"": rig.site(upstreams=ports)}, rig.peers) as running:
            return await _compared(rig, running, _message_load)
    finally:
        echo.stop()


TRAFFIC: Sequence[Scenario] = (
    _traffic(
        "mixed",
        "Mixed: requests that differ",
        f"{mixed.REQUESTS:,} requests of browsers with other paths, queries, cookies, Referer and Accept, to "
        f"{mixed.FILES} files of six sizes with ETag, Cache-Control and Last-Modified; one in 20 is a POST of 1 KiB, "
        f"one in 20 has an If-None-Match that hits. {_MANY} kept-alive connections, three upstreams in turn.",
        _mixed_load,
    ),
    _traffic(
        "small-32",
        "Small answers, 32 connections",
        "128-byte answers to a browser's head of 15 fields, the same each time: whoever remembers the head before has "
        "less to do than on the web. Kept-alive connections, three upstreams in turn.",
        partial(small_load, connections=_MANY),
    ),
    _traffic(
        "small-256",
        "Small answers, 256 connections",
        "The same with 256 connections.",
        partial(small_load, connections=256),
    ),
    _traffic(
        "new-connection",
        "A new connection per request",
        "The same small answers with 32 clients, each request over a connection of its own.",
        partial(small_load, connections=32, close=True),
    ),
    _traffic(
        "answer-1m",
        "Answers of 1 MiB",
        f"{_FEW} connections, answers of 1 MiB.",
        partial(_body_load, path="/1m", connections=_FEW),
    ),
    _traffic("answer-100m", "Answers of 100 MiB", "2 connections, answers of 100 MiB.", _large_load),
    _traffic(
        "upload-1m",
        "Uploads of 1 MiB",
        f"{_FEW} connections, POST with 1 MiB; the upstream reads all of it before it answers.",
        partial(_body_load, path="/upload", connections=_FEW, upload=MIB),
    ),
    Scenario(
        "websocket",
        "WebSocket messages",
        f"{_SOCKETS} WebSocket connections, messages of 64 bytes; a request is one message and its echo.",
        _websocket,
    ),
)
