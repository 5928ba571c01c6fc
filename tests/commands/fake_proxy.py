"""A proxy's admin handlers that answer what a test has told them to, over real http on loopback."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

UPSTREAM: dict[str, Any] = {
    "name": "blog-1",
    "url": "http://172.18.0.3:2368",
    "source": "docker",
    "container": "4f2a",
    "state": "up",
    "weight": 1,
    "in_flight": 0,
    "used_successfully": 12,
    "error_counter": 0,
    "consecutive_errors": 0,
    "total_time_seconds": 0.5,
    "benched_until": None,
    "last_error": None,
    "overrides": {"drained": None, "weight": None},
    "benches": 0,
}
ROUTE: dict[str, Any] = {
    "name": "blog",
    "source": "docker",
    "hosts": ["blog.localhost"],
    "path": "/*",
    "methods": [],
    "kind": "proxy",
    "requests": 12,
    "errors_shown": 0,
    "retries": 0,
    "held": 0,
    "latency_seconds": {"p50": 0.001, "p95": 0.012, "p99": 0.1},
    "in_flight": 0,
    "held_now": 0,
    "middlewares": [],
    "overrides": {"maintenance": None, "paused": None},
    "upstreams": [UPSTREAM],
    "handler": None,
}
CONTAINER: dict[str, Any] = {
    "id": "4f2a",
    "name": "blog-1",
    "state": "running",
    "routed": True,
    "routes": ["blog"],
    "address": "172.18.0.3:2368",
    "reasons": [],
    "why": [],
    "network": "front",
}
OWN_ROUTE = {**ROUTE, "name": "dockerproxy-health", "hosts": ["root.localhost"], "kind": "handler", "upstreams": [],
             "handler": {"name": "dockerproxy.web.admin:health"}, "requests": 0}  # fmt: skip


def upstream(**fields: Any) -> dict[str, Any]:
    """An upstream of the report that is up, but for these fields."""
    return {**copy.deepcopy(UPSTREAM), **fields}


def route(*upstreams: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A route of the report, but for these fields."""
    return {**copy.deepcopy(ROUTE), "upstreams": list(upstreams), **fields}


def container(**fields: Any) -> dict[str, Any]:
    """A container of the report that is routed, but for these fields."""
    return {**copy.deepcopy(CONTAINER), **fields}


def report(*routes: dict[str, Any], containers: list[dict[str, Any]] | None = None, **discovery: Any) -> dict[str, Any]:
    """A report made at 2026-01-31T12:01:00Z."""
    return {
        "proxy": {"version": "0.1.0", "started_at": "2026-01-31T12:00:00.000Z", "uptime_seconds": 60.0},
        "discovery": {"state": "connected", "error": None, "containers": containers or [], **discovery},
        "routes": list(routes),
    }


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeProxy:
    """It answers by path, or by what `on` computes; everything else is 404 as the data plane says it."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sites: dict[str, Callable[[], int]] = field(default_factory=dict)
    port: int = 0
    cut_at: int | None = None  # bytes of a body after which the connection breaks off

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, body: Any, status: int = 200) -> None:
        """From now on `path` is answered with this: JSON, or text as it is."""
        self.answers[path] = (status, body)

    def answer_to(self, asked: Asked) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(asked)
        host = asked.headers["host"]
        if host in self.sites:
            return self.sites[host](), b"a page"
        status, body = self.answers.get(
            asked.path, (404, "404 Not Found: The host is known, but no route for this path. (unknown_path)\n")
        )
        return status, (body if isinstance(body, str) else json.dumps(body)).encode()


def handler_for(proxy: FakeProxy) -> type[BaseHTTPRequestHandler]:
    """The handler of `http.server` that asks `proxy` for its answers."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, json.loads(text) if text else None)
            status, body = proxy.answer_to(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: proxy.cut_at])

        do_GET = do_POST = _serve  # noqa: N815  # the names of http.server

        def log_message(self, format: str, *args: Any) -> None:  # its parameters
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate leaves, as it should."""


class Serving:
    """A FakeProxy on a port of its own, in a thread; use it with `with`."""

    def __init__(self, proxy: FakeProxy) -> None:
        self._server = _Server(("127.0.0.1", 0), handler_for(proxy))
        proxy.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def server(self) -> ThreadingHTTPServer:
        return self._server

    def __enter__(self) -> Serving:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
