"""Tunnels: 1,000 WebSockets at a time, each with messages of its own."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus, WebSocketException

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.connection import many
from bench.ports import LOOPBACK

_TURNS = 5
_AT_ONCE = 100
_PATIENCE = 60.0  # seconds


async def _echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def tunnels(arena: Arena) -> Got:
    """All are open before the first one says a word."""
    got = Got()
    websockets: list[ClientConnection] = []

    async def dial(_number: int) -> None:
        uri = f"ws://socket.test:{arena.port}/"
        try:
            websockets.append(await connect(uri, host=LOOPBACK, port=arena.port, proxy=None, open_timeout=_PATIENCE))
        except InvalidStatus as error:
            got[str(error.response.status_code)] += 1

    async def talk(number: int) -> None:
        websocket = websockets[number]
        try:
            for turn in range(_TURNS):
                await websocket.send(f"{number} {turn}" * 100)
                assert await websocket.recv() == f"{number} {turn}" * 100
            await websocket.close()
        except (WebSocketException, AssertionError) as error:
            got[type(error).__name__] += 1
        else:
            got["all messages echoed"] += 1

    async with serve(_echo, LOOPBACK, arena.socket_port, backlog=4096, ping_interval=None):
        await many(arena.bounds.tunnels, dial, _AT_ONCE)
        await asyncio.gather(*(talk(number) for number in range(len(websockets))))
    return got


ATTACKS = [Attack("WebSockets at a time", tunnels)]
