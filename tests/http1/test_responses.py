"""What an upstream answers, and what the client sees of it: the table of responses, through a real proxy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from .cases_responses import CASES
from .outcomes import CLOSED, RESET, Cut, Relayed, ResponseCase, Shown
from .strict import read_response
from .wire import Client, Wire, running_wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DATE = re.compile(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n")
_SHORT = 400  # bytes; longer ones are not sent byte by byte


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    async with running_wire(tmp_path_factory.mktemp("state")) as running:
        yield running


def sent(case: ResponseCase) -> int:
    return sum(len(step) for step in case.steps if isinstance(step, bytes))


async def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_answers_sent_step_by_step(wire: Wire, case: ResponseCase) -> None:
    async with wire.client() as client:
        await play(wire, client, case)
        await CHECKS[type(case.outcome)](wire, client, case)


@pytest.mark.parametrize("case", [case for case in CASES if sent(case) <= _SHORT], ids=lambda case: case.id)
async def test_answers_sent_byte_by_byte(wire: Wire, case: ResponseCase) -> None:
    async with wire.client() as client:
        await play(wire, client, case, one_by_one=True)
        await CHECKS_BYTE_BY_BYTE[type(case.outcome)](wire, client, case)


async def play(wire: Wire, client: Client, case: ResponseCase, *, one_by_one: bool = False) -> None:
    recorder = wire.recorder
    recorder.forget()
    recorder.script, recorder.early, recorder.one_by_one = case.steps, case.early, one_by_one
    await client.send(case.request)


async def relayed(wire: Wire, client: Client, case: ResponseCase) -> None:
    outcome = case.outcome
    assert isinstance(outcome, Relayed)
    interim, answer = await client.final(case.method)
    assert answer is not None, "the connection ended without an answer"
    assert b"".join(message.head for message in interim) + undated(answer.head) == outcome.head
    assert (answer.body, answer.complete) == (outcome.body, True)
    await still_in_step(wire, client, case, outcome.closes)
    assert reused(wire) == outcome.reused


async def relayed_in_whatever_framing(wire: Wire, client: Client, case: ResponseCase) -> None:
    """Byte by byte, a body that was not seen to its end with the head goes out chunked."""
    outcome = case.outcome
    assert isinstance(outcome, Relayed)
    interim, answer = await client.final(case.method)
    assert answer is not None, "the connection ended without an answer"
    expected = outcome.head.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n")[0]
    assert answer.line == b"HTTP/1.1 " + expected
    assert (answer.body, answer.complete) == (outcome.body, True)
    assert b"".join(message.head for message in interim) == outcome.head.rpartition(b"HTTP/1.1 ")[0]
    await still_in_step(wire, client, case, outcome.closes)


async def shown(wire: Wire, client: Client, case: ResponseCase) -> None:
    outcome = case.outcome
    assert isinstance(outcome, Shown)
    interim, answer = await client.final(case.method)
    assert answer is not None, "the connection ended without an answer"
    code = outcome.code if case.method == "GET" else "not_repeatable"
    assert (answer.status, code.encode() in answer.body) == (outcome.status, True), answer
    assert b"".join(message.head for message in interim) == outcome.interim
    await still_in_step(wire, client, case, closes=False)
    assert not reused(wire)


async def cut(wire: Wire, client: Client, case: ResponseCase) -> None:
    outcome = case.outcome
    assert isinstance(outcome, Cut)
    received = await client.until_closed()
    answer = read_response(received, case.method, closed=True)
    assert answer is not None
    assert (undated(answer.head), answer.body) == (outcome.head, outcome.body)
    assert not answer.complete, "it looks complete to the client"
    await wire.fence()
    assert not reused(wire)


async def cut_somewhere(wire: Wire, client: Client, case: ResponseCase) -> None:
    """Byte by byte, part of a bad chunk may have been relayed before it was seen to be bad."""
    outcome = case.outcome
    assert isinstance(outcome, Cut)
    answer = read_response(await client.until_closed(), case.method, closed=True)
    assert answer is not None
    assert undated(answer.head) == outcome.head
    assert answer.body.startswith(outcome.body)
    assert not answer.complete, "it looks complete to the client"
    await wire.fence()


async def shown_or_cut(wire: Wire, client: Client, case: ResponseCase) -> None:
    """Byte by byte, a body that breaks beside its head breaks after it."""
    _, answer = await client.final(case.method)
    assert answer is not None, "the connection ended without an answer"
    assert answer.status == 502 or not answer.complete
    await wire.fence()
    assert not reused(wire)


async def still_in_step(wire: Wire, client: Client, case: ResponseCase, closes: bool) -> None:
    """The next request on the client's connection is answered, or the connection ends without another byte."""
    if closes:
        assert await client.until_closed() == b""
        await wire.fence()
    else:
        await wire.fence(client)
    # A kept-alive connection that dies without a byte is not the upstream's error: one fresh connection is tried.
    most = 2 if case.steps[0] in (CLOSED, RESET) and case.method == "GET" else 1
    assert len(wire.recorder.requests) <= most, "the request was sent more than once"


def undated(head: bytes) -> bytes:
    """The head of a final answer without the date, which each has, and once."""
    rest, dates = _DATE.subn(b"\r\n", head)
    assert dates == 1
    return rest


def reused(wire: Wire) -> bool:
    """Whether the fence came over the connection that brought the answer."""
    lines = wire.recorder.served_by
    return len(lines) > 1 and lines[-1] is lines[0]


CHECKS: dict[type, Callable[..., Awaitable[None]]] = {Relayed: relayed, Shown: shown, Cut: cut}
CHECKS_BYTE_BY_BYTE: dict[type, Callable[..., Awaitable[None]]] = {
    Relayed: relayed_in_whatever_framing,
    Shown: shown_or_cut,
    Cut: cut_somewhere,
}


async def test_trailers_reach_the_client(wire: Wire) -> None:
    wire.recorder.forget()
    wire.recorder.script = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\nSet-Cookie: a=1\r\n\r\n",
    )
    async with wire.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: wire.test\r\n\r\n")
        _, answer = await client.final()
    assert answer is not None
    assert (answer.body, answer.trailers) == (b"hello", [b"X-Sum: 1"])


async def test_an_http_1_0_client_sees_by_a_reset_that_an_answer_until_close_is_not_whole(wire: Wire) -> None:
    wire.recorder.forget()
    wire.recorder.script = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n", b"zz\r\n")
    async with wire.client() as client:
        await client.send(b"GET / HTTP/1.0\r\nHost: wire.test\r\n\r\n")
        await client.until_closed()
        assert client.reset


async def test_what_comes_over_an_idle_connection_answers_nobody(wire: Wire) -> None:
    recorder = wire.recorder
    recorder.forget()
    recorder.script = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
    )
    async with wire.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: wire.test\r\n\r\n")
        _, answer = await client.final()
        assert answer is not None
        assert answer.body == b"hello"
        await recorder.served_by[0].gone()
        await wire.fence(client)
    assert not reused(wire)
