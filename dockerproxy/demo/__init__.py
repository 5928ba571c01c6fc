"""The embedded engine: a small server that speaks the Docker Engine API over a UNIX socket.

Its "containers" are web servers in this process. It serves the demo on machines without Docker, and stands in
for an engine in tests and benchmarks of discovery.

Parts, in the direction of their calls:

    client      what `dockerproxy demo stop blog-1` says to a running demo (the only user of the docker SDK here)
    site        the demo's containers
    engine/     EmbeddedEngine: the API over a socket
    containers/ Containers: all containers and networks, and every act on them
    spec        ContainerSpec: a container as plain data
    refusals    why an act was refused, with the status that Docker gives it
    paths       where the demo's socket is
    page        one page on one port, for the example services of docker-compose.yml

It never imports discovery: the proxy meets it only over the socket, as it meets Docker.
"""

from __future__ import annotations

from dockerproxy.demo.containers.container import Container
from dockerproxy.demo.containers.containers import Containers
from dockerproxy.demo.engine.server import EmbeddedEngine
from dockerproxy.demo.paths import default_socket_path
from dockerproxy.demo.refusals import Refusal
from dockerproxy.demo.site import demo_site
from dockerproxy.demo.spec import Behaviour, ContainerSpec, Health

__all__ = [
    "Behaviour",
    "Container",
    "ContainerSpec",
    "Containers",
    "EmbeddedEngine",
    "Health",
    "Refusal",
    "default_socket_path",
    "demo_site",
]
