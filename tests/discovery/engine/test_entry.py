"""Entry: what is read of one container in the engine's list."""

from __future__ import annotations

import pytest

from dockerproxy.discovery.engine.entry import Entry


@pytest.mark.parametrize(
    ("mac", "hardware"),
    [
        ("8E:1F:03:aa:10:02", "8e:1f:03:aa:10:02"),
        ("02:42:ac:12:00:05", ""),  # 172.18.0.5, as older engines make it: whoever has the address has this one
        ("02:42:ac:12:00:06", "02:42:ac:12:00:06"),  # a person has chosen it
        ("", ""),
    ],
)
def test_a_link_layer_address_counts_where_it_tells_one_container_from_another(mac: str, hardware: str) -> None:
    place = {"NetworkID": "n", "IPAddress": "172.18.0.5", "Gateway": "172.18.0.1", "MacAddress": mac}
    data = {"Id": "c" * 64, "Names": ["/blog"], "NetworkSettings": {"Networks": {"front": place}}}
    (network,) = Entry.from_json(data).networks
    assert network.hardware == hardware
