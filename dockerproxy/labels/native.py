"""LabelReader: labels -> the routes that a container asks for, or reasons in words. Pure: no engine, no I/O, no clock.

Rules, beside the table in `table`:
- `<prefix>.<option>` is plain, `<prefix>.<route>.<option>` belongs to the route it names.
- Plain labels of kind PLACE (`route`, `host`, `path` …) make one route of their own; so does a container without any
  named route. Plain labels of the other kinds hold for all routes of the container that have none of their own.
- A label whose prefix is nearly ours is told, and counts as a wrong one of ours: it was meant for us.
- A wrong label is told with its value and what was expected. If it could put the container at an unintended place, the
  routes it concerns are left out; else its default is used. The container's other routes work on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dockerproxy.labels.control_characters import has_controls, with_controls_shown, without_controls
from dockerproxy.labels.reading import COMPOSE_ONEOFF, COMPOSE_SERVICE, Reading, RouteReading
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.suggestions import LabelSuggestions, closest, suggested, without_quotes
from dockerproxy.labels.table import BY_NAME, Kind, Label, parse_route_name
from dockerproxy.labels.traefik import route_in
from dockerproxy.routing.route import Domain, PathKind, PathRule
from dockerproxy.settings.options import FILE_OPTIONS, OPTION_NAMES, RouteOptions

_OF_THE_SETTINGS = "are for the settings of the proxy, not for labels"
# What other proxies take from labels.
_NOT_BY_LABELS = {
    **dict.fromkeys(
        ("certresolver", "cert_resolver", "tls", "certificate", "acme"), f"certificates {_OF_THE_SETTINGS}: docs/tls.md"
    ),
    **dict.fromkeys(
        ("entrypoint", "entrypoints", "entry_points", "listen"),
        f"the addresses to listen on {_OF_THE_SETTINGS}: docs/settings.md",
    ),
}
_VALUE_SHOWN = 80  # characters of a wrong value that a sentence repeats
_NOT_IN_A_DOMAIN = re.compile(r"[^a-z0-9_.-]+")


class _Group:
    """The labels of one route, or the plain ones.

    values: option -> parsed value
    labels: option -> the label that gave it
    failed: option -> the label that is wrong, for labels without which the route must not be made
    present: whether there is any label at all, even one in whose place its default is used
    """

    __slots__ = ("failed", "labels", "values", "present")

    def __init__(
        self,
        values: dict[str, Any] | None = None,
        failed: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
    ) -> None:
        self.values = values or {}
        self.failed = failed or {}
        self.labels = labels or {}
        self.present = False

    def __bool__(self) -> bool:
        return bool(self.values or self.failed or self.present)

    def only(self, wanted: Callable[[str], bool]) -> _Group:
        return _Group(
            {option: value for option, value in self.values.items() if wanted(option)},
            {option: label for option, label in self.failed.items() if wanted(option)},
            self.labels,
        )

    def over(self, below: _Group) -> _Group:
        """This group's labels, and where it has none, those of `below`."""
        inherited = {option: label for option, label in below.failed.items() if option not in self.values}
        labels = {**below.labels, **self.labels}
        return _Group({**below.values, **self.values}, {**inherited, **self.failed}, labels)

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
        self._suggestions = LabelSuggestions(prefix)

    def __repr__(self) -> str:
        return f"<LabelReader {self._begin}* at *.{self._default_domain}>"

    def key(self, option: str) -> str:
        """The label to write for `option`."""
        return self._begin + option

    def interpret(self, key: str) -> tuple[str, str] | None:
        """Route ("" for none) and option that a label stands for, or was meant for; None if it is none of ours."""
        if not key.startswith(self._begin):
            return self._suggestions.near(key)
        route, _, option = key.removeprefix(self._begin).rpartition(".")
        option = RouteOptions.go_names.get(option, option)
        known = option in BY_NAME and not (route and option == "route") and not route_in(route)
        return (route, option) if known else suggested(route, option)

    def default_hosts(self, route: str) -> set[str]:
        """Where a route of this name is without any label that says so; empty if it cannot be."""
        domain = self._domain_of(route)
        return set() if domain is None else {domain.name}

    def mentions(self, labels: Mapping[str, str]) -> bool:
        """Whether any of the labels is ours, or is probably meant to be."""
        begin = self._begin
        return (
            any(label.startswith(begin) for label in labels)
            or self._prefix in labels
            or any(self._suggestions.near(label) for label in labels)
        )

    def read(self, labels: Mapping[str, str], container: str, service: str = "") -> Reading:
        """The routes that the labels ask for, and what is wrong with them."""
        if not self.mentions(labels):
            return Reading()
        reasons: list[Reason] = []
        groups = self._groups(labels, reasons)
        if has_controls(service):
            reasons.append(_uncontrolled(COMPOSE_SERVICE, follows="the container's name counts in its place"))
            service = ""
        plain = groups.pop("", _Group())
        if plain.values.get("enable") is False:
            return Reading(True, (), (self._forbidden("enable", "it"),))
        refusal = self._refusal(plain, labels)
        if refusal is not None:
            return Reading(True, (), (*reasons, refusal))
        asked = self._routes(plain, groups, service or container)
        self._tell_one_more(plain, groups, reasons)
        made = (self._route(name, group, reasons) for name, group in asked.items())
        routes = [route for route in made if route is not None]
        if service and service not in groups and "route" not in plain.values:
            routes = [replace(route, by_service=True) if route.name == service else route for route in routes]
        return Reading(True, tuple(routes), tuple(reasons))

    def _groups(self, labels: Mapping[str, str], reasons: list[Reason]) -> dict[str, _Group]:
        """All labels of ours, parsed, by the route that they name; "" for the plain ones."""
        groups: dict[str, _Group] = {}
        for key in sorted(labels):
            if has_controls(key):
                self._take_controls(key, groups, reasons)
            elif key.startswith(self._begin):
                self._take(key, labels[key].strip(), groups, reasons)
            elif key == self._prefix:
                mend = f"write for example {self.key('enable')}=true"
                reasons.append(
                    Reason(Code.UNKNOWN_LABEL, f"{key}: a label needs a name after the prefix", mend, label=key)
                )
            elif (near := self._suggestions.near(key)) is not None:
                what = f"{key}: the labels begin with {self._begin}"
                self._take_suggested(key, near, what, Code.NEAR_PREFIX, groups, reasons)
        return groups

    def _take(self, key: str, value: str, groups: dict[str, _Group], reasons: list[Reason]) -> None:
        route, dot, option = key.removeprefix(self._begin).rpartition(".")
        option = RouteOptions.go_names.get(option, option)
        label = BY_NAME.get(option)
        if label is None or (dot and not route) or (route and option == "route") or route_in(route):
            self._take_unknown(key, route, option, groups, reasons)
            return
        try:
            if route:
                parse_route_name(route)
            group = groups.setdefault(route, _Group())
            group.values[option] = _parsed(label, value)
            group.labels[option] = key
        except ValueError as error:
            fallback = "its default is used" if label.kind is Kind.TUNE else ""
            expected, _, mend = str(error).partition("; ")
            what = f"{key}: {expected}{_found(value, expected)}"
            reasons.append(Reason(Code.WRONG_VALUE, what, mend, follows=fallback, label=key))
            _fail(groups, route, option, key)

    def _take_controls(self, key: str, groups: dict[str, _Group], reasons: list[Reason]) -> None:
        """A key with control characters, if it is, or is meant to be, one of ours."""
        found = self.interpret(without_controls(key))
        if found is None and not key.startswith(self._begin):
            return
        reasons.append(_uncontrolled(key))
        if found is not None:
            _fail(groups, *found, with_controls_shown(key))

    def _take_unknown(
        self, key: str, route: str, option: str, groups: dict[str, _Group], reasons: list[Reason]
    ) -> None:
        if option in FILE_OPTIONS:
            mend = (
                f"set {option} in the proxy's settings, for all routes or for a static route that the container joins"
            )
            what = f"{key}: a label may not name files of the proxy's machine"
            reasons.append(Reason(Code.UNKNOWN_LABEL, what, mend, label=key))
            return
        what = f"{key}: there is no such label"
        if option in _NOT_BY_LABELS:
            reasons.append(Reason(Code.UNKNOWN_LABEL, what, _NOT_BY_LABELS[option], label=key))
            return
        found = suggested(route, option)
        if found is not None:
            self._take_suggested(key, found, what, Code.UNKNOWN_LABEL, groups, reasons)
            return
        known = closest(option)
        if not option:
            mend = f"write for example {self.key('enable')}=true; docs/labels.md lists them all"
            reasons.append(Reason(Code.UNKNOWN_LABEL, what, mend, label=key))
            return
        mend = f"the closest are {', '.join(map(self.key, known))}" if known else "docs/labels.md lists them all"
        reasons.append(Reason(Code.UNKNOWN_LABEL, what, mend, label=key))

    def _take_suggested(
        self, key: str, found: tuple[str, str], what: str, code: Code, groups: dict[str, _Group], reasons: list[Reason]
    ) -> None:
        """A label that is none of ours, but of which is known which one was meant."""
        route, option = found
        right = self.key(f"{route}.{option}" if route else option)
        reasons.append(Reason(code, what, f"did you mean {right}?", label=key, meant=right))
        _fail(groups, route, option, key)

    def _forbidden(self, label: str, what: str) -> Reason:
        key = self.key(label)
        return Reason(Code.FORBIDDEN, f"its label {key}=false forbids {what}", label=key)

    def _refusal(self, plain: _Group, labels: Mapping[str, str]) -> Reason | None:
        """Why it is not certain that the container may join, if so."""
        if plain.values.get("enable") is True:
            return None
        unclear = plain.failed.get("enable")
        if unclear is not None:
            what = f"not routed, because {unclear} does not say whether it may be"
            return Reason(Code.ROUTE_LEFT_OUT, what, label=unclear)
        if labels.get(COMPOSE_ONEOFF, "").lower() == "true":
            mend = f"{self.key('enable')}=true lets it join all the same"
            return Reason(Code.ONE_OFF, "it is a one-off of docker compose run", mend)
        return None

    def _routes(self, plain: _Group, groups: dict[str, _Group], default_name: str) -> dict[str, _Group]:
        """The labels that hold for each route, by the route's name."""
        named = {name: group for name, group in groups.items() if group}
        shared = plain.only(lambda option: BY_NAME[option].kind is not Kind.PLACE)
        placed = plain.only(_says_where)
        routes: dict[str, _Group] = {}
        if placed or (plain and not named):
            routes[plain.values.get("route", default_name)] = plain
        for name, group in named.items():
            routes[name] = group.over(routes.get(name, shared))
        return routes

    def _tell_one_more(self, plain: _Group, groups: Mapping[str, _Group], reasons: list[Reason]) -> None:
        """Of `dockerproxy.http.port` beside `dockerproxy.host` it is not certain that a route `http` is meant."""
        if not plain.only(_says_where):
            return
        for name, group in groups.items():
            domain = self._domain_of(name)
            if not group.labels or domain is None or group.only(lambda option: BY_NAME[option].kind is Kind.PLACE):
                continue
            option, label = min(group.labels.items())
            what = f"{label} makes one more route, {name}, at {domain}"
            mend = (
                f"if that is not meant, write {self.key(option)}; if it is, say so with {self.key(name)}.host={domain}"
            )
            reasons.append(Reason(Code.ONE_MORE_ROUTE, what, mend, label=label))

    def _route(self, name: str, group: _Group, reasons: list[Reason]) -> RouteReading | None:
        values = group.values
        obstacle = self._obstacle(name, group)
        if obstacle is not None:
            reasons.append(obstacle)
            return None
        domains = tuple(Domain.parse(host) for host in values["host"]) if "host" in values else None
        default_domain = self._domain_of(name) or (domains[0] if domains else None)
        if default_domain is None:
            what = f"route {name} is left out: no domain can be made of its name"
            mend = f"add the label host, for example {self.key(name)}.host=blog.{self._default_domain}"
            reasons.append(Reason(Code.NO_DOMAIN, what, mend))
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
            labels=group.labels,
        )

    def _obstacle(self, name: str, group: _Group) -> Reason | None:
        """Why a route must not be made, if so."""
        if group.values.get("enable") is False:
            return self._forbidden(f"{name}.enable", f"route {name}")
        if group.obstacles:
            what = f"route {name} is left out until {' and '.join(group.obstacles)} can be understood"
            return Reason(Code.ROUTE_LEFT_OUT, what, label=group.obstacles[0])
        if "path" in group.values and "path_regex" in group.values:
            what = f"route {name} is left out: it has both path and path_regex"
            return Reason(Code.TWO_PATHS, what, "keep one of the labels")
        return None

    def _domain_of(self, name: str) -> Domain | None:
        """`<route>.<default domain>`; what no domain can hold becomes a hyphen."""
        text = _NOT_IN_A_DOMAIN.sub("-", name.lower()).strip("-.")
        return Domain.parse(f"{text}.{self._default_domain}") if text else None

    def _options(self, name: str, values: Mapping[str, Any], reasons: list[Reason]) -> dict[str, Any]:
        options = {option: values[option] for option in OPTION_NAMES if option in values}
        if options.get("strip_prefix") and "path_regex" in values:
            del options["strip_prefix"]
            what = f"route {name}: strip_prefix needs a path prefix, not a path_regex"
            reasons.append(Reason(Code.NO_PREFIX_TO_STRIP, what, follows="it is left away"))
        return options


