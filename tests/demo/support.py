"""What the tests of the embedded engine share: the docker SDK off the loop, streams of events, raw requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
import docker

from dockerproxy.demo import Behaviour, Container, ContainerSpec, EmbeddedEngine

# Seconds. Far more than anything here takes: a test that waits so long has failed.
DEADLINE = 60

FOREVER_AGO = 1


def page(name: str, **more: Any) -> ContainerSpec:
    return ContainerSpec(name=name, **more)


def closed(name: str, **more: Any) -> ContainerSpec:
    return ContainerSpec(name=name, replies=Behaviour.REFUSES, **more)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - the condition spans processes and threads; nothing to await
            await asyncio.sleep(0.005)


async def connected(engine: EmbeddedEngine) -> docker.APIClient:
    return await asyncio.to_thread(docker.APIClient, base_url=engine.base_url, timeout=DEADLINE)


def url(container: Container, path: str = "/") -> str:
    assert container.address is not None
    host, port = container.address
    return f"http://{host}:{port}{path}"


def summary(event: dict[str, Any]) -> str:
    """`blog-1 kill 15`, `network disconnect`: what the order of events is told by."""
    attributes = event["Actor"]["Attributes"]
    who = "network" if event["Type"] == "network" else attributes["name"]
    detail = attributes.get("signal") or attributes.get("exitCode") or attributes.get("oldName") or ""
    return f"{who} {event['Action']} {detail}".strip()


async def history(client: docker.APIClient, **wishes: Any) -> list[dict[str, Any]]:
    """All kept events up to now, through the SDK."""
    asked = {"since": FOREVER_AGO, "until": time.time(), "decode": True, **wishes}
    return await asyncio.to_thread(lambda: list(client.events(**asked)))


async def told(client: docker.APIClient, after: int = 0, **wishes: Any) -> list[str]:
    """The summaries of the kept events but the first `after` ones."""
    return [summary(event) for event in await history(client, **wishes)][after:]


class RawClient:
    """Requests over the socket as they are, for what the SDK hides."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._connector = aiohttp.UnixConnector(path=str(engine.socket_path))
        self._session = aiohttp.ClientSession(connector=self._connector)

    async def __aenter__(self) -> RawClient:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        """Status and decoded body; None for an empty one."""
        async with self._session.request(method, f"http://docker{path}", data=body) as answer:
            text = await answer.text()
            return answer.status, await answer.json() if text and "json" in answer.content_type else text or None

    async def headers(self, method: str, path: str) -> dict[str, str]:
        async with self._session.request(method, f"http://docker{path}") as answer:
            assert answer.status == 200
            return {name.lower(): value for name, value in answer.headers.items()}


class Stream:
    """A stream of events that the SDK reads in a thread."""

    def __init__(self, engine: EmbeddedEngine, client: docker.APIClient, **wishes: Any) -> None:
        self._engine = engine
        self._client = client
        self._wishes = wishes
        self.seen: list[dict[str, Any]] = []

    async def __aenter__(self) -> Stream:
        before = self._engine.events.readers
        self._source = await asyncio.to_thread(lambda: self._client.events(decode=True, **self._wishes))
        self._thread = asyncio.ensure_future(asyncio.to_thread(self._read, self._source))
        await eventually(lambda: self._engine.events.readers > before)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._engine.cut_events()
        await self.ended()

    async def ended(self) -> None:
        """Wait until the stream is over, whichever way."""
        async with asyncio.timeout(DEADLINE):
            await self._thread

    async def sees(self, *wanted: str) -> None:
        """Wait until exactly these events have come, in this order."""
        await eventually(lambda: len(self.seen) >= len(wanted))
        assert [summary(event) for event in self.seen] == list(wanted)

    def _read(self, source: Iterable[dict[str, Any]]) -> None:
        try:
            for event in source:
                self.seen.append(event)
        except Exception:
            # However the SDK words a broken stream: it is over.
            return
