"""Engines of Debian's newer suites, beside the machine's own. `python -m tests.engine` (`make test-engines`) uses them.

named.py     `docker-forky`, `podman-forky` -> the engine of that name, started
  podman.py  PodmanEngine: Podman's service, and what its timers would do
  rooted.py  RootedEngine, DockerEngine: a private engine whose programs come from such a suite
network.py   Network: a network namespace with a way out, that takes all of its processes with it
stage.py     Stage: a mount namespace in which such a suite is the root
debian.py    a Debian suite with both engines in it, made by debootstrap, kept in the cache folder

Calls run from the top down. Whatever needs root or is not there raises NoEngine, with the reason in one line.
"""
