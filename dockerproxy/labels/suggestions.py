"""LabelSuggestions: which label of ours was probably meant by one that is none. Pure.

A slip in the option (`dockerproxy.hots`) is guessed from the letters, from the order of the parts, and from words that
people bring along from elsewhere; a slip in the prefix (`docker-proxy.host`) from the letters and digits alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from dockerproxy.labels.protection import protection_asked_for
from dockerproxy.labels.table import BY_NAME, LARGEST_PORT
from dockerproxy.labels.traefik import route_in, rule_hosts

# Words that people bring along from elsewhere and that no likeness of letters leads to the right label.
_ELSEWHERE = {
    "domain": "host",
    "domains": "host",
    "hostname": "host",
    "url": "host",
    "rule": "host",
    "name": "route",
    "service": "route",
    "prefix": "path",
    "path_prefix": "path",
    "regex": "path_regex",
    "protocol": "scheme",
    "proto": "scheme",
    "net": "network",
    "timeout": "response_timeout",
    "virtual_host": "host",
    "virtual_port": "port",
    "virtual_path": "path",
    "virtual_proto": "scheme",
    "https_method": "https",
    # What is not understood of these keeps the container out.
    **dict.fromkeys(("expose", "exposed", "public", "visible", "hidden", "disable", "disabled", "ignore"), "enable"),
    "retries": "max_attempts",
}
A_GUARD = ""  # in the place of an option: what was meant is a protection that no label has the name of
_LIKENESS = 0.6  # of difflib, 0 to 1; the figure that the settings use
_FAINT_LIKENESS = 0.4  # enough to be worth a look, not enough to say "did you mean"
_MOST_CLOSEST = 3
# Of prefixes: one or two letters of eleven. `dockerproxyish`, `docker` and `traefik` are somebody else's.
_PREFIX_LIKENESS = 0.9
_SHORTEST_PREFIX_WITH_SLIPS = 6  # letters; a slip in a shorter one may well be a word of its own
_NUMBERS = re.compile(r"\d+")
# Letters that are taken for digits: 8O80.
_ALMOST_A_NUMBER = re.compile(r"[\dOoIl]*\d[\dOoIl]*")
_DIGITS = str.maketrans("OoIl", "0011")
_QUOTES = "\"'"
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_]\w*")
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
# Distinct beginnings of labels that are remembered; a host has a few dozen, made-up ones only empty the memory.
_REMEMBERED = 4096


class LabelSuggestions:
    """What was meant, for labels with one prefix."""

    __slots__ = ("_far", "_flat", "_near", "_prefix", "_segments")

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._flat = _flat(prefix)
        self._segments = prefix.count(".") + 1
        self._near: dict[str, bool] = {}
        self._far: set[str] = set()

    def __repr__(self) -> str:
        return f"<LabelSuggestions for {self._prefix}, {len(self._near) + len(self._far)} beginnings known>"

    def near(self, key: str) -> tuple[str, str] | None:
        """Route ("" for none) and option (or A_GUARD) that were meant, when only the prefix is not quite ours; else
        None."""
        first = key.partition(".")[0]
        if first in self._far:  # this is asked for every label of every container at every list
            return None
        found = self._look(key)
        if found is None and self._leads_nowhere(first):
            self._remember_far(first)
        return found

    def _look(self, key: str) -> tuple[str, str] | None:
        segments = key.split(".")
        # One more than the prefix has: docker.proxy.host.
        for count in (self._segments, self._segments + 1):
            if len(segments) > count and self._is_near(".".join(segments[:count]), alike=count == self._segments):
                *route, option = segments[count:]
                return suggested(".".join(route), option) or _guard(segments[count:])
        glued = self._glued(key) if len(segments) == self._segments else None
        return None if glued is None else ("", glued)

    def _leads_nowhere(self, first: str) -> bool:
        """Whether no label that begins with this segment can be near, whatever follows."""
        flat = _flat(first)
        return self._segments == 1 and not flat.startswith(self._flat) and not self._looks_like(flat) and (
            not self._flat.startswith(flat)
        )  # fmt: skip

    def _remember_far(self, first: str) -> None:
        if len(self._far) >= _REMEMBERED:
            self._far.clear()
        self._far.add(first)

    def _is_near(self, head: str, alike: bool) -> bool:
        """Whether `head` is the prefix in other letters; `alike`: whether it may also have a slip."""
        known = self._near.get(head)
        if known is None:
            if len(self._near) >= _REMEMBERED:
                self._near.clear()
            known = self._near[head] = head != self._prefix and self._looks_like(_flat(head), alike)
        return known

    def _looks_like(self, flat: str, alike: bool = True) -> bool:
        if flat == self._flat:
            return True
        if not alike or len(self._flat) < _SHORTEST_PREFIX_WITH_SLIPS:
            return False
        matcher = difflib.SequenceMatcher(None, flat, self._flat, autojunk=False)
        return matcher.quick_ratio() >= _PREFIX_LIKENESS <= matcher.ratio()

    def _glued(self, key: str) -> str | None:
        """The option of a label that has another sign for its dot: dockerproxy_host, DOCKERPROXY-PORT."""
        flat = _flat(key)
        if not flat.startswith(self._flat):
            return None
        rest = flat.removeprefix(self._flat)
        found = next((option for option in BY_NAME if _flat(option) == rest), None)
        apart = not key[len(self._prefix) : len(self._prefix) + 1].isalnum()
        return A_GUARD if found is None and apart and protection_asked_for([rest], "") else found


def _guard(parts: Sequence[str]) -> tuple[str, str] | None:
    """Route and A_GUARD for what asks for a protection by a name that no label has."""
    return (".".join(parts[:-1]), A_GUARD) if protection_asked_for(parts, "") else None


def suggested(route: str, option: str) -> tuple[str, str] | None:
    """The route and option that a label without meaning probably stands for."""
    route = route_in(route) or route
    if route and option == "route":
        return "", "route"
    joined = f"{route}_{option}"
    if joined in BY_NAME:  # strip.prefix
        return "", joined
    if route in BY_NAME and option not in BY_NAME and option not in _ELSEWHERE:  # host.api
        return option, route
    wanted = option.strip().lower().replace("-", "_")
    if wanted in BY_NAME:
        return route, wanted
    if wanted in _ELSEWHERE:
        return route, _ELSEWHERE[wanted]
    close = difflib.get_close_matches(wanted, BY_NAME, n=1, cutoff=_LIKENESS)
    return (route, close[0]) if close else None


def suggested_value(option: str, value: str, exposed: Sequence[int] = ()) -> str:
    """A value that can be used and was probably meant by one that cannot: `http://blog.localhost/` as a host; or "".

    exposed: the container's ports; a port is guessed only where one alone is likely
    """
    value = without_quotes(value.strip())
    if option == "port":
        ports = likely_ports(value, exposed)
        return str(ports[0]) if len(ports) == 1 else ""
    for candidate in (value, *_candidates(option, value)):
        try:
            BY_NAME[option].parse(candidate)
        except ValueError:
            continue
        return candidate
    return ""


def likely_ports(value: str, exposed: Sequence[int]) -> list[int]:
    """The ports that may be meant by a value that is none: those written in it that the container exposes."""
    numbers = _NUMBERS.findall(value.translate(_DIGITS) if _ALMOST_A_NUMBER.fullmatch(value) else value)
    written = [int(number) for number in dict.fromkeys(numbers) if 0 < int(number) <= LARGEST_PORT]
    if not exposed and ":" in value:
        return written[-1:]  # 8080:80 is of the host and of the container, as in `docker run --publish`
    return [port for port in written if port in exposed] or list(dict.fromkeys([*written, *exposed]))


def without_quotes(value: str) -> str:
    """A value in quotes without them, any other as it is."""
    inner = value[1:-1]
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES and value[0] not in inner
    return inner if quoted else value


def unfilled_variable(value: str) -> str:
    """A variable of a shell or a compose file that nobody has filled in: `${NAME}`; or ""."""
    found = _VARIABLE.search(value)
    return found[0] if found else ""


def _candidates(option: str, value: str) -> Iterator[str]:
    if option == "host":
        yield ",".join(rule_hosts(value))
        hosts = (word for word in re.split(r"[\s,;|]+", value) if word)
        yield ",".join(_ascii(re.sub(r"^[a-z]+:/*", "", host.lower()).partition("/")[0]) for host in hosts)
    elif option == "path":
        yield f"/{value.lstrip('/')}".partition("*")[0].rstrip("/") or "/"
    elif option == "scheme":
        yield value.partition(":")[0]
    elif option == "enable":
        yield value.removesuffix("d").replace("enable", "true").replace("disable", "false")


def _ascii(host: str) -> str:
    """A host as browsers send it: `bücher.localhost` is `xn--bcher-kva.localhost` (RFC 3490)."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def closest(option: str) -> list[str]:
    """Up to three options that are a little like `option`, the closest first."""
    return difflib.get_close_matches(option.lower(), BY_NAME, n=_MOST_CLOSEST, cutoff=_FAINT_LIKENESS)


def _flat(text: str) -> str:
    """Its letters and digits alone."""
    return _NOT_LETTERS.sub("", text.lower())
