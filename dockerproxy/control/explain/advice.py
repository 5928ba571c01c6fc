"""Advice: what to do about a reason, in words that can be followed, and what makes them count. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerproxy.control.explain.evidence import Evidence
from dockerproxy.control.explain.lookup import Container, known_networks, most_like, networks_of, service_of
from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reading import COMPOSE_PROJECT, COMPOSE_VERSION
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.suggestions import likely_ports, suggested_value, unfilled_variable, without_quotes
from dockerproxy.labels.table import BY_NAME
from dockerproxy.labels.traefik import traefik_hosts, traefik_port

# Labels are fixed when a container is created.
_MENDED_BY_LABELS = frozenset({
    Code.NEAR_PREFIX, Code.UNKNOWN_LABEL, Code.WRONG_VALUE, Code.NO_PREFIX_TO_STRIP, Code.TWO_PATHS, Code.NO_DOMAIN,
    Code.FORBIDDEN, Code.ONE_OFF, Code.NO_LABEL, Code.NO_PORT, Code.SEVERAL_PORTS, Code.PLACE_TAKEN,
    Code.UNKNOWN_PROTECTION, Code.ONE_MORE_ROUTE, Code.HANDLER_ROUTE, Code.OLDER_CONTAINER_WINS, Code.FIRM_ROUTE_WINS,
})  # fmt: skip

_ALIKE = {
    Code.OLDER_CONTAINER_WINS: "write the same label on all containers of the route",
    Code.FIRM_ROUTE_WINS: "change the route where it was made, and remove the label",
}


def mend_of(reason: Reason, container: Container, evidence: Evidence) -> str:
    """What to do about it, with the command that makes new labels count."""
    mend = reason.mend
    if reason.meant:
        written = container.labels.get(reason.label, "")
        value = _value_under(reason.meant, written, container, evidence)
        mend = f"rename the label to {reason.meant}" if value == written else f"write {reason.meant}={value} instead"
    elif reason.code is Code.WRONG_VALUE:
        mend = _right_value(reason, container, evidence) or mend or _example(reason, evidence)
    elif reason.code in (Code.OLDER_CONTAINER_WINS, Code.FIRM_ROUTE_WINS):
        own = f"{evidence.reader.key('route')}={container.name}"
        mend = f"{_ALIKE[reason.code]}, or give this one a route of its own: {own}"
    elif reason.code is Code.UNKNOWN_NETWORK:
        mend = _right_network(container, evidence) or mend
    elif reason.code is Code.FORBIDDEN:
        mend = f"remove the label {reason.label}, or set it to true"
    return recreated(mend, container) if mend and reason.code in _MENDED_BY_LABELS else mend


def recreated(mend: str, container: Container) -> str:
    """A mend of labels, with what makes it count."""
    return f"{mend}; then {_recreate(container)}"


def as_meant(view: ContainerView, evidence: Evidence) -> Mapping[str, str]:
    """Its labels, with the names and values that were probably meant."""
    labels = dict(view.labels)
    for reason in view.reasons:
        if reason.code is Code.WRONG_VALUE and (better := _meant_value(reason, view, evidence)):
            labels[reason.label] = better
        if reason.meant and reason.label in labels:
            value = labels.pop(reason.label)
            labels.setdefault(reason.meant, _value_under(reason.meant, value, view, evidence))
    return labels


def labels_to_add(entry: Entry, evidence: Evidence) -> Mapping[str, str]:
    """What a container without a label of ours needs to be where its labels for Traefik put it, or else anywhere."""
    hosts, port = traefik_hosts(entry.labels), traefik_port(entry.labels)
    labels = {evidence.reader.key("host"): ",".join(hosts)} if hosts else {evidence.reader.key("enable"): "true"}
    return {**labels, evidence.reader.key("port"): port} if port else labels


def add_labels(labels: Mapping[str, str]) -> str:
    """In words."""
    written = " and ".join(f"{label}={value}" for label, value in labels.items())
    return f"add the label{'s' if len(labels) > 1 else ''} {written}"


def any_of(label: str, values: Iterable[int | str]) -> str:
    """The label with each of the values that it may have: `dockerproxy.port=80 or dockerproxy.port=8080`."""
    return " or ".join(f"{label}={value}" for value in values)


def _right_value(reason: Reason, container: Container, evidence: Evidence) -> str:
    """The label with the value that was probably meant, or where to find it; "" if that is not known."""
    label, written = reason.label, container.labels.get(reason.label, "")
    variable = unfilled_variable(written)
    if variable:
        return f"set the variable {variable}, which nobody has filled in, or write the value itself in {label}"
    value = _meant_value(reason, container, evidence)
    if value:
        return f"write {label}={value}" + ("" if without_quotes(written) == written else ", without the quotes")
    ports = likely_ports(written, container.exposed) if _option(label, evidence) == "port" else []
    return f"write {any_of(label, ports)}, whichever the application listens on" if ports else ""


def _meant_value(reason: Reason, container: Container, evidence: Evidence) -> str:
    option = _option(reason.label, evidence)
    return (
        suggested_value(option, container.labels.get(reason.label, ""), container.exposed) if option in BY_NAME else ""
    )


def _value_under(label: str, written: str, container: Container, evidence: Evidence) -> str:
    """The value that another label is to have, where the one that was written is nothing for it."""
    option = _option(label, evidence)
    try:
        BY_NAME[option].parse(written)
    except ValueError:
        return suggested_value(option, written, container.exposed) or written
    return written


def _right_network(container: Container, evidence: Evidence) -> str:
    """What to do about a label that names a network which the container is not on; "" where it is no label."""
    label = next((label for label in container.labels if _option(label, evidence) == "network"), "")
    wanted, project = container.labels.get(label, ""), container.labels.get(COMPOSE_PROJECT, "")
    own, known = networks_of(container), known_networks(evidence)
    there = next((name for name in (wanted, f"{project}_{wanted}") if name in known), "")
    if not label or not own or there:
        return f"run: docker network connect {there} {container.name}" if there else ""
    like = most_like(wanted, (name.removeprefix(f"{project}_") for name in own))
    if like:
        return recreated(f"write {label}={like}", container)
    mend = f"run: docker network connect {wanted} {container.name}"
    return recreated(f"{mend}; or, if there is no such network, write {any_of(label, own)}", container)


def _example(reason: Reason, evidence: Evidence) -> str:
    """The label with a value that is right."""
    option = _option(reason.label, evidence)
    return f"write for example {reason.label}={BY_NAME[option].example}" if option in BY_NAME else ""


def _option(label: str, evidence: Evidence) -> str:
    return (evidence.reader.interpret(label) or ("", ""))[1]


def _recreate(container: Container) -> str:
    service = service_of(container)
    if service:
        command = "docker-compose" if container.labels.get(COMPOSE_VERSION, "").startswith("1.") else "docker compose"
        return f"run: {command} up -d {service}"
    return f"create the container anew (docker rm --force {container.name}, and docker run as before)"
