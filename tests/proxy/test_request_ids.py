"""What leads from a client's complaint to the log: the request's id, and the reason for whoever may see it."""

from __future__ import annotations

import re

import pytest

from ..support.scene import Scene
from ..support.upstreams import Conversation

SHOWN = re.compile(r"\(.*\b([0-9a-f]{8}-[0-9a-f]+)\)")


async def hang_up(conversation: Conversation) -> None:
    await conversation.request()
    conversation.close()


async def test_a_failed_request_bears_an_id_that_stands_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1)
    answers = [await scene.get() for _ in range(3)]
    ids = {answer["x-request-id"] for answer in answers}
    assert len(ids) == 3
    for answer in answers:
        assert f"502 attempts_exhausted for GET / ({answer['x-request-id']})" in caplog.text
        assert answer["x-request-id"] in answer.text


@pytest.mark.parametrize(
    ("request_head", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n", "unknown_host"),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "bad_request"),
    ],
)
async def test_so_does_one_that_no_route_answers(
    scene: Scene, caplog: pytest.LogCaptureFixture, request_head: bytes, code: str
) -> None:
    caplog.set_level("INFO")
    await scene.proxy(await scene.upstream(), host="somebody.example")
    client = await scene.client()
    await client.send(request_head)
    answer = await client.answer()
    (line,) = [record.getMessage() for record in caplog.records if code in record.getMessage()]
    assert answer["x-request-id"] in line
    assert "127.0.0.1" in line


async def test_an_id_that_came_with_the_request_is_kept(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1)
    assert (await scene.get(x_request_id="abc-123"))["x-request-id"] == "abc-123"
    assert "(abc-123)" in caplog.text


async def test_an_id_that_could_disguise_a_log_line_is_not_kept(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1)
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]+", (await scene.get(x_request_id="a) 200 fine ("))["x-request-id"])
    assert len((await scene.get(x_request_id="x" * 129))["x-request-id"]) < 30


@pytest.mark.parametrize("first", ["abc-123", "a) 200 fine ("])
async def test_an_upstream_gets_one_id_however_many_a_client_sends(scene: Scene, first: str) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(upstream)
    server.plane.clients.recorder = lambda _record: None  # as with an access log
    client = await scene.client()
    await client.send(
        f"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: {first}\r\nX-One: 1\r\nx-request-id: b) 200 fine (\r\n"
        "X-Two: 2\r\nX-REQUEST-ID: third\r\n\r\n".encode()
    )
    await client.answer()
    fields = upstream.requests[0].fields
    (name,) = [value for field, value in fields if field.lower() == "x-request-id"]
    assert re.fullmatch("abc-123|[0-9a-f]{8}-[0-9a-f]+", name)
    assert {"x-one", "x-two"} <= {field.lower() for field, _ in fields}


async def test_a_good_answer_bears_no_id_of_ours(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    assert "x-request-id" not in await scene.get()


async def test_this_machine_is_told_the_reason(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1)
    answer = await scene.get()
    assert answer["x-dockerproxy-reason"] == "attempts_exhausted"
    assert "attempts_exhausted" in answer.text


async def test_a_client_elsewhere_is_not(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1, trusted_proxies="127.0.0.1/32")
    answer = await scene.get(x_forwarded_for="203.0.113.9")
    assert "x-dockerproxy-reason" not in answer
    assert "attempts_exhausted" not in answer.text
    assert answer["x-request-id"] in answer.text


async def test_the_page_of_a_handler_bears_the_id_too(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    page = "tests.proxy.error_pages:page"
    await scene.proxy(await scene.upstream(hang_up), max_attempts=1, error_handler=page)
    answer = await scene.get()
    assert answer["x-request-id"] in caplog.text
    assert answer["x-dockerproxy-reason"] == "attempts_exhausted"
    assert answer.text == f"sorry, {answer['x-request-id']}"
