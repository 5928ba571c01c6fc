"""Which hosts are this machine's own, or those of its link, however they are written."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from dockerproxy.routing.local_addresses import is_address, why_local

LOOPBACK = "a loopback address"
LINK = "a link-local address"
CLOUD = "where a cloud tells a machine its secrets"


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", LOOPBACK),
        ("127.8.8.8", LOOPBACK),
        ("::1", LOOPBACK),
        ("0.0.0.0", LOOPBACK),
        ("::", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("64:ff9b::7f00:1", LOOPBACK),
        ("2002:7f00:1::", LOOPBACK),
        ("127.1", LOOPBACK),
        ("2130706433", LOOPBACK),
        ("0x7f000001", LOOPBACK),
        ("0177.0.0.1", LOOPBACK),
        ("0x7f.0.1", LOOPBACK),
        ("0", LOOPBACK),
        ("localhost", LOOPBACK),
        ("LocalHost.", LOOPBACK),
        ("blog.localhost", LOOPBACK),
        ("ip6-localhost", LOOPBACK),
        ("169.254.169.254", LINK),
        ("169.254.0.1", LINK),
        ("2852039166", LINK),
        ("::ffff:a9fe:a9fe", LINK),
        ("fe80::1", LINK),
        ("fe80::1%eth0", LINK),
        ("febf::1", LINK),
        ("fd00:ec2::254", CLOUD),
        ("fd00:ec2::23", CLOUD),
        ("fd20:ce::254", CLOUD),
        ("fd00:42::42", CLOUD),
        ("100.100.100.200", CLOUD),
        ("10.0.0.1", ""),
        ("172.17.0.2", ""),
        ("169.253.255.255", ""),
        ("fd00:ec3::254", ""),
        ("fec0::1", ""),
        ("93.184.216.34", ""),
        ("blog", ""),
        ("localhost.example.com", ""),
        ("127.0.0.1.example.com", ""),
        ("256.1", ""),
        ("127.0.0.0.1", ""),
        ("0x", ""),
        ("08", ""),
    ],
)
def test_a_host_is_known_however_it_is_written(host: str, kind: str) -> None:
    assert why_local(host) == kind


@pytest.mark.parametrize(
    ("permitted", "host", "kind"),
    [
        ("127.0.0.0/8", "127.0.0.1", ""),
        ("127.0.0.0/8", "127.1", ""),
        ("127.0.0.0/8", "localhost", ""),
        ("::1/128", "localhost", ""),
        ("127.0.0.0/8", "::ffff:127.0.0.1", ""),
        ("127.0.0.0/8", "169.254.169.254", LINK),
        ("127.0.0.0/8", "0.0.0.0", LOOPBACK),
        ("169.254.169.254/32", "169.254.169.254", ""),
        ("169.254.169.254/32", "169.254.169.253", LINK),
        ("169.254.169.254/32", "localhost", LOOPBACK),
    ],
)
def test_what_is_permitted_is_nobodys_concern(permitted: str, host: str, kind: str) -> None:
    assert why_local(host, (ip_network(permitted),)) == kind


def test_a_name_has_to_be_looked_up() -> None:
    assert is_address("10.0.0.1")
    assert is_address("fe80::1%eth0")
    assert not is_address("blog")
    assert not is_address("localhost")
