"""Work beside the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from dockerproxy.process.offload import Offload


async def test_others_have_their_turn_while_it_is_done() -> None:
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def work(word: str, *, end: str) -> str:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        return word + end

    task = asyncio.ensure_future(Offload("test", 1).run(work, "do", end="ne"))
    await begun.wait()
    go_on.set()
    assert await task == "done"


async def test_what_it_raises_comes_out() -> None:
    with pytest.raises(ValueError, match="no"):
        await Offload("test").run(int, "no number")


@pytest.mark.skipif(sys.platform != "linux", reason="threads have ranks of their own on Linux only")
async def test_it_ranks_below_whoever_serves() -> None:
    def rank() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await Offload("test").run(rank) > rank()
