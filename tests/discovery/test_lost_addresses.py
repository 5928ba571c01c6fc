"""Which addresses running containers have lost from one snapshot to the next."""

from __future__ import annotations

import pytest

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import Domain, Source, Upstream


def view(
    *addresses: str, at: str = "", state: str = "running", name: str = "web", host: str = "web.localhost"
) -> ContainerView:
    """A container on networks with these addresses, which is routed at `at` if that is given."""
    wishes: tuple[RouteWish, ...] = ()
    if at:
        upstream = Upstream(name, f"http://{at}", source=Source.DOCKER, container=f"id-{name}")
        wishes = (RouteWish(name, upstream, Domain(host)),)
    return ContainerView(f"id-{name}", name, 1.0, state, wishes, addresses=addresses)


WEB = view("172.18.0.2", at="172.18.0.2:80")
LOST = {("http://172.18.0.2:80", "id-web")}


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        (WEB, view(), LOST),
        (WEB, view("172.19.0.2"), LOST),
        (WEB, view("172.18.0.3", at="172.18.0.3:80"), LOST),
        (WEB, view(state="paused"), LOST),
        (WEB, WEB, set()),
        (WEB, view("172.18.0.2"), set()),
        (WEB, view("172.18.0.2", "172.19.0.2", at="172.19.0.2:80"), set()),
        (WEB, view(state="exited"), set()),
        (WEB, view(name="other"), set()),
        (view("172.18.0.2", at="127.0.0.1:8080"), view(), set()),
        (view("fd00::2", at="[fd00::2]:80"), view(), {("http://[fd00::2]:80", "id-web")}),
    ],
    ids=[
        "no network any more", "another network", "another address", "paused, and disconnected", "nothing changed",
        "out of the rotation", "one more network", "it has ended", "it is gone", "a published port", "IPv6",
    ],
)  # fmt: skip
def test_an_address_is_lost_when_its_container_runs_on_without_it(
    before: ContainerView, now: ContainerView, lost: set[tuple[str, str]]
) -> None:
    assert Snapshot("e", (now,)).lost_since(Snapshot("e", (before,))) == lost
