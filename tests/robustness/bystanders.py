"""Bystanders: good clients that ask on and on, each on one kept-alive connection, while others misbehave."""

from __future__ import annotations

import asyncio
from types import TracebackType

from ..support.scene import Scene
from ..support.waiting import until

HOST = "good.test"
THINKS = 0.005  # seconds between an answer and the next request; what is left of the machine is for the others


class Bystanders:
    """Good clients of a good upstream, from `async with` to its end; at the end all of them were served.

    served: answers so far
    """

    def __init__(self, scene: Scene, count: int = 4) -> None:
        self.served = 0
        self._scene = scene
        self._count = count
        self._asking: list[asyncio.Task[None]] = []
        self._stopped = False

    async def __aenter__(self) -> Bystanders:
        self._asking = [asyncio.create_task(self._ask()) for _ in range(self._count)]
        await self.more()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if kind is None:
            await self.more()
        self._stopped = True
        await asyncio.gather(*self._asking, return_exceptions=kind is not None)

    async def more(self, count: int = 20) -> None:
        """Wait until `count` more requests were served."""
        goal = self.served + count
        await until(lambda: self.served >= goal or any(task.done() for task in self._asking), "good clients' answers")
        for task in self._asking:
            if task.done():
                task.result()

    async def _ask(self) -> None:
        client = await self._scene.client()
        while not self._stopped:
            answer = await client.get(host=HOST)
            assert (answer.status, answer.text) == (200, "good"), answer
            self.served += 1
            await asyncio.sleep(THINKS)
        client.close()
