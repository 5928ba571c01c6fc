"""The kinds of value that settings and labels share: durations, sizes, addresses, status lists.

Each `parse_*` takes what a person wrote (a string, or a number from YAML) and returns the value, or raises
`ValueError` with a message that says what was expected. It never reads a file or the environment.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, PlainValidator

NONE = "none"  # written where there is to be no limit, or nothing of a list
REWRITE = "rewrite"
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_LONGEST_DURATION = 366 * 86400.0  # seconds; anything longer is a slip
_LARGEST_SIZE = 1 << 50  # bytes; anything larger is a slip
_SIZE_UNITS = {"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "kb": 1 << 10,
               "m": 1 << 20, "mib": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gib": 1 << 30, "gb": 1 << 30}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_SERVER_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Anything shorter as a number of nanoseconds would be under a millisecond: nobody benches for that long.
_LEAST_NANOSECONDS = 1_000_000


def parse_duration(value: Any) -> float:
    """Seconds, from `90`, `"90"`, `"90s"`, `"1m30s"`, `"250ms"`. Raises ValueError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not _is_finite(value):
            raise ValueError("expected a duration such as 90, 90s, 2m, 1m30s or 250ms")
        return _not_too_long(_not_negative(float(value), value), value)
    text = str(value).strip().lower().replace(" ", "")
    if _NUMBER.fullmatch(text):
        return _not_too_long(float(text), value)
    # As a whole first: a search for parts begins anew at each of many digits without a unit.
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a duration such as 90, 90s, 2m, 1m30s or 250ms")
    parts = _DURATION_PART.findall(text)
    return _not_too_long(sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts), value)


def parse_timeout(value: Any) -> float | None:
    """As `parse_duration`; None for `none`: as long as it likes. Raises ValueError."""
    if _is_none(value):
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or none") from None


def _is_some_time(value: float | None) -> float | None:
    if value == 0:
        raise ValueError("expected more than 0, or none")
    return value


def parse_nanoseconds(value: Any) -> float:
    """Seconds, from what the Go project writes for a duration: its JSON holds nanoseconds."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_NANOSECONDS:
        return _not_too_long(value / 1e9, value) if _is_finite(value) else parse_duration(value)
    return parse_duration(value)


def parse_size(value: Any) -> int:
    """Bytes, from `65536`, `"64k"`, `"10MiB"`. Raises ValueError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value):
        return int(_not_too_large(_not_negative(value, value), value))
    match = _SIZE.fullmatch(str(value).strip().lower())
    if match is None or match[2] not in _SIZE_UNITS:
        raise ValueError("expected a size such as 65536, 64k, 10MiB or 1g")
    return int(_not_too_large(float(match[1]) * _SIZE_UNITS[match[2]], value))


def parse_size_limit(value: Any) -> int | None:
    """As `parse_size`; None for `none`: any size. Raises ValueError."""
    if _is_none(value):
        return None
    try:
        return parse_size(value)
    except ValueError as error:
        raise ValueError(f"{error}, or none") from None


def parse_strip_prefix(value: Any) -> bool | str:
    """True, False or `rewrite`. Raises ValueError."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text == REWRITE:
        return text
    if text not in _SWITCH:
        raise ValueError("expected true, false or rewrite")
    return _SWITCH[text]


def parse_statuses(value: Any) -> frozenset[int]:
    """HTTP status codes, from `502`, `[502, 503]` or `"502,503"`. Raises ValueError."""
    found = set()
    for item in split_list(value):
        text = str(item)
        if not (text.isdecimal() and 300 <= int(text) <= 599):
            raise ValueError(f"{text!r} is not a status code from 300 to 599; write for example 502,503")
        found.add(int(text))
    return frozenset(found)


def split_list(value: Any) -> list[Any]:
    """The items of a list, or of a comma-separated string; empty items are left out."""
    if value is None:
        return []
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, Iterable):
        return list(value)
    return [value]


class ListenAddress(NamedTuple):
    """Where to listen, and whether TLS is spoken there. An empty host means all addresses of this machine, those of
    IPv6 as well; `0.0.0.0` those of IPv4."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https://' if self.tls else ''}{host}:{self.port}"


