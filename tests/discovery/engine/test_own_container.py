"""The proxy's own container, as far as clients come through its ports."""

from __future__ import annotations

from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.engine.own_container import OwnContainer

PORTS = [
    {"PrivatePort": 8888, "PublicPort": 80, "IP": "0.0.0.0", "Type": "tcp"},
    {"PrivatePort": 8888, "PublicPort": 8081, "IP": "127.0.0.1", "Type": "tcp"},
    {"PrivatePort": 8443, "Type": "tcp"},
]


def own(mode: str = "front") -> OwnContainer:
    networks = {"front": {"NetworkID": "n1", "IPAddress": "172.18.0.2", "Gateway": "172.18.0.1"}}
    listed = {"Id": "c" * 64, "Names": ["/proxy"], "State": "running", "HostConfig": {"NetworkMode": mode}}
    entry = Entry.from_json({**listed, "Ports": PORTS, "NetworkSettings": {"Networks": networks}})
    return OwnContainer.from_entry(entry, lambda _name: "")


def test_its_published_ports_are_known_with_where_they_are_bound() -> None:
    assert [(port.private, port.public, port.address) for port in own().published] == [
        (8888, 80, "0.0.0.0"),
        (8888, 8081, "127.0.0.1"),
    ]
    assert own().published_as == {8888: 80}


def test_clients_through_them_seem_to_come_from_the_gateways() -> None:
    assert own().gateways == ["172.18.0.1"]
