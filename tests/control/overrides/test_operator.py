"""What an operator's name stands for, what is refused, and what the operator is told beside."""

from __future__ import annotations

import pytest

from dockerproxy.control.overrides.operator import Operator, Outcome
from dockerproxy.control.overrides.target import Target
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.errors import DockerproxyError, NotPossible, UnknownRoute, UnknownUpstream
from dockerproxy.labels.reason import Code, Reason
from tests.control.conftest import Stage
from tests.control.making import Scene, container, one, wish

GO = {
    "name": "blog",
    "host": "blog.localhost",
    "upstreams": [
        {"name": "docker 1 - ok", "url": "http://localhost:2368"},
        {"name": "docker 2 - error", "url": "http://localhost:2367"},
        {"name": "docker 3 - error", "url": "http://localhost:2367"},
        {"url": "http://localhost:2366/base/"},
    ],
}
PAGE = {"name": "page", "host": "page.localhost", "handler": "examples.pages:hello"}
_IDS = {"web-1": "3fa90000c0de", "web-2": "3fa91111c0de", "lost": "77770000c0de", "quiet": "88880000c0de"}


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """Static upstreams, two containers on `web`, of which one is on `api` too, and two that are not routed."""
    scene = stage(routes=[GO, PAGE])
    no_port = (Reason(Code.NO_PORT, "it exposes no port"),)
    scene.see(
        _with_id(container("web-1", 1, *(wish(name, "172.18.0.1:80", container="web-1") for name in ("web", "api")))),
        _with_id(one("web-2", 2, "web")),
        ContainerView(_IDS["lost"], "lost", 3, "running", (), no_port),
        ContainerView(_IDS["quiet"], "quiet", 4, "running"),
    )
    return scene


def _with_id(view: ContainerView) -> ContainerView:
    wishes = []
    for each in view.wishes:
        upstream = type(each.upstream)(view.name, each.upstream.url, source=each.upstream.source,
                                       container=_IDS[view.name])  # fmt: skip
        wishes.append(type(each)(each.route, upstream, each.default_domain))
    return ContainerView(_IDS[view.name], view.name, view.created, view.state, tuple(wishes))


def names(targets: list[Target] | tuple[Target, ...]) -> list[str]:
    return [f"{target.route} {target.upstream}" for target in targets]