def _says_where(option: str) -> bool:
    return BY_NAME[option].kind is Kind.PLACE and option != "enable"


def _path(values: Mapping[str, Any]) -> PathRule | None:
    if "path" in values:
        return PathRule(PathKind.PREFIX, values["path"])
    if "path_regex" in values:
        return PathRule(PathKind.REGEX, values["path_regex"])
    return None


def _parsed(label: Label, value: str) -> Any:
    """What the value means. Raises ValueError."""
    if has_controls(value):
        raise ValueError("expected no control characters; write it as plain text in one line")
    # An expression may well be about quotes; everywhere else YAML's list notation has kept them by mistake.
    if label.name != "path_regex" and without_quotes(value) != value:
        raise ValueError("the quotes are part of the value; write it without them")
    return label.parse(value)


def _uncontrolled(key: str, follows: str = "") -> Reason:
    """A label whose name, or whose value that is a name, has control characters."""
    what = f"{with_controls_shown(key)}: expected no control characters in its name"
    return Reason(Code.WRONG_VALUE, what, "write it as plain text in one line", follows=follows, label=key)


def _found(value: str, told: str) -> str:
    """The wrong value, unless it is told already."""
    shown = repr(value if len(value) <= _VALUE_SHOWN else value[:_VALUE_SHOWN] + "…")
    # A backslash is shown as it is written in the label.
    return "" if repr(value) in told else f" (found {shown})".replace("\\\\", "\\")


def _fail(groups: dict[str, _Group], route: str, option: str, key: str) -> None:
    """Note that `key` was to give `option`, and does not."""
    group = groups.setdefault(route, _Group())
    group.present = True
    if BY_NAME[option].kind is not Kind.TUNE:
        group.failed.setdefault(option, key)
