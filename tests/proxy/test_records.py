"""What is recorded of a request, for the access log."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.proxy.record import Record

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import until


async def recording(scene: Scene, *upstreams: Upstream, **settings: Any) -> list[Record]:
    """A proxy over these upstreams; the records that it makes."""
    records: list[Record] = []
    await scene.proxy(*upstreams, **settings)
    scene.server.plane.clients.recorder = records.append
    return records


async def hang_up(conversation: Conversation) -> None:
    await conversation.request()
    conversation.close()


async def test_a_plain_request_is_recorded_once_with_its_times(scene: Scene) -> None:
    records = await recording(scene, await scene.upstream())
    await scene.post(b"x" * 100, "/there?a=b")
    (record,) = records
    assert (record.method, record.target, record.status, record.route, record.upstream) == (
        "POST", "/there?a=b", 200, "site", "a"
    )  # fmt: skip
    assert (record.attempts, record.sent, record.received, record.cut) == (1, 1, 100, False)
    assert record.queue is not None
    assert record.connect is not None
    assert record.first_byte is not None
    assert 0 <= record.queue + record.connect + record.first_byte <= record.total


async def test_attempts_are_counted(scene: Scene) -> None:
    records = await recording(scene, await scene.upstream(hang_up), await scene.upstream())
    await scene.get()
    assert [(record.attempts, record.upstream, record.status) for record in records] == [(2, "b", 200)]


async def test_an_error_is_recorded_with_what_the_client_got(scene: Scene) -> None:
    records = await recording(scene, await scene.upstream(hang_up), max_attempts=3)
    answer = await scene.get()
    (record,) = records
    assert (record.status, record.attempts, record.upstream, record.sent) == (502, 1, "a", len(answer.body))
    assert record.id == answer["x-request-id"]


async def test_the_page_of_a_handler_does_not_hide_the_route(scene: Scene) -> None:
    page = "tests.proxy.error_pages:page"
    records = await recording(scene, await scene.upstream(hang_up), max_attempts=1, error_handler=page)
    answer = await scene.get()
    (record,) = records
    assert (record.route, record.upstream, record.status, record.sent) == ("site", "a", 502, len(answer.body))


async def test_requests_for_no_route_and_unreadable_ones_are_recorded(scene: Scene) -> None:
    records = await recording(scene, await scene.upstream(), host="somebody.example")
    client = await scene.client()
    await client.get(host="nobody.example")
    await client.send(b"NONSENSE\r\n\r\n")
    await client.answer()
    assert [(record.method, record.status, record.route) for record in records] == [("GET", 404, ""), ("-", 400, "")]


async def test_pipelined_requests_are_recorded_in_order(scene: Scene) -> None:
    records = await recording(scene, await scene.upstream())
    client = await scene.client()
    await client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.answer()
    await client.answer()
    assert [record.target for record in records] == ["/1", "/2"]


async def test_a_client_that_leaves_is_recorded(scene: Scene) -> None:
    async def silent(conversation: Conversation) -> None:
        asked.append(await conversation.request())
        await conversation.gone()

    asked: list[object] = []
    records = await recording(scene, await scene.upstream(silent))
    client = await scene.client()
    await client.ask("GET")
    await until(lambda: asked)
    client.reset()
    await until(lambda: records)
    assert [(record.status, record.cut, record.route) for record in records] == [(0, True, "site")]


async def test_an_answer_that_breaks_off_is_recorded_as_cut(scene: Scene) -> None:
    async def cut(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conversation.close()

    records = await recording(scene, await scene.upstream(cut))
    with pytest.raises(Incomplete):
        await scene.get()
    await until(lambda: records)
    assert [(record.status, record.cut, record.sent) for record in records] == [(200, True, 4)]


async def test_a_tunnel_is_recorded_when_it_ends(scene: Scene) -> None:
    async def switch(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        await conversation.gone()
        conversation.close()

    records = await recording(scene, await scene.upstream(switch))
    client = await scene.client()
    assert (await client.get(connection="Upgrade", upgrade="raw")).status == 101
    assert records == []
    client.close()
    await until(lambda: records)
    assert [(record.status, record.cut, record.upstream) for record in records] == [(101, False, "a")]
