"""Grouping: all labels of one container, parsed and sorted by the route that they name, and what is wrong with each.

Those that are understood come first: what one that is not understood was meant for, depends on the routes that there
are. A label that asks for a protection of a route that does not exist counts for all routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dockerproxy.labels.control_characters import has_controls, with_controls_shown, without_controls
from dockerproxy.labels.group import LabelGroup
from dockerproxy.labels.other_proxies import hint_for
from dockerproxy.labels.protection import Protection, protection_asked_for, without_hashes
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.suggestions import A_GUARD, LabelSuggestions, closest, suggested, without_quotes
from dockerproxy.labels.table import BY_NAME, Kind, Label, parse_route_name
from dockerproxy.labels.traefik import route_in
from dockerproxy.settings.options import FILE_OPTIONS, RouteOptions

_VALUE_SHOWN = 80  # characters of a wrong value that a sentence repeats
_BY_LOWER_CASE = {name.lower(): option for name, option in RouteOptions.go_names.items()} | {
    option.lower(): option for option in (*BY_NAME, *FILE_OPTIONS)
}
_MIDDLEWARE_NAMES = frozenset({"middleware", "middlewares", "basic_auth", "forward_auth", "ip_allow", "rate_limit"})


class Name(NamedTuple):
    """What the name of a label says: route ("" for none) and option, and the label as it should be written.

    blank: whether a part of it is empty
    """

    route: str
    option: str
    right: str
    blank: bool = False

    @property
    def known(self) -> bool:
        """Whether there is such a label."""
        route, option = self.route, self.option
        return option in BY_NAME and not self.blank and not (route and option == "route") and not route_in(route)


def name_of(key: str, begin: str) -> Name | None:
    """What a label is called that begins with our prefix, in whatever letter case; None for any other.

    begin: the prefix with its dot
    """
    if key[: len(begin)].lower() != begin.lower():
        return None
    route, dot, written = key[len(begin) :].rpartition(".")
    option = RouteOptions.go_names.get(written, written)
    right = begin + route + dot + written if written in RouteOptions.go_names else ""
    if option not in BY_NAME:
        option = _BY_LOWER_CASE.get(option.lower(), option)
    return Name(route, option, right or begin + route + dot + option, blank=bool(dot and not route))


class Grouping:
    """The labels of one container.

    begin:   the prefix with its dot
    service: what the route without a name is called: the compose service, else the container
    groups:  by the route's name, "" for the plain ones
    """

    def __init__(self, prefix: str, suggestions: LabelSuggestions, service: str) -> None:
        self._prefix = prefix
        self._begin = prefix + "."
        self._suggestions = suggestions
        self._service = service
        self._other_case: list[tuple[str, str]] = []
        self.groups: dict[str, LabelGroup] = {}
        self.reasons: list[Reason] = []

    def __repr__(self) -> str:
        return f"<Grouping of {len(self.groups)} groups, {len(self.reasons)} reasons>"

    def take(self, labels: Mapping[str, str]) -> None:
        """Sort them all."""
        names = {key: name_of(key, self._begin) for key in sorted(labels)}
        # Those in another letter case last: whoever is written rightly counts.
        understood = {key: name for key, name in names.items() if name and name.known and not has_controls(key)}
        for key, name in sorted(understood.items(), key=lambda item: (item[1].right != item[0], item[0])):
            self._take(key, name, labels[key].strip())
        self._take_guards_for_routes()
        for key, found in names.items():
            if key not in understood:
                self._take_other(key, found, labels[key].strip())
        self._spread_lost_guards()
        self._tell_other_case()

    def _group(self, route: str) -> LabelGroup:
        return self.groups.setdefault(route, LabelGroup())

    def _take(self, key: str, name: Name, value: str) -> None:
        route, option = name.route, name.option
        label = BY_NAME[option]
        if key != name.right:
            self._other_case.append((key, name.right))
        try:
            if route:
                parse_route_name(route)
            meaning = _parsed(label, value)
        except ValueError as error:
            guarded = protection_asked_for((), value) is not None
            self._tell_wrong(key, value, str(error), "its default is used" if label.has_default and not guarded else "")
            self._fail(route, option, key)
            if guarded:
                self._group(route).unmet |= {key}
            return
        group = self._group(route)
        if group.values.setdefault(option, meaning) != meaning:
            what = f"{key} is not used: the label {group.labels[option]} says otherwise"
            self.reasons.append(Reason(Code.UNKNOWN_LABEL, what, "keep one of them", label=key))
            group.unmet |= {key} if label.guards else frozenset()
        group.labels.setdefault(option, key)

    def _tell_wrong(self, key: str, value: str, message: str, follows: str) -> None:
        expected, _, mend = message.partition("; ")
        what = without_hashes(f"{key}: {expected}{_found(value, expected)}")
        self.reasons.append(Reason(Code.WRONG_VALUE, what, mend, follows=follows, label=key))

    def _take_other(self, key: str, name: Name | None, value: str) -> None:
        """A label that is none of ours as it stands."""
        if has_controls(key):
            self._take_controls(key, value)
        elif name is not None:
            self._take_unknown(key, name, value)
        elif key == self._prefix:
            what, mend = f"{key}: a label needs a name after the prefix", f"write for example {self._begin}enable=true"
            self.reasons.append(Reason(Code.UNKNOWN_LABEL, what, mend, label=key))
        elif (near := self._suggestions.near(key)) is not None:
            what = f"{key}: the labels begin with {self._begin}"
            if near[1] == A_GUARD:
                mend = self._mend(protection_asked_for(key.split("."), value))
                self.reasons.append(Reason(Code.NEAR_PREFIX, what, mend, label=key))
                self._miss(*near, key)
            else:
                self._take_suggested(key, near, what, Code.NEAR_PREFIX)

    def _take_controls(self, key: str, value: str) -> None:
        """A key with control characters, if it is, or is meant to be, one of ours."""
        plain = without_controls(key)
        name = name_of(plain, self._begin)
        found = self._suggestions.near(plain) if name is None else _meant(name)
        if found is None and not key.startswith(self._begin):
            return
        self.reasons.append(uncontrolled(key))
        if found is not None:
            self._miss(*found, with_controls_shown(key))
        if name is not None and not name.known and protection_asked_for(self._parts(name)[1], value):
            self._group("").unmet |= {with_controls_shown(key)}

    def _take_unknown(self, key: str, name: Name, value: str) -> None:
        what = f"{key}: there is no such label"
        route, parts = self._parts(name)
        found = suggested(name.route, name.option)
        protection = protection_asked_for(parts, value)
        if name.option in FILE_OPTIONS:
            what = f"{key}: a label may not name files of the proxy's machine"
            where = "for all routes or for a static route that the container joins"
            mend = f"set {name.option} in the proxy's settings, {where}"
            self.reasons.append(Reason(Code.UNKNOWN_LABEL, what, mend, label=key))
        elif found is not None and found[0] in ("", route) and _is_a_slip_in(found[1], protection):
            self._take_suggested(key, found, what, Code.UNKNOWN_LABEL)
        elif protection is not None:
            self._take_protection(key, route, protection)
        elif hint := hint_for(parts, self._begin):
            self.reasons.append(Reason(Code.UNKNOWN_LABEL, what, hint, label=key))
        elif found is not None:
            self._take_suggested(key, found, what, Code.UNKNOWN_LABEL)
        else:
            self.reasons.append(Reason(Code.UNKNOWN_LABEL, what, self._closest(name.option), label=key))

    def _take_protection(self, key: str, route: str, protection: Protection) -> None:
        """A label that asks for a protection which has another name here."""
        what = f"{key}: there is no such label, and it asks for protection"
        self.reasons.append(Reason(Code.UNKNOWN_PROTECTION, what, self._mend(protection), label=key))
        self._group(route).unmet |= {key}

    def _mend(self, protection: Protection | None) -> str:
        """How the protection is asked for here."""
        mend = "" if protection is None else protection.mend
        for option in BY_NAME:
            mend = mend.replace("{" + option + "}", self._begin + option)
        return mend

    def _take_suggested(self, key: str, found: tuple[str, str], what: str, code: Code) -> None:
        """A label that is none of ours, but of which is known which one was meant."""
        route, option = found
        right = self._begin + (f"{route}.{option}" if route else option)
        self.reasons.append(Reason(code, what, f"did you mean {right}?", label=key, meant=right))
        self._miss(route, option, key)

    def _closest(self, option: str) -> str:
        if not option:
            return f"write for example {self._begin}enable=true; docs/labels.md lists them all"
        known = closest(option)
        return (
            f"the closest are {', '.join(self._begin + each for each in known)}"
            if known
            else "docs/labels.md lists them all"
        )

    def _miss(self, route: str, option: str, key: str) -> None:
        """Note that `key` was meant to give `option`, or is a guard, and does not."""
        if option == A_GUARD or BY_NAME[option].guards:
            self._group(self._existing(route)).unmet |= {key}
        else:
            self._fail(route, option, key)

    def _fail(self, route: str, option: str, key: str) -> None:
        """Note that `key` was to give `option`, and does not."""
        group = self._group(route)
        group.present = True
        if not BY_NAME[option].has_default:
            group.failed.setdefault(option, key)

    def _parts(self, name: Name) -> tuple[str, Sequence[str]]:
        """The route that a label without meaning belongs to, "" for all, and the other parts of its name."""
        *before, option = (*name.route.split("."), name.option)
        within = route_in(name.route)
        if within:
            return self._existing(within), [*before[-1:], option]
        for count in range(len(before), 0, -1):
            route = ".".join(before[:count])
            if route and self._existing(route) == route:
                return route, [*before[count:], option]
        return "", [*before, option]

    def _existing(self, route: str) -> str:
        """The route, if any other label makes it; else "" for all routes."""
        group = self.groups.get(route)
        if route and group is not None and group.labels:
            return route
        plain = self.groups.get("", LabelGroup())
        named = any(each and group.labels for each, group in self.groups.items())
        by_default = plain.values.get("route", self._service)
        return route if route == by_default and (not named or plain.has(says_where)) else ""

    def _take_guards_for_routes(self) -> None:
        """`dockerproxy.ip_allow.network` makes no route `ip_allow`."""
        for route in [route for route, group in self.groups.items() if route and _is_a_guard(route, group)]:
            group = self.groups.pop(route)
            protection = protection_asked_for([route], "")
            for key in sorted({*group.labels.values(), *group.failed.values()}):
                if protection is not None:
                    self._take_protection(key, "", protection)

    def _spread_lost_guards(self) -> None:
        """Of a route that no label makes, the guards were meant for another one."""
        for route, group in list(self.groups.items()):
            lost = {key for option, key in group.failed.items() if BY_NAME[option].guards}
            if lost and route and self._existing(route) != route:
                self._group("").unmet |= lost

    def _tell_other_case(self) -> None:
        if not self._other_case:
            return
        written, right = zip(*self._other_case, strict=True)
        what = f"{', '.join(written)}: taken as {', '.join(right)}; the names of labels are in lower case"
        self.reasons.append(Reason(Code.LETTER_CASE, what, label=written[0]))


def says_where(option: str) -> bool:
    """Whether a label of this name says where the route is."""
    return BY_NAME[option].kind is Kind.PLACE and option not in ("enable", "oneoff")


def uncontrolled(key: str, follows: str = "") -> Reason:
    """A label whose name, or whose value that is a name, has control characters."""
    what = f"{with_controls_shown(key)}: expected no control characters in its name"
    return Reason(Code.WRONG_VALUE, what, "write it as plain text in one line", follows=follows, label=key)


def _is_a_guard(route: str, group: LabelGroup) -> bool:
    """Whether what should be a route's name is a middleware's, and the labels say nothing of a place."""
    options = {*group.values, *group.failed}
    name = route.partition(".")[0]
    if name in _MIDDLEWARE_NAMES:
        return options.isdisjoint({"host", "path", "path_regex"})
    return options <= {"method", "scheme", "network"} and protection_asked_for([name], "") is not None


def _is_a_slip_in(option: str, protection: Protection | None) -> bool:
    """Whether what asks for a protection is just our own label for it, written wrongly."""
    return BY_NAME[option].guards and (protection is None or protection.name == option or option == "hsts_max_age")


def _meant(name: Name) -> tuple[str, str] | None:
    return (name.route, name.option) if name.known else suggested(name.route, name.option)


def _parsed(label: Label, value: str) -> Any:
    """What the value means. Raises ValueError."""
    if has_controls(value):
        raise ValueError("expected no control characters; write it as plain text in one line")
    # An expression may well be about quotes; everywhere else YAML's list notation has kept them by mistake.
    if label.name != "path_regex" and without_quotes(value) != value:
        raise ValueError("the quotes are part of the value; write it without them")
    return label.parse(value)


def _found(value: str, told: str) -> str:
    """The wrong value, unless it is told already."""
    shown = repr(value if len(value) <= _VALUE_SHOWN else value[:_VALUE_SHOWN] + "…")
    # A backslash is shown as it is written in the label.
    return "" if repr(value) in told else f" (found {shown})".replace("\\\\", "\\")
