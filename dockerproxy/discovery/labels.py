"""LabelReader: labels -> the routes that a container asks for, or reasons in words. Pure: no engine, no I/O, no clock.

Rules, beside the table in `label_table`:
- `<prefix>.<option>` is plain, `<prefix>.<route>.<option>` belongs to the route it names.
- Plain labels of kind PLACE (`route`, `host`, `path` …) make one route of their own; so does a container without any
  named route. Plain labels of the other kinds hold for all routes of the container that have none of their own.
- A wrong label is told with its value and what was expected. If it could put the container at an unintended place, the
  routes it concerns are left out; else its default is used. The container's other routes work on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from dockerproxy.discovery.label_table import BY_NAME, Kind, parse_route_name
from dockerproxy.discovery.reading import COMPOSE_ONEOFF, Reading, RouteReading
from dockerproxy.routing.route import Domain, PathKind, PathRule
from dockerproxy.settings.options import OPTION_NAMES, RouteOptions

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
    "retries": "max_attempts",
}
_LIKENESS = 0.6  # of difflib, 0 to 1; the figure that the settings use
_VALUE_SHOWN = 80  # characters of a wrong value that a sentence repeats
_NOT_IN_A_DOMAIN = re.compile(r"[^a-z0-9_.-]+")


class _Group:
    """The labels of one route, or the plain ones.

    values: option -> parsed value
    failed: option -> the label that is wrong, for labels without which the route must not be made
    wished: whether there is any label at all, even one in whose place its default is used
    """

    __slots__ = ("failed", "values", "wished")

    def __init__(self, values: dict[str, Any] | None = None, failed: dict[str, str] | None = None) -> None:
        self.values = values or {}
        self.failed = failed or {}
        self.wished = False

    def __bool__(self) -> bool:
        return bool(self.values or self.failed or self.wished)

    def only(self, wanted: Callable[[str], bool]) -> _Group:
        return _Group(
            {option: value for option, value in self.values.items() if wanted(option)},
            {option: label for option, label in self.failed.items() if wanted(option)},
        )

    def over(self, below: _Group) -> _Group:
        """This group's labels, and where it has none, those of `below`."""
        inherited = {option: label for option, label in below.failed.items() if option not in self.values}
        return _Group({**below.values, **self.values}, {**inherited, **self.failed})

    @property
    def obstacles(self) -> list[str]:
        """The wrong labels in whose place there is no right one."""
        return sorted({label for option, label in self.failed.items() if option not in self.values})


