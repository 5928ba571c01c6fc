"""The kernel's table of neighbours."""

from __future__ import annotations

from pathlib import Path

from dockerproxy.proxy.upstream.neighbours import hardware_of

TABLE = """\
IP address       HW type     Flags       HW address            Mask     Device
172.17.0.3       0x1         0x2         8E:1f:03:aa:10:02     *        docker0
172.17.0.4       0x1         0x0         00:00:00:00:00:00     *        docker0
"""


def test_who_is_at_an_address_is_told_where_it_is_known(tmp_path: Path) -> None:
    table = tmp_path / "arp"
    table.write_text(TABLE)
    addresses = ("172.17.0.3", "172.17.0.4", "172.17.0.5", "::1", "")
    assert [hardware_of(address, table) for address in addresses] == ["8e:1f:03:aa:10:02", "", "", "", ""]
    assert hardware_of("172.17.0.3", tmp_path / "none") == ""


def test_the_table_of_this_machine_is_read_as_it_is() -> None:
    assert hardware_of("127.0.0.1") == ""
