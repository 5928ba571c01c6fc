"""RequestBody: what has come of a request's body, kept for as long as it may have to be sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dockerproxy.http1.editing import without
from dockerproxy.http1.head import RequestHead

# Enough for a form; a larger upload gets one attempt once it has begun to flow.
REPLAY_LIMIT = 64 << 10  # bytes


class RequestBody:
    """The body of one request.

    announced:  bytes that its head tells, or a negative number
    limit:      most bytes that it may have, or None
    size:       bytes that have come
    ended:      whether that is all
    replayable: whether everything that has come is still kept
    withheld:   names of fields that the client may not say behind it, since somebody says them before
    """

    __slots__ = ("_announced", "_limit", "_pieces", "_trailers", "ended", "replayable", "size", "withheld")

    def __init__(self, announced: int, limit: int | None) -> None:
        self._announced = announced
        self._limit = limit
        self._pieces: list[bytes] = []
        self.size = 0
        self.ended = False
        self.replayable = True
        self.withheld: Collection[str] = ()
        self._trailers: Sequence[bytes] = ()

    def __repr__(self) -> str:
        return f"<RequestBody {self.size} bytes{', ended' if self.ended else ''}>"

    @property
    def full(self) -> bool:
        """Whether no more can be kept."""
        return self.size > REPLAY_LIMIT

    @property
    def fits(self) -> bool:
        """Whether all of it can be kept, as far as that is known already."""
        return max(self.size, self._announced) <= REPLAY_LIMIT and (self.ended or self._announced >= 0)

    @property
    def too_large(self) -> bool:
        """Whether it is larger than it may be, by what has come or by what its head announced."""
        return self._limit is not None and max(self.size, self._announced) > self._limit

    @property
    def trailers(self) -> Sequence[bytes]:
        """Field lines behind it, those that may be passed on."""
        return without(self._trailers, self.withheld) if self.withheld else self._trailers

    def end(self, trailers: Sequence[bytes]) -> None:
        """All of it has come."""
        self.ended = True
        self._trailers = trailers

    def allow(self, limit: int | None) -> None:
        """Set one more limit, the lower one counts."""
        limits = [each for each in (self._limit, limit) if each is not None]
        self._limit = min(limits, default=None)

    def all_there(self, head: RequestHead) -> bool:
        """Whether waiting brings no more of it: all has come, or all that can be kept, or its client waits itself."""
        return self.ended or self.full or head.expect

    def add(self, data: bytes, *, flowing: bool) -> None:
        """Take the next part. Once it is `flowing` to an upstream, more than can be kept is not kept at all."""
        self.size += len(data)
        if flowing and self.full:
            self._drop()
        if self.replayable:
            self._pieces.append(data)

    def take(self) -> bytes:
        """All that has come, to be sent to an upstream. Raises nothing; must not be called when not replayable."""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if self.full:
            self._drop()
        elif len(self._pieces) > 1:
            self._pieces = [data]
        return data

    def _drop(self) -> None:
        self.replayable = False
        self._pieces.clear()