def parse_listen(value: Any) -> ListenAddress:
    """`:8888`, `127.0.0.1:8888`, `[::1]:8888` or `8888`; for TLS with `https://` before it. Raises ValueError."""
    if isinstance(value, ListenAddress):
        return value
    if isinstance(value, (list, tuple)) and len(value) == 2:
        value = f"{value[0]}:{value[1]}"
    scheme, separator, rest = str(value).strip().rpartition("://")
    host, _, port = rest.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    wrong_scheme = separator and scheme.lower() not in ("http", "https")
    if wrong_scheme or not port.isdecimal() or int(port) > 65535 or "/" in host or (":" in host and not bracketed):
        raise ValueError(
            "expected an address such as :8888, 127.0.0.1:8888 or [::1]:8888, with a port up to 65535,"
            " and https:// before it for TLS"
        )
    return ListenAddress("" if host == "*" else host, int(port), scheme.lower() == "https")


def parse_server_name(value: Any) -> str:
    """The name in a certificate: a domain without a port, or an IP address. Raises ValueError."""
    text = str(value).strip().lower().rstrip(".")
    if not _SERVER_NAME.fullmatch(text):
        raise ValueError(f"{value!r} is not a name in a certificate; write for example api.internal, without a port")
    return text


def parse_networks(value: Any) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """IP networks, from `10.0.0.0/8`, a list, or a comma-separated string. Raises ValueError."""
    networks = []
    for item in split_list(value):
        try:
            networks.append(ipaddress.ip_network(str(item), strict=False))
        except ValueError:
            raise ValueError(
                f"{item!r} is not an IP address or network; write for example 10.0.0.0/8 or 192.168.1.7"
            ) from None
    return tuple(networks)


def parse_page_handler(value: Any) -> Any:
    """What makes a page: the name `module:name`, or, from Python, the handler itself. Raises ValueError."""
    if isinstance(value, str) or callable(value):
        return value
    raise ValueError("expected `module:name`, as in examples.pages:hello, or in Python a handler")


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() == NONE)


def _is_finite(number: float) -> bool:
    """Whether a float can hold it; an integer may be larger than any."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _not_too_large(size: float, written: Any) -> float:
    if size > _LARGEST_SIZE:
        raise ValueError(f"{written} is larger than 1,048,576 GiB; expected a size such as 65536, 64k, 10MiB or 1g")
    return size


def _not_too_long(seconds: float, written: Any) -> float:
    if seconds > _LONGEST_DURATION:
        raise ValueError(f"{written} is longer than a year; expected a duration such as 90s or 2m")
    return seconds


def _not_negative(number: float, written: Any) -> float:
    if number < 0:
        raise ValueError(f"{written} is negative; expected 0 or more")
    return number


Duration = Annotated[float, BeforeValidator(parse_duration)]
Timeout = Annotated[float | None, BeforeValidator(parse_timeout)]
PositiveTimeout = Annotated[Timeout, AfterValidator(_is_some_time)]
Size = Annotated[int, BeforeValidator(parse_size)]
SizeLimit = Annotated[int | None, BeforeValidator(parse_size_limit)]
Statuses = Annotated[frozenset[int], BeforeValidator(parse_statuses), PlainSerializer(lambda found: sorted(found))]
Listen = Annotated[ListenAddress, BeforeValidator(parse_listen), PlainSerializer(str)]
Networks = Annotated[
    tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...],
    BeforeValidator(parse_networks),
    PlainSerializer(lambda networks: [str(network) for network in networks]),
]
PageHandler = Annotated[str | Callable[..., Any], PlainValidator(parse_page_handler)]
