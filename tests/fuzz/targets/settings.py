"""Settings: every value that a person can write is read, or refused in one sentence; whole files likewise."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from dockerproxy.errors import SettingsError
from dockerproxy.settings import routes, values
from dockerproxy.settings.file import read_file
from dockerproxy.settings.load import validate

from .target import Unexpected, must

PARSERS: dict[str, Callable[[Any], Any]] = {
    "duration": values.parse_duration,
    "nanoseconds": values.parse_nanoseconds,
    "size": values.parse_size,
    "statuses": values.parse_statuses,
    "listen": values.parse_listen,
    "networks": values.parse_networks,
    "host": routes.parse_host,
    "hosts": routes.parse_hosts,
    "methods": routes.parse_methods,
    "prefix": routes.parse_prefix,
    "exact path": routes.parse_exact_path,
    "regex": routes.parse_regex,
    "upstream url": routes.parse_upstream_url,
}
# What is read must be readable again as it stands: the value is what the rest of the proxy compares.
_STABLE = ("host", "hosts", "methods", "prefix", "exact path", "regex", "upstream url")


class SettingsValues:
    """All parsers of values, with the input as text and as what YAML makes of it; and the reader of whole files."""

    words: Sequence[bytes] = (
        b"90s", b"1m30s", b"250ms", b"64k", b"10MiB", b":8888", b"127.0.0.1:80", b"[::1]:80", b"10.0.0.0/8",
        b"502,503", b"blog.localhost:8888", b"*.example.com", b"GET,POST", b"/api", b"^/(?P<a>x)$",
        b"http://localhost:2368", b".inf", b".nan", b"1e400", b"-1", b"null", b"true", b"[", b"]", b"{", b"}", b"- ",
        b": ", b"\n", b"  ", b"routes:\n", b"listen: ", b"bench: ", b"max_body: ", b"docker:\n  enabled: false\n",
        b"name: a\n", b"url: ", b"%", b"&a ", b"*a",
    )  # fmt: skip

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / "dockerproxy.yaml"

    def check(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for name, parse in PARSERS.items():
            self._check_value(name, parse, text)
        try:
            loaded = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):  # a date such as 2026-99-99 is a ValueError of YAML's own
            pass
        else:
            for name, parse in PARSERS.items():
                self._check_value(name, parse, loaded)
        self._check_file(data)

    def close(self) -> None:
        self._folder.cleanup()

    @staticmethod
    def _check_value(name: str, parse: Callable[[Any], Any], written: Any) -> None:
        with Unexpected(f"{name} {written!r}", ValueError) as refused:
            value = parse(written)
        if refused.raised:
            return
        if isinstance(value, (int, float)):
            must(math.isfinite(value) and value >= 0, f"{name} {written!r} is {value}")
        if name in _STABLE:
            with Unexpected(f"{name} {value!r}, which {written!r} was read as"):
                must(parse(value) == value, f"{name} {written!r} is {value!r}, and that is {parse(value)!r}")

    def _check_file(self, data: bytes) -> None:
        self._file.write_bytes(data)
        with Unexpected("a whole file", SettingsError):
            validate(read_file(self._file), "test")
