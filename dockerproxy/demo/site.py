"""Site: the containers of the demo, labelled as a compose file would label them."""

from __future__ import annotations

from collections.abc import Mapping

from dockerproxy.demo.spec import NUMBER_LABEL, SERVICE_LABEL, Behaviour, ContainerSpec

PROJECT = "demo"
NETWORK = "demo_default"


def demo_site() -> list[ContainerSpec]:
    """Three blogs of which one answers, two shops, and one container that nobody can route."""
    return [*_blogs(), *_shops(), _misfit()]


def _blogs() -> list[ContainerSpec]:
    """The page at blog.localhost must always come, though two of its three containers never answer."""
    # Enough attempts for the time that a person takes to type `demo start blog-1`: requests wait for it.
    labels = {"dockerproxy.route": "blog", "dockerproxy.host": "blog.localhost", "dockerproxy.max_attempts": "100"}
    return [
        _container("blog", 1, labels),
        _container("blog", 2, labels, replies=Behaviour.REFUSES),
        _container("blog", 3, labels, replies=Behaviour.SILENT),
    ]


def _shops() -> list[ContainerSpec]:
    """Nothing but `enable`: the route gets the name of the compose service, so shop.localhost."""
    return [_container("shop", number, {"dockerproxy.enable": "true"}) for number in (1, 2)]


def _misfit() -> ContainerSpec:
    """A typo in a label and two exposed ports: it shows how the reasons read."""
    labels = {"dockerproxy.hots": "office.localhost"}
    return _container("office", 1, labels, extra_ports=("9090/tcp",))


def _container(
    service: str,
    number: int,
    labels: Mapping[str, str],
    *,
    replies: Behaviour = Behaviour.PAGE,
    extra_ports: tuple[str, ...] = (),
) -> ContainerSpec:
    compose = {
        "com.docker.compose.project": PROJECT,
        SERVICE_LABEL: service,
        NUMBER_LABEL: str(number),
        "com.docker.compose.oneoff": "False",
    }
    return ContainerSpec(
        name=f"{service}-{number}",
        image=f"{PROJECT}/{service}:latest",
        labels={**compose, **labels},
        networks=(NETWORK,),
        replies=replies,
        extra_ports=extra_ports,
    )
