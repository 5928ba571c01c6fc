"""The five rules of choosing an upstream, as a client sees them."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from dockerproxy.proxy.upstream.failure import AttemptError, Failure

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation, Script, Upstream
from ..support.waiting import DEADLINE, until

NOWHERE = "http://127.0.0.1:1"  # nobody listens there


async def hang_up(conversation: Conversation) -> None:
    """Take a request and close without a word."""
    await conversation.head()


async def silent(conversation: Conversation) -> None:
    """Take requests and never answer."""
    await conversation.gone()


def answering(status: str) -> Script:
    async def script(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            conversation.answer(b"sorry", status)

    return script


# 1. All respond


async def test_three_upstreams_get_equal_numbers_of_requests(scene: Scene) -> None:
    upstreams = [await scene.upstream() for _ in range(3)]
    await scene.proxy(*upstreams)
    client = await scene.client()

    answers = [(await client.get()).text for _ in range(300)]

    assert Counter(answers) == {"a": 100, "b": 100, "c": 100}
    assert answers[:6] == answers[3:9]
    assert [scene.counted(upstream).used_successfully for upstream in upstreams] == [100, 100, 100]


async def test_many_clients_at_once_get_equal_shares_too(scene: Scene) -> None:
    await scene.proxy(*[await scene.upstream() for _ in range(3)])

    async def ask() -> Counter[str]:
        client = await scene.client()
        return Counter([(await client.get()).text for _ in range(10)])

    answers = sum(await asyncio.gather(*(ask() for _ in range(12))), Counter[str]())
    assert answers == {"a": 40, "b": 40, "c": 40}


# 2. One errs now and then


async def test_the_client_sees_only_the_good_answers_when_one_upstream_errs_now_and_then(scene: Scene) -> None:
    async def moody(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            flaky.requests.append(None)  # type: ignore[arg-type]  # only counted
            if len(flaky.requests) % 2:
                return
            conversation.answer(b"b", connection="close")

    good, flaky = await scene.upstream(), await scene.upstream(moody)
    await scene.proxy(good, flaky)
    client = await scene.client()

    answers = [await client.get() for _ in range(40)]

    assert {answer.status for answer in answers} == {200}
    counted = scene.counted(flaky)
    assert counted.error_counter > 5
    assert counted.used_successfully > 5
    assert scene.state(flaky) == "up"
    assert scene.route().errors_shown == 0
    assert scene.route().retries >= counted.error_counter


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40,
    ],
    ids=lambda wrong: repr(wrong[:60]),
)
async def test_an_answer_that_is_none_is_an_error_and_the_next_upstream_is_tried(scene: Scene, wrong: bytes) -> None:
    async def speak(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(wrong)

    bad, good = await scene.upstream(speak), await scene.upstream()
    await scene.proxy(bad, good)
    client = await scene.client()

    await client.ask()
    answer = await client.head()
    while answer.status == 103:
        answer = await client.head()

    assert answer.status == 200
    assert await client.exactly(1) == b"b"
    assert scene.counted(bad).error_counter == 1
    assert scene.counted(bad).last_error
    assert scene.route().errors_shown == 0


@pytest.mark.parametrize(
    "wrong",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\n\r\nx",
        b"HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b",
        b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n",
        b"HTTP/1.1 200 OK\r\n Folded: 1\r\n",
        b"HTTP/1.1 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\n",
        b"220 smtp.example ESMTP\r\n",
    ],
    ids=lambda wrong: repr(wrong[:60]),
)
async def test_an_answer_that_can_never_be_read_is_refused_at_first_sight_and_asked_of_each_upstream_once(
    scene: Scene, wrong: bytes
) -> None:
    async def speak(conversation: Conversation) -> None:
        await conversation.head()
        for byte in wrong if conversation.number % 2 else (wrong,):
            await conversation.send(bytes([byte]) if isinstance(byte, int) else byte)
        await conversation.gone()  # it waits for the proxy to say something

    upstreams = [await scene.upstream(speak) for _ in range(3)]
    await scene.proxy(*upstreams)
    client = await scene.client()
    await client.ask()
    answer = await client.answer()
    while answer.status == 103:
        answer = await client.answer()
    assert (answer.status, "attempts_exhausted" in answer.text) == (502, True)
    assert [upstream.connections for upstream in upstreams] == [1, 1, 1]
    assert "malformed" in scene.counted(upstreams[0]).last_error


async def test_statuses_that_the_route_lists_are_errors_and_others_are_not(scene: Scene) -> None:
    bad, good = await scene.upstream(answering("503 Busy")), await scene.upstream()
    worse = await scene.upstream(answering("500 Oops"))
    await scene.proxy(bad, good, worse, error_statuses=[503])
    client = await scene.client()

    assert {(await client.get()).text for _ in range(9)} == {"b", "sorry"}
    assert scene.counted(bad).error_counter >= 3
    assert scene.counted(worse).error_counter == 0
    assert scene.counted(worse).used_successfully >= 3


async def test_the_error_status_is_shown_when_the_request_cannot_be_repeated(scene: Scene) -> None:
    bad = await scene.upstream(answering("503 Busy"))
    await scene.proxy(bad, await scene.upstream(), error_statuses=[503])

    answer = await scene.post(b"order")

    assert (answer.status, answer.text) == (503, "sorry")
    assert scene.counted(bad).error_counter == 1
    assert scene.counted(bad).used_successfully == 0


async def test_an_answer_with_a_listed_status_that_breaks_off_is_one_error(scene: Scene) -> None:
    async def break_off(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nso")
        await said.wait()

    said = asyncio.Event()
    bad = await scene.upstream(break_off)
    await scene.proxy(bad, error_statuses=[503])
    client = await scene.client()
    await client.ask("POST", body=b"order")
    assert (await client.head()).status == 503
    said.set()
    with pytest.raises(Incomplete):
        await client.exactly(9)
    assert scene.counted(bad).error_counter == 1


async def test_attempts_that_are_not_made_are_not_counted_as_retries(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(hang_up), retry_deadline=0)
    assert (await scene.get()).status == 502
    assert scene.route().retries == 0


async def test_a_listed_status_is_still_an_error_when_its_body_is_large(scene: Scene) -> None:
    async def long_excuse(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 502 Bad\r\nContent-Length: 1000000\r\n\r\nthe first words")
        await conversation.gone()
        left.set()

    left = asyncio.Event()
    await scene.proxy(await scene.upstream(long_excuse), await scene.upstream(), error_statuses=[502])

    assert (await scene.get()).text == "b"
    await asyncio.wait_for(left.wait(), DEADLINE)


# 3. One errs N times in a row


async def test_a_dead_upstream_is_benched_after_exactly_ten_errors_and_no_client_sees_it(scene: Scene) -> None:
    upstreams = [await scene.upstream() for _ in range(3)]
    await scene.proxy(*upstreams)
    dead = upstreams[1]
    dead.refuse()
    client = await scene.client()

    answers = []
    while scene.counted(dead).error_counter < 10:
        assert scene.state(dead) == "up"
        answers.append(await client.get())
    assert scene.state(dead) == "benched"
    answers += [await client.get() for _ in range(60)]

    assert {answer.status for answer in answers} == {200}
    assert scene.counted(dead).error_counter == 10
    assert "refused" in scene.counted(dead).last_error
    assert scene.route().retries == 10
    shares = Counter(answer.text for answer in answers)
    assert abs(shares["a"] - shares["c"]) <= 10


async def test_a_success_resets_the_count_of_errors(scene: Scene) -> None:
    async def nine_of_ten(conversation: Conversation) -> None:
        await conversation.head()
        sick.requests.append(None)  # type: ignore[arg-type]  # only counted
        if len(sick.requests) % 10 == 0:
            conversation.answer(b"b", connection="close")

    good, sick = await scene.upstream(), await scene.upstream(nine_of_ten)
    await scene.proxy(good, sick)
    client = await scene.client()
    while len(sick.requests) < 30:
        assert (await client.get()).status == 200
        assert scene.state(sick) == "up"


async def test_a_benched_upstream_comes_back_by_probation_when_it_is_mended(scene: Scene) -> None:
    good, ill = await scene.upstream(), await scene.upstream()
    await scene.proxy(good, ill, bench="300ms", consecutive_errors=2)
    ill.refuse()
    client = await scene.client()
    while scene.state(ill) == "up":
        assert (await client.get()).text == "a"

    await ill.start()
    await until(lambda: scene.state(ill) == "probation")
    answers = [(await client.get()).text for _ in range(8)]

    assert scene.state(ill) == "up"
    assert Counter(answers)["b"] >= 3


async def test_an_error_on_probation_benches_again_at_once(scene: Scene) -> None:
    good, ill = await scene.upstream(), await scene.upstream()
    await scene.proxy(good, ill, bench="1s", consecutive_errors=3)
    ill.refuse()
    client = await scene.client()
    while scene.state(ill) == "up":
        await client.get()
    assert scene.counted(ill).error_counter == 3

    await until(lambda: scene.state(ill) == "probation")
    while scene.counted(ill).error_counter == 3:
        assert (await client.get()).text == "a"

    assert scene.counted(ill).error_counter == 4
    assert scene.state(ill) == "benched"


async def one_on_probation(scene: Scene) -> tuple[Upstream, Upstream]:
    """A proxy before a good upstream and one on probation, which takes requests and says nothing."""
    good, ill = await scene.upstream(), await scene.upstream()
    await scene.proxy(good, ill, bench="200ms", consecutive_errors=1)
    ill.refuse()
    while scene.state(ill) == "up":
        await scene.get()
    ill.script = silent
    await ill.start()
    await until(lambda: scene.state(ill) == "probation")
    return good, ill


async def test_only_one_request_goes_to_an_upstream_on_probation_until_it_has_answered(scene: Scene) -> None:
    good, ill = await one_on_probation(scene)
    before = ill.connections

    clients = [await scene.client() for _ in range(6)]
    for client in clients:
        await client.ask()
    await until(lambda: len(good.requests) >= 6)

    assert ill.connections == before + 1


async def test_a_client_that_leaves_during_probation_leaves_the_probation_to_the_next(scene: Scene) -> None:
    _, ill = await one_on_probation(scene)
    before = ill.connections
    clients = [await scene.client() for _ in range(2)]
    for client in clients:
        await client.ask()
    await until(lambda: ill.connections == before + 1)

    for client in clients:
        client.close()
    await until(lambda: scene.server.stats.connections == 0)
    ill.script = ill.serve

    assert {(await scene.get()).text for _ in range(2)} == {"a", "b"}
    assert scene.state(ill) == "up"


# 4. All benched


async def test_all_come_back_at_once_when_all_are_benched(scene: Scene) -> None:
    upstreams = [await scene.upstream() for _ in range(3)]
    await scene.proxy(*upstreams, consecutive_errors=1, max_attempts=3)
    for upstream in upstreams:
        upstream.refuse()
    assert (await scene.get()).status == 502
    assert [scene.state(upstream) for upstream in upstreams] == ["benched"] * 3

    await upstreams[2].start()

    assert (await scene.get()).text == "c"


# 5. max_attempts and retry_deadline


async def test_after_max_attempts_the_client_gets_502(scene: Scene) -> None:
    await scene.proxy(NOWHERE, max_attempts=4)

    answer = await scene.get()

    assert answer.status == 502
    assert "attempts_exhausted" in answer.text
    assert scene.route().upstream(f"{NOWHERE} {NOWHERE}").error_counter == 1  # once for one exchange
    assert scene.route().errors_shown == 1
    assert scene.route().retries == 3


async def test_twenty_attempts_are_the_default(scene: Scene) -> None:
    await scene.proxy(*[f"http://127.0.0.1:{port}" for port in range(1, 11)])

    assert (await scene.get()).status == 502
    assert scene.route().retries == 19


async def drop(conversation: Conversation) -> None:
    """An application that cannot stand one path."""
    while True:
        if (await conversation.request()).target == "/drop":
            return
        conversation.answer(b"fine")


@pytest.mark.parametrize("warm", [False, True], ids=["new connections", "kept connections"])
async def test_each_upstream_is_asked_once_for_what_no_application_can_stand_and_none_is_benched(
    scene: Scene, warm: bool
) -> None:
    asked: Counter[str] = Counter()

    def counting(name: str) -> Script:
        async def script(conversation: Conversation) -> None:
            while True:
                if (await conversation.request()).target == "/drop":
                    asked[name] += 1
                    return
                conversation.answer(b"fine")

        return script

    upstreams = [await scene.upstream(counting(name)) for name in "ab"]
    await scene.proxy(*upstreams, consecutive_errors=1)
    client = await scene.client()
    for number in range(1, 4):
        if warm:
            assert [(await client.get()).status for _ in range(2)] == [200] * 2
        answer = await client.get("/drop")
        assert (answer.status, "attempts_exhausted" in answer.text) == (502, True)
        assert asked == {"a": number, "b": number}
    assert [scene.state(upstream) for upstream in upstreams] == ["up", "up"]


async def test_errors_on_the_way_to_an_answer_are_their_upstreams_own(scene: Scene) -> None:
    bad, worse, good = await scene.upstream(hang_up), await scene.upstream(hang_up), await scene.upstream()
    await scene.proxy(bad, worse, good, consecutive_errors=1)
    assert (await scene.get()).text == "c"
    assert [scene.state(upstream) for upstream in (bad, worse, good)] == ["benched", "benched", "up"]


async def test_the_only_upstream_that_was_asked_bears_its_error(scene: Scene) -> None:
    bad = await scene.upstream(hang_up)
    await scene.proxy(bad, consecutive_errors=2)
    assert [(await scene.get()).status for _ in range(2)] == [502] * 2
    assert bad.connections == 2
    assert scene.state(bad) == "benched"


async def test_one_request_benches_nobody_that_it_cannot_reach(scene: Scene) -> None:
    await scene.proxy(NOWHERE, consecutive_errors=2, max_attempts=5)
    assert (await scene.get()).status == 502
    (upstream,) = scene.server.plane.routes.live["site"].route.upstreams
    status = scene.server.plane.status("site", upstream)
    assert status is not None
    assert (status.state, status.consecutive_errors) == ("up", 1)


async def test_a_client_that_leaves_between_two_upstreams_benches_none(scene: Scene) -> None:
    bad, slow = await scene.upstream(hang_up), await scene.upstream(silent)
    await scene.proxy(bad, slow, consecutive_errors=1)
    client = await scene.client()
    await client.ask()
    await until(lambda: slow.connections == 1)
    client.reset()
    await scene.at_rest()
    assert scene.counted(bad).error_counter == 1
    assert [scene.state(upstream) for upstream in (bad, slow)] == ["up", "up"]


async def test_a_benched_upstream_is_asked_before_the_client_sees_an_error(scene: Scene) -> None:
    ill, other = await scene.upstream(), await scene.upstream(drop)
    await scene.proxy(ill, other, consecutive_errors=1)
    ill.refuse()
    while scene.state(ill) == "up":
        assert (await scene.get()).text == "fine"
    await ill.start()
    assert (await scene.get("/drop")).text == "a"


async def test_504_when_the_last_error_was_a_timeout(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(silent), response_timeout="100ms", max_attempts=1)
    answer = await scene.get()
    assert (answer.status, "timed_out" in answer.text) == (504, True)
    assert "no answer in time" in scene.counted(scene.upstreams[0]).last_error


async def test_502_when_an_error_came_after_a_timeout(scene: Scene) -> None:
    await scene.proxy(
        await scene.upstream(silent), await scene.upstream(hang_up), response_timeout="100ms", max_attempts=2
    )
    assert (await scene.get()).status == 502


async def test_no_attempt_is_begun_after_the_retry_deadline(scene: Scene) -> None:
    await scene.proxy(NOWHERE, retry_deadline="1s", max_attempts=1000, consecutive_errors=10_000)
    assert (await scene.get()).status == 502
    assert 2 <= scene.route().retries < 100


async def test_a_page_is_html_for_a_browser_and_text_for_others(scene: Scene) -> None:
    await scene.proxy(NOWHERE, max_attempts=1)
    page = await scene.get(accept="text/html,*/*")
    assert page["content-type"] == "text/html; charset=utf-8"
    assert "<h1>502" in page.text
    assert (await scene.get(accept="*/*"))["content-type"] == "text/plain; charset=utf-8"
    assert page["cache-control"] == "no-store"


async def test_the_connection_survives_an_error_page(scene: Scene) -> None:
    await scene.proxy(NOWHERE, max_attempts=1)
    client = await scene.client()
    assert [(await client.get()).status for _ in range(3)] == [502] * 3


# What may be sent twice


async def test_a_post_goes_elsewhere_when_nothing_had_been_sent(scene: Scene) -> None:
    good = await scene.upstream()
    await scene.proxy(NOWHERE, good)
    assert (await scene.post(b"order")).text == "a"
    assert good.requests[0].body == b"order"


async def test_a_post_is_not_sent_twice_when_an_upstream_may_have_seen_it(scene: Scene) -> None:
    async def crash(conversation: Conversation) -> None:
        seen.append((await conversation.request()).body)

    seen: list[bytes] = []
    await scene.proxy(await scene.upstream(crash), await scene.upstream(crash))

    answer = await scene.post(b"order")

    assert answer.status == 502
    assert "not_repeatable" in answer.text
    assert seen == [b"order"]


async def test_a_post_that_times_out_is_not_sent_twice(scene: Scene) -> None:
    first, second = await scene.upstream(silent), await scene.upstream(silent)
    await scene.proxy(first, second, response_timeout="100ms")
    assert (await scene.post(b"order")).status == 504
    assert first.connections + second.connections == 1


async def test_a_route_may_ask_for_post_to_be_sent_twice(scene: Scene) -> None:
    good = await scene.upstream()
    await scene.proxy(await scene.upstream(hang_up), good, retry_non_idempotent=True)
    assert (await scene.post(b"order")).text == "a"
    assert good.requests[0].body == b"order"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
async def test_idempotent_methods_are_sent_again(scene: Scene, method: str) -> None:
    await scene.proxy(await scene.upstream(hang_up), await scene.upstream())
    client = await scene.client()
    await client.ask(method)
    assert (await client.answer(to=method)).status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "BREW"])
async def test_other_methods_are_not(scene: Scene, method: str) -> None:
    await scene.proxy(await scene.upstream(hang_up), await scene.upstream())
    client = await scene.client()
    await client.ask(method)
    assert (await client.answer()).status == 502


# The body, again


@pytest.mark.parametrize("size", [1, 1000, 64 << 10])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_up_to_64_kib_arrives_whole_at_the_second_upstream(scene: Scene, size: int, chunked: bool) -> None:
    async def crash(conversation: Conversation) -> None:
        await conversation.request()

    good = await scene.upstream(name="good")
    await scene.proxy(await scene.upstream(crash), good)
    await scene.get()  # so that the next one begins at the upstream that crashes
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    client = await scene.client()
    if chunked:
        await client.ask("PUT", transfer_encoding="chunked")
        await client.send(b"%x\r\n%b\r\n0\r\nChecksum: 1\r\n\r\n" % (size, body))
    else:
        await client.ask("PUT", body=body)

    assert (await client.answer()).text == "good"
    assert good.requests[-1].body == body
    assert good.requests[-1].trailers == ([("checksum", "1")] if chunked else [])


async def test_a_larger_body_gets_one_attempt_once_it_has_begun_to_flow(scene: Scene) -> None:
    async def crash(conversation: Conversation) -> None:
        await conversation.request()

    crashing = [await scene.upstream(crash), await scene.upstream(crash)]
    await scene.proxy(*crashing)
    client = await scene.client()
    await client.ask("PUT", body=b"x" * ((64 << 10) + 1))
    assert (await client.answer()).status == 502
    assert sum(upstream.connections for upstream in crashing) == 1


async def test_a_large_body_goes_elsewhere_when_nothing_had_been_sent(scene: Scene) -> None:
    good = await scene.upstream()
    await scene.proxy(NOWHERE, good)
    body = b"x" * (1 << 20)
    assert (await scene.post(body)).text == "a"
    assert good.requests[0].body == body


async def test_the_part_of_a_body_that_comes_after_the_error_reaches_the_second_upstream_too(scene: Scene) -> None:
    async def crash(conversation: Conversation) -> None:
        request = await conversation.head()
        assert await conversation.reader.readexactly(5) == b"first"
        assert request["content-length"] == "11"
        crashed.set()

    crashed = asyncio.Event()
    good = await scene.upstream(name="good")
    bad = await scene.upstream(crash)
    await scene.proxy(bad, good)
    client = await scene.client()
    await client.ask("PUT", content_length="11")
    await client.send(b"first")
    await asyncio.wait_for(crashed.wait(), DEADLINE)
    await until(lambda: good.connections == 1)
    await client.send(b"second")

    assert (await client.answer()).text == "good"
    assert good.requests[0].body == b"firstsecond"


# Kept-alive connections that have died


async def _dies_at_second_request(conversation: Conversation) -> None:
    await conversation.request()
    conversation.answer(b"once")
    await conversation.head()


async def test_a_stale_connection_is_no_error_and_a_fresh_one_is_used(scene: Scene) -> None:
    stale = await scene.upstream(_dies_at_second_request)
    await scene.proxy(stale)
    client = await scene.client()

    assert [(await client.get()).text for _ in range(5)] == ["once"] * 5
    assert scene.counted(stale).error_counter == 0
    assert scene.counted(stale).used_successfully == 5
    assert stale.connections == 5


async def test_a_stale_connection_does_not_use_up_the_only_attempt(scene: Scene) -> None:
    stale = await scene.upstream(_dies_at_second_request)
    await scene.proxy(stale, max_attempts=1)
    client = await scene.client()
    assert [(await client.get()).status for _ in range(3)] == [200] * 3


async def test_many_stale_connections_at_once_do_not_use_up_the_attempts(scene: Scene) -> None:
    together = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.head()
        await together.wait()
        conversation.answer(b"once")
        await conversation.head()

    stale = await scene.upstream(script)
    await scene.proxy(stale, max_attempts=3)
    clients = [await scene.client() for _ in range(8)]
    for client in clients:
        await client.ask()
    await until(lambda: stale.connections == 8)
    together.set()
    assert [(await client.answer()).status for client in clients] == [200] * 8

    assert (await clients[0].get()).status == 200
    assert scene.counted(stale).error_counter == 0


async def test_a_connection_that_was_made_for_a_client_that_left_is_a_kept_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(conversation: Conversation) -> None:
        if conversation.number == 1:
            await conversation.head()
        else:
            await upstream.serve(conversation)

    upstream = await scene.upstream(die)
    server = await scene.proxy(upstream)
    connecting, go_on = asyncio.Event(), asyncio.Event()
    original = server.plane._connector._open

    async def slow(*args: object) -> None:
        connecting.set()
        await go_on.wait()
        await original(*args)  # type: ignore[arg-type]  # whatever it takes

    with monkeypatch.context() as patched:
        patched.setattr(server.plane._connector, "_open", slow)
        client = await scene.client()
        await client.ask()
        await connecting.wait()
        client.reset()
        await until(lambda: not server.stats.connections)
        go_on.set()
        await until(lambda: scene.open_connections() == 1 and not len(server.plane._tasks))
    assert len(server.plane.wheel) == 1  # it is closed when it has been idle for long
    assert (await scene.get()).text == "a"
    assert (scene.counted(upstream).error_counter, scene.route().retries) == (0, 0)


async def test_a_connection_that_the_upstream_closed_while_idle_is_not_used(scene: Scene) -> None:
    async def once(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"once")

    upstream = await scene.upstream(once)
    await scene.proxy(upstream)
    for number in range(3):
        await until(lambda: scene.open_connections() == 0)
        assert (await scene.post(b"order %d" % number)).text == "once"
    assert scene.counted(upstream).error_counter == 0


async def test_a_post_does_not_go_over_an_old_idle_connection(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.FRESH_ENOUGH", 0.0)
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.get()
    await client.get()
    assert upstream.connections == 1

    await client.ask("POST", body=b"order")
    await client.answer()

    assert upstream.connections == 2
    await until(lambda: scene.open_connections() == 1)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_too_large_to_be_kept_does_not_go_over_an_old_idle_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.FRESH_ENOUGH", 0.0)
    stale = await scene.upstream(_dies_at_second_request)
    await scene.proxy(stale)
    client = await scene.client()
    assert (await client.get()).text == "once"
    body = b"x" * 300_000
    if chunked:
        await client.ask("PUT", transfer_encoding="chunked")
        await client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    else:
        await client.ask("PUT", body=body)
    assert (await client.answer()).text == "once"


async def test_a_post_over_a_fresh_enough_connection_reuses_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.FRESH_ENOUGH", 60.0)
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.get()
    await client.ask("POST", body=b"order")
    assert (await client.answer()).text == "a"
    assert upstream.connections == 1


async def test_a_post_that_met_a_dying_connection_is_not_sent_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.FRESH_ENOUGH", 60.0)
    stale = await scene.upstream(_dies_at_second_request)
    await scene.proxy(stale)
    client = await scene.client()
    await client.get()
    await client.ask("POST", body=b"order")
    assert (await client.answer()).status == 502
    assert scene.counted(stale).error_counter == 0


async def test_an_unasked_answer_on_an_idle_connection_goes_to_nobody(scene: Scene) -> None:
    async def chatty(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"yours")
        await asked.wait()
        conversation.answer(b"not yours")
        await conversation.gone()

    asked = asyncio.Event()
    upstream = await scene.upstream(chatty)
    await scene.proxy(upstream)
    client = await scene.client()
    assert (await client.get()).text == "yours"
    asked.set()
    await until(lambda: scene.open_connections() == 0)
    upstream.script = upstream.serve
    assert (await client.get()).text == "a"


async def test_bytes_behind_an_answer_end_its_connection(scene: Scene) -> None:
    async def split(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nyoursHTTP/1.1 200 OK\r\n\r\nnot yours")
        await conversation.gone()

    upstream = await scene.upstream(split)
    await scene.proxy(upstream)
    client = await scene.client()
    assert [(await client.get()).text for _ in range(3)] == ["yours"] * 3
    assert upstream.connections == 3


def test_what_counts_against_an_upstream_and_what_was_sent() -> None:
    assert not AttemptError(Failure.CLOSED, stale=True).counts
    assert not AttemptError(Failure.BUSY).counts
    assert not AttemptError(Failure.DOUBTED).counts
    assert not AttemptError(Failure.EXHAUSTED).counts
    assert not AttemptError(Failure.LEFT).counts
    assert AttemptError(Failure.CLOSED).counts
    assert {failure for failure in Failure if AttemptError(failure).nothing_sent} == {
        Failure.REFUSED, Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT, Failure.BUSY, Failure.DOUBTED,
        Failure.EXHAUSTED, Failure.LEFT,
    }  # fmt: skip
    assert str(AttemptError(Failure.STATUS, "503")) == "answered with a status that counts as an error: 503"
