"""An aiohttp application with everything that streams: WebSocket, events, long polls, chunk for chunk, files.

It never sleeps: what waits, waits for another request that lets it go on.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import WSMsgType, web

FILE_SIZE = 8 << 20  # bytes
PATTERN = bytes(range(251))  # a prime length, so that no power of two falls on a repetition
GO_ON = web.AppKey("go_on", asyncio.Queue)
FOLDER = web.AppKey("folder", Path)
CLOSED_WITH = web.AppKey("closed_with", list)


def content(size: int = FILE_SIZE) -> bytes:
    """What the file holds."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def site() -> web.Application:
    """A new application; its file is made when it starts."""
    app = web.Application()
    app[GO_ON] = asyncio.Queue()
    app[CLOSED_WITH] = []
    app.cleanup_ctx.append(_file)
    app.add_routes(
        [
            web.get("/socket", socket),
            web.get("/events", events),
            web.get("/poll", poll),
            web.post("/go-on", go_on),
            web.post("/mirror", mirror),
            web.get("/file", file),
        ]
    )
    return app


async def socket(request: web.Request) -> web.WebSocketResponse:
    """Echo; `close <code>` closes, `flood <count>` sends that many messages of 1 MiB."""
    websocket = web.WebSocketResponse(max_msg_size=0)
    await websocket.prepare(request)
    async for message in websocket:
        if message.type is WSMsgType.BINARY:
            await websocket.send_bytes(message.data)
        elif message.data.startswith("close "):
            await websocket.close(code=int(message.data[6:]))
        else:
            await websocket.send_str(message.data)
    request.app[CLOSED_WITH].append(websocket.close_code)
    return websocket


async def events(request: web.Request) -> web.StreamResponse:
    """Server-Sent Events: each one when `/go-on` says so."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    while (word := await request.app[GO_ON].get()) != "end":
        await response.write(f"data: {word}\n\n".encode())
    return response


async def poll(request: web.Request) -> web.Response:
    """A long poll: it answers when there is something to say."""
    return web.Response(text=await request.app[GO_ON].get())


async def go_on(request: web.Request) -> web.Response:
    """Let whoever waits go on, with the words of the body."""
    await request.app[GO_ON].put(await request.text())
    return web.Response(text="told")


async def mirror(request: web.Request) -> web.StreamResponse:
    """Each piece of the request at once as a piece of the answer, as a bidirectional gRPC stream does."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for piece in request.content.iter_any():
        await response.write(piece)
    return response


async def file(request: web.Request) -> web.FileResponse:
    """Ranges and conditions are aiohttp's matter."""
    return web.FileResponse(request.app[FOLDER] / "file.bin")


async def _file(app: web.Application) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        app[FOLDER] = Path(folder)
        (app[FOLDER] / "file.bin").write_bytes(content())
        yield
