"""Upstreams that break in every way: what the client gets, beside a good upstream and without one."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation, Script
from ..support.waiting import until
from .bystanders import HOST, Bystanders

CLIENTS = 20
BODY = b"0123456789" * 10
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY
FEW: dict[str, Any] = {"consecutive_errors": 1000, "max_attempts": 2}
SHORT: dict[str, Any] = {"response_timeout": "500ms", "stall_timeout": "500ms"}


async def one_byte_after_the_other(conversation: Conversation) -> None:
    await conversation.request()
    for byte in WHOLE:
        await conversation.send(bytes([byte]))
        await asyncio.sleep(0.001)


async def closes_at_once(conversation: Conversation) -> None:
    await conversation.request()


async def closes_in_the_head(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Le")


async def closes_in_the_body(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.send(WHOLE[:-1])


async def closes_in_a_chunk(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + BODY[:-1])


async def resets(conversation: Conversation) -> None:
    await conversation.request()
    conversation.reset()


async def resets_in_the_body(conversation: Conversation) -> None:
    await closes_in_the_body(conversation)
    conversation.reset()


async def never_answers(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.gone()


async def never_reads(conversation: Conversation) -> None:
    conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
    await asyncio.Event().wait()


async def stops_in_the_head(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.send(b"HTTP/1.1 200 OK\r\n")
    await conversation.gone()


async def stops_in_the_body(conversation: Conversation) -> None:
    await conversation.request()
    await conversation.send(WHOLE[:-1])
    await conversation.gone()


async def speaks_another_protocol(conversation: Conversation) -> None:
    await conversation.send(b"220 mail.example ESMTP\r\n")
    await conversation.gone()


class Fault(NamedTuple):
    """An upstream's fault, and what its clients get when there is no other: a status, or 0 for an answer cut off.

    silent: whether it is time that tells; where it is not, a busy machine has all it needs
    """

    script: Script
    alone: int
    begun: bool = False
    silent: bool = False


FAULTS = [
    Fault(one_byte_after_the_other, 200, begun=True),
    Fault(closes_at_once, 502),
    Fault(closes_in_the_head, 502),
    Fault(closes_in_the_body, 0, begun=True),
    Fault(closes_in_a_chunk, 0, begun=True),
    Fault(resets, 502),
    Fault(resets_in_the_body, 0, begun=True),
    Fault(never_answers, 504, silent=True),
    Fault(never_reads, 504, silent=True),
    Fault(stops_in_the_head, 504, silent=True),
    Fault(stops_in_the_body, 0, begun=True, silent=True),
    Fault(speaks_another_protocol, 502),
]
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.script.__name__.replace("_", " "))


async def started(scene: Scene, fault: Fault, *, beside: bool) -> None:
    """A proxy with one bad upstream, with or without a good one at its side, and a route for the good clients."""
    good, bad = await scene.upstream(name="good"), await scene.upstream(fault.script, name="bad")
    patience = SHORT if fault.silent else {}
    at_fault = [{"name": one.name, "url": one.url} for one in ([bad, good] if beside else [bad])]
    routes = [
        {"name": "site", "host": "test", "upstreams": at_fault, **FEW, **patience},
        {"name": "good", "host": HOST, "upstreams": [{"name": "good", "url": good.url}]},
    ]
    await scene.proxy(routes=routes)


async def outcome(scene: Scene) -> int:
    """The status that one client gets, or 0 when its answer is cut off in a way that it can see."""
    client = await scene.client()
    await client.ask()
    try:
        answer = await client.answer()
    except Incomplete:
        return 0
    assert answer.status != 200 or answer.body in (BODY, b"good")
    return answer.status


@EACH
async def test_without_another_upstream_the_client_is_told_and_others_are_served(scene: Scene, fault: Fault) -> None:
    await started(scene, fault, beside=False)
    async with Bystanders(scene):
        assert set(await asyncio.gather(*(outcome(scene) for _ in range(CLIENTS)))) == {fault.alone}
    await until(lambda: scene.server.stats.in_flight == 0)


@EACH
async def test_beside_a_good_upstream_nobody_sees_an_error_unless_the_answer_had_begun(
    scene: Scene, fault: Fault
) -> None:
    await started(scene, fault, beside=True)
    async with Bystanders(scene):
        found = set(await asyncio.gather(*(outcome(scene) for _ in range(CLIENTS))))
    assert found == ({200, fault.alone} if fault.begun else {200})


@EACH
async def test_a_client_that_does_not_wait_for_the_end_leaves_nothing_behind(scene: Scene, fault: Fault) -> None:
    await started(scene, fault, beside=False)
    clients = [await scene.client() for _ in range(CLIENTS)]
    for client in clients:
        await client.ask()
    await until(lambda: len(scene.upstreams[1].conversations) >= CLIENTS)
    for client in clients:
        client.reset()
    await until(lambda: not scene.leftovers())
