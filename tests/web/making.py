"""Handlers on a real registry, spoken to in raw HTTP/1.1 over their socket pairs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from dockerproxy.control import Registry, Store
from dockerproxy.discovery.status import DiscoveryStatus
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.settings import validate
from dockerproxy.stats import ProxyStats
from dockerproxy.tls.certificate import Certificate
from dockerproxy.web import Control, Handlers

_DEADLINE = 60.0  # seconds; only a fault takes that long
STARTED_AT = 1_700_000_000.0


class Answer(NamedTuple):
    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """One connection to a handler, as the data plane would have it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, method: str, target: str, fields: Mapping[str, str], body: bytes = b"") -> None:
        head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(_DEADLINE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.lower(): value for name, value in fields.items()}

    async def answer(self, to_head: bool = False) -> Answer:
        status, fields = await self.head()
        async with asyncio.timeout(_DEADLINE):
            if to_head:
                body = b""
            elif fields.get("transfer-encoding") == "chunked":
                body = b"".join([chunk async for chunk in self.chunks()])
            else:
                body = await self.reader.readexactly(int(fields.get("content-length", "0")))
        return Answer(status, fields, body)

    async def chunks(self) -> Any:
        while True:
            async with asyncio.timeout(_DEADLINE):
                size = int(await self.reader.readuntil(b"\r\n"), 16)
                chunk = (await self.reader.readexactly(size + 2))[:-2]
            if not chunk:
                return
            yield chunk

    def close(self) -> None:
        self.writer.close()


class House:
    """A registry with its handlers and their control, and ways to call them."""

    def __init__(self, folder: Path, python_routes: Sequence[Route] = (), **values: Any) -> None:
        self.tables = 0
        self.statuses: dict[str, UpstreamStatus] = {}
        self.benched: dict[tuple[str, str], float] = {}  # route, name of the upstream -> seconds
        self.held: dict[str, int] = {}
        self.certificates: Sequence[Certificate] = ()
        self.reload: Callable[[], list[str]] = list
        self.handlers = Handlers(lambda route, path: self.registry.groups(route, path))
        self.registry = Registry(
            validate(values, "test"),
            Store(folder),
            self._publish,
            lambda _delay, _callback: None,
            lambda: 0.0,
            python_routes,
            self.handlers.prepare,
            lambda: STARTED_AT,
        )
        self.control = Control(
            self.registry,
            ProxyStats(STARTED_AT),
            DiscoveryStatus(),
            "1.2.3",
            lambda _route, up: self._status(up),
            self._bench,
            lambda route, up: self.benched.pop((route, up.name), None) is not None,
            lambda route: self.held.get(route, 0),
            lambda: self.reload(),
            lambda: self.registry.settings.listen,
            certificates=lambda: self.certificates,
        )
        self.handlers.control = self.control
        self._lines: list[Line] = []
        self.registry.start()

    def _publish(self, *_table: object) -> None:
        self.tables += 1

    def _bench(self, route: str, upstream: Upstream, seconds: float) -> None:
        self.benched[route, upstream.name] = seconds

    def _status(self, upstream: Upstream) -> UpstreamStatus:
        return self.statuses.get(upstream.name, UpstreamStatus("up", 0, None))

    async def line(self, key: str) -> Line:
        """A new connection to the handler of this key."""
        sock = await self.handlers.connect(key)
        assert sock.getblocking() is False
        line = Line(*await asyncio.open_connection(sock=sock))
        self._lines.append(line)
        return line

    async def call(self, route: str, method: str = "GET", target: str = "/", body: Any = b"", *,
                   remote: str = "127.0.0.1", **fields: str) -> Answer:  # fmt: skip
        """One request by a route, on a connection of its own. Fields by their names, `_` for `-`."""
        found = self.registry.route(route)
        assert found is not None
        line = await self.line(found.upstreams[0].address)
        sent = fields_of(route, remote) | {name.replace("_", "-"): value for name, value in fields.items()}
        await line.send(method, target, sent, body if isinstance(body, bytes) else json.dumps(body).encode())
        try:
            return await line.answer(to_head=method == "HEAD")
        finally:
            line.close()

    async def close(self) -> None:
        for line in self._lines:
            line.close()
        await self.handlers.close()
        self.registry.close()


def fields_of(route: str, remote: str = "127.0.0.1", host: str = "site.localhost:8888") -> dict[str, str]:
    """The fields that the data plane sends with each request."""
    return {
        "Host": host,
        "Dockerproxy-Remote": remote,
        "Dockerproxy-Scheme": "http",
        "Dockerproxy-Route": quote(route),
    }
