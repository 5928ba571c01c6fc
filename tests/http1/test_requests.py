"""What a client sends, and what the upstream and the client see of it: the tables of requests, through a real proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from . import cases_forwarded, cases_grammar, cases_refused
from .outcomes import Dropped, Forwarded, Pause, Refused, RequestCase
from .strict import Message
from .wire import Client, Wire, running_wire, without_random

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = (*cases_forwarded.CASES, *cases_refused.CASES, *cases_grammar.CASES)
_SHORT = 400  # bytes; longer ones are not sent byte by byte


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    async with running_wire(tmp_path_factory.mktemp("state")) as running:
        yield running


async def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_requests_sent_in_one_piece(wire: Wire, case: RequestCase) -> None:
    wire.recorder.forget()
    async with wire.client() as client:
        interim = await send(client, case)
        await CHECKS[type(case.outcome)](wire, client, case.outcome, interim)
    assert wire.recorder.faults == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.size <= _SHORT and not case.whole], ids=lambda case: case.id
)
async def test_requests_sent_byte_by_byte(wire: Wire, case: RequestCase) -> None:
    wire.recorder.forget()
    async with wire.client() as client:
        interim = await send(client, case, size=1)
        if isinstance(case.outcome, Refused):
            await refused_somehow(wire, client, case.outcome)
        else:
            await CHECKS[type(case.outcome)](wire, client, case.outcome, interim)
    assert wire.recorder.faults == []


async def send(client: Client, case: RequestCase, size: int = 0) -> list[Message]:
    """Send what the case says; the interim answers that were waited for."""
    interim = []
    for part in case.parts:
        if isinstance(part, Pause):
            message = await client.answer()
            assert message is not None
            interim.append(message)
        else:
            await client.send(part, size)
    if case.ends:
        client.end()
    return interim


async def forwarded(wire: Wire, client: Client, outcome: Forwarded, interim: list[Message]) -> None:
    for request in outcome.requests:
        method, target, _ = request.split(b" ", 2)
        more, answer = await client.final(method.decode())
        interim += more
        assert answer is not None, "the connection ended without an answer"
        assert answer.status == 200
        assert answer.body == (b"" if method == b"HEAD" else target)
    if outcome.then is not None:
        await answered_here(client, outcome.then)
    elif outcome.closes:
        assert await client.until_closed() == b""
    else:
        await wire.fence(client)
    assert [without_random(message.canonical) for message in wire.recorder.requests][: len(outcome.requests)] == list(
        outcome.requests
    )
    if outcome.then is None or outcome.then.closes:
        assert len(wire.recorder.requests) == len(outcome.requests)
    assert tuple(message.status for message in interim) == outcome.interim
    assert wire.recorder.unfinished == []


async def refused(wire: Wire, client: Client, outcome: Refused, _interim: list[Message]) -> None:
    await answered_here(client, outcome)
    await wire.fence(None if outcome.closes else client)
    assert wire.recorder.requests == []
    assert wire.recorder.unfinished == []


async def refused_somehow(wire: Wire, client: Client, outcome: Refused) -> None:
    """Byte by byte, a part of the request may have gone upstream, and another fault may be the first to be seen."""
    _, answer = await client.final()
    assert answer is not None, "the connection ended without an answer"
    assert 400 <= answer.status < 600
    if outcome.closes:
        assert await client.until_closed() == b""
    await wire.fence()
    assert wire.recorder.requests == []


async def dropped(wire: Wire, client: Client, _outcome: Dropped, _interim: list[Message]) -> None:
    assert await client.until_closed() == b""
    await wire.fence()
    assert wire.recorder.requests == []


async def answered_here(client: Client, outcome: Refused) -> None:
    """The proxy's own answer, and the end of the connection where that is due."""
    _, answer = await client.final()
    assert answer is not None, "the connection ended without an answer"
    assert (answer.status, outcome.code.encode() in answer.body) == (outcome.status, True), answer
    assert (answer.values(b"connection") == [b"close"]) is outcome.closes
    if outcome.closes:
        assert await client.until_closed() == b""


CHECKS: dict[type, Callable[..., Awaitable[None]]] = {Forwarded: forwarded, Refused: refused, Dropped: dropped}


async def test_a_request_that_comes_back_to_the_proxy_that_sent_it_is_a_loop(wire: Wire) -> None:
    wire.recorder.forget()
    async with wire.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: wire.test\r\n\r\n")
        await client.final()
        name = wire.recorder.requests[0].values(b"dockerproxy-hops")[0]
        await client.send(b"GET / HTTP/1.1\r\nHost: wire.test\r\nDockerproxy-Hops: other, " + name + b"\r\n\r\n")
        await answered_here(client, Refused(508, "loop", closes=False))
        await wire.fence(client)
    assert len(wire.recorder.requests) == 1


async def test_a_method_not_allowed_names_those_that_are(wire: Wire) -> None:
    async with wire.client() as client:
        await client.send(b"PUT / HTTP/1.1\r\nHost: get.test\r\n\r\n")
        _, answer = await client.final()
    assert answer is not None
    assert answer.values(b"allow") == [b"GET, HEAD"]