@pytest.mark.parametrize(
    ("name", "route", "expected"),
    [
        ("docker 1 - ok", None, ["blog docker 1 - ok"]),
        ("http://localhost:2368", None, ["blog docker 1 - ok"]),
        ("http://localhost:2367", None, ["blog docker 2 - error", "blog docker 3 - error"]),
        ("http://localhost:2366/base", "blog", ["blog http://localhost:2366/base/"]),
        ("web-1", None, ["web web-1", "api web-1"]),
        ("web-1", "api", ["api web-1"]),
        ("http://172.18.0.2:80", None, ["web web-2"]),
        ("3fa91", None, ["web web-2"]),
        ("3fa90000c0de", None, ["web web-1", "api web-1"]),
        ("3fa90", "web", ["web web-1"]),
    ],
)
def test_an_upstream_is_found_by_its_name_or_url_or_by_its_container(
    scene: Scene, name: str, route: str | None, expected: list[str]
) -> None:
    found = Operator(scene.registry).targets(name, route)
    assert sorted(names(found)) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "route", "kind", "said"),
    [
        ("3fa9", None, NotPossible, r"may be any of web-1 \(3fa90000c0de\), web-2 \(3fa91111c0de\); give more"),
        ("3fa", None, UnknownUpstream, "no upstream or container named '3fa'"),
        ("web1", None, UnknownUpstream, "did you mean 'web-1'?"),
        ("loost", None, UnknownUpstream, "did you mean 'lost'?"),
        ("zzz", None, UnknownUpstream, "named 'zzz'$"),
        ("web", None, UnknownUpstream, "that is a route, its upstreams are web-1, web-2"),
        (
            "docker 1 - ok",
            "api",
            UnknownUpstream,
            "no upstream of route 'api' named 'docker 1 - ok'; it is one of blog",
        ),
        ("web-2", "api", NotPossible, "container web-2 is not routed to 'api', but to web$"),
        ("3fa91", "api", NotPossible, "container web-2 is not routed to 'api', but to web$"),
        ("web-1", "wep", UnknownRoute, "no route named 'wep'; did you mean 'web'?"),
        ("web-1", "page", NotPossible, "answered by the handler examples.pages:hello"),
        ("lost", None, NotPossible, "container lost is not routed: it exposes no port"),
        ("7777", None, NotPossible, "container lost is not routed"),
        ("quiet", None, NotPossible, "container quiet is not routed$"),
    ],
)
async def test_a_name_that_stands_for_nothing_or_for_too_much_is_refused(
    scene: Scene, name: str, route: str | None, kind: type[DockerproxyError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await Operator(scene.registry).drain(name, route)
    assert not scene.store.folder.joinpath("overrides.json").exists()


async def test_what_is_so_already_is_unchanged(scene: Scene) -> None:
    operator = Operator(scene.registry)
    assert names((await operator.drain("web-1", "api")).changed) == ["api web-1"]
    outcome = await operator.drain("web-1", None)
    assert (names(outcome.changed), names(outcome.unchanged)) == (["web web-1"], ["api web-1"])
    outcome = await operator.undrain("web-2", None)
    assert (names(outcome.changed), names(outcome.unchanged)) == ([], ["web web-2"])
    outcome = await operator.unweigh("web-2", None)
    assert (names(outcome.changed), names(outcome.unchanged)) == ([], ["web web-2"])


async def test_two_upstreams_of_one_name_are_one(stage: Stage) -> None:
    upstreams = [{"name": "a", "url": f"http://127.0.0.1:{port}"} for port in (1, 2)]
    scene = stage(routes=[{"name": "twins", "host": "twins.localhost", "upstreams": upstreams}])
    outcome = await Operator(scene.registry).drain("http://127.0.0.1:1", None)
    assert names(outcome.changed) == ["twins a"]
    assert not any(upstream.in_rotation for upstream in scene.route("twins").upstreams)


async def test_draining_the_last_upstream_is_allowed_with_a_warning(scene: Scene) -> None:
    operator = Operator(scene.registry)
    assert (await operator.drain("web-2", None)).warning == ""
    warning = (await operator.drain("web-1", None)).warning
    assert warning == "No upstream is in rotation now for api, web: requests are held for a while, then answered 503."
    assert (await operator.drain("web-1", None)).warning == ""  # it was said
    assert "for api, web" in (await operator.weigh("web-1", None, 0)).warning


async def test_a_warning_names_a_few(stage: Stage) -> None:
    routes = [
        {"name": f"r{number}", "host": f"r{number}.localhost", "upstreams": ["http://127.0.0.1:1"]}
        for number in range(8)
    ]
    scene = stage(routes=routes)
    warning = (await Operator(scene.registry).drain("http://127.0.0.1:1", None)).warning
    assert "r0, r1, r2, r3, r4 and 3 more" in warning


async def test_whoever_brings_one_back_is_told_why_it_stays_out(scene: Scene) -> None:
    operator = Operator(scene.registry)
    await operator.drain("docker 1 - ok", None)
    await operator.weigh("docker 1 - ok", None, 0)
    undrained: Outcome = await operator.undrain("docker 1 - ok", None)
    assert undrained.warning == "Still out of rotation: docker 1 - ok of blog (its weight is 0)."
    await operator.drain("docker 1 - ok", None)
    weighed = await operator.weigh("docker 1 - ok", None, 5)
    assert weighed.warning == "Still out of rotation: docker 1 - ok of blog (it is drained by the operator)."

    scene.see(one("old", 5, "web", draining=True))
    assert "(its container was told to stop)" in (await operator.undrain("old", None)).warning


async def test_a_container_that_was_told_to_stop_serves_on_when_an_operator_says_so(scene: Scene) -> None:
    asked: list[str] = []

    def revive(container: str) -> bool:
        asked.append(container)
        return True

    operator = Operator(scene.registry, revive)
    scene.see(one("old", 5, "web", draining=True))
    outcome = await operator.undrain("old", None)
    assert (names(outcome.changed), names(outcome.unchanged), outcome.warning) == (["web old"], [], "")
    assert asked == [scene.route("web").upstreams[-1].container]
    scene.see(one("new", 6, "web"))
    await operator.drain("new", None)
    assert names((await operator.undrain("new", None)).changed) == ["web new"]
    assert len(asked) == 1, "that one was drained by the operator alone"


async def test_a_route_that_is_not_there_is_unknown(scene: Scene) -> None:
    operator = Operator(scene.registry)
    for asked in (operator.maintain("blok", ""), operator.pause("blok", 5), operator.resume("blok")):
        with pytest.raises(UnknownRoute, match=r"did you mean 'blog'\?"):
            await asked
