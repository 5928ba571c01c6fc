"""Labels: whatever a container bears, there is a reading; what is wrong with it is told in words, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from dockerproxy.labels.native import LabelReader

from .target import Unexpected, must


class Labels:
    """LabelReader. An input is lines of `label=value`."""

    words: Sequence[bytes] = (
        b"dockerproxy.", b"enable=true\n", b"enable=false\n", b"route=", b"host=a.localhost:80,*.b\n", b"port=80\n",
        b"path=/a\n", b"path_regex=^/(?P<x>a)$\n", b"method=GET,POST\n", b"weight=3\n", b"scheme=https\n", b"network=",
        b"error_statuses=502,503\n", b"response_timeout=30s\n", b"max_body=1m\n", b"strip_prefix=true\n", b"api.",
        b"=", b"\n", b".", b"*", b"(", b"\\", b"\xc3\xa4", b"-1", b"1e999", b"nan", b"com.docker.compose.oneoff=True\n",
    )  # fmt: skip

    def check(self, data: bytes) -> None:
        pairs = (line.partition("=") for line in data.decode("utf-8", "replace").split("\n"))
        labels = {key: value for key, _, value in pairs}
        reader = LabelReader("dockerproxy", "localhost")
        with Unexpected("reading"):
            reading = reader.read(labels, "container", "service")
            again = reader.read(dict(reversed(labels.items())), "container", "service")
        must(reading == again, "the order of the labels matters")
        names = [route.name for route in reading.routes]
        must(len(set(names)) == len(names), f"a route is asked for twice: {names}")
        for reason in reading.reasons:
            must(bool(reason) and "\n" not in reason, f"not one line of words: {reason!r}")

    def close(self) -> None:
        """Nothing was started."""
