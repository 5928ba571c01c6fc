"""What trying to connect to the upstreams adds to an explanation. Pure: the trying is done elsewhere.

A wrong port is the mistake that labels and states cannot show: such a container is routed, and answers nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from dockerproxy.control.explain.advice import any_of, recreated
from dockerproxy.control.explain.evidence import Evidence, Json
from dockerproxy.control.explain.lookup import find
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reason import Code
from dockerproxy.routing.route import DEFAULT_PORTS, Route, Source

_MOST_TOLD = 5
_MOST_TRIED = 256  # addresses
_TLS_ENDING = "443"  # of 443, 8443, 9443
# Nobody is sent there now, for reasons that are told already.
_OUT_OF_SERVICE = frozenset({Code.DRAINING, Code.ROUTE_PAUSED, "maintenance", "no_upstream", "https_required"})


class Address(NamedTuple):
    """Where an upstream is.

    tls:     whether it is to speak TLS
    doubted: whether it may speak TLS though it is not to: it has failed, or its port is one where TLS is usual
    """

    host: str
    port: int
    tls: bool = False
    doubted: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Failure(NamedTuple):
    """Why an address is of no use.

    no_tls:   it takes connections, but speaks no TLS
    tls_only: it speaks TLS, which is not expected of it
    """

    why: str
    no_tls: bool = False
    tls_only: bool = False


def addresses_in(answer: Json) -> list[Address]:
    """Where the upstreams of an explanation are; of very many, those that are worth trying while somebody waits."""
    return list(islice(dict.fromkeys(_address(row) for row in _rows(answer)), _MOST_TRIED))


def with_reachability(answer: Json, failures: Mapping[Address, Failure], evidence: Evidence) -> Json:
    """The explanation with what came of connecting: `reached` at each of its upstreams, and the verdict that follows.

    failures: those of `addresses_in` that are of no use; the others of it were reached
    """
    addresses = frozenset(addresses_in(answer))
    for row in _rows(answer):
        address = _address(row)
        row["reached"] = address not in failures if address in addresses else None
    tried = [row for row in _rows(answer) if row["state"] != "draining" and row["reached"] is not None]
    failed = [row for row in tried if not row["reached"]]
    if answer["code"] in _OUT_OF_SERVICE or not failed:
        return answer
    reasons = [_reason(answer, row, failures[_address(row)], evidence) for row in failed[:_MOST_TOLD]]
    answer["verdict"] = _verdict(answer, reasons[0]["text"], len(failed), len(tried))
    answer["code"] = reasons[0]["code"]
    answer["reasons"][:0] = reasons
    return answer


def _verdict(answer: Json, text: str, failed: int, tried: int) -> str:
    if failed < tried and "upstreams" in answer and answer["code"] == Code.ROUTED:
        does = "does" if failed == 1 else "do"
        return f"route {answer['route']} answers, but {failed} of its {tried} upstreams {does} not: {text}"
    if answer["code"] in (Code.ROUTED, Code.BENCHED):
        return f"{answer['verdict']}; but {text}"
    # What is not as its labels ask is told among the reasons; that nobody answers matters more.
    return f"{answer['verdict'].partition('; but ')[0]}; but {text}"


def _reason(answer: Json, row: Json, failure: Failure, evidence: Evidence) -> Json:
    address = _address(row)
    route = evidence.route(row["route"] if "route" in row else answer["route"])
    container = _container(answer, row, route, evidence)
    if failure.no_tls:
        code, text = Code.NO_TLS, f"{address} answers, but does not speak TLS: {failure.why}"
    elif failure.tls_only:
        code, text = Code.TLS_ONLY, f"{address} speaks TLS, and is sent plain http: {failure.why}"
    else:
        code, text = Code.NOT_LISTENING, f"nothing answers at {address}: {failure.why}"
    if len(answer.get("upstreams", ())) > 1:
        text = f"{text} ({row['name']})"
    mend = _mend_elsewhere(address, failure, route) if container is None or route is None else (
        _mend(address, failure, route, container, evidence)
    )  # fmt: skip
    return {"code": str(code), "text": text, "mend": mend}


def _mend(address: Address, failure: Failure, route: Route, container: ContainerView, evidence: Evidence) -> str:
    if failure.no_tls:
        return recreated(f"write {_label('scheme', route, container, evidence)}=http", container)
    if failure.tls_only:
        scheme, verify = (_label(option, route, container, evidence) for option in ("scheme", "tls_verify"))
        return recreated(f"write {scheme}=https, and {verify}=false if it has signed its certificate itself", container)
    label, exposed = _label("port", route, container, evidence), container.exposed
    if exposed and address.port not in exposed and evidence.settings.docker.address != "published":
        which = "which the container exposes" if len(exposed) == 1 else "whichever the application listens on"
        return recreated(f"write {any_of(label, exposed)}, {which}", container)
    other = recreated(f"or name its port with the label {label}", container)
    return f"let the application listen on port {address.port}, and on all addresses (0.0.0.0, not 127.0.0.1); {other}"


def _mend_elsewhere(address: Address, failure: Failure, route: Route | None) -> str:
    """Of what is no container."""
    if failure.no_tls:
        mend = "write http:// instead of https:// in the URL of the upstream"
    elif failure.tls_only:
        mend = "write https:// instead of http:// in the URL of the upstream"
    else:
        mend = f"start what is to answer at {address}, or mend the URL of the upstream"
    dynamic = route is not None and route.source is Source.DYNAMIC
    where = f"dockerproxy remove {route.name}, then add it anew" if dynamic and route else "in the proxy's settings"
    return f"{mend}: {where}"


def _label(option: str, route: Route, container: ContainerView, evidence: Evidence) -> str:
    """The label that says so, else the one that would."""
    own = [label for label in container.labels if evidence.reader.interpret(label) == (route.name, option)]
    return own[0] if own else evidence.reader.key(option)


def _container(answer: Json, row: Json, route: Route | None, evidence: Evidence) -> ContainerView | None:
    """The container behind a row, if it is one."""
    if "container" in answer:
        found = find(answer["container"], evidence)
        return found.container if found is not None and isinstance(found.container, ContainerView) else None
    upstreams = route.upstreams if route is not None else ()
    ids = {each.container for each in upstreams if (each.name, each.url) == (row["name"], row["url"])}
    return next((view for view in evidence.containers if view.id in ids), None)


def _rows(answer: Json) -> Collection[Json]:
    rows: Sequence[Json] = [*answer.get("routes", ()), *answer.get("upstreams", ())]
    return rows


def _address(row: Json) -> Address:
    """Of a container's route, or of a route's upstream."""
    parts = urlsplit(f"{row['scheme']}://{row['address']}" if "address" in row else row["url"])
    port, tls = parts.port or DEFAULT_PORTS.get(parts.scheme, 80), parts.scheme == "https"
    return Address(
        parts.hostname or "", port, tls, not tls and bool(str(port).endswith(_TLS_ENDING) or row.get("last_error"))
    )
