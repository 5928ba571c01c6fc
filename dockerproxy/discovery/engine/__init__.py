"""The engine: everything that is said to it and by it; the only importer of the Docker SDK.

client.py         Engine: the SDK, with its errors in words (errors.py)
  tls.py          how an engine is reached over the network
  events.py       EventReader, EventStream, Event: the stream of events and the thread that only queues it
  podman.py       Podman's events in Docker's words
entry.py          Entry: one item of the engine's list, reduced to what matters
networks.py       KnownNetworks: those that do not lead from the host to their containers
own_container.py  OwnContainer: the container that the proxy itself runs in
exposed_ports.py  ports that only an inspection tells; unlisted.py: what Podman's list leaves out beside them
inspection.py     an item of the list from `docker inspect`

client calls events, podman, inspection, tls and errors; the others are pure.
"""
