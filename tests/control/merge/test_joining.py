"""What is remembered from one change to the next never shows: it is as if all had been made anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.control.base.base import build_base
from dockerproxy.control.base.static import static_routes
from dockerproxy.control.merge.joining import Joiner, MergeContext
from dockerproxy.control.merge.members import CurrentMembers, Member
from dockerproxy.control.merge.merging import Merged, merge
from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from tests.control.making import container, settings, wish

_SETTINGS = settings(
    routes=[
        {"name": "firm", "host": "firm.localhost", "upstreams": ["http://127.0.0.1:9"]},
        {"name": "taken", "host": "b.localhost", "upstreams": ["http://127.0.0.1:9"], "path": "/x"},
    ],
    define_middlewares={"m": {"use": "compress"}},
)
CONTEXT = MergeContext(build_base(_SETTINGS, static_routes(_SETTINGS), ()), _SETTINGS.route_defaults, "dockerproxy")

_said = st.fixed_dictionaries(
    {},
    optional={
        "host": st.sampled_from(["a.localhost", "b.localhost", "b.localhost:81", "a.localhost,c.localhost"]),
        "path": st.sampled_from(["/", "/x"]),
        "methods": st.sampled_from([(), ("GET",), ("POST",)]),
        "draining": st.booleans(),
        "middlewares": st.sampled_from([("m",), ()]),
        "strip_prefix": st.booleans(),
    },
)
_NAMES = ("one", "two", "three", "four")
_parts = st.dictionaries(st.sampled_from(["a", "b", "firm"]), _said, min_size=1, max_size=2)
_fleets = st.dictionaries(st.sampled_from(_NAMES), _parts, max_size=len(_NAMES))


def view(name: str, parts: dict[str, dict[str, Any]]) -> ContainerView:
    age = _NAMES.index(name) + 1
    wishes = (wish(route, f"172.18.0.{age}:80", container=name, **said) for route, said in parts.items())
    return container(name, float(age), *wishes)


def told(merged: Merged) -> tuple[Any, ...]:
    reasons = [(each.name, each.wishes, each.reasons) for each in merged.containers]
    return merged.routes, dict(merged.docker), dict(merged.kept), merged.refusals.keys(), reasons


@given(st.lists(_fleets, min_size=2, max_size=5), st.booleans())
def test_what_is_remembered_does_not_show(fleets: list[dict[str, Any]], departs: bool) -> None:
    joiner, current = Joiner(), CurrentMembers()
    views: dict[str, ContainerView] = {}
    gone: list[Member] = []
    merged = merge(CONTEXT, current)
    for fleet in fleets:
        new = {name: view(name, parts) for name, parts in fleet.items()}
        # Who has not changed is the same object, as from one snapshot to the next.
        views = {name: views[name] if views.get(name) == each else each for name, each in new.items()}
        snapshots = [Snapshot("docker", tuple(views.values()))]
        before, current = current, CurrentMembers(snapshots, before=current)
        if departs:
            gone = [member._replace(former=True) for member in before.members if member not in current.members]
        wished = {member.wish.route for member in current.members}
        kept = [replace(route, upstreams=()) for name, route in merged.docker.items() if name not in wished]
        refusals = merged.refusals
        merged = merge(CONTEXT, current, kept, gone, joiner, refusals)
        assert told(merged) == told(merge(CONTEXT, CurrentMembers(snapshots), kept, gone, refusals=refusals))
        again = merge(CONTEXT, current, merged.kept.values(), gone, joiner, merged.refusals)
        assert told(again) == told(merged), "what came of it has no other places once it is known who was refused"


def test_a_route_whose_containers_stay_stays_the_same_object() -> None:
    joiner, current = Joiner(), CurrentMembers()
    views = [view("one", {"a": {}}), view("two", {"b": {}})]
    current = CurrentMembers([Snapshot("docker", tuple(views))], before=current)
    first = merge(CONTEXT, current, joiner=joiner).docker
    views[1] = view("two", {"b": {"draining": True}})
    current = CurrentMembers([Snapshot("docker", tuple(views))], before=current)
    second = merge(CONTEXT, current, joiner=joiner).docker
    assert first["a"] is second["a"]
    assert first["b"] != second["b"]


def test_other_settings_are_not_answered_from_memory() -> None:
    joiner = Joiner()
    current = CurrentMembers([Snapshot("docker", (view("one", {"a": {}}),))])
    first = merge(CONTEXT, current, joiner=joiner).docker["a"]
    defaults = CONTEXT.defaults.model_copy(update={"hold": 1.5})
    second = merge(CONTEXT._replace(defaults=defaults), current, joiner=joiner).docker["a"]
    assert first.options.hold != second.options.hold == 1.5
