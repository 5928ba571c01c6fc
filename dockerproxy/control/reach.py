"""What trying to connect to the upstreams adds to an explanation. Pure: the trying is done elsewhere.

A wrong port is the mistake that labels and states cannot show: such a container is routed, and answers nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from dockerproxy.control.evidence import Json
from dockerproxy.discovery.reason import Code
from dockerproxy.routing.route import DEFAULT_PORTS

Address = tuple[str, int]


def addresses_in(answer: Json) -> list[Address]:
    """Where the upstreams of an explanation are."""
    return list(dict.fromkeys(_address(row) for row in _rows(answer)))


def with_reach(answer: Json, failures: Mapping[Address, str]) -> Json:
    """The explanation with what came of connecting: `reached` at each of its upstreams, and the verdict that follows.

    failures: why no connection could be made, by address; the other addresses were reached
    """
    for row in _rows(answer):
        row["reached"] = _address(row) not in failures
    tried = [row for row in _rows(answer) if row["state"] != "draining"]
    failed = [row for row in tried if not row["reached"]]
    if answer["code"] not in (Code.ROUTED, Code.BENCHED) or not failed or len(failed) < len(tried):
        return answer
    host, port = _address(failed[0])
    text = f"nothing answers at {host}:{port}: {failures[host, port]}"
    mend = (
        f"let the application listen on port {port}, and on all addresses (0.0.0.0) rather than on 127.0.0.1;"
        " or name the right port with the label port"
    )
    answer["verdict"] += f"; but {text}"
    answer["code"] = str(Code.NOT_LISTENING)
    answer["reasons"].append({"code": str(Code.NOT_LISTENING), "text": text, "mend": mend})
    return answer


def _rows(answer: Json) -> Collection[Json]:
    rows: list[Json] = [*answer.get("routes", ()), *answer.get("upstreams", ())]
    return rows


def _address(row: Json) -> Address:
    """Of a container's route, or of a route's upstream."""
    parts = urlsplit(f"//{row['address']}" if "address" in row else row["url"])
    return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, DEFAULT_PORTS["http"])
