"""compress: sends answers in fewer bytes to clients that take them so (RFC 9110 section 8.4)."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, ClassVar, Protocol

from aiohttp import hdrs, web
from pydantic import BeforeValidator, Field

from dockerproxy.process.offload import Offload
from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import Size, split_list
from dockerproxy.web.middlewares.registry import CallNext
from dockerproxy.web.relayed import RelayedResponse

# They are about the bytes of the body (RFC 9530, RFC 3230, RFC 1864), which would be others.
_DIGESTS = ("Content-Digest", "Repr-Digest", "Digest", "Content-MD5")
# What is larger is compressed beside the loop: at the highest level 4 KiB take some 0.2 ms, and a thread half of that.
_AT_ONCE = 4096  # bytes
_OFFLOAD = Offload("compress")
_GZIP, _ZLIB = 31, 15  # window bits as zlib takes them; `deflate` means the zlib format (RFC 9110 section 8.4.1.2)


class _Compressor(Protocol):
    """What compresses one body."""

    def compress(self, data: bytes, /) -> bytes: ...
    def sync(self) -> bytes: ...
    def finish(self) -> bytes: ...


class _Zlib:
    def __init__(self, window: int, level: int) -> None:
        self._stream = zlib.compressobj(level, zlib.DEFLATED, window)
        self.compress = self._stream.compress

    def sync(self) -> bytes:
        """All that has been given so far can be read by the client."""
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._stream.flush()


class _Brotli:
    def __init__(self, library: Any, level: int) -> None:
        stream = library.Compressor(quality=level)
        self.compress: Callable[[bytes], bytes] = stream.process
        self.sync: Callable[[], bytes] = stream.flush
        self.finish: Callable[[], bytes] = stream.finish


def _brotli() -> Any:
    """The brotli library if one is installed, else None."""
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _codings(value: Any) -> tuple[str, ...]:
    found = tuple(str(item).lower() for item in split_list(value))
    for name in found:
        if name not in ("br", "gzip", "deflate"):
            raise ValueError(f"{name!r} is not known; expected br, gzip or deflate")
        if name == "br" and _brotli() is None:
            raise ValueError("br needs a library: pip install brotli")
    return found


def _default_codings() -> tuple[str, ...]:
    return ("br", "gzip", "deflate") if _brotli() is not None else ("gzip", "deflate")


def _types(value: Any) -> tuple[str, ...]:
    return tuple(str(item).lower() for item in split_list(value))


class CompressOptions(Strict):
    """Options of compress."""

    codings: Annotated[tuple[str, ...], BeforeValidator(_codings)] = Field(
        default_factory=_default_codings,
        min_length=1,
        description="`br`, `gzip`, `deflate`, the best one first; `br` needs the package brotli",
    )
    level: int = Field(5, ge=1, le=9, description="1 is fast, 9 is small")
    min_size: Size = Field(1024, description="a smaller answer is sent as it is")
    types: Annotated[tuple[str, ...], BeforeValidator(_types)] = Field(
        (
            "text/", "application/json", "application/javascript", "application/xml", "application/manifest+json",
            "application/wasm", "image/svg+xml", "+json", "+xml",
        ),
        description="beginnings of content types, or with a `+` their ends",
    )  # fmt: skip


class Compress:
    """Compresses what is worth it. A body whose end is not known yet is flushed part by part, so that streams flow."""

    Options = CompressOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: CompressOptions) -> None:
        self._options = options

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        if not isinstance(response, RelayedResponse) or response.upgrades or not self._fits(response):
            return response
        _vary(response)
        coding = choose(request.headers.getall(hdrs.ACCEPT_ENCODING, []), self._options.codings)
        if coding is None:
            return response
        _weaken(response)
        if response.status == 304:
            return response
        flushes = hdrs.CONTENT_LENGTH not in response.headers and response.body is None
        response.headers[hdrs.CONTENT_ENCODING] = coding
        response.headers.popall(hdrs.ACCEPT_RANGES, None)
        if request.method == hdrs.METH_HEAD:
            response.headers.popall(hdrs.CONTENT_LENGTH, None)
        elif response.body is not None:
            response.replace(await _whole(response.body, self._stream(coding)))
        else:
            response.content = _compressed(response.content, self._stream(coding), flushes=flushes)
        return response

    def _fits(self, response: RelayedResponse) -> bool:
        """Whether this answer would be compressed for a client that takes it so."""
        headers = response.headers
        if response.status == 304:
            return True
        if not 200 <= response.status < 600 or response.status in (204, 206) or hdrs.CONTENT_ENCODING in headers:
            return False
        if "no-transform" in ",".join(headers.getall(hdrs.CACHE_CONTROL, [])).lower():
            return False
        if hdrs.CONTENT_RANGE in headers or any(name in headers for name in _DIGESTS):
            return False
        size = len(response.body) if response.body else int(headers.get(hdrs.CONTENT_LENGTH, self._options.min_size))
        kind = headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        return size >= self._options.min_size and any(
            kind.endswith(known) if known.startswith("+") else kind.startswith(known) for known in self._options.types
        )

    def _stream(self, coding: str) -> _Compressor:
        if coding == "br":
            return _Brotli(_brotli(), self._options.level)
        return _Zlib(_GZIP if coding == "gzip" else _ZLIB, self._options.level)


async def _whole(body: bytes, stream: _Compressor) -> bytes:
    def work() -> bytes:
        return stream.compress(body) + stream.finish()

    return work() if len(body) <= _AT_ONCE else await _OFFLOAD.run(work)


async def _compressed(parts: AsyncIterator[bytes], stream: _Compressor, *, flushes: bool) -> AsyncIterator[bytes]:
    def work(part: bytes) -> bytes:
        data = stream.compress(part)
        return data + stream.sync() if flushes else data

    begun = 0  # bytes that may still be in the stream
    async for part in parts:
        begun += len(part)
        data = work(part) if begun <= _AT_ONCE else await _OFFLOAD.run(work, part)
        if flushes:
            begun = 0
        if data:
            yield data
    yield stream.finish() if begun <= _AT_ONCE else await _OFFLOAD.run(stream.finish)


def choose(accepted: list[str], codings: tuple[str, ...]) -> str | None:
    """The coding to use, by the values of Accept-Encoding (RFC 9110 section 12.5.3), or None for none."""
    weights: dict[str, float] = {}
    for member in ",".join(accepted).lower().split(","):
        name, *parameters = (part.strip() for part in member.split(";"))
        weights[name] = _weight(parameters)
    rated = [(weights.get(name, weights.get("*", 0.0)), -place, name) for place, name in enumerate(codings)]
    best = max(rated)
    return best[2] if best[0] > 0 and best[0] >= weights.get("identity", 0.0) else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _vary(response: RelayedResponse) -> None:
    """Caches must not give this answer to clients that take others (RFC 9110 section 12.5.5)."""
    known = ",".join(response.headers.getall(hdrs.VARY, [])).lower().split(",")
    if not {"*", "accept-encoding"} & {name.strip() for name in known}:
        response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)


def _weaken(response: RelayedResponse) -> None:
    """Other bytes than the application's: no longer the same byte for byte (RFC 9110 section 8.8.1)."""
    etag = response.headers.get(hdrs.ETAG, "")
    if etag.startswith('"'):
        response.headers[hdrs.ETAG] = f"W/{etag}"
