"""What a container exposes is asked for where the list does not show it, until it is known."""

from __future__ import annotations

from dockerproxy.discovery.engine.exposed_ports import ExposedPorts
from tests.discovery.support import entry


def test_one_that_could_not_be_asked_is_asked_again() -> None:
    answers = iter([None, (8080,)])
    exposed = ExposedPorts()

    def listed() -> list[object]:
        data = entry({}, ports=[])
        exposed.complete([data], lambda _data: True, lambda _id: next(answers))
        return [port["PrivatePort"] for port in data["Ports"]]

    assert [listed(), listed(), listed()] == [[], [8080], [8080]]


def test_ports_that_the_list_shows_stay_as_they_are() -> None:
    shown = [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}]
    exposed = ExposedPorts()
    exposed.complete([entry({}, ports=[])], lambda _data: True, lambda _id: (9090,))
    data = entry({}, ports=shown)
    exposed.complete([data], lambda _data: False, lambda _id: None)

    assert data["Ports"] == shown


def test_one_that_is_gone_is_forgotten() -> None:
    exposed = ExposedPorts()
    exposed.complete([entry({}, ports=[])], lambda _data: True, lambda _id: ())
    assert repr(exposed) == "<ExposedPorts of 1 containers>"
    exposed.keep(set())
    assert repr(exposed) == "<ExposedPorts of 0 containers>"
