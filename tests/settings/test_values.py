"""The kinds of value: what a person may write, and what is said when it cannot be understood."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from dockerproxy.settings.values import (
    ListenAddress,
    parse_duration,
    parse_listen,
    parse_nanoseconds,
    parse_networks,
    parse_size,
    parse_statuses,
    split_list,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        (1.5, 1.5),
        (0, 0.0),
        ("90", 90.0),
        ("1.5", 1.5),
        ("90s", 90.0),
        ("2m", 120.0),
        ("1m30s", 90.0),
        ("250ms", 0.25),
        ("1h", 3600.0),
        ("1d", 86400.0),
        (" 2 M ", 120.0),
        ("1.5h", 5400.0),
    ],
)
def test_durations(written: Any, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "never", "10x", "s", "1m30", "-5", "-5s", "1,5s", None, True, [], "5 minutes", "1e3"]
)
def test_what_is_no_duration(written: Any) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 90, 90s, 2m"):
        parse_duration(written)


@pytest.mark.parametrize("written", [-1, -0.5])
def test_a_negative_duration_is_named(written: float) -> None:
    with pytest.raises(ValueError, match=f"{written} is negative; expected 0 or more"):
        parse_duration(written)


@pytest.mark.parametrize("written", [float("nan"), float("inf")])
def test_a_duration_is_a_finite_number(written: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(90_000_000_000, 90.0), (90, 90.0), (1_000_000, 0.001), (999_999, 999_999.0), ("90s", 90.0), (90.0, 90.0)],
)
def test_the_go_project_writes_nanoseconds(written: Any, seconds: float) -> None:
    assert parse_nanoseconds(written) == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (65536, 65536),
        ("65536", 65536),
        ("64k", 65536),
        ("64 KiB", 65536),
        ("64kb", 65536),
        ("1.5k", 1536),
        ("10MiB", 10 << 20),
        ("10m", 10 << 20),
        ("1g", 1 << 30),
        ("7b", 7),
    ],
)
def test_sizes(written: Any, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "big", "10x", "-1", None, True, "k", "1 k b"])
def test_what_is_no_size(written: Any) -> None:
    with pytest.raises(ValueError, match="expected a size such as 65536, 64k, 10MiB or 1g"):
        parse_size(written)


@pytest.mark.parametrize(
    ("written", "statuses"),
    [
        (502, {502}),
        ("502", {502}),
        ("502, 503", {502, 503}),
        ([502, "503"], {502, 503}),
        ("", set()),
        (None, set()),
        ([], set()),
    ],
)
def test_status_lists(written: Any, statuses: set[int]) -> None:
    assert parse_statuses(written) == statuses


@pytest.mark.parametrize("written", ["200", 600, "5xx", -502, 299, "502;503", True])
def test_what_is_no_error_status(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a status code from 300 to 599; write for example 502,503"):
        parse_statuses(written)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (":8888", ListenAddress("", 8888)),
        ("8888", ListenAddress("", 8888)),
        (8888, ListenAddress("", 8888)),
        ("127.0.0.1:8888", ListenAddress("127.0.0.1", 8888)),
        ("[::1]:8888", ListenAddress("::1", 8888)),
        ("*:8888", ListenAddress("", 8888)),
        ("0.0.0.0:8888", ListenAddress("0.0.0.0", 8888)),
        ("localhost:0", ListenAddress("localhost", 0)),
        (("127.0.0.1", 1), ListenAddress("127.0.0.1", 1)),
        ("http://:80", ListenAddress("", 80)),
        ("https://:8443", ListenAddress("", 8443, True)),
        ("HTTPS://[::1]:8443", ListenAddress("::1", 8443, True)),
        (ListenAddress("a", 1), ListenAddress("a", 1)),
    ],
)
def test_listen_addresses(written: Any, address: ListenAddress) -> None:
    assert parse_listen(written) == address


@pytest.mark.parametrize(
    "written",
    ["", "localhost", ":", ":http", ":99999", "::1", ":-1", None, "http://localhost", "tcp://:80", "https://:8443/x"],
)
def test_what_is_no_listen_address(written: Any) -> None:
    with pytest.raises(ValueError, match="expected an address such as :8888, 127"):
        parse_listen(written)


LISTEN_ADDRESSES = [":1", "h:2", "[::1]:3", "https://:4", "https://[::1]:5"]


def test_listen_addresses_read_back_as_they_are_written() -> None:
    assert [str(parse_listen(text)) for text in LISTEN_ADDRESSES] == LISTEN_ADDRESSES


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.1.2.3/8, ::1", ["10.0.0.0/8", "::1/128"]),
        (["192.168.1.7"], ["192.168.1.7/32"]),
        ("", []),
    ],
)
def test_networks(written: Any, networks: list[str]) -> None:
    assert parse_networks(written) == tuple(map(ip_network, networks))


@pytest.mark.parametrize("written", ["10.0.0.0/33", "localhost", "10.0.0", "1.2.3.4-1.2.3.9"])
def test_what_is_no_network(written: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address or network; write for example 10"):
        parse_networks(written)


def test_lists_are_lists_or_words_with_commas() -> None:
    assert split_list("a, b,,c ") == ["a", "b", "c"]
    assert split_list(["a", "b"]) == ["a", "b"]
    assert split_list(7) == [7]
    assert split_list(None) == []


@pytest.mark.parametrize("parse", [parse_duration, parse_nanoseconds, parse_size])
@pytest.mark.parametrize("written", ["9" * 400, "9" * 5000, 10**400, 10**30], ids=["400", "5000", "integer", "large"])
def test_numbers_without_measure_are_refused(parse: Callable[[Any], float], written: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a (duration|size) such as"):
        parse(written)
