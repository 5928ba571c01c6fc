"""Offload: CPU work that is done beside the event loop, so that nobody else waits for it.

It helps with functions that let go of the interpreter's lock while they work: zlib, brotli, hashes. The threads are few
and, where the system can do that, lower in rank than the loop's: whoever is served comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_NICENESS = 10  # of 19; the work still goes on beside a busy loop

P = ParamSpec("P")
R = TypeVar("R")


class Offload:
    """Some threads for work of one kind. They are started when there is any.

    most: how much is done at once; by default one less than there are processors, and at least one
    """

    def __init__(self, name: str, most: int | None = None) -> None:
        self.most = most or max(1, (os.cpu_count() or 1) - 1)
        self._threads = ThreadPoolExecutor(self.most, thread_name_prefix=name, initializer=_step_back)

    def __repr__(self) -> str:
        return f"<Offload to {self.most} threads>"

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` returns; it is done in its turn, also when nobody waits for it any longer."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))


def _step_back() -> None:
    """Linux ranks threads one by one; elsewhere, and where it is forbidden, all are equal."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
