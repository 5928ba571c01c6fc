"""The demo's containers: web servers in this process, and every act on them.

containers.py   Containers: all containers and networks, and every act on them, with its events
  container.py  Container: state and life of one
    servers.py  what listens for a container: WebServer, ClosedPort, Elsewhere; answers.py: what it says
  networks.py   Network, Endpoint
  events.py     EventLog: the ring of events and its readers
  signals.py    names and numbers of signals
"""