class LabelReader:
    """Our own dialect of labels.

    prefix:         what the labels begin with, without the dot
    default_domain: a route without a host label is at `<route>.<this>`
    """

    def __init__(self, prefix: str, default_domain: str) -> None:
        self._prefix = prefix
        self._begin = prefix + "."
        self._default_domain = default_domain

    def __repr__(self) -> str:
        return f"<LabelReader {self._begin}* at *.{self._default_domain}>"

    def key(self, option: str) -> str:
        """The label to write for `option`."""
        return self._begin + option

    def mentions(self, labels: Mapping[str, str]) -> bool:
        """Whether any of the labels is ours."""
        begin = self._begin
        return any(label.startswith(begin) for label in labels) or self._prefix in labels

    def read(self, labels: Mapping[str, str], container: str, service: str = "") -> Reading:
        """The routes that the labels ask for, and what is wrong with them."""
        if not self.mentions(labels):
            return Reading()
        reasons: list[str] = []
        groups = self._groups(labels, reasons)
        plain = groups.pop("", _Group())
        refusal = self._refusal(plain, labels)
        if refusal:
            return Reading(True, (), (*reasons, refusal))
        asked = self._routes(plain, groups, service or container)
        routes = [self._route(name, group, reasons) for name, group in asked.items()]
        return Reading(True, tuple(route for route in routes if route is not None), tuple(reasons))

    def _groups(self, labels: Mapping[str, str], reasons: list[str]) -> dict[str, _Group]:
        """All labels of ours, parsed, by the route that they name; "" for the plain ones."""
        groups: dict[str, _Group] = {}
        for key in sorted(labels):
            if key.startswith(self._begin):
                self._take(key, labels[key].strip(), groups, reasons)
            elif key == self._prefix:
                reasons.append(f"{key}: a label needs a name after the prefix, for example {self.key('enable')}=true")
        return groups

    def _take(self, key: str, value: str, groups: dict[str, _Group], reasons: list[str]) -> None:
        route, dot, option = key.removeprefix(self._begin).rpartition(".")
        option = RouteOptions.go_names.get(option, option)
        label = BY_NAME.get(option)
        if label is None or (dot and not route) or (route and option == "route"):
            self._take_unknown(key, route, option, groups, reasons)
            return
        try:
            if route:
                parse_route_name(route)
            groups.setdefault(route, _Group()).values[option] = label.parse(value)
        except ValueError as error:
            fallback = "; its default is used" if label.kind is Kind.TUNE else ""
            reasons.append(_sentence(key, value, str(error)) + fallback)
            group = groups.setdefault(route, _Group())
            group.wished = True
            if label.kind is not Kind.TUNE:
                group.failed[option] = key

    def _take_unknown(self, key: str, route: str, option: str, groups: dict[str, _Group], reasons: list[str]) -> None:
        meant = _meant(route, option)
        if meant is None:
            reasons.append(f"{key}: there is no such label; the labels are {', '.join(BY_NAME)}")
            return
        route, option = meant
        right = self.key(f"{route}.{option}" if route else option)
        reasons.append(f"{key}: there is no such label; did you mean {right}?")
        group = groups.setdefault(route, _Group())
        group.wished = True
        if BY_NAME[option].kind is not Kind.TUNE:
            group.failed.setdefault(option, key)

    def _refusal(self, plain: _Group, labels: Mapping[str, str]) -> str:
        """Why the container must not join at all, or ""."""
        enable = plain.values.get("enable")
        if enable is False:
            return f"its label {self.key('enable')}=false forbids it"
        if enable is None and "enable" in plain.failed:
            return f"not routed, because {plain.failed['enable']} does not say whether it may be"
        if enable is None and labels.get(COMPOSE_ONEOFF, "").lower() == "true":
            return f"it is a one-off of docker compose run; {self.key('enable')}=true lets it join all the same"
        return ""

    def _routes(self, plain: _Group, groups: dict[str, _Group], default_name: str) -> dict[str, _Group]:
        """The labels that hold for each route, by the route's name."""
        named = {name: group for name, group in groups.items() if group}
        shared = plain.only(lambda option: BY_NAME[option].kind is not Kind.PLACE)
        placed = plain.only(lambda option: BY_NAME[option].kind is Kind.PLACE and option != "enable")
        routes: dict[str, _Group] = {}
        if placed or (plain and not named):
            routes[plain.values.get("route", default_name)] = plain
        for name, group in named.items():
            routes[name] = group.over(routes.get(name, shared))
        return routes

    def _route(self, name: str, group: _Group, reasons: list[str]) -> RouteReading | None:
        values = group.values
        if values.get("enable") is False:
            reasons.append(f"its label {self.key(name)}.enable=false forbids route {name}")
            return None
        if group.obstacles:
            reasons.append(f"route {name} is left out until {' and '.join(group.obstacles)} can be understood")
            return None
        if "path" in values and "path_regex" in values:
            reasons.append(f"route {name} is left out: it has both path and path_regex; keep one of the labels")
            return None
        domains = tuple(Domain.parse(host) for host in values["host"]) if "host" in values else None
        default_domain = self._domain_of(name) or (domains[0] if domains else None)
        if default_domain is None:
            reasons.append(f"route {name} is left out: no domain can be made of its name; add the label host")
            return None
        return RouteReading(
            name=name,
            default_domain=default_domain,
            domains=domains,
            path=_path(values),
            methods=values.get("method") or None,
            port=values.get("port"),
            scheme=values.get("scheme", "http"),
            network=values.get("network"),
            weight=values.get("weight", 1),
            options=self._options(name, values, reasons),
        )

    def _domain_of(self, name: str) -> Domain | None:
        """`<route>.<default domain>`; what no domain can hold becomes a hyphen."""
        text = _NOT_IN_A_DOMAIN.sub("-", name.lower()).strip("-.")
        return Domain.parse(f"{text}.{self._default_domain}") if text else None

    def _options(self, name: str, values: Mapping[str, Any], reasons: list[str]) -> dict[str, Any]:
        options = {option: values[option] for option in OPTION_NAMES if option in values}
        if options.get("strip_prefix") and "path_regex" in values:
            del options["strip_prefix"]
            reasons.append(f"route {name}: strip_prefix needs a path prefix, not a path_regex; it is left away")
        return options


def _path(values: Mapping[str, Any]) -> PathRule | None:
    if "path" in values:
        return PathRule(PathKind.PREFIX, values["path"])
    if "path_regex" in values:
        return PathRule(PathKind.REGEX, values["path_regex"])
    return None


def _sentence(key: str, value: str, expected: str) -> str:
    shown = repr(value if len(value) <= _VALUE_SHOWN else value[:_VALUE_SHOWN] + "…")
    return f"{key}: {expected}" + ("" if repr(value) in expected else f" (found {shown})")


def _meant(route: str, option: str) -> tuple[str, str] | None:
    """The route and option that a label without meaning probably stands for."""
    if route and option == "route":
        return "", "route"
    joined = f"{route}_{option}"
    if joined in BY_NAME:  # strip.prefix
        return "", joined
    if route in BY_NAME and option not in _ELSEWHERE:  # host.api
        return option, route
    wanted = option.lower().replace("-", "_")
    if wanted in BY_NAME:
        return route, wanted
    if wanted in _ELSEWHERE:
        return route, _ELSEWHERE[wanted]
    close = difflib.get_close_matches(wanted, BY_NAME, n=1, cutoff=_LIKENESS)
    return (route, close[0]) if close else None
