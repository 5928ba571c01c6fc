"""The invariant: the upstream sees exactly one well-formed request for each one that the client was allowed to send.

Whatever bytes the client sends, in whatever pieces, pipelined in whatever order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from . import cases_forwarded, cases_grammar, cases_refused
from .oracle import sent_requests
from .outcomes import Dropped, Forwarded, Refused, RequestCase
from .wire import Client, Wire, running_wire, without_random

pytestmark = pytest.mark.asyncio(loop_scope="module")

_LONGEST = 3000  # bytes of a case that takes part
_EXAMPLES = 300
EVIL = b"GET /evil HTTP/1.1\r\nHost: wire.test\r\n\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    async with running_wire(tmp_path_factory.mktemp("state")) as running:
        yield running


def short(cases: Iterable[RequestCase]) -> list[RequestCase]:
    return [case for case in cases if len(case.parts) == 1 and case.size <= _LONGEST and not case.whole]


def is_good(case: RequestCase) -> bool:
    outcome = case.outcome
    return isinstance(outcome, Forwarded) and not outcome.closes and outcome.then is None


def is_bad(case: RequestCase) -> bool:
    return isinstance(case.outcome, Refused) and case.outcome.closes


GOOD = [case for case in short(cases_forwarded.CASES) if is_good(case)]
BAD = [case for case in short((*cases_refused.CASES, *cases_grammar.CASES)) if is_bad(case)]
CUTS = st.lists(st.integers(0, 2000), max_size=12)


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """`data`, cut at these places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(places) if start < end]


def bytes_of(cases: Iterable[RequestCase]) -> bytes:
    return b"".join(part for case in cases for part in case.parts if isinstance(part, bytes))


async def send_in_pieces(client: Client, data: bytes, cuts: Sequence[int]) -> None:
    for piece in pieces(data, cuts):
        await client.send(piece)


def expected_of(cases: Iterable[RequestCase]) -> list[bytes]:
    return [request for case in cases if isinstance(case.outcome, Forwarded) for request in case.outcome.requests]


@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(good=st.lists(st.sampled_from(GOOD), min_size=1, max_size=5), cuts=CUTS)
async def test_good_requests_arrive_each_once_in_order(wire: Wire, good: list[RequestCase], cuts: list[int]) -> None:
    recorder = wire.recorder
    recorder.forget()
    expected = expected_of(good)
    async with wire.client() as client:
        await send_in_pieces(client, bytes_of(good), cuts)
        for request in expected:
            method, target, _ = request.split(b" ", 2)
            _, answer = await client.final(method.decode())
            assert answer is not None, "the connection ended without an answer"
            assert answer.body == (b"" if method == b"HEAD" else target), "the answer to another request"
        await wire.fence(client)
    assert recorder.faults == []
    assert [without_random(message.canonical) for message in recorder.requests] == expected
    assert recorder.unfinished == []


@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(st.sampled_from(GOOD), max_size=3),
    bad=st.sampled_from(BAD),
    behind=st.lists(st.sampled_from(GOOD), max_size=2),
    cuts=CUTS,
)
async def test_nothing_behind_a_bad_request_arrives(
    wire: Wire, before: list[RequestCase], bad: RequestCase, behind: list[RequestCase], cuts: list[int]
) -> None:
    recorder = wire.recorder
    recorder.forget()
    async with wire.client() as client:
        await send_in_pieces(client, bytes_of((*before, bad, *behind)), cuts)
        client.end()
        await client.until_closed()
    await wire.fence()
    assert recorder.faults == []
    seen = [without_random(message.canonical) for message in recorder.requests]
    assert seen == expected_of(before)[: len(seen)]


MUTATION = st.tuples(
    st.sampled_from(["insert", "replace", "delete", "double"]),
    st.integers(0, 2000),
    st.sampled_from(
        [bytes([byte]) for byte in b'\r\n\t :;,.="0159aAfFxX\x00\x0b\x7f\x85-+/*_'] + [b"\r\n", b"\r\n\r\n", b"\n\n"]
    ),
)


def mutated(data: bytes, mutations: Iterable[tuple[str, int, bytes]]) -> bytes:
    for kind, place, new in mutations:
        at = place % (len(data) + 1)
        if kind == "insert":
            data = data[:at] + new + data[at:]
        elif kind == "replace":
            data = data[:at] + new + data[at + 1 :]
        elif kind == "delete":
            data = data[:at] + data[at + 1 :]
        else:
            data = data[:at] + data[at : at + 20] + data[at:]
    return data


def is_subsequence(few: Iterable[object], many: Iterable[object]) -> bool:
    rest = iter(many)
    return all(item in rest for item in few)


def hiding(number: int, framing: int) -> bytes:
    """A request whose body is another request."""
    line = b"POST /%d HTTP/1.1\r\nHost: wire.test\r\n" % number
    if framing == 0:
        return line + b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL
    if framing == 1:
        return line + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(EVIL), EVIL)
    return b"GET /%d HTTP/1.1\r\nHost: wire.test\r\nX: 1\r\n\r\n" % number


@settings(max_examples=2 * _EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(
    framings=st.lists(st.integers(0, 2), min_size=1, max_size=4),
    mutations=st.lists(MUTATION, min_size=1, max_size=4),
    cuts=CUTS,
)
@example(framings=[0, 2], mutations=[("insert", 24, b"\n")], cuts=[])
async def test_whatever_is_sent_nothing_arrives_that_was_not_sent_as_a_request(
    wire: Wire, framings: list[int], mutations: list[tuple[str, int, bytes]], cuts: list[int]
) -> None:
    data = mutated(b"".join(hiding(number, framing) for number, framing in enumerate(framings)), mutations)
    recorder = wire.recorder
    recorder.forget()
    async with wire.client() as client:
        await send_in_pieces(client, data, cuts)
        await settled(wire)
        client.end()
        await client.until_closed()
    await wire.fence()
    assert recorder.faults == []
    seen = [(*message.line.split(b" ")[:2], message.body) for message in recorder.requests]
    sent = [(method, target, body) for method, target, body in sent_requests(data)]
    assert is_subsequence(seen, sent), f"{seen} of {sent}"


async def settled(wire: Wire) -> None:
    """Wait until no more requests arrive."""
    count = -1
    while count != len(wire.recorder.requests):
        count = len(wire.recorder.requests)
        await wire.fence()


async def test_a_body_that_ends_early_is_never_a_complete_request(wire: Wire) -> None:
    dropped = [case for case in short(cases_refused.CASES) if isinstance(case.outcome, Dropped)]
    for case in dropped:
        wire.recorder.forget()
        async with wire.client() as client:
            await send_in_pieces(client, bytes_of((GOOD[0], case)), [7, 70])
            client.end()
            await client.until_closed()
        await wire.fence()
        assert len(wire.recorder.requests) == 1, case.id
