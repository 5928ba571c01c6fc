"""The reverse proxy that one would write with aiohttp in 40 lines: `python -m bench.aiohttp_proxy PORT UPSTREAM...`"""

import asyncio
import itertools
import sys

import uvloop
from aiohttp import ClientSession, ClientWebSocketResponse, DummyCookieJar, TCPConnector, WSMsgType, web
from multidict import CIMultiDict, CIMultiDictProxy

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
WebSocket = web.WebSocketResponse | ClientWebSocketResponse


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


async def relay(source: WebSocket, target: WebSocket) -> None:
    async for message in source:
        await (target.send_str if message.type is WSMsgType.TEXT else target.send_bytes)(message.data)
    await target.close()


class Proxy:
    def __init__(self, session: ClientSession, ports: list[str]) -> None:
        self.session = session
        self.upstreams = itertools.cycle(f"http://127.0.0.1:{port}" for port in ports)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        url = next(self.upstreams) + request.raw_path
        if request.headers.get("Upgrade", "").lower() == "websocket":
            client = web.WebSocketResponse()
            await client.prepare(request)
            async with self.session.ws_connect(url) as upstream:
                await asyncio.gather(relay(client, upstream), relay(upstream, client))
            return client
        headers = end_to_end(request.headers)
        headers.update({"X-Forwarded-For": request.remote or "", "X-Forwarded-Proto": request.scheme})
        headers["X-Forwarded-Host"] = request.host
        body = request.content if request.can_read_body else None
        async with self.session.request(request.method, url, headers=headers, data=body) as answer:
            response = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response


async def main(port: str, *upstreams: str) -> None:
    connector = TCPConnector(limit=0)
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False, connector=connector) as session:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", Proxy(session, list(upstreams)).handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
