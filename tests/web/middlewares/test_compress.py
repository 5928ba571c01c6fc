"""compress: what is sent in fewer bytes, to whom, and what is left alone."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import os
import threading
import types
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dockerproxy.web.middlewares import compress
from dockerproxy.web.middlewares.compress import choose

from ...support.client import Answer
from ...support.scene import Scene
from ...support.upstreams import Conversation, Script
from .conftest import Before

Refused = Callable[..., Awaitable[str]]

TEXT = b"<p>the same again and again</p>" * 200


def telling(body: bytes = TEXT, status: str = "200 OK", **fields: str) -> Script:
    async def tell(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            length = {"Content-Length": str(len(body))}
            if request.method == "HEAD" or status.startswith("304"):
                lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**fields, **length}.items()]
                conversation.write("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())
            else:
                conversation.answer(body, status, **fields)

    return tell


async def ask(scene: Scene, accept: str = "gzip") -> Answer:
    return await scene.get(Accept_Encoding=accept)


@pytest.mark.parametrize(("coding", "decode"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)])
async def test_text_is_compressed_for_whoever_takes_it(
    scene: Scene, before: Before, coding: str, decode: Callable[[bytes], bytes]
) -> None:
    script = telling(Content_Type="text/html; charset=utf-8", ETag='"x"', Accept_Ranges="bytes", Vary="Cookie")
    await before("compress", script)
    answer = await ask(scene, coding)
    assert decode(answer.body) == TEXT
    assert len(answer.body) < len(TEXT) / 10
    assert (answer["content-encoding"], answer["etag"], answer.all("vary"), "accept-ranges" in answer) == (
        coding, 'W/"x"', ["Cookie", "Accept-Encoding"], False
    )  # fmt: skip
    plain = await ask(scene, "identity")
    assert (plain.body, plain["etag"], plain.all("vary")) == (TEXT, '"x"', ["Cookie", "Accept-Encoding"])


@pytest.mark.parametrize(("body", "status", "fields"), [
    (TEXT, "200 OK", {"Content_Type": "image/png"}),
    (TEXT, "200 OK", {}),
    (TEXT, "200 OK", {"Content_Type": "text/html", "Content_Encoding": "br"}),
    (TEXT, "200 OK", {"Content_Type": "text/html", "Cache_Control": "public, No-Transform"}),
    (TEXT, "200 OK", {"Content_Type": "text/html", "Cache_Control": "public", "cache_control": "no-transform"}),
    (TEXT, "200 OK", {"Content_Type": "text/html", "Content_Digest": "sha-256=:x:"}),
    (TEXT, "206 Partial Content", {"Content_Type": "text/html", "Content_Range": "bytes 0-6199/9999"}),
    (b"tiny", "200 OK", {"Content_Type": "text/html"}),
], ids=["image", "untyped", "encoded", "no-transform", "no-transform later", "digest", "partial", "tiny"])  # fmt: skip
async def test_some_answers_are_left_alone(
    scene: Scene, before: Before, body: bytes, status: str, fields: dict[str, str]
) -> None:
    await before("compress", telling(body, status, ETag='"x"', **fields))
    answer = await ask(scene)
    assert (answer.body, answer["etag"], "vary" in answer) == (body, '"x"', False)
    assert answer.all("content-encoding") == ([fields["Content_Encoding"]] if "Content_Encoding" in fields else [])


async def test_a_large_answer_is_compressed_as_it_flows(scene: Scene, before: Before) -> None:
    large = TEXT * 500
    await before("gzip", telling(large, Content_Type="application/vnd.api+json"))
    answer = await ask(scene)
    assert gzip.decompress(answer.body) == large
    assert answer["transfer-encoding"] == "chunked"


async def test_an_event_can_be_read_before_the_next_one_comes(scene: Scene, before: Before) -> None:
    go_on = asyncio.Event()

    async def events(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        conversation.write(b"9\r\ndata: 1\n\n\r\n")
        await go_on.wait()
        conversation.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    await before("compress", events)
    client = await scene.client()
    await client.ask(Accept_Encoding="gzip")
    assert (await client.head())["content-encoding"] == "gzip"
    reader = zlib.decompressobj(31)
    assert reader.decompress(await client.chunk()) == b"data: 1\n\n"
    go_on.set()
    rest = b""
    while piece := await client.chunk():
        rest += reader.decompress(piece)
    assert rest == b"data: 2\n\n"


async def test_head_and_304_tell_what_get_would(scene: Scene, before: Before) -> None:
    await before("compress", telling(Content_Type="text/html", ETag='"x"'))
    client = await scene.client()
    await client.ask("HEAD", accept_encoding="gzip")
    head = await client.answer(to="HEAD")
    assert (head["content-encoding"], head["etag"], "content-length" in head) == ("gzip", 'W/"x"', False)


async def test_not_modified_names_the_compressed_form(scene: Scene, before: Before) -> None:
    await before("compress", telling(b"", "304 Not Modified", ETag='"x"'))
    answer = await scene.get(Accept_Encoding="gzip", If_None_Match='W/"x"')
    assert (answer.status, answer["etag"], answer["vary"]) == (304, 'W/"x"', "Accept-Encoding")


@pytest.mark.parametrize(("accepted", "coding"), [
    ("gzip", "gzip"), ("GZIP;q=0.5, deflate", "deflate"), ("gzip, deflate", "gzip"), ("*", "gzip"),
    ("gzip;q=0, *", "deflate"), ("gzip;q=0", None), ("", None), ("identity", None), ("br", None), ("*;q=0", None),
    ("identity, gzip;q=0.5", None), ("gzip;q=oops", None), ("gzip ; q=1.0", "gzip"),
])  # fmt: skip
def test_the_client_s_choice_counts(accepted: str, coding: str | None) -> None:
    assert choose([accepted], ("gzip", "deflate")) == coding


async def test_brotli_is_used_where_its_library_is(
    scene: Scene, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Compressor:
        def __init__(self, quality: int) -> None:
            self.quality = quality

        def process(self, data: bytes) -> bytes:
            return b"<" + str(self.quality).encode()

        def flush(self) -> bytes:
            return b"|"

        def finish(self) -> bytes:
            return b">"

    def installed(name: str) -> Any:
        if name in ("brotli", "brotlicffi"):
            return types.SimpleNamespace(Compressor=Compressor)
        return importlib.import_module(name)

    monkeypatch.setattr(compress, "importlib", types.SimpleNamespace(import_module=installed))
    await before("compress", telling(Content_Type="text/html"), level=9)
    answer = await ask(scene, "gzip, br")
    assert (answer["content-encoding"], answer.body) == ("br", b"<9>")


async def test_a_coding_that_there_is_not_is_told(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(compress, "importlib", types.SimpleNamespace(import_module=missing))
    assert "'zip' is not known; expected br, gzip or deflate" in await refused("compress", codings="zip")
    assert "br needs a library: pip install brotli" in await refused("compress", codings="br,gzip")
    assert "expected 9 or less" in await refused("compress", level=10)


class Watched:
    """A stream of zlib's that notes which thread has worked on much."""

    threads: set[int]

    def __init__(self, *how: Any) -> None:
        self._stream = REAL(*how)

    def compress(self, data: bytes) -> bytes:
        if len(data) > 4096:
            self.threads.add(threading.get_ident())
        return self._stream.compress(data)

    def flush(self, mode: int = zlib.Z_FINISH) -> bytes:
        return self._stream.flush(mode)


REAL = zlib.compressobj


@pytest.mark.parametrize("size", [5_000, 3_000_000])
async def test_others_are_served_while_much_is_compressed(
    scene: Scene, before: Before, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    Watched.threads = set()
    monkeypatch.setattr(zlib, "compressobj", Watched)
    body = os.urandom(1000) * (size // 1000)
    await before("compress", telling(body, Content_Type="text/plain"))
    assert gzip.decompress((await ask(scene)).body) == body
    assert len(Watched.threads) == 1
    assert threading.get_ident() not in Watched.threads
