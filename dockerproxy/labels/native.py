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
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dockerproxy.labels.control_characters import has_controls
from dockerproxy.labels.group import LabelGroup
from dockerproxy.labels.grouping import Grouping, name_of, says_where, uncontrolled
from dockerproxy.labels.reading import COMPOSE_ONEOFF, COMPOSE_SERVICE, Reading, RouteReading
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.suggestions import LabelSuggestions, suggested
from dockerproxy.labels.table import BY_NAME, Kind
from dockerproxy.routing.route import Domain, PathKind, PathRule
from dockerproxy.settings.options import OPTION_NAMES

_NOT_IN_A_DOMAIN = re.compile(r"[^a-z0-9_.-]+")


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
        name = name_of(key, self._begin)
        if name is None:
            return self._suggestions.near(key)
        return (name.route, name.option) if name.known else suggested(name.route, name.option)

    def default_hosts(self, route: str) -> set[str]:
        """Where a route of this name is without any label that says so; empty if it cannot be."""
        domain = self._domain_of(route)
        return set() if domain is None else {domain.name}

    def mentions(self, labels: Mapping[str, str]) -> bool:
        """Whether any of the labels is ours, or is probably meant to be."""
        begin, length = self._begin.lower(), len(self._begin)
        return (
            any(label[:length].lower() == begin for label in labels)
            or self._prefix in labels
            or any(self._suggestions.near(label) for label in labels)
        )

    def read(self, labels: Mapping[str, str], container: str, service: str = "") -> Reading:
        """The routes that the labels ask for, and what is wrong with them."""
        if not self.mentions(labels):
            return Reading()
        unnamed = has_controls(service)
        service = "" if unnamed else service
        grouping = self._groups(labels, service or container)
        reasons, groups = grouping.reasons, grouping.groups
        if unnamed:
            reasons.append(uncontrolled(COMPOSE_SERVICE, follows="the container's name counts in its place"))
        plain = groups.pop("", LabelGroup())
        if plain.values.get("enable") is False:
            return Reading(True, (), (self._forbidden("enable", "it"),))
        refusal = self._refusal(plain)
        if refusal is not None:
            return Reading(True, (), (*reasons, refusal))
        asked = self._routes(plain, groups, service or container)
        if labels.get(COMPOSE_ONEOFF, "").lower() == "true":
            asked = self._only_one_off(asked, plain)
            if not asked:
                mend = f"the label {self.key('oneoff')}=true lets it join all the same"
                reason = Reason(Code.ONE_OFF, "it is a one-off of docker compose run", mend)
                return Reading(True, (), (*reasons, reason))
        self._tell_one_more(plain, groups, reasons)
        made = (self._route(name, group, reasons) for name, group in asked.items())
        routes = [route for route in made if route is not None]
        if service and service not in groups and "route" not in plain.values:
            routes = [replace(route, by_service=True) if route.name == service else route for route in routes]
        return Reading(True, tuple(routes), tuple(reasons))

    def _groups(self, labels: Mapping[str, str], service: str) -> Grouping:
        grouping = Grouping(self._prefix, self._suggestions, service)
        grouping.take(labels)
        return grouping

    def _forbidden(self, label: str, what: str) -> Reason:
        key = self.key(label)
        return Reason(Code.FORBIDDEN, f"its label {key}=false forbids {what}", label=key)

    def _refusal(self, plain: LabelGroup) -> Reason | None:
        """Why it is not certain that the container may join, if so."""
        if plain.values.get("enable") is True:
            return None
        unclear = plain.failed.get("enable")
        if unclear is not None:
            what = f"not routed, because {unclear} does not say whether it may be"
            return Reason(Code.ROUTE_LEFT_OUT, what, label=unclear)
        return None

    def _only_one_off(self, asked: dict[str, LabelGroup], plain: LabelGroup) -> dict[str, LabelGroup]:
        """The routes that a container of `docker compose run` may join, which inherits what its service joins."""
        if plain.values.get("oneoff") is True:
            return asked
        return {name: group for name, group in asked.items() if group.values.get("oneoff") is True}

    def _routes(self, plain: LabelGroup, groups: dict[str, LabelGroup], default_name: str) -> dict[str, LabelGroup]:
        """The labels that hold for each route, by the route's name."""
        named = {name: group for name, group in groups.items() if group}
        shared = plain.only(lambda option: BY_NAME[option].kind is not Kind.PLACE)
        routes: dict[str, LabelGroup] = {}
        if plain.has(says_where) or (plain and not named):
            routes[plain.values.get("route", default_name)] = plain
        for name, group in named.items():
            routes[name] = group.over(routes.get(name, shared))
        return routes

    def _tell_one_more(self, plain: LabelGroup, groups: Mapping[str, LabelGroup], reasons: list[Reason]) -> None:
        """Of `dockerproxy.http.port` beside `dockerproxy.host` it is not certain that a route `http` is meant."""
        if not plain.has(says_where):
            return
        for name, group in groups.items():
            domain = self._domain_of(name)
            if not group.labels or domain is None or group.has(lambda option: BY_NAME[option].kind is Kind.PLACE):
                continue
            option, label = min(group.labels.items())
            what = f"{label} makes one more route, {name}, at {domain}"
            mend = (
                f"if that is not meant, write {self.key(option)}; if it is, say so with {self.key(name)}.host={domain}"
            )
            reasons.append(Reason(Code.ONE_MORE_ROUTE, what, mend, label=label))

    def _route(self, name: str, group: LabelGroup, reasons: list[Reason]) -> RouteReading | None:
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

    def _obstacle(self, name: str, group: LabelGroup) -> Reason | None:
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


def _path(values: Mapping[str, Any]) -> PathRule | None:
    if "path" in values:
        return PathRule(PathKind.PREFIX, values["path"])
    if "path_regex" in values:
        return PathRule(PathKind.REGEX, values["path_regex"])
    return None
