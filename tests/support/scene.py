"""Scene: a proxy in this process, upstreams that play scripts, and clients; and proof that nothing was left behind."""

from __future__ import annotations

import asyncio
import fcntl
import ssl
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dockerproxy.proxy.downstream.http1 import Front
from dockerproxy.proxy.downstream.tunnelled import TunnelledClient
from dockerproxy.proxy.tunnel import Tunnel
from dockerproxy.routing.route import Route
from dockerproxy.server import Server
from dockerproxy.settings import Settings, validate
from dockerproxy.stats import RouteStats, UpstreamStats

from .client import Answer, Client
from .upstreams import Conversation, Script, Upstream
from .waiting import until


class Scene:
    """What one test plays with; all of it ends with `async with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.upstreams: list[Upstream] = []
        self.clients: list[Client] = []
        self.server: Server
        self._running = False

    async def __aenter__(self) -> Scene:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            for client in self.clients:
                client.reset()
            for upstream in self.upstreams:
                upstream.abort()
            if self._running and kind is None:
                await self.at_rest()
        finally:
            if self._running:
                await self.server.stop(0.0)

    # Parts

    async def upstream(self, script: Script | None = None, *, name: str = "", tls: ssl.SSLContext | None = None,
                       ) -> Upstream:  # fmt: skip
        """One more upstream; without a script it answers with its name: a, b, c …"""
        upstream = Upstream(name or chr(ord("a") + len(self.upstreams)), script)
        self.upstreams.append(upstream)
        return await upstream.start(tls)

    def settings(self, *upstreams: Upstream | str, routes: Sequence[dict[str, Any]] = (), **values: Any) -> Settings:
        """Settings with one route `site` at every host, by the options given, and more `routes`."""
        route = {"name": "site", "upstreams": [_entry(upstream) for upstream in upstreams]}
        for name in ("path", "handler", "domain", "host"):
            if name in values:
                route[name] = values.pop(name)
        fixed = {"listen": ["127.0.0.1:0"], "docker": {"enabled": False}, "state_dir": self._folder}
        site = [route] if upstreams or "handler" in route else []
        return validate({**fixed, "routes": [*site, *routes], **values}, "test")

    async def proxy(self, *upstreams: Upstream | str, python_routes: Sequence[Route] = (),
                    read_settings: Callable[[], Settings] | None = None, given: Mapping[str, Any] | None = None,
                    **values: Any) -> Server:  # fmt: skip
        """Start the proxy; see `settings`. `given` are middlewares by name."""
        self.server = Server(self.settings(*upstreams, **values), python_routes, read_settings, given)
        await self.server.start()
        self._running = True
        return self.server

    async def client(self, **how: Any) -> Client:
        """One more connection to the proxy."""
        client = await Client.connect(self.server.addresses[0].port, **how)
        self.clients.append(client)
        return client

    async def get(self, target: str = "/", **fields: str) -> Answer:
        """One request on a connection of its own."""
        client = await self.client()
        answer = await client.get(target, **fields)
        client.close()
        return answer

    async def post(self, body: bytes, target: str = "/", **fields: str) -> Answer:
        client = await self.client()
        await client.ask("POST", target, body=body, **fields)
        answer = await client.answer()
        client.close()
        return answer

    async def fill(self, conversation: Conversation, mark: int = 40 << 10) -> None:
        """Send chunks of an answer to the only client, who does not read, until its kernel takes no more and more
        than `mark` bytes, but less than the 64 KiB from which on it counts as full, wait in the proxy."""
        front = self.fronts()[0]
        exchange = front.exchange
        assert exchange is not None
        connection = exchange._connection()
        assert connection is not None
        conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (waiting := front.transport.get_write_buffer_size()) < mark:
            size = 0x2000 if waiting else 0x8000
            await conversation.send(b"%x\r\n" % size + b"x" * size + b"\r\n")
            await arrived(conversation.writer.get_extra_info("socket"), connection.transport)

    async def at_rest(self) -> None:
        """Return when nothing is under way. Raises AssertionError with what still is."""
        try:
            await until(lambda: not self.leftovers())
        except AssertionError:
            raise AssertionError(f"the proxy did not come to rest: {self.leftovers()}") from None

    # What the proxy says of itself

    def fronts(self) -> list[Front]:
        """The client connections."""
        return [cast(Front, connection) for connection in self.server.plane.clients.connected]

    def tunnel(self) -> Tunnel:
        """That of the only client connection."""
        (connection,) = self.server.plane.clients.connected
        assert isinstance(connection, TunnelledClient)
        return connection.tunnel

    def route(self, name: str = "site") -> RouteStats:
        return self.server.stats.route(name)

    def counted(self, upstream: Upstream, route: str = "site") -> UpstreamStats:
        return self.route(route).upstream(f"{upstream.name} {upstream.url}")

    def state(self, upstream: Upstream, route: str = "site") -> str:
        live = self.server.plane.routes.live[route]
        found = next(one for one in live.route.upstreams if one.name == upstream.name)
        status = self.server.plane.status(route, found)
        assert status is not None
        return status.state

    def open_connections(self) -> int:
        """To upstreams, idle ones included."""
        return sum(pool.size for pool in self.server.plane.pools)

    def leftovers(self) -> list[str]:
        """What is not as it should be when no client is there."""
        plane = self.server.plane
        found = [f"client connections: {self.server.stats.connections}"] if self.server.stats.connections else []
        found += [f"in flight on {name}" for name, stats in self.server.stats.routes.items() if stats.in_flight]
        for name, stats in self.server.stats.routes.items():
            found += [f"in flight at {key} on {name}" for key, one in stats.upstreams.items() if one.in_flight]
        for live in (*plane.routes.live.values(), *plane.pages.live.values()):
            found += [f"held or in flight: {live}"] if live._held or live.stats.in_flight else []
        for pool in plane.pools:
            if pool._waiting or pool.size != len(pool._idle):
                found.append(repr(pool))
        if len(plane.wheel) > sum(pool.size for pool in plane.pools):
            found.append(repr(plane.wheel))
        if len(plane._tasks):
            found.append(repr(plane._tasks))
        return found


def _entry(upstream: Upstream | str) -> dict[str, Any]:
    if isinstance(upstream, str):
        return {"url": upstream}
    return {"name": upstream.name, "url": upstream.url}


async def arrived(sender: Any, receiver: asyncio.Transport) -> None:
    """Return when everything that was written to the socket has been read by the program at the other end."""
    end = receiver.get_extra_info("socket").fileno()
    await until(lambda: not _count(sender.fileno(), termios.TIOCOUTQ) and not _count(end, termios.FIONREAD))
    await asyncio.sleep(0)


def unacknowledged(transport: asyncio.Transport) -> int:
    """Bytes that the kernel has taken from the program and that the other end has not got."""
    return _count(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ)


def _count(descriptor: int, what: int) -> int:
    answer = fcntl.ioctl(descriptor, what, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)
